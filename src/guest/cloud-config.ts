/** The data of a cloud-config: a tree whose leaves may know where they come from. */

import type { Scalar } from "../core/json.ts";
import type { Val } from "../core/origin.ts";

/** A text, or a text that knows its origins. */
export type Text = string | Val<string>;

/** A text of several lines, each with origins of its own; written with a line break after each. */
export interface Lines {
  readonly lines: readonly Text[];
}

export type Leaf = Scalar | Val | Lines;
export type Node = Leaf | readonly Node[] | NodeMap;
export interface NodeMap {
  readonly [key: string]: Node;
}

export function isVal(node: Node): node is Val {
  return typeof node === "object" && "value" in node && "origins" in node && Array.isArray(node.origins);
}

export function isLines(node: Node): node is Lines {
  return typeof node === "object" && "lines" in node && Array.isArray(node.lines) && Object.keys(node).length === 1;
}

/** A leaf's value alone. */
export function plainLeaf(leaf: Leaf): Scalar {
  if (isVal(leaf)) return leaf.value;
  if (isLines(leaf)) return leaf.lines.map((line) => `${plainText(line)}\n`).join("");
  return leaf;
}

export function plainText(text: Text): string {
  return typeof text === "string" ? text : text.value;
}
