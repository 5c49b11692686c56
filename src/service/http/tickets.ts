/** /v1/tickets: links for browsers, which save what is behind a link and can't send a token with it. */

import type { FastifyReply, FastifyRequest } from "fastify";
import { hashOfSecret, newSecret } from "../access/secrets.ts";
import type { Context } from "../context.ts";
import { bundleById } from "../state/bundles.ts";
import { credentialById } from "../state/credentials.ts";
import type { TicketRow } from "../state/tables.ts";
import { addTicket, completeTicket, removeExpiredTickets, ticketByHash } from "../state/tickets.ts";
import type { App } from "./app.ts";
import { act, callerWith, ownCallerOf, visible } from "./caller.ts";
import { asked, bytesOf, type Ready, type Sent } from "./downloads.ts";
import { ownTokenOnly } from "./openapi.ts";
import { notFound, Problem } from "./problem.ts";
import { rangeOf } from "./ranges.ts";
import { answers, object, params, text, time, type Schema } from "./schemas.ts";

const tags = ["bundles"];

/** Long enough for gigabytes over a slow line; a report is read at once. */
const goodMs = { download: 6 * 3_600_000, report: 15 * 60_000 } as const;

/** The last bytes that were sent may never have arrived: so long the end can be asked for again. */
const graceMs = 10 * 60_000;

export interface Downloads {
  /** Throws a Problem where the caller may not have it, or it is not ready. */
  readonly ready: (request: FastifyRequest, bundleId: string) => Promise<Ready>;
  readonly send: (request: FastifyRequest, reply: FastifyReply, what: Sent) => Promise<FastifyReply>;
}

export function ticketRoutes(app: App, context: Context, { ready, send }: Downloads): void {
  const { now } = context;
  issueRoute(app, context);

  for (const method of ["GET", "HEAD"] as const) {
    const prefix = method === "GET" ? "get" : "head";
    app.route<{ Params: { ticket: string } }>({
      method, url: "/v1/tickets/:ticket/download", config: { open: true },
      schema: schemaOf(`${prefix}TicketDownload`, "The tar that the ticket is for: one download, with as many ranges as it takes.", "application/x-tar"),
      handler: async (request, reply) => {
        const ticket = await admit(context, request, "download");
        const { row, layout } = await ready(request, ticket.bundle_id);
        refuseSecond(ticket, request, layout.size, now());
        if (method === "GET") reply.raw.once("finish", () => void finished(context, ticket, reply, layout.size));
        return send(request, reply, { row, layout, start: 0, size: layout.size, tag: layout.tag, type: "application/x-tar", name: layout.fileName });
      },
    });
  }

  app.get<{ Params: { ticket: string } }>("/v1/tickets/:ticket/report", {
    config: { open: true },
    schema: schemaOf("getTicketReport", "The bundle's report as a page, for a quarter of an hour.", "text/html"),
  }, async (request, reply) => {
    const ticket = await admit(context, request, "report");
    const { row, layout } = await ready(request, ticket.bundle_id);
    const file = layout.files.find(({ path }) => path === "evidence/report.html");
    if (file === undefined) throw notFound();
    return send(request, reply, { row, layout, start: file.start, size: file.size, tag: file.sha256, type: "text/html; charset=utf-8", name: "report.html", headers: pageHeaders });
  });
}

/**
 * The page has one style of its own, whose digest its own policy names. In a sandbox it has an origin of its own as well, so that
 * it could do nothing as the service even if it had a script.
 */
const pageHeaders = {
  "cache-control": "private, no-store",
  "content-disposition": 'inline; filename="report.html"',
  "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
};

function issueRoute(app: App, context: Context): void {
  const { db, now, random } = context;
  app.post<{ Params: { id: string }; Body: { purpose: TicketRow["purpose"] } }>("/v1/bundles/:id/tickets", {
    schema: {
      operationId: "addTicket", summary: "A link for a browser: to one download of the tar, or to the report as a page. It ends with the session or token that asks for it.", tags, security: ownTokenOnly, params: params("id"),
      body: object({ purpose: text("What for.", { enum: ["download", "report"] }) }),
      response: answers({ 201: object({ url: text("On this service; shown this once."), expires: time("When it ends.") }) }),
    },
  }, async (request, reply) => {
    const bundle = visible(request, "bundle:read", await bundleById(db, request.params.id));
    if (bundle.state !== "ready") throw new Problem("not-ready", `The bundle is ${bundle.state}.`);
    const { purpose } = request.body;
    const ticket = newSecret("ticket", random);
    // Who comes with a provider's token is asked for it each time: what it gives ends with it.
    const { credential } = ownCallerOf(request, "A link hangs on a session or API token of the service itself. Download with the token instead.");
    const expires = Math.min(now() + goodMs[purpose], credential.expires);
    await act(context, request, async (transaction) => {
      await removeExpiredTickets(transaction, now());
      await addTicket(transaction, { hash: hashOfSecret(ticket), credential_id: credential.id, bundle_id: bundle.id, purpose, expires, completed: null });
      return { result: undefined, entry: { action: "bundle:ticket", subject: `bundle:${bundle.id}`, organization: bundle.organization, detail: { purpose } } };
    });
    return reply.code(201).send({ url: `/v1/tickets/${ticket}/${purpose}`, expires: new Date(expires).toISOString() });
  });
}

function schemaOf(operationId: string, summary: string, type: string): Schema {
  return {
    operationId, summary, tags, security: [], params: params("ticket"), headers: asked,
    response: answers({ 200: { description: "All of it.", content: bytesOf(type) }, 206: { description: "The range.", content: bytesOf(type) }, 304: { type: "null", description: "The one that If-None-Match names." } }),
  };
}

/** Whoever asked for the ticket is the caller, with the rights of this moment. */
async function admit(context: Context, request: FastifyRequest<{ Params: { ticket: string } }>, purpose: TicketRow["purpose"]): Promise<TicketRow> {
  const { ticket } = request.params;
  const row = /^cbd_[A-Za-z0-9_-]{43}$/.test(ticket) ? await ticketByHash(context.db, hashOfSecret(ticket)) : undefined;
  const isGood = row !== undefined && row.purpose === purpose && row.expires > context.now();
  const caller = isGood ? await callerWith(context, await credentialById(context.db, row.credential_id)) : undefined;
  if (row === undefined || caller === undefined) throw notFound();
  request.caller = caller;
  return row;
}

/** Once all of it was sent, the end may still be asked for again, for a while; the beginning may not. */
function refuseSecond({ completed }: TicketRow, { headers }: FastifyRequest, size: number, now: number): void {
  if (completed === null) return;
  const range = rangeOf(headers.range, size);
  if (typeof range === "object" && range.start > 0 && now - completed <= graceMs) return;
  throw new Problem("not-found", "This link was for one download, which has ended. Ask for another one.");
}

/** The last byte is with the operating system. */
async function finished({ db, now, log }: Context, { hash }: TicketRow, reply: FastifyReply, size: number): Promise<void> {
  const range = /^bytes \d+-(\d+)\//.exec(String(reply.getHeader("content-range") ?? ""))?.[1];
  const isEnd = reply.statusCode === 200 || (reply.statusCode === 206 && Number(range) === size - 1);
  if (!isEnd) return;
  await completeTicket(db, hash, now()).catch((error: Error) => log("error", "ticket", { message: error.message }));
}
