/** Rows of sessions, API tokens, invitations and failed logins. */

import type { Database, InTransaction } from "./database.ts";
import type { CredentialRow } from "./tables.ts";

export function credentialByHash(db: Database, hash: string): Promise<CredentialRow | undefined> {
  return db.selectFrom("credentials").selectAll().where("hash", "=", hash).executeTakeFirst();
}

export function credentialById(db: Database, id: string): Promise<CredentialRow | undefined> {
  return db.selectFrom("credentials").selectAll().where("id", "=", id).executeTakeFirst();
}

export async function addCredential(db: Database, row: CredentialRow): Promise<void> {
  await db.insertInto("credentials").values(row).execute();
}

export function tokensOf(db: Database, userId: string): Promise<CredentialRow[]> {
  return db.selectFrom("credentials").selectAll().where("user_id", "=", userId).where("kind", "=", "token").orderBy("created").orderBy("id").execute();
}

/** False where there was none of this person's. */
export async function removeCredential(db: InTransaction, id: string, userId: string): Promise<boolean> {
  const result = await db.deleteFrom("credentials").where("id", "=", id).where("user_id", "=", userId).executeTakeFirst();
  return Number(result.numDeletedRows) === 1;
}

/** Of one person: after a new password, or when the account is closed. */
export async function removeCredentialsOf(db: InTransaction, userId: string, kind?: CredentialRow["kind"]): Promise<void> {
  const query = db.deleteFrom("credentials").where("user_id", "=", userId);
  await (kind === undefined ? query : query.where("kind", "=", kind)).execute();
}

export async function removeExpired(db: Database, now: number): Promise<void> {
  await db.deleteFrom("credentials").where("expires", "<=", now).execute();
  await db.deleteFrom("invitations").where("expires", "<=", now).execute();
  await db.deleteFrom("attempts").where("last", "<=", now - attemptsKeptMs).execute();
}

/** Longer than any wait that failures cause. */
const attemptsKeptMs = 24 * 3_600_000;

/** Whoever is invited again can't use the earlier invitation any more; null is the first administrator. */
export async function invite(db: Database, hash: string, userId: string | null, expires: number): Promise<void> {
  await db.deleteFrom("invitations").where("user_id", userId === null ? "is" : "=", userId).execute();
  await db.insertInto("invitations").values({ hash, user_id: userId, expires }).execute();
}

/** Whose it is, once: an invitation that was taken is gone. Undefined where there is none, or it has expired. */
export async function takeInvitation(db: InTransaction, hash: string, now: number): Promise<{ readonly userId: string | null } | undefined> {
  const row = await db.deleteFrom("invitations").where("hash", "=", hash).where("expires", ">", now).returning("user_id").executeTakeFirst();
  return row === undefined ? undefined : { userId: row.user_id };
}

export interface Attempts {
  readonly failures: number;
  readonly last: number;
}

export async function attemptsOf(db: Database, key: string): Promise<Attempts | undefined> {
  return db.selectFrom("attempts").select(["failures", "last"]).where("key", "=", key).executeTakeFirst();
}

export async function setAttempts(db: Database, key: string, { failures, last }: Attempts): Promise<void> {
  await db.insertInto("attempts").values({ key, failures, last }).onConflict((conflict) => conflict.column("key").doUpdateSet({ failures, last })).execute();
}

export async function forgetAttempts(db: Database, key: string): Promise<void> {
  await db.deleteFrom("attempts").where("key", "=", key).execute();
}
