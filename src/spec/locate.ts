/** From an issue to its place in the text the user wrote. */

import type { Issue } from "../core/issue.ts";
import { keysOf, below } from "../core/pointer.ts";
import type { Mark } from "./read-yaml.ts";
import { marksOf } from "./read-yaml.ts";
import { mayBeSecret } from "./show.ts";

/** Lines and columns count from 1, columns in UTF-16 units; the end is after the last character. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** Offsets into a text in UTF-16 units, `end` after the last. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface Located {
  readonly rangeOf: (issue: Issue) => Range;
  readonly placeOf: (range: Range) => Place;
  /** Values that may be secrets; no excerpt shows them. */
  readonly secrets: readonly Range[];
  /** Whether the text could be read at all; where not, nobody knows what in it is secret. */
  readonly isRead: boolean;
}

/** The place of one issue. For several issues of one text `locatorOf` reads it once only. */
export function locate(text: string, issue: Issue): Place {
  const located = locatorOf(text);
  return located.placeOf(located.rangeOf(issue));
}

export function locatorOf(text: string): Located {
  const marks = marksOf(text);
  return {
    rangeOf: (issue) => issue.span ?? rangeAt(issue, marks),
    placeOf: positionsIn(text),
    secrets: [...marks].filter(([pointer, mark]) => mayBeSecret(pointer) && mark.isScalar).map(([, mark]) => mark),
    isRead: marks.size > 0,
  };
}

/** From a pointer to the place of its value in `text`; undefined where no value stands there. */
export function placesIn(text: string): (pointer: string) => Place | undefined {
  const marks = marksOf(text);
  const { placeOf } = locatorOf(text);
  return (pointer) => {
    const mark = marks.get(pointer);
    return mark === undefined ? undefined : placeOf(mark);
  };
}

/** Of a text that is no YAML: its issues have spans, and whoever read it tells what in it is secret. */
export function plainLocatorOf(text: string, secrets: readonly Range[]): Located {
  return { rangeOf: (issue) => issue.span ?? { start: 0, end: 0 }, placeOf: positionsIn(text), secrets, isRead: true };
}

function positionsIn(text: string): Located["placeOf"] {
  const lineStarts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) lineStarts.push(at + 1);
  return ({ start, end }) => {
    const first = position(start, lineStarts);
    const last = position(Math.max(start, end), lineStarts);
    return { line: first.line, column: first.column, endLine: last.line, endColumn: last.column };
  };
}

/** Codes whose mistake is the key itself. */
const OF_THE_KEY: ReadonlySet<string> = new Set([
  "schema/unknown-key",
  "schema/key",
  "spec/unknown-variable",
  "spec/internal-variable",
  "import/unknown-field",
]);

function rangeAt(issue: Issue, marks: ReadonlyMap<string, Mark>): Range {
  let pointer = issue.pointer;
  let mark = marks.get(pointer);
  // What a default filled in, or what is missing, is shown at what holds it.
  while (mark === undefined && pointer !== "") {
    pointer = below("", ...keysOf(pointer).slice(0, -1));
    mark = marks.get(pointer);
  }
  if (mark === undefined) return { start: 0, end: 0 };
  const exact = pointer === issue.pointer && !OF_THE_KEY.has(issue.code) && mark.end > mark.start && mark.isScalar;
  if (!exact && mark.key !== undefined) return mark.key;
  return exact ? mark : { start: mark.start, end: mark.start + 1 };
}

function position(offset: number, lineStarts: readonly number[]): { readonly line: number; readonly column: number } {
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (lineStarts[low] ?? 0) + 1 };
}
