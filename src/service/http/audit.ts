/** /v1/audit: who did what, when, and from where. */

import { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import { auditEntries, entryJson, verifyChain } from "../state/audit-trail.ts";
import type { AuditRow } from "../state/tables.ts";
import type { App, Resource } from "./app.ts";
import { allow } from "./caller.ts";
import type { Context } from "../context.ts";
import { cursorOf, limitOf, pageOf, type PageQuery } from "./paging.ts";
import { answers, count, digest, flag, object, organizationName, orNull, page, pageQuery, query, text, time } from "./schemas.ts";

const entrySchema = object({
  number: count("From 1, without a gap."), time: time("When."), actor: text("Who."), address: text("From where."), action: text("What."), subject: text("To what."),
  organization: orNull(text("Whose.")), detail: { description: "What else there is to tell; never a secret." }, previous: digest, hash: digest,
});
const tags = ["audit"];

type Filters = PageQuery & { readonly order?: "oldest" | "newest"; readonly organization?: string; readonly actor?: string; readonly action?: string };

export const auditResource: Resource = (app, context) => {
  const { db } = context;

  app.get<{ Querystring: Filters }>("/v1/audit", {
    schema: {
      operationId: "listAudit", summary: "The trail, from its beginning or from its end. The manager of an organization sees that organization's.", tags,
      querystring: query({ ...pageQuery, order: text("Which comes first; the oldest when left out.", { enum: ["oldest", "newest"] }), organization: organizationName, actor: text("Only of this one: user:NAME, or oidc:ISSUER#SUBJECT.", { maxLength: 1_000 }), action: text("Only this.", { maxLength: 100 }) }), response: answers({ 200: page(entrySchema) }),
    },
  }, async (request) => {
    const filter = allowed(request);
    const limit = limitOf(request.query);
    const { order = "oldest" } = request.query;
    const start = order === "oldest" ? 0 : Number.MAX_SAFE_INTEGER;
    const after = Number(cursorOf(request.query, 1)?.[0] ?? start);
    const rows = await auditEntries(db, { ...filter, order, after: Number.isSafeInteger(after) ? after : start, limit: limit + 1 });
    return pageOf(rows, limit, shown, ({ number }) => [String(number)]);
  });

  app.get("/v1/audit/verification", {
    schema: {
      operationId: "verifyAudit", summary: "Hash every entry again: whether one was changed, taken out or put in.", tags,
      response: answers({ 200: object({ good: flag("The trail is as it was written."), entries: count("How many."), head: digest, number: count("The first entry that is not as it was written."), reason: text("What is wrong with it.") }, { optional: ["entries", "head", "number", "reason"] }) }),
    },
  }, async (request) => {
    allow(request, "audit:read");
    return verifyChain(db);
  });

  exportRoute(app, context);
};

function exportRoute(app: App, { db, log }: Context): void {
  app.get<{ Querystring: Pick<Filters, "organization"> }>("/v1/audit/export", {
    schema: { operationId: "exportAudit", summary: "All of it as JSON lines. `hash` is over the canonical JSON of the others.", tags, querystring: query({ organization: organizationName }), response: answers({ 200: { description: "One entry a line.", content: { "application/jsonl": { schema: { type: "string" } } } } }) },
  }, async (request, reply) => {
    const filter = allowed(request);
    const body = Readable.from(lines(db, filter), { objectMode: false });
    body.once("error", (error) => log("error", "audit-export", { message: error.message }));
    return reply.type("application/jsonl").send(body);
  });
}

async function* lines(db: Context["db"], filter: Omit<Filters, keyof PageQuery | "order">): AsyncGenerator<string> {
  for (let after = 0; ; ) {
    const rows = await auditEntries(db, { ...filter, after, limit: 500 });
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map((row) => `${JSON.stringify(shown(row))}\n`).join("");
    after = Number(last.number);
  }
}

function allowed(request: FastifyRequest<{ Querystring: Filters }>): Omit<Filters, keyof PageQuery | "order"> {
  const { organization, actor, action } = request.query;
  allow(request, "audit:read", organization === undefined ? {} : { organization });
  return { ...(organization === undefined ? {} : { organization }), ...(actor === undefined ? {} : { actor }), ...(action === undefined ? {} : { action }) };
}

function shown({ hash, ...row }: AuditRow): object {
  return { ...entryJson(row), hash };
}
