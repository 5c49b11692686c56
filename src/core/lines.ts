/** Where the lines of a text begin, and what lies on each. */

import type { Span } from "./file.ts";

/** Offset of the first character of each line, UTF-16 units. */
export function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

/** Index of the line that holds the offset, from 0. */
export function lineAt(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** The spans of a line, from 1, in the order in which they were given. */
export function spansByLine(spans: readonly Span[]): (line: number) => readonly Span[] {
  const isInOrder = spans.every((span, index) => index === 0 || (spans[index - 1] as Span).line <= span.line);
  const inOrder = isInOrder ? spans : [...spans].sort((a, b) => a.line - b.line);
  // By line, the index of the first span on it or behind it.
  const firsts: number[] = [];
  for (const [index, span] of inOrder.entries()) while (firsts.length <= span.line) firsts.push(index);
  return (line) => {
    const from = firsts[line] ?? inOrder.length;
    const to = firsts[line + 1] ?? inOrder.length;
    return from === to ? none : inOrder.slice(from, to);
  };
}

const none: readonly Span[] = [];
