/** A document before all of its mistakes are known: what is left when the wrong values are taken out. */

import type { Json, JsonObject, Scalar } from "../core/json.ts";
import { below } from "../core/pointer.ts";

/** Anything may be absent; what is there obeys the schema. */
export type Draft<T> = T extends Scalar
  ? T
  : T extends readonly (infer U)[]
    ? readonly (Draft<U> | undefined)[]
    : { readonly [K in keyof T]?: Draft<T[K]> | undefined };

/** Takes out the values at `pointers`; the entries of a list keep their places. */
export function without(value: Json, pointers: ReadonlySet<string>, pointer = ""): Json | undefined {
  if (pointers.has(pointer)) return undefined;
  if (Array.isArray(value)) {
    return value.map((each, index) => without(each as Json, pointers, below(pointer, index)) as Json);
  }
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([key, each]) => [
      key,
      without(each, pointers, below(pointer, key)) as Json,
    ]),
  );
}

/** The entries of a list that are there, with their places. */
export function entries<T>(list: readonly (T | undefined)[] | undefined): readonly (readonly [number, T])[] {
  return (list ?? []).flatMap((each, index) => (each === undefined ? [] : [[index, each] as const]));
}

/** Whether the user left `key` out, rather than gave it a wrong value. */
export function isLeftOut<T extends object>(group: T | undefined, key: keyof T): boolean {
  return group === undefined || !Object.hasOwn(group, key);
}
