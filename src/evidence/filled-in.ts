/**
 * Which values of a document nobody wrote: filled in from a default, or computed. The documents in a bundle have them all
 * filled in, so this has to be told beside them, or the bundle could not be made again with the same origins.
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
    return value;
  });
  return Object.fromEntries(found.sort(([a], [b]) => byCodeUnit(a, b)));
}

/** The document with these origins in their places again. */
export function withFilledIn<T>(document: T, origins: FilledIn): T {
  return visit(document, "", (value, pointer) => {
    const own = Object.hasOwn(origins, pointer) ? origins[pointer] : undefined;
    return own === undefined ? value : { value: value.value, origins: own };
  }) as T;
}

function visit(node: unknown, pointer: string, change: (value: Val, pointer: string) => Val): unknown {
  if (isVal(node)) return change(node, pointer);
  if (Array.isArray(node)) return node.map((each, index) => visit(each, below(pointer, index), change));
  return Object.fromEntries(Object.entries(node as object).map(([key, each]) => [key, visit(each, below(pointer, key), change)]));
}

/** No document has a group of just these two keys whose `value` is a scalar and whose `origins` is a list of plain texts. */
function isVal(node: unknown): node is Val {
  const { value, origins } = node as Partial<Val>;
  return value !== undefined && typeof value !== "object" && Array.isArray(origins) && origins.every((each) => typeof each === "string");
}

/** Reads what `evidence/origins.json` says of a document; undefined where it says nothing of the kind. */
export function readFilledIn(value: unknown): FilledIn | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const wellFormed = Object.values(value).every(
    (each) => Array.isArray(each) && each.length > 0 && each.every((origin) => typeof origin === "string" && /^(spec|release|lock|default|constant):/.test(origin)),
  );
  return wellFormed ? (value as FilledIn) : undefined;
}
