/** YAML text to a JSON value in which every value has one place, and every trap of YAML has been called by name. */

import { EVENT_ID, SCALAR_STYLE, getScalarValue, parseEvents } from "js-yaml";
import type { Event, ScalarEvent } from "js-yaml";
import type { Issue } from "../core/issue.ts";
import type { Json, Scalar } from "../core/json.ts";
import { below } from "../core/pointer.ts";
import { DOCUMENT_MAX_BYTES, nulAt, tooLong } from "./decode-text.ts";
import { coreMeaning, otherMeaning } from "./plain-scalar.ts";
import { DOCUMENT_MAX_DEPTH, syntaxIssue } from "./yaml-syntax.ts";

/** Where a value stands; offsets into the text in UTF-16 units, `end` after the last. */
export interface Mark {
  readonly start: number;
  readonly end: number;
  readonly key?: { readonly start: number; readonly end: number };
  readonly isScalar: boolean;
  /** The scalar as written, where it is not in quotes. */
  readonly plain?: string;
}

export interface Reading {
  /** Absent where the text is no YAML at all; then there is an error. */
  readonly value?: Json;
  readonly marks: ReadonlyMap<string, Mark>;
  readonly issues: readonly Issue[];
}

/**
 * Reads one YAML 1.2 document (JSON is one, too). Anchors, tags, merge keys and directives are refused: a spec reads the
 * same from top to bottom to everybody. Never throws.
 */
export function readYaml(text: string): Reading {
  // The console reads YAML in the browser, which has no Buffer.
  const size = new TextEncoder().encode(text).byteLength;
  if (size > DOCUMENT_MAX_BYTES) return failed(tooLong(size));
  const nul = text.indexOf("\0");
  if (nul >= 0) return failed(nulAt(nul));
  try {
    return construct(text, parseEvents(text, { maxDepth: DOCUMENT_MAX_DEPTH }));
  } catch (error) {
    return failed(syntaxIssue(text, error));
  }
}

/** Gives only where each value stands, for showing an issue; empty where the text is no YAML. */
export function marksOf(text: string): ReadonlyMap<string, Mark> {
  return readYaml(text).marks;
}

function failed(issue: Issue): Reading {
  return { marks: new Map(), issues: [issue] };
}

interface Frame {
  readonly kind: "mapping" | "sequence";
  readonly pointer: string;
  readonly start: number;
  readonly key: Key | undefined;
  readonly entries: [string, Json][];
  readonly items: Json[];
  readonly seen: Set<string>;
  /** The key whose value comes next. */
  pending: Key | undefined;
  /** Its content has no place of its own: a key that is no scalar, or the value of a refused key. */
  readonly discarded: boolean;
}

interface Key {
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly refused: boolean;
}

/** The parser's flat events to a value. */
class Construction {
  readonly text: string;
  readonly issues: Issue[] = [];
  readonly marks = new Map<string, Mark>();
  readonly frames: Frame[] = [];
  root: Json | undefined;
  documents = 0;
  last = 0;

  constructor(text: string) {
    this.text = text;
  }

  issue(
    code: Issue["code"],
    start: number,
    end: number,
    message: string,
    hint: string,
    pointer = this.place().pointer,
  ): void {
    this.issues.push({ code, severity: "error", pointer, message, hint, span: { start, end: Math.max(end, start) } });
  }

  /** The place of the value that comes next. */
  place(): { readonly pointer: string; readonly discarded: boolean; readonly key: Key | undefined } {
    const frame = this.frames.at(-1);
    if (frame === undefined) return { pointer: "", discarded: this.documents > 1, key: undefined };
    if (frame.kind === "sequence") {
      return { pointer: below(frame.pointer, frame.items.length), discarded: frame.discarded, key: undefined };
    }
    const key = frame.pending;
    if (key === undefined) return { pointer: frame.pointer, discarded: true, key };
    return { pointer: below(frame.pointer, key.text), discarded: frame.discarded || key.refused, key };
  }

  expectsKey(): boolean {
    const frame = this.frames.at(-1);
    return frame?.kind === "mapping" && frame.pending === undefined;
  }

  add(value: Json, mark: Mark): void {
    const { pointer, discarded, key } = this.place();
    if (!discarded) {
      this.marks.set(pointer, key === undefined ? mark : { ...mark, key: { start: key.start, end: key.end } });
    }
    const frame = this.frames.at(-1);
    if (frame === undefined) {
      if (this.documents === 1) this.root = value;
    } else if (frame.kind === "sequence") {
      frame.items.push(value);
    } else {
      if (!discarded && key !== undefined) frame.entries.push([key.text, value]);
      frame.pending = undefined;
    }
  }
}

function construct(text: string, events: readonly Event[]): Reading {
  const state = new Construction(text);
  const openings: ("document" | Frame)[] = [];
  for (const event of events) {
    if (event.type === EVENT_ID.DOCUMENT) {
      openings.push("document");
      openDocument(state, event.directives.length > 0);
    } else if (event.type === EVENT_ID.POP) {
      const opened = openings.pop();
      if (opened !== undefined && opened !== "document") closeCollection(state, opened);
    } else if (event.type === EVENT_ID.ALIAS) {
      addAlias(state, event.anchorStart, event.anchorEnd);
    } else {
      properties(state, event);
      if (event.type === EVENT_ID.SCALAR) addScalar(state, event);
      else openings.push(openCollection(state, event.type === EVENT_ID.MAPPING ? "mapping" : "sequence", event.start));
    }
  }
  if (state.documents === 0 || (state.root === null && state.marks.get("")?.plain === "")) {
    const message = "the document is empty";
    return failed({
      code: "yaml/empty",
      severity: "error",
      pointer: "",
      message,
      hint: "`cloudlet-bundle init` writes a commented one to start from",
    });
  }
  return { ...(state.root === undefined ? {} : { value: state.root }), marks: state.marks, issues: state.issues };
}

function openDocument(state: Construction, hasDirectives: boolean): void {
  state.documents += 1;
  if (hasDirectives) {
    const start = Math.max(state.text.search(/^%/m), 0);
    state.issue(
      "yaml/directive",
      start,
      start + 1,
      "YAML directives (lines that begin with %) are not read",
      "delete the line: documents are YAML 1.2",
    );
  }
  if (state.documents === 2) {
    const start = state.text.indexOf("\n---", state.last) + 1;
    state.issue(
      "yaml/several-documents",
      start,
      start + 3,
      "a second YAML document begins here",
      "put each document into a file of its own",
      "",
    );
  }
}

/** Anchors and tags are refused on any node. */
function properties(
  state: Construction,
  event: {
    readonly anchorStart: number;
    readonly anchorEnd: number;
    readonly tagStart: number;
    readonly tagEnd: number;
  },
): void {
  if (event.anchorStart >= 0) {
    const name = state.text.slice(event.anchorStart, event.anchorEnd);
    state.issue(
      "yaml/anchor",
      event.anchorStart - 1,
      event.anchorEnd,
      `anchors (&${name}) are not read`,
      "write the value where it is needed: every value has one place",
    );
  }
  if (event.tagStart >= 0) {
    const name = state.text.slice(event.tagStart, event.tagEnd);
    state.issue(
      "yaml/tag",
      event.tagStart,
      event.tagEnd,
      `tags (${name}) are not read`,
      "delete it; text that looks like a number goes into quotes",
    );
  }
}

function addAlias(state: Construction, start: number, end: number): void {
  const name = state.text.slice(start, end);
  state.issue(
    "yaml/alias",
    start - 1,
    end,
    `aliases (*${name}) are not read`,
    "write the value where it is needed: every value has one place",
  );
  if (state.expectsKey()) setKey(state, { text: `*${name}`, start: start - 1, end, refused: true });
  else state.add(null, { start: start - 1, end, isScalar: true });
}

function openCollection(state: Construction, kind: Frame["kind"], start: number): Frame {
  const isKey = state.expectsKey();
  if (isKey) {
    state.issue("yaml/key", start, start + 1, "a key must be text", "is a `{` or `[` in the text? It needs quotes");
  }
  const { pointer, discarded, key } = state.place();
  const frame: Frame = {
    kind,
    pointer,
    start,
    key,
    entries: [],
    items: [],
    seen: new Set(),
    pending: undefined,
    discarded: discarded || isKey,
  };
  state.frames.push(frame);
  return frame;
}

function closeCollection(state: Construction, frame: Frame): void {
  state.frames.pop();
  const end = Math.max(state.last, frame.start + 1);
  if (state.expectsKey()) {
    setKey(state, { text: "", start: frame.start, end, refused: true });
    return;
  }
  // fromEntries defines own properties, so a key named __proto__ stays a key.
  state.add(frame.kind === "mapping" ? Object.fromEntries(frame.entries) : frame.items, {
    start: frame.start,
    end,
    isScalar: false,
  });
}

function addScalar(state: Construction, event: ScalarEvent): void {
  const source = event.valueStart < 0 ? "" : getScalarValue(state.text, event);
  const start = event.valueStart < 0 ? state.last : event.valueStart;
  const quoted = event.style === SCALAR_STYLE.SINGLE_QUOTED || event.style === SCALAR_STYLE.DOUBLE_QUOTED;
  // The event's range leaves the quotes out; a mark shows them.
  const range = {
    start: quoted ? start - 1 : start,
    end: event.valueStart < 0 ? start : event.valueEnd + (quoted ? 1 : 0),
  };
  if (event.valueStart >= 0) tabBefore(state, range.start);
  state.last = Math.max(state.last, range.end);
  const plain = event.style === SCALAR_STYLE.PLAIN;
  if (state.expectsKey()) addKey(state, source, range, plain);
  else
    state.add(
      plain ? plainValue(state, source, range) : source,
      plain ? { ...range, isScalar: true, plain: source } : { ...range, isScalar: true },
    );
}

function plainValue(
  state: Construction,
  source: string,
  range: { readonly start: number; readonly end: number },
): Scalar | null {
  const value = coreMeaning(source);
  if (typeof value !== "number") return value;
  if (!Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value))) {
    state.issue(
      "yaml/number",
      range.start,
      range.end,
      `${source} is no number that can be kept exactly`,
      "text that looks like a number goes into quotes",
    );
    return 0;
  }
  return value === 0 ? 0 : value;
}

function addKey(
  state: Construction,
  text: string,
  range: { readonly start: number; readonly end: number },
  plain: boolean,
): void {
  const frame = state.frames.at(-1) as Frame;
  const pointer = below(frame.pointer, text);
  const before = state.issues.length;
  if (plain && text === "<<") {
    state.issue(
      "yaml/merge-key",
      range.start,
      range.end,
      "merge keys (<<) are not read",
      "write the values where they are needed",
      pointer,
    );
  } else if (plain && (typeof coreMeaning(text) !== "string" || otherMeaning(text) !== undefined)) {
    state.issue(
      "yaml/ambiguous",
      range.start,
      range.end,
      `the key ${text === "" ? "is empty" : `${text} is text to some readers only`}`,
      `write it in quotes: ${JSON.stringify(text)}`,
      pointer,
    );
  } else if (frame.seen.has(text)) {
    state.issue(
      "yaml/duplicate-key",
      range.start,
      range.end,
      `${JSON.stringify(text)} is given twice`,
      "keep one of the two",
      pointer,
    );
  }
  const refused = state.issues.length > before;
  frame.seen.add(text);
  setKey(state, { text, ...range, refused });
}

function setKey(state: Construction, key: Key): void {
  const frame = state.frames.at(-1);
  if (frame !== undefined) frame.pending = key;
}

/** PyYAML raises on a tab that separates tokens; the YAML standard allows it. */
function tabBefore(state: Construction, start: number): void {
  let at = start - 1;
  while (at >= 0 && state.text[at] === " ") at -= 1;
  if (at >= state.last && state.text[at] === "\t") {
    state.issue("yaml/tab", at, at + 1, "a tab stands where YAML wants spaces", "replace tabs by spaces");
  }
}
