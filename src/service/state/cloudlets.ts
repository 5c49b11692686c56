/** Rows of cloudlets and their receipts. */

import type { Database, InTransaction } from "./database.ts";
import type { CloudletRow, CloudletState, ReceiptRow } from "./tables.ts";

export function cloudletById(db: Database, id: string): Promise<CloudletRow | undefined> {
  return db.selectFrom("cloudlets").selectAll().where("id", "=", id).executeTakeFirst();
}

export interface CloudletFilter {
  /** Undefined is every organization. */
  readonly among: readonly string[] | undefined;
  readonly organization?: string | undefined;
  readonly region?: string | undefined;
  readonly platform?: string | undefined;
  readonly state?: CloudletState | undefined;
  readonly name?: string | undefined;
}

/** After this one, in the order of organization and name. */
export interface CloudletCursor {
  readonly organization: string;
  readonly name: string;
}

export function cloudlets(db: Database, filter: CloudletFilter, after: CloudletCursor | undefined, limit: number): Promise<CloudletRow[]> {
  const { among, organization, region, platform, state, name } = filter;
  if (among?.length === 0) return Promise.resolve([]);
  let query = db.selectFrom("cloudlets").selectAll().orderBy("organization").orderBy("name").limit(limit);
  if (among !== undefined) query = query.where("organization", "in", among);
  if (organization !== undefined) query = query.where("organization", "=", organization);
  if (region !== undefined) query = query.where("region", "=", region);
  if (platform !== undefined) query = query.where("platform", "=", platform);
  if (state !== undefined) query = query.where("state", "=", state);
  if (name !== undefined) query = query.where("name", "=", name);
  if (after !== undefined) {
    query = query.where(({ eb, or, and }) => or([eb("organization", ">", after.organization), and([eb("organization", "=", after.organization), eb("name", ">", after.name)])]));
  }
  return query.execute();
}

/** False where the organization has one of that name. */
export async function addCloudlet(db: InTransaction, row: CloudletRow): Promise<boolean> {
  const result = await db.insertInto("cloudlets").values(row).onConflict((conflict) => conflict.columns(["organization", "name"]).doNothing()).executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

/** False where it is not at that revision any more. */
export async function changeCloudlet(db: InTransaction, id: string, revision: number, change: Pick<CloudletRow, "document" | "spec_digest" | "region" | "platform" | "updated">): Promise<boolean> {
  const result = await db.updateTable("cloudlets").set({ ...change, revision: revision + 1 }).where("id", "=", id).where("revision", "=", revision).executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

export async function removeCloudlet(db: InTransaction, id: string, revision: number): Promise<boolean> {
  const result = await db.deleteFrom("cloudlets").where("id", "=", id).where("revision", "=", revision).executeTakeFirst();
  return Number(result.numDeletedRows) === 1;
}

export async function setCloudletState(db: InTransaction, id: string, state: CloudletState, updated: number): Promise<void> {
  await db.updateTable("cloudlets").set({ state, updated }).where("id", "=", id).execute();
}

export async function organizationHasCloudlets(db: Database, organization: string): Promise<boolean> {
  return (await db.selectFrom("cloudlets").select("id").where("organization", "=", organization).limit(1).executeTakeFirst()) !== undefined;
}

/** False where this very receipt is there. */
export async function addReceipt(db: InTransaction, row: ReceiptRow): Promise<boolean> {
  const result = await db.insertInto("receipts").values(row).onConflict((conflict) => conflict.column("id").doNothing()).executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

/** The one that finished last comes first. */
export function receiptsOf(db: Database, cloudletId: string): Promise<ReceiptRow[]> {
  return db.selectFrom("receipts").selectAll().where("cloudlet_id", "=", cloudletId).orderBy("finished", "desc").orderBy("received", "desc").orderBy("id").execute();
}

export function receiptById(db: Database, id: string): Promise<ReceiptRow | undefined> {
  return db.selectFrom("receipts").selectAll().where("id", "=", id).executeTakeFirst();
}
