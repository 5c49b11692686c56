/** Markdown (CommonMark with GitHub's tables): running text, code spans by {{code}}, and fenced code. */

import { shWord } from "../core/sh-word.ts";
import type { FormatRules, Hole, Part, Placed } from "./composition.ts";
import { textOf } from "./composition.ts";

export const markdownRules: FormatRules = { encode, parseBack };

/**
 * Running text: CommonMark 2.4 lets any ASCII punctuation be escaped; these are the ones that could mean something within
 * a line. An ampersand means something before a name or at the end, where the template may go on with one.
 */
export function markdownText(text: string): string {
  return text.replace(/[\\`*_[\]<|~$]|&(?=[#A-Za-z0-9]|$)|:(?=\/\/)/g, String.raw`\$&`);
}

/** A code span, CommonMark 6.1: its fence is longer than any run of backticks within. */
export function markdownCode(text: string): string {
  const longest = Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = text === "" || /^`|`$|^ .* $/.test(text) ? " " : "";
  return `${fence}${pad}${text}${pad}${fence}`;
}

type Place = "text" | "cell" | "start" | "fence" | "shell";

function encode(parts: readonly Part[]): readonly string[] {
  let line = "";
  /** Info string of the fence that we are in. */
  let fence: string | undefined;
  const texts: string[] = [];
  for (const part of parts) {
    if (typeof part !== "string") {
      texts.push(encodeAt(placeOf(line, fence, part), part));
      line += "x";
      continue;
    }
    const [first = "", ...rest] = part.split("\n");
    line += first;
    for (const next of rest) {
      const opened = /^ {0,3}```(.*)$/.exec(line)?.[1];
      if (opened !== undefined) fence = fence === undefined ? opened.trim() : undefined;
      line = next;
    }
  }
  return texts;
}

function placeOf(line: string, fence: string | undefined, hole: Hole): Place {
  if (fence !== undefined) return fence === "sh" ? "shell" : "fence";
  if ([...line.matchAll(/`/g)].length % 2 === 1) throw new Error(`${hole.at}: a hole in a code span; write {{code …}}`);
  return line.startsWith("|") ? "cell" : line.trim() === "" ? "start" : "text";
}

function encodeAt(place: Place, hole: Hole): string {
  const text = textOf(hole);
  if (hole.kind === "block") {
    if (place !== "fence" && place !== "shell") throw new Error(`${hole.at}: {{block}} outside a fence`);
    if (/^ {0,3}```/m.test(text)) throw new Error(`${hole.at}: a fence inside a fence`);
    return text.replace(/\n$/, "");
  }
  if (text.includes("\n")) throw new Error(`${hole.at}: a line break in running text`);
  switch (place) {
    case "shell":
      return shWord(text);
    case "fence":
      if (hole.kind === "code") throw new Error(`${hole.at}: {{code}} in a fence`);
      if (/^ {0,3}```/.test(text)) throw new Error(`${hole.at}: a value that would end its fence`);
      return hole.kind === "sh" ? shWord(text) : text;
    case "start":
      // At the start of a line a dash, a number or the like would begin a block.
      return hole.kind === "code" ? markdownCode(text) : markdownText(text).replace(/^[-+=#>]|(?<=^\d+)[.)]/, String.raw`\$&`);
    case "cell":
      return hole.kind === "code" ? markdownCode(text).replaceAll("|", String.raw`\|`) : markdownText(text);
    case "text":
      return hole.kind === "code" ? markdownCode(text) : markdownText(text);
  }
}

function parseBack(text: string, placed: readonly Placed[], plain: string): void {
  const fences = (of: string): string => (of.match(/^ {0,3}```.*$/gm) ?? []).join("\n");
  if (fences(text) !== fences(plain)) throw new Error("a value changed the fences of the document");
  for (const { hole, start, end } of placed) {
    const written = text.slice(start, end);
    if (hole.kind !== "block" && /[\n\r\u2028\u2029]/.test(written)) throw new Error(`${hole.at}: a value broke its line`);
    const bare = written.replace(/\\([\\`*_[\]<|~$&:+=#>.)-])/g, "$1");
    const shell = written.replace(/'([^']*)'|\\(')/g, "$1$2");
    const meant = textOf(hole).replace(/\n$/, "");
    const isThere = [written, bare, shell].includes(meant) || (hole.kind === "code" && bare.includes(meant)) || written.includes(meant);
    if (!isThere) throw new Error(`${hole.at}: the value is not what the document holds`);
  }
}
