/** Rows of download tickets. */

import type { Database, InTransaction } from "./database.ts";
import type { TicketRow } from "./tables.ts";

export async function addTicket(db: InTransaction, row: TicketRow): Promise<void> {
  await db.insertInto("tickets").values(row).execute();
}

export function ticketByHash(db: Database, hash: string): Promise<TicketRow | undefined> {
  return db.selectFrom("tickets").selectAll().where("hash", "=", hash).executeTakeFirst();
}

/** The first time counts. */
export async function completeTicket(db: Database, hash: string, completed: number): Promise<void> {
  await db.updateTable("tickets").set({ completed }).where("hash", "=", hash).where("completed", "is", null).execute();
}

export async function removeExpiredTickets(db: InTransaction, now: number): Promise<void> {
  await db.deleteFrom("tickets").where("expires", "<=", now).execute();
}
