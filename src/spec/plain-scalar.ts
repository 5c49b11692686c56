/** What an unquoted YAML scalar means to us (YAML 1.2 core) and to the many readers of YAML 1.1, PyYAML among them. */

import {
  NOT_RESOLVED,
  boolCoreTag,
  boolYaml11Tag,
  floatCoreTag,
  floatYaml11Tag,
  intCoreTag,
  intYaml11Tag,
  nullCoreTag,
  nullYaml11Tag,
  timestampTag,
} from "js-yaml";
import type { ScalarTagDefinition } from "js-yaml";
import type { Scalar } from "../core/json.ts";

/** The value of an unquoted scalar in YAML 1.2's core schema. */
export function coreMeaning(source: string): Scalar | null {
  const value = firstOf([nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag], source);
  return value === NOT_RESOLVED ? source : (value as Scalar | null);
}

/** How a YAML 1.1 reader understands `source`, in words, where that is not how we do. */
export function otherMeaning(source: string): string | undefined {
  if (source === "=" || source === "<<") return "a special key, or an error";
  if (firstOf([timestampTag], source) !== NOT_RESOLVED) return "a date";
  const core = coreMeaning(source);
  const old = firstOf([nullYaml11Tag, boolYaml11Tag, intYaml11Tag, floatYaml11Tag], source);
  const value = old === NOT_RESOLVED ? source : (old as Scalar | null);
  return Object.is(core, value) ? undefined : inWords(value);
}

/** `the number 644`, `true`, `the text "on"`. */
export function inWords(value: Scalar | null): string {
  if (value === null) return "nothing (null)";
  if (typeof value === "string") return `the text ${JSON.stringify(value)}`;
  return typeof value === "number" ? `the number ${value}` : String(value);
}

function firstOf(tags: readonly ScalarTagDefinition[], source: string): unknown {
  for (const tag of tags) {
    const value = tag.resolve(source, false, tag.tagName);
    if (value !== NOT_RESOLVED) return value;
  }
  return NOT_RESOLVED;
}
