/** JSON values, and one text for each of them. */

import { oncePer } from "./once-per.ts";

export type Scalar = string | number | boolean;
export type Json = Scalar | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** By UTF-16 code unit, the one order of the house: no locale takes part. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The text of a JSON document as we write files: keys sorted by code unit (but whole numbers first, by size, as JavaScript
 * keeps them), two spaces, one final newline. The same value always gives the same bytes. Throws on a number that JSON can't
 * hold.
 */
export function canonicalJson(value: Json): string {
  return `${indented(value, "")}\n`;
}

/**
 * As `canonicalJson`, of fields whose names are words. An object in one of its lists is written once, for whatever documents
 * list it: nobody may change it.
 */
export function canonicalDocument(document: JsonObject): string {
  const fields = Object.keys(document)
    .sort(byCodeUnit)
    .map((key) => {
      const value = document[key] as Json;
      const isList = Array.isArray(value) && value.length > 0;
      return `  ${JSON.stringify(key)}: ${isList ? `[\n    ${value.map(entryText).join(",\n    ")}\n  ]` : indented(value, "  ")}`;
    });
  return `{\n${fields.join(",\n")}\n}\n`;
}

function entryText(entry: Json): string {
  return typeof entry === "object" && entry !== null ? keptText(entry) : indented(entry, "    ");
}

const keptText = oncePer((entry: JsonObject | readonly Json[]) => indented(entry, "    "));

/** Every line but the first begins with `indent`. */
function indented(value: Json, indent: string): string {
  const text = JSON.stringify(sorted(value), null, 2);
  return indent === "" ? text : text.replaceAll("\n", `\n${indent}`);
}

function isInOrder(value: Json): boolean {
  if (typeof value !== "object" || value === null) return typeof value !== "number" || Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isInOrder);
  let before = "";
  for (const key of Object.keys(value)) {
    if (key < before || !isInOrder((value as JsonObject)[key] as Json)) return false;
    before = key;
  }
  return true;
}

/** The value itself where it is in order, as most of a document is that was read or made so. */
function sorted(value: Json): Json {
  if (isInOrder(value)) return value;
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) throw new Error(`not a JSON number: ${value}`);
  const object = value as JsonObject;
  const keys = Object.keys(object).sort(byCodeUnit);
  // fromEntries defines own properties, so a key named __proto__ stays a key.
  return Object.fromEntries(keys.map((key) => [key, sorted(object[key] as Json)]));
}
