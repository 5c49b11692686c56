/** Files of NAME='value' lines, read by `sh` and by nobody's guess: every value one single-quoted word on one line. */

import { shWord } from "../core/sh-word.ts";
import type { FormatRules, Hole, Part, Placed } from "./composition.ts";
import { textOf } from "./composition.ts";

export const envRules: FormatRules = { encode, parseBack };

/**
 * Reads such a file: name to value, in order. Throws on any line that is not blank, a comment, `NAME=` or `NAME='…'`, and
 * on a name that comes twice. The same rules as the shell's, and no more of them.
 */
export function readEnv(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [index, line] of text.split("\n").entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const [, name, word] = /^([A-Z][A-Z0-9_]*)=((?:'[^']*'|\\')*)$/.exec(line) ?? [];
    if (name === undefined || word === undefined) throw new Error(`line ${index + 1} is not NAME='value'`);
    if (values.has(name)) throw new Error(`${name} comes twice`);
    values.set(name, word.replace(/'([^']*)'|\\(')/g, "$1$2"));
  }
  return values;
}

type Place = "name" | "word" | "comment";

function encode(parts: readonly Part[]): readonly string[] {
  let line = "";
  const texts: string[] = [];
  for (const [index, part] of parts.entries()) {
    if (typeof part === "string") {
      line = (line + part).slice((line + part).lastIndexOf("\n") + 1);
      continue;
    }
    const next = parts[index + 1];
    texts.push(encodeAt(placeOf(line, typeof next === "string" ? next : "", part), part));
    line += "\ufffc";
  }
  return texts;
}

function placeOf(line: string, after: string, hole: Hole): Place {
  if (line.startsWith("#")) return "comment";
  if (/^[A-Z0-9_\ufffc]*$/.test(line) && /^[A-Z0-9_]*(=|$)/.test(after)) return "name";
  if (/^[A-Z0-9_\ufffc]+=$/.test(line) && /^(\n|$)/.test(after)) return "word";
  throw new Error(`${hole.at}: a hole that is neither a name nor the whole value`);
}

function encodeAt(place: Place, hole: Hole): string {
  if (hole.kind !== "value") throw new Error(`${hole.at}: {{${hole.kind}}} in a file of variables`);
  const text = String(hole.values[0].value);
  if (/[\n\u2028\u2029\u0085]/.test(text)) throw new Error(`${hole.at}: a line break in a variable`);
  if (place === "name" && !/^[A-Z0-9_]+$/.test(text)) throw new Error(`${hole.at}: not a part of a variable's name: ${text}`);
  return place === "word" ? shWord(text) : text;
}

function parseBack(text: string, placed: readonly Placed[], plain: string): void {
  const values = readEnv(text);
  if (text.split("\n").length !== plain.split("\n").length) throw new Error("a value changed the lines of the file");
  for (const { hole, start, end } of placed) {
    const line = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
    if (!line.endsWith("=") || line.startsWith("#")) continue;
    const written = text.slice(start, end);
    if (values.get(line.slice(0, -1)) !== textOf(hole) || !text.startsWith("\n", start + written.length)) {
      throw new Error(`${hole.at}: the value is not what the file holds`);
    }
  }
}
