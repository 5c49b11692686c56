/**
 * A delta: what a bundle has over another one, and how its tar is put together of both. It is a tar of two entries,
 * delta.json and delta.bin. docs/bundle-format.md section 10.
 */

import { canonicalJson, type Json } from "../core/json.ts";

export const recipePath = "delta.json";
export const additionsPath = "delta.bin";

/** delta.json is held in memory. Bytes. */
export const recipeBytes = 16_777_216;

/** Bytes from `start` up to, not including, `end`, of the base's tar or of delta.bin. */
export interface Step {
  readonly from: "base" | "delta";
  readonly start: number;
  readonly end: number;
}

export interface Side {
  /** Name of the tar. */
  readonly name: string;
  /** Bytes of the tar. */
  readonly size: number;
  /** SHA-256 of its SHA256SUMS, which stands for all of it. 64 hexadecimal digits. */
  readonly sums: string;
}

export interface Target extends Side {
  /** SHA-256 of what `sha256sum` says of SHA256SUMS and of the signatures beside it, which no sum lists. 64 hexadecimal digits. */
  readonly seal: string;
}

export interface Recipe {
  readonly base: Side;
  readonly target: Target;
  /** One after another they are the target's tar. delta.bin is used once, from its first byte to its last. */
  readonly steps: readonly Step[];
}

export function recipeText({ base, target, steps }: Recipe): string {
  const value: Json = {
    apiVersion: "cloudlet-bundle/v1",
    kind: "Delta",
    base: { ...base },
    target: { ...target },
    steps: steps.map(({ from, start, end }) => `${from} ${start} ${end}`),
  };
  return canonicalJson(value);
}

/** Bytes of delta.bin. */
export function additionsSize({ steps }: Pick<Recipe, "steps">): number {
  return steps.reduce((sum, { from, start, end }) => sum + (from === "delta" ? end - start : 0), 0);
}

/** Reads what `recipeText` writes for some recipe whose steps are possible, and nothing else. */
export function parseRecipe(text: string): Recipe | undefined {
  let value: { readonly base?: Side; readonly target?: Target; readonly steps?: readonly unknown[] };
  try {
    value = JSON.parse(text) as typeof value;
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !isSide(value.base) || !isTarget(value.target) || !Array.isArray(value.steps)) return undefined;
  const steps = value.steps.map(stepOf);
  if (!steps.every((step) => step !== undefined)) return undefined;
  const recipe: Recipe = { base: value.base, target: value.target, steps };
  return recipeText(recipe) === text && isPossible(recipe) ? recipe : undefined;
}

function isSide(side: Side | undefined): side is Side {
  if (typeof side !== "object" || side === null) return false;
  const { name, size, sums } = side as { readonly [key in keyof Side]: unknown };
  return typeof name === "string" && /^[A-Za-z0-9._-]{1,200}\.tar$/.test(name) && !name.startsWith(".") && Number.isSafeInteger(size) && isDigest(sums);
}

function isTarget(target: Target | undefined): target is Target {
  return isSide(target) && isDigest((target as { readonly seal?: unknown }).seal);
}

function isDigest(value: unknown): boolean {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

function stepOf(line: unknown): Step | undefined {
  const [, from, start, end] = typeof line === "string" ? (/^(base|delta) (0|[1-9]\d{0,14}) ([1-9]\d{0,14})$/.exec(line) ?? []) : [];
  return from === undefined ? undefined : { from: from as Step["from"], start: Number(start), end: Number(end) };
}

/** Copies lie within the base; additions follow each other without a gap; together they are as long as the target. */
function isPossible({ base, target, steps }: Recipe): boolean {
  let [added, size] = [0, 0];
  for (const { from, start, end } of steps) {
    if (start >= end || (from === "base" ? end > base.size : start !== added)) return false;
    if (from === "delta") added = end;
    size += end - start;
  }
  return size === target.size;
}
