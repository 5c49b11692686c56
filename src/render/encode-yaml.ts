/** YAML as PyYAML reads it (YAML 1.1), which is what Heat and cloud-init do.
 *
 * Strings are JSON strings with the few characters escaped that YAML 1.1 can't hold bare; texts of several lines may be
 * block literals.
 */

import { EVENT_ID, SCALAR_STYLE, getScalarValue, parseEvents } from "js-yaml";
import type { ScalarEvent } from "js-yaml";

import type { Scalar } from "../core/json.ts";
import { shWord } from "../core/sh-word.ts";
import { readAlike } from "../guest/yaml-versions.ts";
import type { FormatRules, Hole, Part, Placed } from "./composition.ts";
import { textOf } from "./composition.ts";

export const yamlRules: FormatRules = { encode, parseBack };

/** A scalar that YAML 1.1 and 1.2 read alike, with its type. */
export function yamlScalar(value: Scalar): string {
  if (typeof value === "string") return `"${inQuotes(value)}"`;
  if (typeof value === "boolean") return String(value);
  if (!Number.isFinite(value)) throw new Error(`not a number for YAML: ${value}`);
  // YAML 1.1 knows an exponent only after a point: 1e-7 would be a string.
  return String(value).replace(/^(-?\d+)e/, "$1.0e");
}

/**
 * A text as a block literal below a key at column `indent`, without the last line break; undefined where only quotes can
 * hold it. The indentation is said in the header, so that a first line may begin with spaces.
 */
export function yamlBlock(text: string, indent: number): string | undefined {
  // Two ends of line at the end, or an end in spaces, need more care than it is worth.
  if (unprintable.test(text) || text.trim() === "" || /\n[ \t]*\n$/.test(text) || /^[ \t]+$/.test(lastLine(text))) return undefined;
  const body = text.endsWith("\n") ? text.slice(0, -1) : text;
  const lines = body.split("\n").map((line) => (line === "" ? "" : " ".repeat(indent + 2) + line));
  return [text.endsWith("\n") ? "|2" : "|2-", ...lines].join("\n");
}

function lastLine(text: string): string {
  return text.slice(text.lastIndexOf("\n") + 1);
}

/** YAML 1.1 section 5.1 c-printable, less the line breaks other than LF: NEL, LS and PS, and the byte order mark. */
const unprintable = /[^\t\n\u0020-\u007e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]/u;

/** The inside of a double-quoted scalar. */
function inQuotes(text: string): string {
  return JSON.stringify(text)
    .slice(1, -1)
    .replace(/[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g, (each) => String.raw`\u${each.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

type Place =
  | { readonly kind: "scalar"; readonly indent: number }
  | { readonly kind: "quoted" }
  | { readonly kind: "comment" }
  | { readonly kind: "literal" };

function encode(parts: readonly Part[]): readonly string[] {
  const scanner = new Scanner();
  const texts: string[] = [];
  for (const [index, part] of parts.entries()) {
    if (typeof part === "string") {
      scanner.read(part);
      continue;
    }
    const next = parts[index + 1];
    const place = scanner.place(part, next === undefined ? "\n" : typeof next === "string" ? next : "{{");
    texts.push(encodeAt(place, part));
    scanner.skip();
  }
  return texts;
}

function encodeAt(place: Place, hole: Hole): string {
  if (hole.kind === "code") throw new Error(`${hole.at}: {{code}} is for Markdown`);
  const value = hole.kind === "value" ? (hole.values[0].value as Scalar) : textOf(hole);
  const text = hole.kind === "sh" ? shWord(String(value)) : value;
  switch (place.kind) {
    case "scalar":
      return (hole.kind === "block" ? yamlBlock(String(text), place.indent) : undefined) ?? yamlScalar(text);
    case "quoted":
      return inQuotes(String(text));
    case "comment":
      return inQuotes(String(text)).replaceAll('\\"', '"');
    case "literal":
      if (unprintable.test(String(text)) || String(text).includes("\n")) {
        throw new Error(`${hole.at}: a value that a line of a block literal can't hold`);
      }
      return String(text);
  }
}

/** Knows where in a template a hole stands: it reads the literal text only, a hole being an opaque atom of its line. */
class Scanner {
  /** The line so far; U+FFFC stands for a hole. */
  private line = "";
  /** Indentation of the key whose block literal we may be in. */
  private literal: number | undefined;

  read(text: string): void {
    const [first = "", ...rest] = text.split("\n");
    this.line += first;
    for (const line of rest) {
      this.endLine();
      this.line = line;
    }
  }

  skip(): void {
    this.line += "\ufffc";
  }

  place(hole: Hole, after: string): Place {
    if (this.inLiteral()) return { kind: "literal" };
    const state = lineState(this.line);
    if (state === "comment") return { kind: "comment" };
    if (state === "double") return { kind: "quoted" };
    const isWhole = state === "start" && /^[ ]*($|\n|[,\]}]|:[ \n]| #)/.test(after);
    if (!isWhole) throw new Error(`${hole.at}: a hole that is only part of a scalar; put the scalar in double quotes`);
    if (hole.kind === "block" && !/^\n/.test(after)) throw new Error(`${hole.at}: {{block}} ends its line`);
    return { kind: "scalar", indent: parentIndent(this.line) };
  }

  private inLiteral(): boolean {
    if (this.literal === undefined) return false;
    const indent = this.line.search(/[^ ]/);
    return indent < 0 ? this.line.length > this.literal : indent > this.literal;
  }

  private endLine(): void {
    if (this.inLiteral() || (this.literal !== undefined && this.line.trim() === "")) return;
    const opens = /(^|[ ])[|>][-+0-9]*$/.test(this.line) && lineState(this.line) === "plain";
    this.literal = opens ? parentIndent(this.line) : undefined;
  }
}

/** What the end of a line is in: a comment, quotes, a plain scalar, or the place where a scalar may start. */
function lineState(line: string): "start" | "plain" | "double" | "single" | "comment" {
  let state: "start" | "plain" | "double" | "single" = "start";
  for (let index = 0; index < line.length; index += 1) {
    const at = line[index] as string;
    const beforeIsSpace = index === 0 || line[index - 1] === " ";
    if (state === "double") {
      if (at === "\\") index += 1;
      else if (at === '"') state = "plain";
    } else if (state === "single") {
      if (at === "'") state = "plain";
    } else if (at === "#" && beforeIsSpace) {
      return "comment";
    } else if (state === "start" && (at === '"' || at === "'")) {
      state = at === '"' ? "double" : "single";
    } else if (/[[{,]/.test(at) || (/[-:?]/.test(at) && (line[index + 1] ?? " ") === " ")) {
      state = "start";
    } else if (at !== " ") {
      state = "plain";
    }
  }
  return state;
}

/** The column of the node that the line's last value belongs to: of its key, or of its dash. */
function parentIndent(line: string): number {
  const [before = "", dashes = ""] = /^[ ]*((?:-[ ]+)*)/.exec(line) ?? [];
  const hasKey = before.length < line.length;
  return hasKey || dashes === "" ? before.length : before.length - dashes.length + dashes.lastIndexOf("-");
}

function parseBack(text: string, placed: readonly Placed[], plain: string): void {
  const events = parseEvents(text, {});
  readAlike(text, events);
  const shape = (of: readonly { readonly type: number }[]): string => of.map((event) => event.type).join("");
  if (shape(events) !== shape(parseEvents(plain, {}))) throw new Error("a value changed the structure of the document");
  const scalars = events.filter((event) => event.type === EVENT_ID.SCALAR);
  let next = 0;
  for (const { hole, start, end } of placed) {
    while (next < scalars.length && (scalars[next] as ScalarEvent).valueEnd < start) next += 1;
    const scalar = scalars[next];
    const landed = scalar !== undefined && scalar.valueStart - 1 <= end ? scalar : undefined;
    if (landed === undefined || landed.valueStart > end) checkComment(text, start, end, hole);
    else if (!holds(text, landed, hole, start, end)) throw new Error(`${hole.at}: the value is not what the document holds`);
  }
}

function checkComment(text: string, start: number, end: number, hole: Hole): void {
  const line = text.slice(text.lastIndexOf("\n", start - 1) + 1, start);
  if (lineState(line) !== "comment" || text.slice(start, end).includes("\n")) {
    throw new Error(`${hole.at}: the value is nowhere in the document`);
  }
}

function holds(text: string, scalar: ScalarEvent, hole: Hole, start: number, end: number): boolean {
  const found = getScalarValue(text, scalar);
  const meant = hole.kind === "sh" ? shWord(textOf(hole)) : textOf(hole);
  switch (scalar.style) {
    case SCALAR_STYLE.PLAIN:
      return typeof hole.values[0].value !== "string" && Number(found) === Number(meant) || found === meant;
    case SCALAR_STYLE.DOUBLE_QUOTED: {
      const [from, to] = [scalar.valueStart, scalar.valueEnd];
      if (start < from && end > to) return found === meant;
      const decode = (part: string): string => JSON.parse(`"${part}"`) as string;
      return found === decode(text.slice(from, start)) + meant + decode(text.slice(end, to));
    }
    case SCALAR_STYLE.LITERAL_BLOCK:
      return hole.kind === "block" ? found === meant : found.includes(meant);
    default:
      return false;
  }
}
