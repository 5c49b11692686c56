/** Rows of people, and of what they belong to. */

import type { Database, InTransaction } from "./database.ts";
import type { MemberRole, OrganizationRow, UserRow } from "./tables.ts";

export function userByName(db: Database, name: string): Promise<UserRow | undefined> {
  return db.selectFrom("users").selectAll().where("name", "=", name).executeTakeFirst();
}

export function userById(db: Database, id: string): Promise<UserRow | undefined> {
  return db.selectFrom("users").selectAll().where("id", "=", id).executeTakeFirst();
}

export function users(db: Database, after: string, limit: number): Promise<UserRow[]> {
  return db.selectFrom("users").selectAll().where("name", ">", after).orderBy("name").limit(limit).execute();
}

/** False where the name is taken. */
export async function addUser(db: InTransaction, row: UserRow): Promise<boolean> {
  const result = await db.insertInto("users").values(row).onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

export async function changeUser(db: Database, id: string, change: Partial<Pick<UserRow, "password" | "platform_role" | "disabled">>): Promise<void> {
  await db.updateTable("users").set(change).where("id", "=", id).execute();
}

/** Administrators who may log in. */
export async function adminCount(db: Database): Promise<number> {
  const { count } = await db.selectFrom("users").select(({ fn }) => fn.countAll<number>().as("count")).where("platform_role", "=", "admin").where("disabled", "=", 0).executeTakeFirstOrThrow();
  return Number(count);
}

export function organizationByName(db: Database, name: string): Promise<OrganizationRow | undefined> {
  return db.selectFrom("organizations").selectAll().where("name", "=", name).executeTakeFirst();
}

export function organizations(db: Database, after: string, limit: number, among: readonly string[] | undefined): Promise<OrganizationRow[]> {
  const query = db.selectFrom("organizations").selectAll().where("name", ">", after).orderBy("name").limit(limit);
  if (among === undefined) return query.execute();
  return among.length === 0 ? Promise.resolve([]) : query.where("name", "in", among).execute();
}

export async function addOrganization(db: InTransaction, row: OrganizationRow): Promise<boolean> {
  const result = await db.insertInto("organizations").values(row).onConflict((conflict) => conflict.doNothing()).executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) === 1;
}

export async function removeOrganization(db: InTransaction, name: string): Promise<void> {
  await db.deleteFrom("organizations").where("name", "=", name).execute();
}

/** The roles of one person, by organization. */
export async function rolesOf(db: Database, userId: string): Promise<ReadonlyMap<string, MemberRole>> {
  const rows = await db.selectFrom("memberships").select(["organization", "role"]).where("user_id", "=", userId).execute();
  return new Map(rows.map(({ organization, role }) => [organization, role]));
}

export function membersOf(db: Database, organization: string): Promise<{ name: string; role: MemberRole }[]> {
  return db.selectFrom("memberships").innerJoin("users", "users.id", "memberships.user_id").select(["users.name", "memberships.role"]).where("organization", "=", organization).orderBy("users.name").execute();
}

export async function setMembership(db: InTransaction, organization: string, userId: string, role: MemberRole): Promise<void> {
  await db.insertInto("memberships").values({ organization, user_id: userId, role }).onConflict((conflict) => conflict.columns(["organization", "user_id"]).doUpdateSet({ role })).execute();
}

/** False where there was none. */
export async function removeMembership(db: InTransaction, organization: string, userId: string): Promise<boolean> {
  const result = await db.deleteFrom("memberships").where("organization", "=", organization).where("user_id", "=", userId).executeTakeFirst();
  return Number(result.numDeletedRows) === 1;
}
