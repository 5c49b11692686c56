/** How long somebody has to wait after failed logins, and how many requests a minute they get. */

import type { Attempts } from "../state/credentials.ts";

/** Free failures before waiting begins. Behind one address there may be a whole company. */
export const freeFailures = { account: 5, address: 20 };

/** Doubles with each failure, up to a quarter of an hour: an account can be annoyed, and never shut for good. */
const firstWaitMs = 2_000;
const longestWaitMs = 15 * 60_000;

/** Milliseconds until the next attempt is looked at; 0 is at once. */
export function waitMs(attempts: Attempts | undefined, free: number, now: number): number {
  if (attempts === undefined || attempts.failures < free) return 0;
  const wait = Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(20, attempts.failures - free));
  return Math.max(0, attempts.last + wait - now);
}

/** A bucket of requests for each who asks, that fills again as time goes by. */
export class RequestRates {
  readonly #perMinute: number;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { left: number; at: number }>();

  constructor(perMinute: number, now: () => number) {
    this.#perMinute = perMinute;
    this.#now = now;
  }

  /** Seconds to wait; 0 where the request may go on. */
  take(key: string): number {
    const now = this.#now();
    const found = this.#buckets.get(key);
    const left = found === undefined ? this.#perMinute : Math.min(this.#perMinute, found.left + ((now - found.at) / 60_000) * this.#perMinute);
    if (left < 1) return Math.max(1, Math.ceil(((1 - left) * 60) / this.#perMinute));
    // As old as they get: whoever was not here for a minute has a full bucket anyway.
    if (this.#buckets.size >= bucketsKept) this.#forget(now);
    this.#buckets.set(key, { left: left - 1, at: now });
    return 0;
  }

  #forget(now: number): void {
    for (const [key, { at }] of this.#buckets) if (now - at >= 60_000) this.#buckets.delete(key);
    if (this.#buckets.size >= bucketsKept) this.#buckets.clear();
  }
}

/** A megabyte or two. */
const bucketsKept = 10_000;
