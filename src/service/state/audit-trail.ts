/** Who did what, when and from where: rows that are only ever added, each with the hash of the one before it. */

import { sql } from "kysely";
import { sha256 } from "../../core/digest.ts";
import { canonicalJson } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Database, InTransaction } from "./database.ts";
import type { AuditRow } from "./tables.ts";

export interface AuditEntry {
  readonly time: number;
  /** `user:NAME`, `oidc:ISSUER#SUBJECT`, `setup`, `service`, or `nobody`. */
  readonly actor: string;
  readonly address: string;
  readonly action: string;
  /** What it was done to: `cloudlet:ID`. */
  readonly subject: string;
  readonly organization?: string | undefined;
  /** Never a secret. */
  readonly detail?: JsonObject;
}

/** The hash before the first entry. */
const beginning = sha256("");

/** Adds an entry, in the transaction of what it tells of: neither is there without the other. */
export async function record(db: InTransaction, entry: AuditEntry): Promise<void> {
  const head = await headOf(db);
  const plain = {
    number: head.number + 1,
    time: entry.time,
    actor: entry.actor,
    address: entry.address,
    action: entry.action,
    subject: entry.subject,
    organization: entry.organization ?? null,
    detail: JSON.stringify(entry.detail ?? {}),
    previous: head.hash,
  };
  const row: AuditRow = { ...plain, hash: hashOf(plain) };
  await db.insertInto("audit").values(row).execute();
  const next = { id: 1, number: row.number, hash: row.hash };
  await db.insertInto("audit_head").values(next).onConflict((conflict) => conflict.column("id").doUpdateSet({ number: next.number, hash: next.hash })).execute();
}

export interface AuditPage {
  /** Of the one before, as the order has it. */
  readonly after: number;
  /** The oldest first when left out. */
  readonly order?: "oldest" | "newest" | undefined;
  readonly limit: number;
  readonly organization?: string | undefined;
  readonly actor?: string | undefined;
  readonly action?: string | undefined;
}

export async function auditEntries(db: Database, { after, order = "oldest", limit, organization, actor, action }: AuditPage): Promise<readonly AuditRow[]> {
  const all = db.selectFrom("audit").selectAll().limit(limit);
  let query = order === "oldest" ? all.where("number", ">", after).orderBy("number") : all.where("number", "<", after).orderBy("number", "desc");
  if (organization !== undefined) query = query.where("organization", "=", organization);
  if (actor !== undefined) query = query.where("actor", "=", actor);
  if (action !== undefined) query = query.where("action", "=", action);
  return query.execute();
}

export type ChainVerdict =
  | { readonly good: true; readonly entries: number; readonly head: string }
  /** The first entry that is not as it was written, or is missing. */
  | { readonly good: false; readonly number: number; readonly reason: string };

/** Hashes every entry again: one that was changed, taken out, put in or cut off at the end is found. */
export async function verifyChain(db: Database): Promise<ChainVerdict> {
  const head = await headOf(db);
  let previous: string = beginning;
  let number = 0;
  while (number < head.number) {
    const rows = await auditEntries(db, { after: number, limit: 1_000 });
    if (rows.length === 0) break;
    for (const { hash, ...plain } of rows) {
      if (number === head.number) break;
      number += 1;
      if (Number(plain.number) !== number) return { good: false, number, reason: `entry ${number} is missing` };
      if (plain.previous !== previous) return { good: false, number, reason: `entry ${number} does not follow from the one before it` };
      if (hashOf(plain) !== hash) return { good: false, number, reason: `entry ${number} was changed` };
      previous = hash;
    }
  }
  // In one statement, for entries may be added just now: none is beyond the head as it is then.
  const beyond = await db.selectFrom("audit").select("number").where("number", ">", ({ fn, selectFrom }) => selectFrom("audit_head").select(fn.coalesce(fn.max("number"), sql<number>`0`).as("number"))).limit(1).executeTakeFirst();
  if (head.number !== number || head.hash !== previous || beyond !== undefined) {
    return { good: false, number: number + 1, reason: `entries after ${number} are missing, or were added` };
  }
  return { good: true, entries: number, head: previous };
}

async function headOf(db: Database): Promise<{ readonly number: number; readonly hash: string }> {
  const head = await db.selectFrom("audit_head").selectAll().where("id", "=", 1).executeTakeFirst();
  return { number: Number(head?.number ?? 0), hash: head?.hash ?? beginning };
}

/** Of the entry's canonical JSON, which whoever has an exported line can make again. */
function hashOf(row: Omit<AuditRow, "hash">): string {
  return sha256(canonicalJson(entryJson(row)));
}

/** An entry as it is exported; `hash` is over all the others. */
export function entryJson(row: Omit<AuditRow, "hash">): JsonObject {
  const { number, time, actor, address, action, subject, organization, previous } = row;
  const detail = parsed(row.detail);
  return { number, time: new Date(time).toISOString(), actor, address, action, subject, organization, detail, previous };
}

/** A row that somebody edited may hold anything; its hash will tell. */
function parsed(text: string): JsonObject | string {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return text;
  }
}
