/** Rows of public keys: those that bundles are signed with, and those of the CRMs. */

import type { Database, InTransaction } from "./database.ts";
import type { AccessKeyRow, SigningKeyRow } from "./tables.ts";

export async function keepSigningKey(db: Database, row: SigningKeyRow): Promise<void> {
  await db.insertInto("signing_keys").values(row).onConflict((conflict) => conflict.doNothing()).execute();
}

/** The newest first. */
export function signingKeys(db: Database): Promise<SigningKeyRow[]> {
  return db.selectFrom("signing_keys").selectAll().orderBy("created", "desc").orderBy("fingerprint").execute();
}

export function signingKey(db: Database, fingerprint: string): Promise<SigningKeyRow | undefined> {
  return db.selectFrom("signing_keys").selectAll().where("fingerprint", "=", fingerprint).executeTakeFirst();
}

/** False where there is one that was not revoked: of two at the same time, one is first. */
export async function addAccessKey(db: InTransaction, row: AccessKeyRow): Promise<boolean> {
  const result = await db.insertInto("access_keys").values(row).onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

export function accessKeysOf(db: Database, cloudletId: string): Promise<AccessKeyRow[]> {
  return db.selectFrom("access_keys").selectAll().where("cloudlet_id", "=", cloudletId).orderBy("issued").orderBy("slot").orderBy("id").execute();
}

/** Those that were issued and not revoked. */
export function currentAccessKeys(db: Database, cloudletIds: readonly string[]): Promise<AccessKeyRow[]> {
  if (cloudletIds.length === 0) return Promise.resolve([]);
  return db.selectFrom("access_keys").selectAll().where("cloudlet_id", "in", cloudletIds).where("revoked", "is", null).orderBy("cloudlet_id").orderBy("slot").execute();
}

/** How many were revoked. */
export async function revokeAccessKeys(db: InTransaction, cloudletId: string, now: number): Promise<number> {
  const result = await db.updateTable("access_keys").set({ revoked: now }).where("cloudlet_id", "=", cloudletId).where("revoked", "is", null).executeTakeFirst();
  return Number(result.numUpdatedRows);
}
