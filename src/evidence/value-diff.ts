/** Two documents with their origins, compared value by value; entries of lists are matched by what they are, not by their place. */

import type { Json } from "../core/json.ts";
import { byCodeUnit, canonicalJson } from "../core/json.ts";
import type { Origin, Val } from "../core/origin.ts";
import { below } from "../core/pointer.ts";

/** A document whose leaves know their origins (`Sourced<T>`), by its shape. */
export type SourcedNode = Val | readonly SourcedNode[] | { readonly [key: string]: SourcedNode };

export interface ValueDifference {
  readonly kind: "added" | "removed" | "changed" | "moved";
  readonly before?: ValueSide;
  readonly after?: ValueSide;
}

export interface ValueSide {
  /** Into the document with its defaults. */
  readonly pointer: string;
  readonly value: Json;
  /** Of the value and of all below it. */
  readonly origins: readonly Origin[];
}

/** In the order of the documents' keys. A list whose entries are the same in another order is `moved`. */
export function differentValues(a: SourcedNode | undefined, b: SourcedNode | undefined, pointerA = "", pointerB = ""): readonly ValueDifference[] {
  if (a === undefined || b === undefined) {
    const there = a ?? b;
    if (there === undefined) return [];
    // A group that came or went is told field by field, for its fields may matter to different people; an entry as a whole.
    if (isGroup(there) && !/\/\d+$/.test(a === undefined ? pointerB : pointerA)) return differentValues(a ?? {}, b ?? {}, pointerA, pointerB);
    return a === undefined ? [{ kind: "added", after: side(b as SourcedNode, pointerB) }] : [{ kind: "removed", before: side(a, pointerA) }];
  }
  if (isVal(a) && isVal(b)) return a.value === b.value ? [] : changed(a, b, pointerA, pointerB);
  if (isList(a) && isList(b)) return differentEntries(a, b, pointerA, pointerB);
  if (isVal(a) || isVal(b) || isList(a) || isList(b)) return changed(a, b, pointerA, pointerB);
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].sort(byCodeUnit);
  return keys.flatMap((key) => differentValues(own(a, key), own(b, key), below(pointerA, key), below(pointerB, key)));
}

function changed(a: SourcedNode, b: SourcedNode, pointerA: string, pointerB: string): readonly ValueDifference[] {
  return [{ kind: "changed", before: side(a, pointerA), after: side(b, pointerB) }];
}

function differentEntries(a: readonly SourcedNode[], b: readonly SourcedNode[], pointerA: string, pointerB: string): readonly ValueDifference[] {
  const [namesA, namesB] = [namesOf(a), namesOf(b)];
  const placesOf = (names: readonly string[]): ReadonlyMap<string, number> => new Map(names.map((name, index) => [name, index]));
  const [placesA, placesB] = [placesOf(namesA), placesOf(namesB)];
  const pairs = namesA.flatMap((name, index) => {
    const other = placesB.get(name);
    return other === undefined ? [] : [[index, other] as const];
  });
  const moved = pairs.some(([, other], index) => index > 0 && other < (pairs[index - 1]?.[1] ?? 0));
  // Where one that has no name stands in another's place, it is that one changed: a rule for another port, say.
  const isReplaced = (index: number): boolean => !placesB.has(namesA[index] ?? "") && !placesA.has(namesB[index] ?? "") && isSameKind(a[index], b[index]);
  return [
    ...(moved ? [{ kind: "moved", before: side(a, pointerA), after: side(b, pointerB) } as const] : []),
    ...pairs.flatMap(([x, y]) => differentValues(a[x], b[y], below(pointerA, x), below(pointerB, y))),
    ...a.flatMap((node, index) => (isReplaced(index) ? differentValues(node, b[index], below(pointerA, index), below(pointerB, index)) : [])),
    ...a.flatMap((node, index) => (isReplaced(index) || placesB.has(namesA[index] as string) ? [] : differentValues(node, undefined, below(pointerA, index), pointerB))),
    ...b.flatMap((node, index) => (isReplaced(index) || placesA.has(namesB[index] as string) ? [] : differentValues(undefined, node, pointerA, below(pointerB, index)))),
  ];
}

/** What each entry is known by: its name or role, or else all of it; of several that are alike, which of them. */
function namesOf(list: readonly SourcedNode[]): readonly string[] {
  const seen = new Map<string, number>();
  return list.map((node) => {
    const named = nameIn(node);
    const name = named !== undefined ? `name ${String(named.value)}` : canonicalJson(plain(node));
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    return `${name} ${count}`;
  });
}

function nameIn(node: SourcedNode): Val | undefined {
  const named = isVal(node) || isList(node) ? undefined : (own(node, "name") ?? own(node, "role"));
  return named !== undefined && isVal(named) ? named : undefined;
}

function isSameKind(a: SourcedNode | undefined, b: SourcedNode | undefined): boolean {
  if (a === undefined || b === undefined || nameIn(a) !== undefined || nameIn(b) !== undefined) return false;
  return isVal(a) ? isVal(b) : isGroup(a) && isGroup(b);
}

function side(node: SourcedNode, pointer: string): ValueSide {
  return { pointer, value: plain(node), origins: [...new Set(originsBelow(node))].sort(byCodeUnit) };
}

function plain(node: SourcedNode): Json {
  if (isVal(node)) return node.value;
  if (isList(node)) return node.map(plain);
  return Object.fromEntries(Object.entries(node).map(([key, each]) => [key, plain(each)]));
}

function originsBelow(node: SourcedNode): readonly Origin[] {
  if (isVal(node)) return node.origins;
  return Object.values(node).flatMap((each: SourcedNode) => originsBelow(each));
}

function own(node: { readonly [key: string]: SourcedNode }, key: string): SourcedNode | undefined {
  return Object.hasOwn(node, key) ? node[key] : undefined;
}

function isVal(node: SourcedNode): node is Val {
  return !isList(node) && Array.isArray((node as Partial<Val>).origins) && typeof (node as Partial<Val>).value !== "object" && "value" in node;
}

function isGroup(node: SourcedNode): node is { readonly [key: string]: SourcedNode } {
  return !isVal(node) && !isList(node);
}

function isList(node: SourcedNode): node is readonly SourcedNode[] {
  return Array.isArray(node);
}
