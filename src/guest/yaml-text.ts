/** A tree to the YAML text that PyYAML reads as meant, with the place of every value that knows its origins. */

import {
  DEFAULT_SCALAR_STYLE_RULES,
  EVENT_ID,
  SCALAR_STYLE,
  dump,
  getScalarValue,
  parseEvents,
} from "js-yaml";
import type { Event, ScalarEvent, ScalarLayout } from "js-yaml";
import { isDeepStrictEqual } from "node:util";

import type { Span } from "../core/file.ts";
import type { Json } from "../core/json.ts";
import { lineAt, lineStarts } from "../core/lines.ts";
import type { Origin } from "../core/origin.ts";
import type { Leaf, Lines, Node } from "./cloud-config.ts";
import { isLines, isVal, plainLeaf } from "./cloud-config.ts";
import { readAlike } from "./yaml-versions.ts";

export interface YamlText {
  readonly text: string;
  readonly spans: readonly Span[];
}

/**
 * Writes the tree below `head`, lines of comment. The text is read back, as YAML 1.1 and 1.2, and must give the tree
 * again; js-yaml 5.5 needs a rule beyond its own for that, found with 1,345 strings that PyYAML 6.0 was asked about.
 */
export function yamlText(head: string, tree: Node): YamlText {
  const meant = plainTree(tree);
  const body = dump(meant, { lineWidth: -1, noRefs: true, scalarStyleRules: [quoteWhatPyYamlMisreads, ...Object.values(DEFAULT_SCALAR_STYLE_RULES)] });
  const text = head + body;
  const events = parseEvents(text, {});
  if (!isDeepStrictEqual(readAlike(text, events), [meant])) throw new Error("the YAML text does not hold what was meant");
  return { text, spans: spansOf(text, events, tree) };
}

/** PyYAML 6.0 raises on `0x_` and `0b_`, and takes a key that begins with `--- ` for the start of a document. */
function quoteWhatPyYamlMisreads(layout: ScalarLayout): void {
  const { value } = layout.node;
  if (layout.style === SCALAR_STYLE.PLAIN && (/^[-+]?0[xb]_+$/.test(value) || /^---(\s|$)/.test(value))) {
    layout.style = SCALAR_STYLE.SINGLE_QUOTED;
  }
}

function plainTree(node: Node): Json {
  if (isLeaf(node)) return plainLeaf(node);
  if (isList(node)) return node.map(plainTree);
  return Object.fromEntries(Object.entries(node).map(([key, each]) => [key, plainTree(each)]));
}

/**
 * The scalars of the text come in the order of the tree's leaves, keys of objects between them. A key is there because of
 * what is below it, and a leaf that has no origins because of what is beside it: of an entry that some value caused,
 * every line says so. The top level is no entry, nor is a list that is the whole of a module.
 */
function spansOf(text: string, events: readonly Event[], tree: Node): readonly Span[] {
  const scalars = events.filter((event: Event): event is ScalarEvent => event.type === EVENT_ID.SCALAR);
  const starts = lineStarts(text);
  const spans: Span[] = [];
  let next = 0;
  const take = (leaf: Leaf, around: readonly Origin[]): void => {
    const scalar = scalars[next] as ScalarEvent;
    next += 1;
    if (getScalarValue(text, scalar) !== String(plainLeaf(leaf))) throw new Error("the tree and its text went apart");
    for (const span of leafSpans(text, starts, scalar, leaf, around)) spans.push(span);
  };
  const walk = (node: Node, depth: number, around: readonly Origin[]): void => {
    if (isLeaf(node)) return take(node, around);
    const isEntry = depth > (isList(node) ? 1 : 0);
    const inside = isEntry ? originsBelow(node) : [];
    if (isList(node)) {
      for (const each of node) walk(each, depth + 1, inside);
      return;
    }
    for (const [key, each] of Object.entries(node)) {
      const below = originsBelow(each);
      take(key, below.length > 0 ? below : inside);
      walk(each, depth + 1, inside);
    }
  };
  walk(tree, 0, []);
  return merged(spans);
}

/** A key and its value, or the words of a line, as one span where they have the same origins. */
function merged(spans: readonly Span[]): readonly Span[] {
  const out: Span[] = [];
  for (const span of spans) {
    const last = out.at(-1);
    if (last !== undefined && last.line === span.line && (last.origins === span.origins || isDeepStrictEqual(last.origins, span.origins))) {
      const { line, start, origins } = last;
      const isPresence = last.presence === true && span.presence === true;
      out[out.length - 1] = { line, start, end: span.end, origins, ...(isPresence ? { presence: true } : {}) };
    }
    else out.push(span);
  }
  return out;
}

function isLeaf(node: Node): node is Leaf {
  return typeof node !== "object" || isVal(node) || isLines(node);
}

function originsBelow(node: Node): readonly Origin[] {
  if (isLeaf(node)) return originsOf(node);
  const each = isList(node) ? node : Object.values(node);
  return [...new Set(each.flatMap(originsBelow))].sort();
}

function leafSpans(text: string, starts: readonly number[], scalar: ScalarEvent, leaf: Leaf, around: readonly Origin[]): readonly Span[] {
  const own = originsOf(leaf);
  const origins = own.length > 0 ? own : around;
  const from = lineAt(starts, scalar.valueStart);
  const to = lineAt(starts, Math.max(scalar.valueEnd, scalar.valueStart + 1) - 1);
  const isBlock = scalar.style === SCALAR_STYLE.LITERAL_BLOCK;
  const spans: Span[] = [];
  // The header of a block (`|`) stands on the line before it.
  for (let line = isBlock ? from - 1 : from; line <= to; line += 1) {
    const here = isBlock && isLines(leaf) ? lineOrigins(leaf, line - from) : [];
    const [one, ...more] = here.length > 0 ? here : origins;
    const lineStart = starts[line] as number;
    const lineEnd = (starts[line + 1] ?? text.length + 1) - 1;
    const quotes = scalar.style === SCALAR_STYLE.SINGLE_QUOTED || scalar.style === SCALAR_STYLE.DOUBLE_QUOTED ? 1 : 0;
    const first = isBlock ? text.slice(lineStart, lineEnd).search(line < from ? /[|>][-+0-9]*$/ : /\S|$/) : 0;
    const start = line < from ? lineStart + first : Math.max(scalar.valueStart - quotes, lineStart + first);
    const end = line < from ? lineEnd : Math.min(scalar.valueEnd + quotes, lineEnd);
    if (one === undefined || end <= start) continue;
    const isShown = here.length > 0 || (own.length > 0 && line >= from);
    spans.push({ line: line + 1, start: start - lineStart + 1, end: end - lineStart + 1, origins: [one, ...more], ...(isShown ? {} : { presence: true }) });
  }
  return spans;
}

function originsOf(leaf: Leaf): readonly Origin[] {
  if (isVal(leaf)) return leaf.origins;
  if (!isLines(leaf)) return [];
  return [...new Set(leaf.lines.flatMap((line) => (typeof line === "string" ? [] : line.origins)))].sort();
}

function lineOrigins(leaf: Lines, index: number): readonly Origin[] {
  const line = leaf.lines[index];
  return line === undefined || typeof line === "string" ? [] : line.origins;
}

function isList(node: Node): node is readonly Node[] {
  return Array.isArray(node);
}
