/** A run of a bundle's install.sh that is asked for: looked at, given its secrets, and written down as queued, once for each cloudlet at a time. */

import type { FastifyRequest } from "fastify";
import type { JsonObject } from "../../core/json.ts";
import { newId, type Context } from "../context.ts";
import { changesSite, nounOf } from "../direct/ended-run.ts";
import type { Sealing } from "../direct/sealing.ts";
import type { Turns } from "../direct/turns.ts";
import { bundleById } from "../state/bundles.ts";
import type { InTransaction } from "../state/database.ts";
import { addInstallation, addInstallationEvents, cloudletIsBusy, forgetSecrets, latestChange, setInstallation, type Way } from "../state/installations.ts";
import type { BundleRow, CloudletRow, DeliveryAction, InstallationRow } from "../state/tables.ts";
import { act, actorName, callerOf, visible } from "./caller.ts";
import { sealedSecrets, type AccessKeyChoice } from "./installation-secrets.ts";
import { Problem } from "./problem.ts";
import { flag, text, type Schema } from "./schemas.ts";

/** What a request says of install.sh. */
export interface WantedRun {
  readonly cloudlet: string;
  readonly bundle: string;
  readonly action: DeliveryAction;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly allowOlder?: boolean;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly accessKey?: AccessKeyChoice;
}

export const parametersSchema: Schema = {
  type: "object", description: "For --parameter: what only the site knows.", maxProperties: 100, propertyNames: { pattern: "^[A-Za-z][A-Za-z0-9_]{0,99}$", "x-form": "letters, digits and _" },
  additionalProperties: { type: "string", maxLength: 4_096, pattern: "^[^\\u0000-\\u001f\\u007f]*$", "x-form": "a text without control characters" },
};

/** Of a request, besides the action; all of it may be left out. */
export const wantedInputs = {
  parameters: parametersSchema, allowOlder: flag("--allow-older."),
  secrets: {
    type: "object", description: "Secret slots of the bundle besides the access key, as site/secrets.template names them. Never given back.", maxProperties: 100, propertyNames: { pattern: "^[A-Z][A-Z0-9_]{0,63}$", "x-form": "capital letters, digits and _" },
    additionalProperties: { type: "string", maxLength: 65_536 },
  },
  accessKey: text("`issue`: a new key, if none was issued. `reissue`: what was issued is revoked first. `keep`: none. Left out: `issue` to install, `reissue` to upgrade.", { enum: ["issue", "reissue", "keep"] }),
} as const satisfies Readonly<Record<string, Schema>>;

/** The bundle, which is this cloudlet's and ready. Throws a Problem where it is not. */
export async function readyBundle({ db }: Context, request: FastifyRequest, { bundle: wanted, cloudlet }: Pick<WantedRun, "bundle" | "cloudlet">): Promise<BundleRow> {
  const bundle = visible(request, "bundle:read", await bundleById(db, wanted));
  if (bundle.cloudlet_id !== cloudlet) throw new Problem("bad-request", "The bundle is another cloudlet's.");
  if (bundle.state !== "ready") throw new Problem("not-ready", `The bundle is ${bundle.state}.`);
  return bundle;
}

/** Throws a Problem for what install.sh would refuse when much was done already, or would not look at. */
export function refuseInputs(wanted: WantedRun): void {
  const { action: verb } = wanted;
  if (verb === "install" || verb === "upgrade" || verb === "check") return;
  const given = (["parameters", "secrets", "accessKey", "allowOlder"] as const).filter((name) => wanted[name] !== undefined);
  if (given.length > 0) throw new Problem("bad-request", `Of ${verb}, leave out ${given.join(", ")}: everything is as it was.`);
}

export interface QueuedRun {
  readonly way: Way;
  readonly cloudlet: CloudletRow;
  readonly bundle: BundleRow;
  readonly wanted: WantedRun;
  readonly credential: string | null;
  /** Something was installed before, as far as is known. */
  readonly hasJournal: boolean;
  /** What else is written with it. */
  readonly besides?: (transaction: InTransaction, id: string) => Promise<void>;
  /** For the audit trail; never a secret. */
  readonly detail: JsonObject;
}

/** Throws a Problem where another one of the cloudlet's is not at its end. */
export async function queueRun(context: Context, request: FastifyRequest, sealing: Sealing, run: QueuedRun): Promise<InstallationRow> {
  const { now } = context;
  const { way, cloudlet, bundle, wanted, hasJournal } = run;
  const { action } = wanted;
  return act(context, request, async (transaction) => {
    if (await cloudletIsBusy(transaction, cloudlet.id)) throw busy();
    const made = newId(context);
    const sealed = await sealedSecrets({ context, request, sealing, transaction }, { id: made, cloudlet, bundle, action, given: wanted.secrets ?? {}, accessKey: wanted.accessKey, hasJournal });
    const row: InstallationRow = {
      id: made, way, cloudlet_id: cloudlet.id, organization: cloudlet.organization, bundle_id: bundle.id, action, parameters: JSON.stringify(wanted.parameters ?? {}), allow_older: wanted.allowOlder === true ? 1 : 0,
      state: "queued", attempts: 1, credential: run.credential, secrets: sealed?.box ?? null, secrets_key: sealed?.keyId ?? null, pid: null, born: null, exit_status: null, receipt_id: null,
      requested: now(), requested_by: callerOf(request).user.name, started: null, finished: null,
    };
    if (!(await addInstallation(transaction, row))) throw busy();
    if (changesSite(row)) await forgetSecrets(transaction, cloudlet.id, row.id);
    await run.besides?.(transaction, row.id);
    await addInstallationEvents(transaction, row.id, [{ time: now(), state: "queued", message: "asked for" }]);
    return { result: row, entry: { action: `${nounOf[way]}:begin`, subject: `${nounOf[way]}:${row.id}`, organization: cloudlet.organization, detail: { action, cloudlet: cloudlet.id, bundle: bundle.id, ...run.detail } } };
  });
}

/** Queues one again that has ended without being done. Throws a Problem where it can't be gone on with. */
export async function queueAgain(context: Context, request: FastifyRequest, row: InstallationRow, { credential, detail }: { readonly credential: string | null; readonly detail: JsonObject }): Promise<InstallationRow> {
  if (row.state === "done") throw new Problem("in-use", "It is done: begin another one.");
  return act(context, request, async (transaction) => {
    if (await cloudletIsBusy(transaction, row.cloudlet_id)) throw busy();
    const last = await latestChange(transaction, row.cloudlet_id);
    if (changesSite(row) && last?.id !== row.id) throw new Problem("in-use", "A later installation of this cloudlet has taken its place: begin another one.");
    const change = { state: "queued" as const, attempts: row.attempts + 1, credential, exit_status: null, started: null, finished: null };
    if (!(await setInstallation(transaction, row.id, ["findings", "failed", "cancelled", "interrupted"], change))) throw busy();
    await addInstallationEvents(transaction, row.id, [{ time: context.now(), state: "queued", message: "asked for again" }]);
    const noun = nounOf[row.way];
    return { result: { ...row, ...change }, entry: { action: `${noun}:retry`, subject: `${noun}:${row.id}`, organization: row.organization, detail: { attempt: change.attempts, ...detail } } };
  });
}

/** False where it has ended already. */
export async function cancelRun(context: Context, request: FastifyRequest, row: InstallationRow, turns: Pick<Turns<never>, "cancel">): Promise<boolean> {
  if (row.state !== "queued" && row.state !== "running") return false;
  const noun = nounOf[row.way];
  await act(context, request, async () => ({ result: undefined, entry: { action: `${noun}:cancel`, subject: `${noun}:${row.id}`, organization: row.organization, detail: { by: actorName(request) } } }));
  await turns.cancel(row.id);
  return true;
}

function busy(): Problem {
  return new Problem("in-use", "Another installation of this cloudlet is queued or running.");
}
