/** Runs that take turns: so many at a time, the others wait; cancelled, or stopped with the service. */

import type { Context } from "../context.ts";

export type StopReason = "cancelled" | "interrupted" | "late";

export interface Running {
  readonly stop: (why: StopReason) => void;
  /** Never fails: what goes wrong is what came of it. */
  readonly ended: Promise<void>;
}

/** How far a run is asked to go on. */
export interface Asked {
  readonly signal: AbortSignal;
  /** Why it is to end, once somebody has said so. */
  readonly why: () => StopReason | undefined;
}

/** A run that ends by itself, when it is asked to, or when it takes too long. */
export function runningFor({ log, news }: Pick<Context, "log" | "news">, { id, noun, timeoutMs }: { readonly id: string; readonly noun: string; readonly timeoutMs: number }, perform: (asked: Asked) => Promise<void>): Running {
  const stop = new AbortController();
  let why: StopReason | undefined;
  const ask = (reason: StopReason): void => {
    why ??= reason;
    stop.abort(new Error(reason));
  };
  const work = async (): Promise<void> => {
    const late = setTimeout(() => ask("late"), timeoutMs);
    try {
      await perform({ signal: stop.signal, why: () => why });
    } catch (error) {
      log("error", noun, { [noun]: id, message: (error as Error).message, stack: (error as Error).stack });
    } finally {
      clearTimeout(late);
      news.tell(id);
    }
  };
  return { stop: ask, ended: work() };
}

export interface Turns<With> {
  /** The row is queued; what it is begun with (a login) is kept in memory alone, until the run has ended. */
  readonly begin: (id: string, having: With) => void;
  /** Ends it; false where it does not run. */
  readonly cancel: (id: string) => Promise<boolean>;
  /** Stops what runs; going on with it is up to whoever asked for it. */
  readonly close: () => Promise<void>;
}

export interface TurnsOptions<With> {
  readonly atOnce: number;
  readonly stopping: AbortSignal;
  readonly run: (id: string, having: With) => Running;
  /** Of one that never began. */
  readonly leave: (id: string, state: "cancelled" | "interrupted", message: string) => Promise<void>;
}

export function turnsOf<With>({ atOnce, stopping, run, leave }: TurnsOptions<With>): Turns<With> {
  const waiting: { readonly id: string; readonly having: With }[] = [];
  const running = new Map<string, Running>();
  const next = (): void => {
    while (running.size < atOnce && !stopping.aborted) {
      const first = waiting.shift();
      if (first === undefined) return;
      const begun = run(first.id, first.having);
      const ended = begun.ended.finally(() => {
        running.delete(first.id);
        next();
      });
      running.set(first.id, { stop: begun.stop, ended });
    }
  };
  return {
    begin: (id, having) => {
      waiting.push({ id, having });
      next();
    },
    cancel: async (id) => {
      const at = waiting.findIndex((each) => each.id === id);
      if (at >= 0) {
        waiting.splice(at, 1);
        await leave(id, "cancelled", "cancelled before it began");
        return true;
      }
      const found = running.get(id);
      found?.stop("cancelled");
      return found !== undefined;
    },
    close: async () => {
      for (const { id } of waiting.splice(0)) await leave(id, "interrupted", "the service was stopped before it began");
      const all = [...running.values()];
      for (const { stop } of all) stop("interrupted");
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}
