/** Values as MobiledgeX's tools write them: enums by number or name, numbers as text, Go's durations, keys in any case. */

import type { Json, JsonObject } from "../../core/json.ts";

/** `num_dynamic_ips`, `numdynamicips` and `NumDynamicIps` are one key. */
export function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

export function objectOf(value: Json | undefined): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
}

/** What Go's JSON writes for a field that nobody set. */
export function isBlank(value: Json): boolean {
  if (value === null || value === "" || value === 0 || value === false) return true;
  return typeof value === "object" && Object.values(value).every(isBlank);
}

export function textOf(value: Json | undefined): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

export function numberOf(value: Json | undefined): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : undefined;
}

/** The name of an enum's value, from its number or from a name with or without the enum's prefix. */
export function enumOf(value: Json, names: ReadonlyMap<number, string>, prefix = ""): string | undefined {
  const number = numberOf(value);
  if (number !== undefined) return names.get(number);
  if (typeof value !== "string") return undefined;
  const wanted = bare(value);
  return [...names.values()].find((name) => bare(name) === wanted || bare(prefix) + bare(name) === wanted);
}

/** Seconds of a duration: Go's text (`30m0s`), protobuf's (`1800s`), or nanoseconds as a number. */
export function secondsOf(value: Json): number | undefined {
  if (typeof value === "number") return Math.round(value / 1e9);
  if (typeof value !== "string" || !/^(\d+(\.\d+)?(h|ms|us|µs|ns|m|s))+$/.test(value)) {
    return numberOf(value) === 0 ? 0 : undefined;
  }
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, µs: 1e-6, ns: 1e-9 };
  let sum = 0;
  for (const [, amount, unit] of value.matchAll(/(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)/g)) {
    sum += Number(amount) * (units[unit ?? ""] ?? 0);
  }
  return Math.round(sum);
}
