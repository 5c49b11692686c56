/** Rows of sessions, API tokens, the set-up token and failed logins. */

import type { Database, InTransaction } from "./database.ts";
import type { CredentialRow } from "./tables.ts";

export function credentialByHash(db: Database, hash: string): Promise<CredentialRow | undefined> {
  return db.selectFrom("credentials").selectAll().where("hash", "=", hash).executeTakeFirst();
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
  await db.deleteFrom("attempts").where("last", "<=", now - attemptsKeptMs).execute();
}

/** Longer than any wait that failures cause. */
const attemptsKeptMs = 24 * 3_600_000;

export async function setSetupToken(db: Database, hash: string, expires: number): Promise<void> {
  await db.insertInto("setup").values({ id: 1, hash, expires }).onConflict((conflict) => conflict.column("id").doUpdateSet({ hash, expires })).execute();
}

/** True once: for the token that was printed, until it expires. Then it is gone. */
export async function takeSetupToken(db: InTransaction, hash: string, now: number): Promise<boolean> {
  const result = await db.deleteFrom("setup").where("hash", "=", hash).where("expires", ">", now).executeTakeFirst();
  return Number(result.numDeletedRows) === 1;
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
