/** How a YAML text is laid out: which lines and columns a node takes, beyond the places of its scalars. */

import type { Json, JsonObject } from "../core/json.ts";
import { below, keysOf } from "../core/pointer.ts";
import type { Mark } from "./read-yaml.ts";

/** The node is written in a way that can't be changed in part. */
export class Awkward extends Error {
  override readonly name = "Awkward";
}

export interface Stretch {
  readonly start: number;
  readonly end: number;
}

/** Of a whole node. */
export interface Place extends Stretch {
  /** Of its key, or of what stands behind its dash. */
  readonly column: number;
  /** It begins on a line below its key's. */
  readonly isBelowKey: boolean;
  /** End of the key's line, comment and all. */
  readonly restOfLine: number;
}

export interface LineEnd {
  /** Where the next line begins. */
  readonly offset: number;
  /** The text ends there without an end of line. */
  readonly lacksEnd: boolean;
}

export interface YamlShape {
  /** The collection is in brackets. */
  readonly isFlow: (pointer: string) => boolean;
  /** Something around the node is in brackets. */
  readonly isInFlow: (pointer: string) => boolean;
  /** With the quote that it has. Throws Awkward. */
  readonly scalarAt: (pointer: string) => Stretch & { readonly quote: string };
  /** Of a collection in brackets, these included. */
  readonly flowAt: (pointer: string) => Stretch;
  /** Behind the key's colon, up to its end. Throws Awkward for what has no key. */
  readonly nodeAt: (pointer: string) => Place;
  /** All lines of a mapping's entry. */
  readonly entryLines: (pointer: string) => Stretch;
  readonly itemLines: (pointer: string, sequence: string, index: number) => Stretch;
  readonly afterLineOf: (pointer: string) => LineEnd;
  /** Where an item can go before the first one. */
  readonly beforeItem: (sequence: string) => LineEnd;
  /** Of an entry's key. */
  readonly columnOf: (pointer: string) => number;
  readonly dashColumn: (sequence: string) => number;
}

export function shapeOf(text: string, root: Json, marks: ReadonlyMap<string, Mark>): YamlShape {
  const layout = new Layout(text, root, marks);
  return {
    isFlow: (pointer) => layout.isFlow(pointer),
    isInFlow: (pointer) => parentsOf(pointer).some((each) => layout.isFlow(each)),
    scalarAt: (pointer) => layout.scalarAt(pointer),
    flowAt: (pointer) => ({ start: layout.mark(pointer).start, end: layout.endOf(pointer) }),
    nodeAt: (pointer) => layout.nodeAt(pointer),
    entryLines: (pointer) => layout.entryLines(pointer),
    itemLines: (pointer, sequence, index) => layout.itemLines(pointer, sequence, index),
    afterLineOf: (pointer) => layout.afterLine(layout.endOf(pointer)),
    beforeItem: (sequence) => layout.beforeItem(sequence),
    columnOf: (pointer) => layout.columnAt(layout.keyOf(pointer).start),
    dashColumn: (sequence) => layout.dashColumn(sequence),
  };
}

function parentsOf(pointer: string): readonly string[] {
  const keys = keysOf(pointer);
  return keys.map((_, index) => below("", ...keys.slice(0, index)));
}

class Layout {
  readonly text: string;
  readonly root: Json;
  readonly marks: ReadonlyMap<string, Mark>;

  constructor(text: string, root: Json, marks: ReadonlyMap<string, Mark>) {
    this.text = text;
    this.root = root;
    this.marks = marks;
  }

  mark(pointer: string): Mark {
    const mark = this.marks.get(pointer);
    if (mark === undefined) throw new Awkward();
    return mark;
  }

  keyOf(pointer: string): Stretch {
    const { key } = this.mark(pointer);
    if (key === undefined) throw new Awkward();
    return key;
  }

  valueAt(pointer: string): Json {
    return keysOf(pointer).reduce<Json>((here, key) => (here as JsonObject)[key] as Json, this.root);
  }

  isFlow(pointer: string): boolean {
    const { start, isScalar } = this.mark(pointer);
    return !isScalar && (this.text[start] === "{" || this.text[start] === "[");
  }

  /** Behind the colon of the node's key. */
  afterColon(pointer: string): number {
    const { end } = this.keyOf(pointer);
    const [found] = /^[ \t]*:/.exec(this.text.slice(end, end + 80)) ?? [];
    if (found === undefined) throw new Awkward();
    return end + found.length;
  }

  scalarAt(pointer: string): Stretch & { readonly quote: string } {
    const { start, end } = this.mark(pointer);
    if (end === start || this.isBlockScalar(pointer)) throw new Awkward();
    const first = this.text[start] ?? "";
    // An empty text has to have quotes; what comes in its place need not.
    return { start, end, quote: end - start > 2 && (first === '"' || first === "'") ? first : "" };
  }

  /** `|` or `>` stands on the line before the text. */
  isBlockScalar(pointer: string): boolean {
    const { start, isScalar, plain } = this.mark(pointer);
    return isScalar && plain === undefined && (!/["']/.test(this.text[start] ?? "") || this.headerBefore(start));
  }

  /** A quote that is the first character of a block scalar's text looks like a quoted scalar's. */
  headerBefore(start: number): boolean {
    const before = this.text.slice(0, start).trimEnd();
    const line = before.slice(before.lastIndexOf("\n") + 1);
    return /(^|[\s:-])[|>][0-9+-]*([ \t]+#.*)?$/.test(line) && this.text.slice(before.length, start).includes("\n");
  }

  nodeAt(pointer: string): Place {
    const key = this.keyOf(pointer);
    const start = this.afterColon(pointer);
    const restOfLine = this.lineEnd(start);
    const end = this.endOf(pointer);
    const { start: first, end: last } = this.mark(pointer);
    // A block scalar's header is on the key's line, and goes with it.
    const isBelowKey = last > first && first > restOfLine && !this.isBlockScalar(pointer);
    return { start, end: Math.max(end, start), column: this.columnAt(key.start), isBelowKey, restOfLine };
  }

  /** Behind the node's last character: a bracket, or that of its last child. */
  endOf(pointer: string): number {
    const mark = this.mark(pointer);
    if (mark.isScalar) return this.scalarEnd(pointer, mark);
    const value = this.valueAt(pointer);
    const keys = Array.isArray(value) ? value.map((_, index) => index) : Object.keys(value as JsonObject);
    const end = keys.reduce<number>((most, key) => Math.max(most, this.endOf(below(pointer, key))), mark.start + (this.isFlow(pointer) ? 1 : 0));
    return this.isFlow(pointer) ? this.bracketAfter(end) : end;
  }

  scalarEnd(pointer: string, { start, end, key }: Mark): number {
    if (end === start) return key === undefined ? start : this.afterColon(pointer);
    let last = end;
    while (last > start && /\s/.test(this.text[last - 1] ?? "")) last -= 1;
    return last;
  }

  bracketAfter(at: number): number {
    const [found] = /^(?:[\s,]|(?<=\s)#.*)*[\]}]/.exec(this.text.slice(at)) ?? [];
    if (found === undefined) throw new Awkward();
    return at + found.length;
  }

  lineStart(offset: number): number {
    return this.text.lastIndexOf("\n", offset - 1) + 1;
  }

  lineEnd(offset: number): number {
    const end = this.text.indexOf("\n", offset);
    return end < 0 ? this.text.length : end;
  }

  columnAt(offset: number): number {
    return offset - this.lineStart(offset);
  }

  afterLine(offset: number): LineEnd {
    const end = this.lineEnd(offset);
    return end === this.text.length ? { offset: end, lacksEnd: true } : { offset: end + 1, lacksEnd: false };
  }

  /** Nothing else of the document is on them. */
  wholeLines(from: number, to: number): Stretch {
    const start = this.lineStart(from);
    const rest = this.text.slice(to, this.lineEnd(to));
    if (this.text.slice(start, from).trim() !== "" || !/^\s*(#.*)?$/.test(rest)) throw new Awkward();
    return { start, end: this.afterLine(to).offset };
  }

  entryLines(pointer: string): Stretch {
    return this.wholeLines(this.keyOf(pointer).start, this.endOf(pointer));
  }

  itemLines(pointer: string, sequence: string, index: number): Stretch {
    return this.wholeLines(this.dashOf(sequence, index), this.endOf(pointer));
  }

  dashColumn(sequence: string): number {
    if (this.isFlow(sequence)) throw new Awkward();
    return this.columnAt(this.mark(sequence).start);
  }

  beforeItem(sequence: string): LineEnd {
    const dash = this.dashOf(sequence, 0);
    const start = this.lineStart(dash);
    if (this.text.slice(start, dash).trim() !== "") throw new Awkward();
    return { offset: start, lacksEnd: false };
  }

  /** Dashes of one sequence stand below each other. */
  dashOf(sequence: string, index: number): number {
    const first = this.mark(sequence).start;
    if (this.text[first] !== "-") throw new Awkward();
    if (index === 0) return first;
    const column = this.columnAt(first);
    const limit = this.mark(below(sequence, index)).start;
    for (let at = this.afterLine(this.endOf(below(sequence, index - 1))).offset; at <= limit && at < this.text.length; at = this.afterLine(at).offset) {
      if (this.text[at + column] === "-" && this.text.slice(at, at + column).trim() === "") return at + column;
    }
    throw new Awkward();
  }
}
