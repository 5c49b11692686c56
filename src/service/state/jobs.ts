/** Rows of what is to be done: a job is claimed with a lease, so that it is done although whoever claimed it is gone. */

import type { Database, InTransaction } from "./database.ts";

export interface ClaimedJob {
  readonly bundleId: string;
  /** With this one. */
  readonly attempts: number;
}

/** A job that is there is left as it is. */
export async function addJob(db: InTransaction, bundleId: string, created: number): Promise<void> {
  await db.insertInto("jobs").values({ bundle_id: bundleId, state: "queued", attempts: 0, owner: null, lease_until: 0, created }).onConflict((conflict) => conflict.column("bundle_id").doNothing()).execute();
}

/** The oldest that nobody has, or whose lease has ended. */
export function claimJob(db: Database, owner: string, now: number, leaseMs: number): Promise<ClaimedJob | undefined> {
  return db.transaction().execute(async (transaction) => {
    const found = await transaction.selectFrom("jobs").select(["bundle_id", "attempts"])
      .where(({ eb, or, and }) => or([eb("state", "=", "queued"), and([eb("state", "=", "running"), eb("lease_until", "<=", now)])]))
      .orderBy("created").orderBy("bundle_id").limit(1).executeTakeFirst();
    if (found === undefined) return undefined;
    const attempts = found.attempts + 1;
    await transaction.updateTable("jobs").set({ state: "running", owner, lease_until: now + leaseMs, attempts }).where("bundle_id", "=", found.bundle_id).execute();
    return { bundleId: found.bundle_id, attempts };
  });
}

/** False where somebody else has it by now, or it is gone. */
export async function renewLease(db: Database, bundleId: string, owner: string, until: number): Promise<boolean> {
  const result = await db.updateTable("jobs").set({ lease_until: until }).where("bundle_id", "=", bundleId).where("owner", "=", owner).executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

/** Takes the job out, in the transaction of what came of it; false where it is somebody else's by now, or gone. */
export async function endJob(db: InTransaction, bundleId: string, owner: string): Promise<boolean> {
  const result = await db.deleteFrom("jobs").where("bundle_id", "=", bundleId).where("owner", "=", owner).executeTakeFirst();
  return Number(result.numDeletedRows) === 1;
}

/** Back into the queue, as if it had not been begun; false where it is somebody else's by now, or gone. */
export async function releaseJob(db: InTransaction, bundleId: string, owner: string): Promise<boolean> {
  const result = await db.updateTable("jobs").set(({ eb }) => ({ state: "queued" as const, owner: null, lease_until: 0, attempts: eb("attempts", "-", 1) })).where("bundle_id", "=", bundleId).where("owner", "=", owner).executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

/** What a process left that is gone: the state folder has one service at a time, so whatever runs when it starts is nobody's. */
export async function requeueAll(db: InTransaction): Promise<readonly string[]> {
  const rows = await db.updateTable("jobs").set({ state: "queued", owner: null, lease_until: 0 }).where("state", "=", "running").returning("bundle_id").execute();
  return rows.map(({ bundle_id }) => bundle_id);
}
