/** Rows of people whom an OpenID provider knows: who they are and whether they are let in; what they may do, each of their tokens says. */

import type { Database, InTransaction } from "./database.ts";
import type { IdentityRow } from "./tables.ts";

export function identityOf(db: Database, issuer: string, subject: string): Promise<IdentityRow | undefined> {
  return db.selectFrom("identities").selectAll().where("issuer", "=", issuer).where("subject", "=", subject).executeTakeFirst();
}

export function identityById(db: Database, id: string): Promise<IdentityRow | undefined> {
  return db.selectFrom("identities").selectAll().where("id", "=", id).executeTakeFirst();
}

export interface IdentityPosition {
  readonly created: number;
  readonly id: string;
}

export interface IdentityFilter {
  readonly issuer?: string | undefined;
  readonly subject?: string | undefined;
}

/** The newest first. */
export function identities(db: Database, { issuer, subject }: IdentityFilter, after: IdentityPosition | undefined, limit: number): Promise<IdentityRow[]> {
  let query = db.selectFrom("identities").selectAll().orderBy("created", "desc").orderBy("id", "desc").limit(limit);
  if (issuer !== undefined) query = query.where("issuer", "=", issuer);
  if (subject !== undefined) query = query.where("subject", "=", subject);
  if (after === undefined) return query.execute();
  return query.where(({ eb, or, and }) => or([eb("created", "<", after.created), and([eb("created", "=", after.created), eb("id", "<", after.id)])])).execute();
}

/** False where another request was first. */
export async function addIdentity(db: InTransaction, row: IdentityRow): Promise<boolean> {
  const result = await db.insertInto("identities").values(row).onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

export async function changeIdentity(db: Database, id: string, change: Partial<Pick<IdentityRow, "name" | "disabled" | "seen">>): Promise<void> {
  await db.updateTable("identities").set(change).where("id", "=", id).execute();
}
