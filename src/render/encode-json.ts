/** JSON (RFC 8259): a value alone or inside a string; beyond ASCII only what every reader takes. */

import type { Scalar } from "../core/json.ts";
import { shWord } from "../core/sh-word.ts";
import type { FormatRules, Hole, Part, Placed } from "./composition.ts";
import { textOf } from "./composition.ts";

export const jsonRules: FormatRules = { encode, parseBack };

/** A JSON value; also JavaScript, where U+2028 and U+2029 would end a line. */
export function jsonScalar(value: Scalar): string {
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`not a number for JSON: ${value}`);
  return JSON.stringify(value).replace(/[\u2028\u2029]/g, (each) => String.raw`\u${each.charCodeAt(0).toString(16)}`);
}

function encode(parts: readonly Part[]): readonly string[] {
  let inString = false;
  const texts: string[] = [];
  for (const part of parts) {
    if (typeof part === "string") inString = endsInString(part, inString);
    else texts.push(inString ? jsonScalar(meant(part)).slice(1, -1) : jsonScalar(whole(part)));
  }
  return texts;
}

function endsInString(text: string, from: boolean): boolean {
  let inString = from;
  for (let index = 0; index < text.length; index += 1) {
    if (inString && text[index] === "\\") index += 1;
    else if (text[index] === '"') inString = !inString;
  }
  return inString;
}

function parseBack(text: string, placed: readonly Placed[], plain: string): void {
  if (shape(JSON.parse(text)) !== shape(JSON.parse(plain))) throw new Error("a value changed the structure of the document");
  let inString = false;
  let from = 0;
  for (const { hole, start, end } of placed) {
    inString = endsInString(text.slice(from, start), inString);
    const written = text.slice(start, end);
    const read: unknown = JSON.parse(inString ? `"${written}"` : written);
    if (read !== (inString ? meant(hole) : whole(hole))) throw new Error(`${hole.at}: the value is not what the document holds`);
    from = end;
  }
}

function whole(hole: Hole): Scalar {
  return hole.kind === "value" ? hole.values[0].value : meant(hole);
}

function meant(hole: Hole): string {
  return hole.kind === "sh" ? shWord(textOf(hole)) : textOf(hole);
}

/** The structure of a document: its lists' lengths, its objects' sizes, its scalars' types. */
function shape(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(shape).join(",")}]`;
  if (typeof value === "object" && value !== null) return `{${Object.values(value).map(shape).join(",")}}`;
  return value === null ? "null" : typeof value;
}
