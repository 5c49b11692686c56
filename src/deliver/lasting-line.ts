/** A line that is made anew when it is cut, as long as that brings something. */

import { EnvironmentError } from "../core/environment-error.ts";
import { LineCut, type Line } from "./line.ts";

export interface Patience {
  /** Tries in a row that bring nothing before it is given up. */
  readonly tries: number;
  /** The first pause; each further one is twice as long, up to the longest. */
  readonly pauseMs: number;
  readonly longestPauseMs: number;
}

export const usualPatience: Patience = { tries: 10, pauseMs: 500, longestPauseMs: 15_000 };

/** A line that was never up is more often a wrong name than a bad moment. */
const firstTries = 3;

export interface LastingLine {
  /**
   * Does `work`, again from its beginning whenever the line is cut; what it does must bear that. It calls `fruitful` when
   * something has come of it.
   */
  readonly use: <T>(work: (line: Line, fruitful: () => void) => Promise<T>) => Promise<T>;
  readonly close: () => void;
}

export interface LineWatch {
  readonly patience: Patience;
  readonly sleep: (ms: number) => Promise<void>;
  /** The line is gone, and is made again after a pause. */
  readonly cut: (why: string, pauseMs: number) => void;
  readonly up: (times: number) => void;
  readonly signal: AbortSignal;
}

export function lastingLine(open: () => Promise<Line>, watch: LineWatch): LastingLine {
  const { patience, signal } = watch;
  // What is done at the same time shares one line, also while it is being made.
  let line: Promise<Line> | undefined;
  let ups = 0;
  const ready = (): Promise<Line> => (line ??= opened());
  const opened = async (): Promise<Line> => {
    const made = await open();
    watch.up((ups += 1));
    return made;
  };
  const close = (which: Promise<Line> | undefined): void => void which?.then((made) => made.close(), () => undefined);
  return {
    async use(work) {
      let fruitless = 0;
      for (;;) {
        const mine = ready();
        try {
          return await work(await mine, () => (fruitless = 0));
        } catch (error) {
          // Another one may have made a new line meanwhile, which is not this one's to close.
          if (line === mine) line = undefined;
          close(mine);
          signal.throwIfAborted();
          if (!(error instanceof LineCut)) throw error;
          if (ups === 0 && error.neverThere) throw new EnvironmentError(error.message, { cause: error });
          fruitless += 1;
          const tries = ups === 0 ? Math.min(patience.tries, firstTries) : patience.tries;
          if (fruitless > tries) throw givenUp(error, tries);
          const pauseMs = pauseAfter(fruitless, patience);
          watch.cut(error.message, pauseMs);
          await watch.sleep(pauseMs);
        }
      }
    },
    close: () => {
      close(line);
      line = undefined;
    },
  };
}

/** Twice as long each time. */
export function pauseAfter(fruitless: number, { pauseMs, longestPauseMs }: Patience): number {
  return Math.min(longestPauseMs, pauseMs * 2 ** Math.min(fruitless - 1, 30));
}

function givenUp(error: LineCut, tries: number): EnvironmentError {
  return new EnvironmentError(`${error.message}; given up after ${tries} tries in a row that brought nothing`, {
    hint: "what has arrived there is kept, and an installation goes on: the same command goes on from it, and --attach shows it",
    cause: error,
  });
}
