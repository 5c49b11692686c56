/** Where a value comes from. Every value that reaches a template carries its origins. */

import { below } from "./pointer.ts";
import type { Scalar } from "./json.ts";

/**
 * `spec:/networks/dns/0`, `release:/name`, `lock:/payload/size` point into a document; `default:NAME` names a default of
 * `src/spec/defaults.ts`, which gives the reason; `constant:NAME` is a value that the platform's template fixes.
 */
export type Origin = `${"spec" | "release" | "lock"}:${string}` | `default:${string}` | `constant:${string}`;

/** A value with its origins, sorted and without repeats. There is at least one. */
export interface Val<T extends Scalar = Scalar> {
  readonly value: T;
  readonly origins: readonly [Origin, ...Origin[]];
  /** Of a line that another file quotes: what it is there because of, without showing it. Sorted. */
  readonly because?: readonly Origin[];
}

/** A document whose every scalar leaf is a `Val`. */
export type Sourced<T> = T extends Scalar
  ? Val<T extends boolean ? boolean : T>
  : T extends readonly (infer U)[]
    ? readonly Sourced<U>[]
    : { readonly [K in keyof T]: Sourced<T[K]> };

export function val<T extends Scalar>(value: T, ...origins: readonly [Origin, ...Origin[]]): Val<T> {
  return { value, origins };
}

/** A value made from others; it comes from wherever they come from. */
export function derive<A extends readonly [Val, ...Val[]], T extends Scalar>(
  from: A,
  make: (...values: { [K in keyof A]: A[K] extends Val<infer V> ? V : never }) => T,
): Val<T> {
  const values = from.map((each) => each.value) as { [K in keyof A]: A[K] extends Val<infer V> ? V : never };
  const origins = [...new Set(from.flatMap((each) => [...each.origins, ...(each.because ?? [])]))].sort() as [Origin, ...Origin[]];
  return { value: make(...values), origins };
}

/**
 * Gives every scalar of `value` its origin: a pointer into the document `kind`, unless `defaults` names the pointer as
 * filled in by a default.
 */
export function sourced<T>(
  value: T,
  kind: "spec" | "release" | "lock",
  defaults: ReadonlyMap<string, Origin> = new Map(),
  pointer = "",
): Sourced<T> {
  if (Array.isArray(value)) {
    return value.map((each, index) => sourced(each, kind, defaults, below(pointer, index))) as unknown as Sourced<T>;
  }
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, each]) => each !== undefined)
        .map(([key, each]) => [key, sourced(each, kind, defaults, below(pointer, key))]),
    ) as Sourced<T>;
  }
  return val(value as Scalar, defaults.get(pointer) ?? `${kind}:${pointer}`) as Sourced<T>;
}
