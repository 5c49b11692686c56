/** /v1/cloudlets/…/receipts: what install.sh did at the site, as the operator sends it back. */

import { sha256 } from "../../core/digest.ts";
import { outcome, type Issue, type Outcome } from "../../core/issue.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { readYaml } from "../../spec/read-yaml.ts";
import { bundleBySums } from "../state/bundles.ts";
import { addReceipt, cloudletById, receiptById, receiptsOf, setCloudletState } from "../state/cloudlets.ts";
import { documentText, keepDocument } from "../state/documents.ts";
import type { ReceiptRow } from "../state/tables.ts";
import { located } from "../located-issues.ts";
import type { Resource } from "./app.ts";
import { act, allow, visible } from "./caller.ts";
import { notValid, soundBody, takeDocuments } from "./document-body.ts";
import { notFound } from "./problem.ts";
import { answers, digest, id, listOf, object, orNull, params, text, time } from "./schemas.ts";

const receiptSchema = object({
  id: digest, cloudlet: id, bundle: orNull(id), action: text("What install.sh was asked to do."), result: text("What came of it.", { enum: ["complete", "removed"] }),
  finished: text("When, by the clock of the operator's machine."), received: time("When it was uploaded."),
});
const tags = ["receipts"];

interface Receipt {
  readonly action: string;
  readonly result: "complete" | "removed";
  readonly cloudlet: string;
  readonly organization: string;
  /** `sha256:` and the digest of the bundle's SHA256SUMS. */
  readonly bundle: string;
  readonly finished: string;
}

export const receiptResource: Resource = (app, context) => {
  const { db, now } = context;
  takeDocuments(app, "Receipt");

  app.get<{ Params: { id: string } }>("/v1/cloudlets/:id/receipts", {
    schema: { operationId: "listReceipts", summary: "Every receipt, the last one first.", tags, params: params("id"), response: answers({ 200: object({ items: listOf(receiptSchema, "By when it was finished.") }) }) },
  }, async (request) => {
    const row = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    allow(request, "receipt:read", row);
    return { items: (await receiptsOf(db, row.id)).map(shown) };
  });

  app.post<{ Params: { id: string } }>("/v1/cloudlets/:id/receipts", {
    config: { document: "Receipt" },
    schema: { operationId: "addReceipt", summary: "Upload receipt.json. The same one again is no second one.", tags, params: params("id"), response: answers({ 200: receiptSchema, 201: receiptSchema }) },
  }, async (request, reply) => {
    const cloudlet = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    allow(request, "receipt:write", cloudlet);
    const { text: written, value } = soundBody(request, readReceipt);
    if (value.cloudlet !== cloudlet.name || value.organization !== cloudlet.organization) {
      throw notValid(located([{ code: "service/receipt", severity: "error", pointer: "/cloudlet", message: "this is the receipt of another cloudlet" }], written));
    }
    const { row, isNew } = await act(context, request, async (transaction) => {
      const bundle = await bundleBySums(transaction, cloudlet.id, value.bundle.slice("sha256:".length));
      const made: ReceiptRow = {
        id: sha256(`${cloudlet.id}\n${written}`), cloudlet_id: cloudlet.id, bundle_id: bundle?.id ?? null, action: value.action, result: value.result, finished: value.finished,
        document: await keepDocument(transaction, written), received: now(), received_by: request.caller?.user.name ?? "",
      };
      if (!(await addReceipt(transaction, made))) return { result: { row: (await receiptById(transaction, made.id)) ?? made, isNew: false }, entry: undefined };
      // They may come in any order; what was finished last is how it is.
      const [last = made] = await receiptsOf(transaction, cloudlet.id);
      await setCloudletState(transaction, cloudlet.id, last.result === "removed" ? "removed" : "installed", now());
      return { result: { row: made, isNew: true }, entry: { action: "receipt:add", subject: `cloudlet:${cloudlet.id}`, organization: cloudlet.organization, detail: { receipt: made.id, result: made.result, bundle: value.bundle } } };
    });
    if (isNew) context.news.tell(cloudlet.id);
    return reply.code(isNew ? 201 : 200).send(shown(row));
  });

  app.get<{ Params: { id: string; receipt: string } }>("/v1/cloudlets/:id/receipts/:receipt", {
    schema: { operationId: "getReceipt", summary: "One receipt, as it was uploaded.", tags, params: params("id", "receipt"), response: answers({ 200: { description: "receipt.json.", content: { "application/json": { schema: { type: "object" } } } } }) },
  }, async (request, reply) => {
    const cloudlet = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    allow(request, "receipt:read", cloudlet);
    const row = await receiptById(db, request.params.receipt);
    if (row === undefined || row.cloudlet_id !== cloudlet.id) throw notFound();
    return reply.type("application/json").send(JSON.stringify(JSON.parse(await documentText(db, row.document))));
  });
};

/** A JSON text with what every receipt of install.sh has (templates/common/lib/receipt.sh). */
function readReceipt(written: string): Outcome<Receipt> {
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

function shown(row: ReceiptRow): object {
  return { id: row.id, cloudlet: row.cloudlet_id, bundle: row.bundle_id, action: row.action, result: row.result, finished: row.finished, received: new Date(row.received).toISOString() };
}
