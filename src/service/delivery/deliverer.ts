/** Delivers bundles for those who ask: a few at a time, one of each cloudlet; cancelled, let go with the service, and known again after a crash. */

import type { Reach } from "../../deliver/reach.ts";
import type { Context } from "../context.ts";
import { stopLeft } from "../direct/confined.ts";
import { leaveRun } from "../direct/ended-run.ts";
import type { Sealing } from "../direct/sealing.ts";
import { turnsOf, type Turns } from "../direct/turns.ts";
import { activeInstallations } from "../state/installations.ts";
import type { GivenLogin } from "./courier-messages.ts";
import { runDelivery, type Progress } from "./run-delivery.ts";

export interface DelivererOptions {
  /** Where the line may go. */
  readonly reach: Reach;
  /** How many run at a time. */
  readonly atOnce?: number;
  /** In a row that bring nothing. */
  readonly tries?: number;
  /** Of one delivery. */
  readonly timeoutMs?: number;
  /** A courier that says nothing for so long is ended. */
  readonly silenceMs?: number;
  /** How long install.sh at the host has to end when it is cancelled. */
  readonly cancelMs?: number;
}

/** Begun with the logins, in the order of the hops, which are kept in memory alone. */
export interface Deliverer extends Turns<readonly GivenLogin[]> {
  readonly sealing: Sealing;
  /** How far it is just now. */
  readonly progressOf: (id: string) => Progress | undefined;
}

/** Tens of gigabytes over a thin line. */
const usualTimeoutMs = 24 * 3_600_000;
/** The host unpacks and hashes without a word, and its disk may be slow. */
const usualSilenceMs = 2 * 3_600_000;
/** install.sh has half a minute, and the line may have to be made again. */
const usualCancelMs = 120_000;
const usualAtOnce = 4;
const usualTries = 20;
/** The courier ends with the service; this is for one that does not. */
const leftMs = 1_000;

export function openDeliverer(context: Context, sealing: Sealing, options: DelivererOptions): Deliverer {
  const progress = new Map<string, Progress>();
  const settings = {
    sealing, reach: options.reach, tries: options.tries ?? usualTries, timeoutMs: options.timeoutMs ?? usualTimeoutMs,
    silenceMs: options.silenceMs ?? usualSilenceMs, cancelMs: options.cancelMs ?? usualCancelMs,
    passing: (id: string, now: Progress | undefined) => {
      if (now === undefined) progress.delete(id);
      else progress.set(id, now);
      context.news.tell(id);
    },
  };
  const turns = turnsOf<readonly GivenLogin[]>({
    atOnce: options.atOnce ?? usualAtOnce, stopping: context.stopping,
    run: (id, logins) => runDelivery(context, settings, id, logins),
    leave: (id, state, message) => leaveRun(context, id, state, message),
  });
  return { sealing, progressOf: (id) => progress.get(id), ...turns };
}

/** The line went with the service that is gone, and so did the logins; what was begun at the host goes on. Also where nothing is delivered any more. */
export async function recoverDeliveries(context: Context): Promise<void> {
  for (const row of await activeInstallations(context.db, "ssh")) {
    await stopLeft({ pid: null, born: null, mark: row.id }, leftMs);
    await leaveRun(context, row.id, "interrupted", "the service had ended; an installation that was begun at the host goes on, and a retry shows it");
    context.log("warn", "delivery-interrupted", { delivery: row.id });
  }
}
