/** Whether two texts differ in form alone: the order of keys, comments of YAML, white space where the format has no use for it. */

import { isDeepStrictEqual } from "node:util";
import type { Json } from "../core/json.ts";
import { canonicalJson } from "../core/json.ts";
import { readYaml } from "../spec/read-yaml.ts";

/** The file's name tells its format; of one that is not known, every byte counts. */
export function isOnlyForm(path: string, a: string, b: string): boolean {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (/\.(json|ya?ml)$/.test(name)) return hasSameValue(a, b);
  // cloud-init takes its first line, a comment, for the word that says what it is.
  if (/^(user-data|meta-data|network-config)(-|$)/.test(name)) return firstLine(a) === firstLine(b) && hasSameValue(a, b);
  if (name.endsWith(".md")) return isDeepStrictEqual(words(a), words(b));
  return false;
}

function hasSameValue(a: string, b: string): boolean {
  const [x, y] = [valueOf(a), valueOf(b)];
  return x !== undefined && y !== undefined && canonicalJson(x) === canonicalJson(y);
}

/** JSON is YAML. Where a text has something that we don't read, nobody can say that it means the same. */
function valueOf(text: string): Json | undefined {
  const { value, issues } = readYaml(text);
  return issues.length > 0 ? undefined : value;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== "");
}
