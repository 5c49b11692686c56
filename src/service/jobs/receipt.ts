/** What install.sh did at a site: its receipt, read, and kept with what it says of the cloudlet. */

import { sha256 } from "../../core/digest.ts";
import { outcome, type Issue, type Outcome } from "../../core/issue.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { readYaml } from "../../spec/read-yaml.ts";
import { bundleBySums } from "../state/bundles.ts";
import { addReceipt, receiptById, receiptsOf, setCloudletState } from "../state/cloudlets.ts";
import type { InTransaction } from "../state/database.ts";
import { keepDocument } from "../state/documents.ts";
import type { ReceiptRow } from "../state/tables.ts";

export interface Receipt {
  readonly action: string;
  readonly result: "complete" | "removed";
  readonly cloudlet: string;
  readonly organization: string;
  /** `sha256:` and the digest of the bundle's SHA256SUMS. */
  readonly bundle: string;
  readonly finished: string;
}

export interface ReceivedReceipt {
  readonly cloudletId: string;
  readonly written: string;
  readonly receipt: Receipt;
  readonly at: number;
  readonly by: string;
}

/** The same one again is no second one. */
export async function keepReceipt(transaction: InTransaction, { cloudletId, written, receipt, at, by }: ReceivedReceipt): Promise<{ readonly row: ReceiptRow; readonly isNew: boolean }> {
  const bundle = await bundleBySums(transaction, cloudletId, receipt.bundle.slice("sha256:".length));
  const made: ReceiptRow = {
    id: sha256(`${cloudletId}\n${written}`), cloudlet_id: cloudletId, bundle_id: bundle?.id ?? null, action: receipt.action, result: receipt.result, finished: receipt.finished,
    document: await keepDocument(transaction, written), received: at, received_by: by,
  };
  if (!(await addReceipt(transaction, made))) return { row: (await receiptById(transaction, made.id)) ?? made, isNew: false };
  // They may come in any order; what was finished last is how it is.
  const [last = made] = await receiptsOf(transaction, cloudletId);
  await setCloudletState(transaction, cloudletId, last.result === "removed" ? "removed" : "installed", at);
  return { row: made, isNew: true };
}

/** A JSON text with what every receipt of install.sh has (templates/common/lib/receipt.sh). */
export function readReceipt(written: string): Outcome<Receipt> {
  const read = readYaml(written);
  const { value } = read;
  if (value === undefined) return { ok: false, issues: read.issues };
  if (!isJson(written) || typeof value !== "object" || value === null || Array.isArray(value)) return { ok: false, issues: [wrong("", "this is no receipt of install.sh: those are JSON objects")] };
  const fields = value as JsonObject;
  return outcome(Object.entries(forms).flatMap(([key, form]) => (form(fields[key]) ? [] : [wrong(Object.hasOwn(fields, key) ? `/${key}` : "", `${key} is not as install.sh writes it`)])), () => fields as unknown as Receipt);
}

const isText = (value: Json | undefined): boolean => typeof value === "string" && value !== "" && value.length <= 200;

const forms: Readonly<Record<string, (value: Json | undefined) => boolean>> = {
  apiVersion: (value) => value === "cloudlet-bundle/v1",
  kind: (value) => value === "Receipt",
  action: isText,
  result: (value) => value === "complete" || value === "removed",
  cloudlet: isText,
  organization: isText,
  bundle: (value) => typeof value === "string" && /^sha256:[0-9a-f]{64}$/.test(value),
  finished: (value) => typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(value),
};

function isJson(written: string): boolean {
  try {
    JSON.parse(written);
    return true;
  } catch {
    return false;
  }
}

function wrong(pointer: string, message: string): Issue {
  return { code: "service/receipt", severity: "error", pointer, message, hint: "upload receipt.json as install.sh has written it" };
}
