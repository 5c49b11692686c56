/** A tree to the YAML text that PyYAML reads as meant, with the place of every value that knows its origins. */

import {
  CORE_SCHEMA,
  DEFAULT_SCALAR_STYLE_RULES,
  EVENT_ID,
  SCALAR_STYLE,
  YAML11_SCHEMA,
  dump,
  getScalarValue,
  load,
  parseEvents,
} from "js-yaml";
import type { Event, ScalarEvent, ScalarLayout } from "js-yaml";
import { isDeepStrictEqual } from "node:util";

import type { Span } from "../core/file.ts";
import type { Json } from "../core/json.ts";
import type { Origin } from "../core/origin.ts";
import type { Leaf, Lines, Node } from "./cloud-config.ts";
import { isLines, isVal, plainLeaf } from "./cloud-config.ts";

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
  for (const schema of [CORE_SCHEMA, YAML11_SCHEMA]) {
    if (!isDeepStrictEqual(load(text, { schema, maxAliases: 0 }), meant)) throw new Error("the YAML text does not hold what was meant");
  }
  return { text, spans: spansOf(text, tree) };
}

/** PyYAML 6.0 raises on `0x_` and `0b_`, and takes a key that begins with `--- ` for the start of a document. */
function quoteWhatPyYamlMisreads(layout: ScalarLayout): void {
  const { value } = layout.node;
  if (layout.style === SCALAR_STYLE.PLAIN && (/^[-+]?0[xb]_+$/.test(value) || /^---(\s|$)/.test(value))) {
    layout.style = SCALAR_STYLE.SINGLE_QUOTED;
  }
}

function plainTree(node: Node): Json {
  if (typeof node !== "object" || isVal(node) || isLines(node)) return plainLeaf(node as Leaf);
  if (isList(node)) return node.map(plainTree);
  return Object.fromEntries(Object.entries(node).map(([key, each]) => [key, plainTree(each)]));
}

/** The scalars of the text come in the order of the tree's leaves, keys of objects between them. */
function spansOf(text: string, tree: Node): readonly Span[] {
  const scalars = parseEvents(text, {}).filter((event: Event): event is ScalarEvent => event.type === EVENT_ID.SCALAR);
  const starts = [0, ...[...text.matchAll(/\n/g)].map((match) => match.index + 1)];
  const spans: Span[] = [];
  let next = 0;
  const take = (leaf: Leaf): void => {
    const scalar = scalars[next] as ScalarEvent;
    next += 1;
    if (getScalarValue(text, scalar) !== String(plainLeaf(leaf))) throw new Error("the tree and its text went apart");
    spans.push(...leafSpans(text, starts, scalar, leaf));
  };
  const walk = (node: Node): void => {
    if (typeof node !== "object" || isVal(node) || isLines(node)) take(node as Leaf);
    else if (isList(node)) node.forEach(walk);
    else {
      for (const [key, each] of Object.entries(node)) {
        take(key);
        walk(each);
      }
    }
  };
  walk(tree);
  return spans;
}

function leafSpans(text: string, starts: readonly number[], scalar: ScalarEvent, leaf: Leaf): readonly Span[] {
  const origins = originsOf(leaf);
  const [first] = origins;
  if (first === undefined) return [];
  const from = starts.findLastIndex((start) => start <= scalar.valueStart);
  const to = starts.findLastIndex((start) => start < Math.max(scalar.valueEnd, scalar.valueStart + 1));
  const isBlock = scalar.style === SCALAR_STYLE.LITERAL_BLOCK;
  const spans: Span[] = [];
  for (let line = from; line <= to; line += 1) {
    const own = isBlock && isLines(leaf) ? lineOrigins(leaf, line - from) : origins;
    const lineStart = starts[line] as number;
    const lineEnd = (starts[line + 1] ?? text.length + 1) - 1;
    const quotes = scalar.style === SCALAR_STYLE.SINGLE_QUOTED || scalar.style === SCALAR_STYLE.DOUBLE_QUOTED ? 1 : 0;
    const start = Math.max(scalar.valueStart - quotes, lineStart + (isBlock ? text.slice(lineStart, lineEnd).search(/\S|$/) : 0));
    const end = Math.min(scalar.valueEnd + quotes, lineEnd);
    const [one, ...more] = own;
    if (one !== undefined && end > start) spans.push({ line: line + 1, start: start - lineStart + 1, end: end - lineStart + 1, origins: [one, ...more] });
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
