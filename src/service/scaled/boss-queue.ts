/** The queue that several processes share: pg-boss, in a schema of its own beside the service's tables. */

import type { Pool } from "pg";
import { PgBoss, type JobWithMetadata } from "pg-boss";
import type { Log } from "../log.ts";
import type { InTransaction } from "../state/database.ts";
import type { ClaimedJob, Queue } from "../jobs/queue.ts";

export interface BossQueue extends Queue {
  readonly stop: () => Promise<void>;
}

const name = "bundles";
const schema = "cloudlet_bundle_queue";

/** pg-boss takes no less than 10. Whoever is silent for so long is gone, and somebody else begins anew. */
const heartbeatSeconds = 10;

/** How often each process looks for such jobs. */
const superviseSeconds = 5;

const options = {
  /** Of one bundle there is at most one job, waiting or under way. */
  policy: "exclusive",
  heartbeatSeconds,
  /** pg-boss' longest: it is the heartbeat that tells whether somebody is at it. */
  expireInSeconds: 24 * 3_600,
  /** The worker itself gives a job up, and says so; the queue never does in silence. */
  retryLimit: 1_000,
  retryDelay: 0,
  /** A job may wait as long as an operator's holiday. */
  retentionSeconds: 365 * 24 * 3_600,
  deleteAfterSeconds: 24 * 3_600,
} as const;

const pauseMs = 2_000;

export async function bossQueue(pool: Pool, log: Log): Promise<BossQueue> {
  const boss = new PgBoss({
    db: { executeSql: (text, values) => pool.query(text, values) },
    schema, schedule: false, supervise: true, superviseIntervalSeconds: superviseSeconds, monitorIntervalSeconds: superviseSeconds,
    // Warnings are of a queue of thousands; the index of this one is never larger than its few jobs.
    reindex: false, monitorVacuum: false,
  });
  boss.on("error", (error) => log("warn", "queue", { message: error.message }));
  await boss.start();
  await boss.createQueue(name, options);
  return {
    pauseMs,
    add: async (db, bundleId) => void (await boss.send(name, { bundleId }, { singletonKey: bundleId, db: within(db) })),
    claim: async () => {
      const [job] = await boss.fetch<{ readonly bundleId: string }>(name, { batchSize: 1, includeMetadata: true });
      return job === undefined ? undefined : claimed(boss, job);
    },
    stop: () => boss.stop({ graceful: false, close: false }),
  };
}

/** The attempt goes with each call: whoever was taken for gone, and is not, changes nothing any more. */
function claimed(boss: PgBoss, { id, retryCount, data: { bundleId } }: JobWithMetadata<{ readonly bundleId: string }>): ClaimedJob {
  const attempt = { id, retryCount };
  return {
    bundleId,
    attempts: retryCount + 1,
    renewMs: (heartbeatSeconds * 1_000) / 4,
    renew: async () => void (await boss.touch(name, attempt)),
    end: async (db) => didAffect(await boss.complete(name, attempt, null, { db: within(db) })),
    release: async (db) => {
      if (!didAffect(await boss.deleteJob(name, attempt, { db: within(db) }))) return false;
      await boss.send(name, { bundleId }, { singletonKey: bundleId, db: within(db) });
      return true;
    },
  };
}

/** pg-boss' statements as part of a transaction of Kysely's. */
function within(transaction: InTransaction): { readonly executeSql: (text: string, values?: unknown[]) => Promise<{ rows: unknown[] }> } {
  return {
    executeSql: async (text, values = []) => {
      const { rows } = await transaction.executeQuery({ sql: text, parameters: values, query: { kind: "RawNode" as const, sqlFragments: [text], parameters: [] }, queryId: { queryId: "pg-boss" } });
      return { rows: [...rows] };
    },
  };
}

/** pg-boss gives it and leaves it out of its types. */
function didAffect(response: object): boolean {
  return (response as { readonly affected?: number }).affected === 1;
}
