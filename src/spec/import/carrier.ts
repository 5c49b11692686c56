/** What an import has gathered so far: the spec, where each part comes from, and what is to be said. */

import type { Issue, IssueCode } from "../../core/issue.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { below } from "../../core/pointer.ts";

export interface Carrier {
  /** Under construction; only the functions below change it. */
  readonly spec: Record<string, Json>;
  /** From pointers into the spec to pointers into the source. */
  readonly from: Map<string, string>;
  readonly issues: Issue[];
  /** Names of the secret slots whose values were left out. */
  readonly secrets: string[];
}

export function newCarrier(): Carrier {
  return { spec: { apiVersion: "cloudlet-bundle/v1", kind: "Cloudlet" }, from: new Map(), issues: [], secrets: [] };
}

/** Puts `value`, found at `source`, into the spec below the given keys; groups are made as needed. */
export function carry(carrier: Carrier, keys: readonly string[], value: Json, source: string): void {
  let group = carrier.spec;
  for (const key of keys.slice(0, -1)) {
    const next = Object.hasOwn(group, key) ? group[key] : undefined;
    const made =
      typeof next === "object" && next !== null && !Array.isArray(next) ? (next as Record<string, Json>) : {};
    group[key] = made;
    group = made;
  }
  const last = keys.at(-1);
  if (last === undefined) throw new Error("nothing to carry to");
  // Defined, not assigned: a variable may be called __proto__.
  Object.defineProperty(group, last, { value, enumerable: true, writable: true, configurable: true });
  carrier.from.set(below("", ...keys), source);
}

/** Adds `value` to the list below the given keys. */
export function carryToList(carrier: Carrier, keys: readonly string[], value: Json, source: string): void {
  const list = at(carrier.spec, keys);
  const entries = Array.isArray(list) ? (list as Json[]) : [];
  if (entries.length === 0) {
    carry(carrier, keys, entries, source);
    carrier.from.delete(below("", ...keys));
  }
  carrier.from.set(below("", ...keys, entries.length), source);
  entries.push(value);
}

export function at(spec: JsonObject, keys: readonly string[]): Json | undefined {
  let value: Json | undefined = spec;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as JsonObject)[key];
  }
  return value;
}

export function say(carrier: Carrier, code: IssueCode, pointer: string, message: string, hint?: string): void {
  carrier.issues.push({ code, severity: "warning", pointer, message, ...(hint === undefined ? {} : { hint }) });
}

/** A secret slot takes the place of a value that is left out; built-in slots are there by themselves. */
export function carrySecret(
  carrier: Carrier,
  slot: { readonly name: string; readonly description?: string; readonly isBuiltIn?: true },
  source: string,
): void {
  const { isBuiltIn, ...declared } = slot;
  carrier.secrets.push(slot.name);
  if (isBuiltIn !== true) carryToList(carrier, ["secrets"], declared, source);
  say(
    carrier,
    "import/secret",
    source,
    `the value of ${slot.name} is left out; a secret slot takes its place`,
    `put it into the secrets file: ${slot.name}=…`,
  );
}
