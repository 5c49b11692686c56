/** /v1/cloudlets/…/receipts: what install.sh did at the site, as the operator sends it back. */

import { keepReceipt, readReceipt } from "../jobs/receipt.ts";
import { cloudletById, receiptById, receiptsOf } from "../state/cloudlets.ts";
import { documentText } from "../state/documents.ts";
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
      const kept = await keepReceipt(transaction, { cloudletId: cloudlet.id, written, receipt: value, at: now(), by: request.caller?.user.name ?? "" });
      if (!kept.isNew) return { result: kept, entry: undefined };
      return { result: kept, entry: { action: "receipt:add", subject: `cloudlet:${cloudlet.id}`, organization: cloudlet.organization, detail: { receipt: kept.row.id, result: kept.row.result, bundle: value.bundle } } };
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

function shown(row: ReceiptRow): object {
  return { id: row.id, cloudlet: row.cloudlet_id, bundle: row.bundle_id, action: row.action, result: row.result, finished: row.finished, received: new Date(row.received).toISOString() };
}
