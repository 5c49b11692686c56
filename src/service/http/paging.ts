/** Pages of a list: how long one is, and where the next one begins. */

import { Problem } from "./problem.ts";

const usualLimit = 50;

export interface PageQuery {
  readonly cursor?: string;
  readonly limit?: string;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

export function limitOf({ limit }: PageQuery): number {
  return limit === undefined ? usualLimit : Number(limit);
}

/** What the cursor holds: as many texts as the list is ordered by. */
export function cursorOf({ cursor }: PageQuery, parts: number): readonly string[] | undefined {
  if (cursor === undefined) return undefined;
  const read = parsed(Buffer.from(cursor, "base64url").toString());
  if (read?.length !== parts) throw new Problem("bad-request", "the cursor is not one that this list gave");
  return read;
}

function parsed(text: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((each) => typeof each === "string") ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `rows` holds one more than the page where there is a next one; `key` is what the list is ordered by. */
export function pageOf<R, T>(rows: readonly R[], limit: number, shown: (row: R) => T, key: (row: R) => readonly string[]): Page<T> {
  const here = rows.slice(0, limit);
  const last = here.at(-1);
  const next = rows.length > limit && last !== undefined ? Buffer.from(JSON.stringify(key(last))).toString("base64url") : undefined;
  return { items: here.map(shown), ...(next === undefined ? {} : { next }) };
}
