/** A value as YAML, the way a person would write it: block style, short mappings and scalars on one line. */

import type { Json, JsonObject, Scalar } from "../core/json.ts";
import { coreMeaning, otherMeaning } from "./plain-scalar.ts";

/** A collection that isn't empty, each line behind `indent`, without the last line's end. */
export function blockText(value: JsonObject | readonly Json[], indent: string): string {
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => itemText(item, indent)).join("\n");
  return Object.entries(value).map(([key, each]) => `${indent}${keyText(key)}:${behindKey(each as Json, `${indent}  `)}`).join("\n");
}

function itemText(item: Json, indent: string): string {
  if (isInline(item)) return `${indent}- ${inlineText(item)}`;
  // The first line goes behind the dash.
  return `${indent}- ${blockText(item as JsonObject, `${indent}  `).slice(indent.length + 2)}`;
}

function behindKey(value: Json, indent: string): string {
  return isInline(value) || isShort(value) ? ` ${inlineText(value)}` : `\n${blockText(value as JsonObject, indent)}`;
}

function isInline(value: Json): boolean {
  return typeof value !== "object" || value === null || Object.keys(value).length === 0;
}

/** Characters of `{…}` behind a key, at most; `address: {mode: static, ip: 203.0.113.10, prefix: 28}` is one. */
const shortFlow = 60;

/** A mapping of scalars alone, short enough for its key's line. */
export function isShort(value: Json): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((each) => typeof each !== "object" || each === null) && flowText(value).length <= shortFlow;
}

function inlineText(value: Json): string {
  return typeof value === "object" && value !== null ? flowText(value) : scalarText(value);
}

/** On one line, in braces. */
export function flowText(value: Json): string {
  if (typeof value !== "object" || value === null) return scalarText(value);
  if (Array.isArray(value)) return `[${(value as readonly Json[]).map(flowText).join(", ")}]`;
  return `{${Object.entries(value).map(([key, each]) => `${keyText(key)}: ${flowText(each as Json)}`).join(", ")}}`;
}

export function keyText(key: string): string {
  return scalarText(key, "");
}

/** `quote`: as the scalar was quoted that stood there before. */
export function scalarText(value: Scalar | null, quote = ""): string {
  if (typeof value !== "string") return String(value);
  if (quote === "'" && /^[ !-~]*$/.test(value)) return `'${value.replaceAll("'", "''")}'`;
  return quote === "" && isPlain(value) ? value : quoted(value);
}

/** Safe at every place, in braces as well, and text to every reader. */
function isPlain(text: string): boolean {
  const isWord = /^[A-Za-z0-9_/][A-Za-z0-9_./@+=~ :-]*$/.test(text) && !/: |:$| $/.test(text);
  return isWord && typeof coreMeaning(text) === "string" && otherMeaning(text) === undefined;
}

/** YAML 1.2 section 5.7 has JSON's escapes; what is no printable ASCII is escaped, but for letters of the basic plane. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll(/[^ -~\p{L}\p{M}\p{N}\p{P}\p{S}]/gu, (character) => [...character].map((each) => escapeOf(each)).join(""));
}

function escapeOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}
