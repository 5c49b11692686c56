/**
 * Which values of a document nobody wrote: filled in from a default, or computed. The documents in a bundle are as they were
 * written, so this is told beside them.
 */

import { byCodeUnit } from "../core/json.ts";
import type { Origin, Sourced, Val } from "../core/origin.ts";
import { below } from "../core/pointer.ts";

/** From a pointer into the document to the origins of the value there. */
export type FilledIn = Readonly<Record<string, readonly [Origin, ...Origin[]]>>;

type Kind = "spec" | "release";

/** The values whose origin is not their own place, by pointer. */
export function filledIn(document: Sourced<unknown>, kind: Kind): FilledIn {
  const found: [string, readonly [Origin, ...Origin[]]][] = [];
  visit(document, "", (value, pointer) => {
    if (value.origins.length !== 1 || value.origins[0] !== `${kind}:${pointer}`) found.push([pointer, value.origins]);
  });
  return Object.fromEntries(found.sort(([a], [b]) => byCodeUnit(a, b)));
}

function visit(node: unknown, pointer: string, see: (value: Val, pointer: string) => void): void {
  if (isVal(node)) see(node, pointer);
  else if (Array.isArray(node)) node.forEach((each, index) => visit(each, below(pointer, index), see));
  else for (const [key, each] of Object.entries(node as object)) visit(each, below(pointer, key), see);
}

/** No document has a group of just these two keys whose `value` is a scalar and whose `origins` is a list of plain texts. */
function isVal(node: unknown): node is Val {
  const { value, origins } = node as Partial<Val>;
  return value !== undefined && typeof value !== "object" && Array.isArray(origins) && origins.every((each) => typeof each === "string");
}
