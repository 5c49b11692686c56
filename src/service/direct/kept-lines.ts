/** The lines of a run, kept as they come: without its secrets, a few times a second, and not without an end. */

import type { Context } from "../context.ts";
import type { InTransaction } from "../state/database.ts";
import { addInstallationEvents } from "../state/installations.ts";
import { cutLine } from "./confined.ts";

/** Written together, a few times a second: a transaction for each line would be the slowest part of a run. */
const flushMs = 200;
/** install.sh says hundreds; whoever says more has gone mad. */
const linesAtMost = 20_000;

export interface KeptLines {
  readonly take: (line: string) => void;
  /** Writes what waits, and waits for it. */
  readonly end: () => Promise<void>;
}

/** `besides` is written with the lines that were taken before. */
export function keptLines({ db, now, news, log }: Context, id: string, hide: (text: string) => string, besides: (transaction: InTransaction) => Promise<void> = () => Promise.resolve()): KeptLines {
  let waiting: { readonly time: number; readonly state: null; readonly message: string }[] = [];
  let count = 0;
  let last: Promise<void> = Promise.resolve();
  const flush = (): void => {
    if (waiting.length === 0) return;
    const events = waiting;
    waiting = [];
    last = last
      .then(() => db.transaction().execute(async (transaction) => {
        await addInstallationEvents(transaction, id, events);
        await besides(transaction);
      }))
      .then(() => news.tell(id))
      .catch((error: Error) => log("error", "installation-lines", { installation: id, message: error.message }));
  };
  const timer = setInterval(flush, flushMs);
  return {
    take: (line) => {
      count += 1;
      if (count <= linesAtMost) waiting.push({ time: now(), state: null, message: count === linesAtMost ? "… further lines are not kept" : cutLine(hide(line)) });
    },
    end: async () => {
      clearInterval(timer);
      flush();
      await last;
    },
  };
}
