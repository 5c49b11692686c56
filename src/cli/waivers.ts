/** Waivers that a bundle was made with and that are over by now: whoever reads it is told, whatever it was judged then. */

import { readAudit } from "../evidence/audit/audit-file.ts";
import type { AuditResult } from "../evidence/audit/rule.ts";
import { isExpired } from "../evidence/audit/waivers.ts";
import { auditPath } from "../pack/layout.ts";
import type { BundleSource } from "../seal/bundle-source.ts";
import { contentsOf, textIn } from "../seal/contents.ts";
import type { Io } from "./io.ts";

/** A warning for each, on standard error: no verdict on the bundle's bytes hangs on the day. */
export function tellExpired(io: Io, results: readonly AuditResult[]): void {
  const today = todayOf(io);
  for (const { rule, waiver } of results) {
    if (waiver !== undefined && isExpired(waiver, today)) io.err(`warning: the waiver of ${rule} held until ${waiver.expires}; it counts as not met now\n`);
  }
}

/** The same from evidence/audit.json; of a bundle that is verified. */
export async function tellExpiredWaivers(io: Io, source: BundleSource): Promise<void> {
  const contents = await contentsOf(source);
  const text = contents.ok ? await textIn(contents.value, auditPath) : contents;
  if (text.ok) tellExpired(io, readAudit(text.value) ?? []);
}

/** RFC 3339. */
export function todayOf(io: Io): string {
  return new Date(io.now()).toISOString();
}
