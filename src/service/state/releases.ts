/** Rows of releases. */

import type { Database, InTransaction } from "./database.ts";
import type { ReleaseRow } from "./tables.ts";

export function releaseById(db: Database, id: string): Promise<ReleaseRow | undefined> {
  return db.selectFrom("releases").selectAll().where("id", "=", id).executeTakeFirst();
}

/** The newest first. */
export function releases(db: Database): Promise<ReleaseRow[]> {
  return db.selectFrom("releases").selectAll().orderBy("sequence", "desc").orderBy("name").execute();
}

/** False where there is one of that name. */
export async function addRelease(db: InTransaction, row: ReleaseRow): Promise<boolean> {
  const result = await db.insertInto("releases").values(row).onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

export async function setLock(db: InTransaction, id: string, document: string, digest: string): Promise<void> {
  await db.updateTable("releases").set({ lock_document: document, lock_digest: digest }).where("id", "=", id).execute();
}

export async function removeRelease(db: InTransaction, id: string): Promise<void> {
  await db.deleteFrom("releases").where("id", "=", id).execute();
}

export async function releaseHasBundles(db: Database, id: string): Promise<boolean> {
  return (await db.selectFrom("bundles").select("id").where("release_id", "=", id).limit(1).executeTakeFirst()) !== undefined;
}
