/** The queue of bundles to be made, and the one that is a table of the service's own database. */

import { claimJob, addJob, endJob, releaseJob, renewLease } from "../state/jobs.ts";
import type { Database, InTransaction } from "../state/database.ts";

export interface Queue {
  /** In the transaction of what asks for it. A job that is there is left as it is. */
  readonly add: (db: InTransaction, bundleId: string, created: number) => Promise<void>;
  /** The oldest that nobody has, or whoever had it is gone. */
  readonly claim: () => Promise<ClaimedJob | undefined>;
  /** How long whoever is not woken waits until they look again. */
  readonly pauseMs: number;
}

export interface ClaimedJob {
  readonly bundleId: string;
  /** How often it was begun, with this time. */
  readonly attempts: number;
  /** To be called this often, or somebody else gets the job. */
  readonly renewMs: number;
  readonly renew: () => Promise<void>;
  /** Takes the job out, in the transaction of what came of it; false where it is somebody else's by now, or gone. */
  readonly end: (db: InTransaction) => Promise<boolean>;
  /** Back into the queue, as if it had not been begun; false as for `end`. */
  readonly release: (db: InTransaction) => Promise<boolean>;
}

/** Longer than a signer with a hesitant owner needs between two renewals. */
const leaseMs = 60_000;

/** Whoever is not woken looks again, for jobs whose lease has ended. */
const pauseMs = 15_000;

/** Of one process: whatever runs when it starts is nobody's, and `recoverJobs` puts it back. */
export function tableQueue(db: Database, owner: string, now: () => number): Queue {
  return {
    add: addJob,
    pauseMs,
    claim: async () => {
      const found = await claimJob(db, owner, now(), leaseMs);
      if (found === undefined) return undefined;
      const { bundleId } = found;
      return {
        ...found,
        renewMs: leaseMs / 3,
        renew: async () => void (await renewLease(db, bundleId, owner, now() + leaseMs)),
        end: (transaction) => endJob(transaction, bundleId, owner),
        release: (transaction) => releaseJob(transaction, bundleId, owner),
      };
    },
  };
}
