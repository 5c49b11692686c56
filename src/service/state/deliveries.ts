/** Rows of deliveries: each is an installation whose way is ssh, and where it goes. */

import type { Database, InTransaction } from "./database.ts";
import type { DeliveryRow, InstallationRow } from "./tables.ts";

export interface Delivery {
  readonly run: InstallationRow;
  readonly to: DeliveryRow;
}

export async function deliveryById(db: Database, id: string): Promise<Delivery | undefined> {
  const run = await db.selectFrom("installations").selectAll().where("id", "=", id).where("way", "=", "ssh").executeTakeFirst();
  const to = await db.selectFrom("deliveries").selectAll().where("id", "=", id).executeTakeFirst();
  return run === undefined || to === undefined ? undefined : { run, to };
}

/** Where these go, in no order. */
export function destinations(db: Database, ids: readonly string[]): Promise<DeliveryRow[]> {
  return ids.length === 0 ? Promise.resolve([]) : db.selectFrom("deliveries").selectAll().where("id", "in", ids).execute();
}

export async function addDestination(db: InTransaction, row: DeliveryRow): Promise<void> {
  await db.insertInto("deliveries").values(row).execute();
}

/** What is known of the run at the host. */
export async function noteRun(db: Database, id: string, known: Partial<Pick<DeliveryRow, "run_id" | "log_at">>): Promise<void> {
  await db.updateTable("deliveries").set(known).where("id", "=", id).execute();
}
