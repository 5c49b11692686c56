/** How long a server that fails is asked again, and which of its answers are worth that. */

import { setTimeout as sleepFor } from "node:timers/promises";
import { EnvironmentError } from "../../core/environment-error.ts";
import type { Answer } from "./http-send.ts";

export interface Patience {
  /** Tries in a row that bring no byte before it is given up. */
  readonly tries: number;
  /** The first pause; each further one is twice as long. */
  readonly pauseMs: number;
  /** A connection that brings nothing for so long is given up. */
  readonly idleMs: number;
}

export const usualPatience: Patience = { tries: 5, pauseMs: 1_000, idleMs: 60_000 };

/** A server that wants to be left alone for longer is: whoever waits for us shall know. */
const longestPauseMs = 120_000;

/** The server has no such file, or does not give it to us: the release names a wrong place. */
export class NotServed extends Error {
  override readonly name = "NotServed";
  /** Of the answer; undefined where there is none. */
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** The server can't just now. */
class NotNow extends Error {
  override readonly name = "NotNow";
  readonly pauseMs: number;

  constructor(message: string, pauseMs: number) {
    super(message);
    this.pauseMs = pauseMs;
  }
}

/** What an answer that is no success means. It is read by nobody after that. */
export function refusal(answer: Answer): Error {
  answer.discard();
  const says = `the server answers ${answer.status}${answer.statusText === "" ? "" : ` ${answer.statusText}`}`;
  // Too early, too many, or a timeout of the server's: worth another try. Every other 4xx stays so.
  const isPassing = answer.status >= 500 || [408, 425, 429].includes(answer.status);
  return isPassing ? new NotNow(says, retryAfterMs(answer)) : new NotServed(says, answer.status);
}

/** RFC 9110 section 10.2.3: seconds, or a date; the server's own clock tells how far that is. */
function retryAfterMs(answer: Answer): number {
  const value = answer.header("retry-after") ?? "";
  const wait = /^\d+$/.test(value) ? Number(value) * 1_000 : Date.parse(value) - Date.parse(answer.header("date") ?? "");
  return Number.isNaN(wait) ? 0 : Math.max(0, wait);
}

interface Asked {
  readonly url: string;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  /** What to do once it is given up; where left out, what has arrived is kept. */
  readonly hint?: string;
}

/** Waits before the next try; throws an EnvironmentError where there is to be none. `fruitless` is at least 0. */
export async function pauseAfter(error: unknown, fruitless: number, of: Asked): Promise<void> {
  const { url, patience, signal, hint } = of;
  const asked = error instanceof NotNow ? error.pauseMs : 0;
  if (fruitless >= patience.tries || asked > longestPauseMs) throw givenUp(url, error, asked, hint);
  // A line that breaks after it has brought something needs a breath, no rest.
  const own = fruitless === 0 ? patience.pauseMs / 10 : patience.pauseMs * 2 ** (fruitless - 1);
  const pause = Math.max(asked, own);
  await sleepFor(pause, undefined, { signal });
}

function givenUp(url: string, error: unknown, asked: number, hint = "what has arrived is kept: the same command goes on from there"): EnvironmentError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const says = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : String(cause);
  const wait = asked > longestPauseMs ? `, try again in ${Math.ceil(asked / 1_000)} seconds` : "";
  return new EnvironmentError(`${url} can't be fetched: ${says}${wait}`, { hint, cause: error });
}
