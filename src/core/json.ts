/** JSON values, and one text for each of them. */

export type Scalar = string | number | boolean;
export type Json = Scalar | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** By UTF-16 code unit, the one order of the house: no locale takes part. */
export function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * The text of a JSON document as we write files: keys sorted by code unit, two spaces, one final newline. The same value
 * always gives the same bytes. Throws on a number that JSON can't hold.
 */
export function canonicalJson(value: Json): string {
  return `${JSON.stringify(sorted(value), null, 2)}\n`;
}

function sorted(value: Json): Json {
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error(`not a JSON number: ${value}`);
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const object = value as JsonObject;
  const keys = Object.keys(object).sort(byCodeUnit);
  // fromEntries defines own properties, so a key named __proto__ stays a key.
  return Object.fromEntries(keys.map((key) => [key, sorted(object[key] as Json)]));
}
