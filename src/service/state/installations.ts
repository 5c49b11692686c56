/** Rows of installations, of what happened in each, and of the logins that are kept for them. */

import type { Database, InTransaction } from "./database.ts";
import type { InstallationEventRow, InstallationRow, InstallationState, SiteCredentialRow } from "./tables.ts";

/** How an installation is done: by the service itself, or at a host of the site. */
export type Way = InstallationRow["way"];

export function installationById(db: Database, id: string): Promise<InstallationRow | undefined> {
  return db.selectFrom("installations").selectAll().where("id", "=", id).executeTakeFirst();
}

/** Undefined where it is done in the other way, too. */
export function installationOf(db: Database, way: Way, id: string): Promise<InstallationRow | undefined> {
  return db.selectFrom("installations").selectAll().where("id", "=", id).where("way", "=", way).executeTakeFirst();
}

export interface InstallationFilter {
  readonly way: Way;
  /** Undefined is every organization. */
  readonly among: readonly string[] | undefined;
  readonly cloudlet?: string | undefined;
  readonly state?: InstallationState | undefined;
}

/** The newest first, after this one. */
export function installations(db: Database, { way, among, cloudlet, state }: InstallationFilter, after: { readonly requested: number; readonly id: string } | undefined, limit: number): Promise<InstallationRow[]> {
  if (among?.length === 0) return Promise.resolve([]);
  let query = db.selectFrom("installations").selectAll().where("way", "=", way).orderBy("requested", "desc").orderBy("id").limit(limit);
  if (among !== undefined) query = query.where("organization", "in", among);
  if (cloudlet !== undefined) query = query.where("cloudlet_id", "=", cloudlet);
  if (state !== undefined) query = query.where("state", "=", state);
  if (after !== undefined) {
    query = query.where(({ eb, or, and }) => or([eb("requested", "<", after.requested), and([eb("requested", "=", after.requested), eb("id", ">", after.id)])]));
  }
  return query.execute();
}

const active = ["queued", "running"] as const;

export function activeInstallations(db: Database, way: Way): Promise<InstallationRow[]> {
  return db.selectFrom("installations").selectAll().where("way", "=", way).where("state", "in", active).orderBy("requested").orderBy("id").execute();
}

export async function cloudletIsBusy(db: Database, cloudletId: string): Promise<boolean> {
  return (await db.selectFrom("installations").select("id").where("cloudlet_id", "=", cloudletId).where("state", "in", active).executeTakeFirst()) !== undefined;
}

const changing = ["install", "upgrade", "rollback", "uninstall"] as const;

/** The last one that may have changed something at the site. */
export function latestChange(db: Database, cloudletId: string): Promise<InstallationRow | undefined> {
  return db.selectFrom("installations").selectAll().where("cloudlet_id", "=", cloudletId).where("action", "in", changing).orderBy("requested", "desc").orderBy("id").limit(1).executeTakeFirst();
}

/** False where another one of the cloudlet's is queued or running. */
export async function addInstallation(db: InTransaction, row: InstallationRow): Promise<boolean> {
  if (await cloudletIsBusy(db, row.cloudlet_id)) return false;
  await db.insertInto("installations").values(row).execute();
  return true;
}

/** Whatever went before is not gone on with any more, so its secrets are needed no more. */
export async function forgetSecrets(db: InTransaction, cloudletId: string, but: string): Promise<void> {
  await db.updateTable("installations").set({ secrets: null, secrets_key: null }).where("cloudlet_id", "=", cloudletId).where("id", "!=", but).execute();
}

export type InstallationChange = Partial<Omit<InstallationRow, "id" | "way" | "cloudlet_id" | "organization" | "bundle_id" | "action" | "requested" | "requested_by">>;

/** False where it is not in one of these states, or gone. */
export async function setInstallation(db: Database, id: string, from: readonly InstallationState[], change: InstallationChange): Promise<boolean> {
  const result = await db.updateTable("installations").set(change).where("id", "=", id).where("state", "in", from).executeTakeFirst();
  return Number(result.numUpdatedRows) === 1;
}

export async function addInstallationEvents(db: InTransaction, id: string, events: readonly Pick<InstallationEventRow, "time" | "state" | "message">[]): Promise<void> {
  const { last } = await db.selectFrom("installation_events").select(({ fn }) => fn.max("number").as("last")).where("installation_id", "=", id).executeTakeFirstOrThrow();
  const rows = events.map((event, at) => ({ installation_id: id, number: Number(last ?? 0) + 1 + at, ...event }));
  if (rows.length > 0) await db.insertInto("installation_events").values(rows).execute();
}

export function installationEventsAfter(db: Database, id: string, number: number, limit: number): Promise<InstallationEventRow[]> {
  return db.selectFrom("installation_events").selectAll().where("installation_id", "=", id).where("number", ">", number).orderBy("number").limit(limit).execute();
}

/** In their order. */
export async function lastLines(db: Database, id: string, count: number): Promise<readonly string[]> {
  const rows = await db.selectFrom("installation_events").select("message").where("installation_id", "=", id).where("state", "is", null).orderBy("number", "desc").limit(count).execute();
  return rows.map(({ message }) => message).reverse();
}

export function siteCredentialsOf(db: Database, cloudletId: string): Promise<SiteCredentialRow[]> {
  return db.selectFrom("site_credentials").selectAll().where("cloudlet_id", "=", cloudletId).orderBy("name").execute();
}

/** By its id or its name. */
export function siteCredential(db: Database, cloudletId: string, which: string): Promise<SiteCredentialRow | undefined> {
  return db.selectFrom("site_credentials").selectAll().where("cloudlet_id", "=", cloudletId).where(({ eb, or }) => or([eb("id", "=", which), eb("name", "=", which)])).limit(1).executeTakeFirst();
}

/** One of the same name is replaced. */
export async function keepSiteCredential(db: InTransaction, row: SiteCredentialRow): Promise<void> {
  const { sealed, sealed_key, created, created_by } = row;
  await db.insertInto("site_credentials").values(row).onConflict((conflict) => conflict.columns(["cloudlet_id", "name"]).doUpdateSet({ sealed, sealed_key, created, created_by })).execute();
}

/** How many there were. */
export async function removeSiteCredentials(db: InTransaction, cloudletId: string, id?: string): Promise<number> {
  const query = db.deleteFrom("site_credentials").where("cloudlet_id", "=", cloudletId);
  const result = await (id === undefined ? query : query.where("id", "=", id)).executeTakeFirst();
  return Number(result.numDeletedRows);
}
