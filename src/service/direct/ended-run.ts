/** What came of a run: its state, its last event, its receipt and the entry in the audit trail, written together. */

import type { JsonObject } from "../../core/json.ts";
import type { Context } from "../context.ts";
import { keepReceipt, type Receipt } from "../jobs/receipt.ts";
import { record } from "../state/audit-trail.ts";
import { addInstallationEvents, forgetSecrets, installationById, setInstallation, type Way } from "../state/installations.ts";
import type { InstallationRow, InstallationState } from "../state/tables.ts";

/** As the audit trail and the log call it. */
export const nounOf: Readonly<Record<Way, string>> = { direct: "installation", ssh: "delivery" };

export interface WrittenReceipt {
  readonly written: string;
  readonly receipt: Receipt;
}

export interface RunEnd {
  readonly state: InstallationState;
  readonly message: string;
  /** Of install.sh; null where there is none. */
  readonly status: number | null;
  readonly receipt: WrittenReceipt | undefined;
}

export async function endRun({ db, now }: Context, row: InstallationRow, { state, message, status, receipt }: RunEnd): Promise<void> {
  const time = now();
  await db.transaction().execute(async (transaction) => {
    const kept = receipt === undefined || receipt.receipt.cloudlet === "" ? undefined : await keepReceipt(transaction, { cloudletId: row.cloudlet_id, ...receipt, at: time, by: row.requested_by });
    // Nobody goes on with what is done.
    const forgotten = state === "done" ? { secrets: null, secrets_key: null } : {};
    if (!(await setInstallation(transaction, row.id, ["queued", "running"], { state, finished: time, pid: null, born: null, exit_status: status, receipt_id: kept?.row.id ?? null, ...forgotten }))) return;
    if (state === "done" && changesSite(row)) await forgetSecrets(transaction, row.cloudlet_id, row.id);
    await addInstallationEvents(transaction, row.id, [{ time, state, message }]);
    const detail: JsonObject = { action: row.action, cloudlet: row.cloudlet_id, status, ...(kept === undefined ? {} : { receipt: kept.row.id, result: kept.row.result }) };
    const noun = nounOf[row.way];
    await record(transaction, { time, actor: "service", address: "", action: `${noun}:${state}`, subject: `${noun}:${row.id}`, organization: row.organization, detail });
  });
}

/** Whether it may leave the site as it was not before, and so may write a receipt. */
export function changesSite({ action }: Pick<InstallationRow, "action">): boolean {
  return action === "install" || action === "upgrade" || action === "rollback" || action === "uninstall";
}

/** Of one that did not run, or whose process is gone. */
export async function leaveRun(context: Context, id: string, state: InstallationState, message: string): Promise<void> {
  const row = await installationById(context.db, id);
  if (row === undefined) return;
  const time = context.now();
  await context.db.transaction().execute(async (transaction) => {
    if (!(await setInstallation(transaction, id, ["queued", "running"], { state, finished: time, pid: null, born: null }))) return;
    await addInstallationEvents(transaction, id, [{ time, state, message }]);
    const noun = nounOf[row.way];
    await record(transaction, { time, actor: "service", address: "", action: `${noun}:${state}`, subject: `${noun}:${id}`, organization: row.organization, detail: { action: row.action, cloudlet: row.cloudlet_id } });
  });
  context.news.tell(id);
}
