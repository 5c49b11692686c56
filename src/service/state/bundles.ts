/** Rows of bundles, and what has happened to each. */

import type { Database, InTransaction } from "./database.ts";
import type { BundleRow, BundleState, EventRow } from "./tables.ts";

export function bundleById(db: Database, id: string): Promise<BundleRow | undefined> {
  return db.selectFrom("bundles").selectAll().where("id", "=", id).executeTakeFirst();
}

export function bundleByInputs(db: Database, inputs: string): Promise<BundleRow | undefined> {
  return db.selectFrom("bundles").selectAll().where("inputs", "=", inputs).executeTakeFirst();
}

export function bundleBySums(db: Database, cloudletId: string, sums: string): Promise<BundleRow | undefined> {
  return db.selectFrom("bundles").selectAll().where("cloudlet_id", "=", cloudletId).where("sums", "=", sums).orderBy("requested", "desc").limit(1).executeTakeFirst();
}

export interface BundleFilter {
  /** Undefined is every organization. */
  readonly among: readonly string[] | undefined;
  readonly cloudlet?: string | undefined;
  readonly state?: BundleState | undefined;
}

/** The newest first, after this one. */
export interface BundleCursor {
  readonly requested: number;
  readonly id: string;
}

export function bundles(db: Database, { among, cloudlet, state }: BundleFilter, after: BundleCursor | undefined, limit: number): Promise<BundleRow[]> {
  if (among?.length === 0) return Promise.resolve([]);
  let query = db.selectFrom("bundles").selectAll().orderBy("requested", "desc").orderBy("id").limit(limit);
  if (among !== undefined) query = query.where("organization", "in", among);
  if (cloudlet !== undefined) query = query.where("cloudlet_id", "=", cloudlet);
  if (state !== undefined) query = query.where("state", "=", state);
  if (after !== undefined) {
    query = query.where(({ eb, or, and }) => or([eb("requested", "<", after.requested), and([eb("requested", "=", after.requested), eb("id", ">", after.id)])]));
  }
  return query.execute();
}

/** False where the same inputs are a bundle already. */
export async function addBundle(db: InTransaction, row: BundleRow): Promise<boolean> {
  const result = await db.insertInto("bundles").values(row).onConflict((conflict) => conflict.column("inputs").doNothing()).executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

/** False where it is gone. */
export async function setBundle(db: InTransaction, id: string, change: Partial<Pick<BundleRow, "state" | "problem" | "layout" | "sums" | "finished">>): Promise<boolean> {
  const result = await db.updateTable("bundles").set(change).where("id", "=", id).executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

export async function addEvent(db: InTransaction, bundleId: string, event: Pick<EventRow, "time" | "state" | "message">): Promise<void> {
  const { last } = await db.selectFrom("events").select(({ fn }) => fn.max("number").as("last")).where("bundle_id", "=", bundleId).executeTakeFirstOrThrow();
  await db.insertInto("events").values({ bundle_id: bundleId, number: Number(last ?? 0) + 1, ...event }).execute();
}

export function eventsAfter(db: Database, bundleId: string, number: number): Promise<EventRow[]> {
  return db.selectFrom("events").selectAll().where("bundle_id", "=", bundleId).where("number", ">", number).orderBy("number").execute();
}
