/** /v1/identities: the people whom OpenID providers know, and who have been here. */

import { changeIdentity, identities, identityById } from "../state/identities.ts";
import type { IdentityRow } from "../state/tables.ts";
import type { Resource } from "./app.ts";
import { act, allow } from "./caller.ts";
import { identityName } from "./oidc-caller.ts";
import { cursorOf, limitOf, pageOf, type PageQuery } from "./paging.ts";
import { notFound } from "./problem.ts";
import { answers, flag, id, object, orNull, page, pageQuery, params, query, text, time } from "./schemas.ts";

const disabled = flag("They are let in no more.");
const identitySchema = object({
  id, issuer: text("Whose tokens they have."), subject: text("Who they are there."), actor: text("As the audit trail names them."), name: orNull(text("As the provider showed it last; nothing depends on it.")),
  disabled, created: time("When they were here first."), seen: time("When they were here last, to the hour."),
});
const tags = ["people"];

export const identityResource: Resource = (app, context) => {
  const { db } = context;

  app.get<{ Querystring: PageQuery & { issuer?: string; subject?: string } }>("/v1/identities", {
    schema: {
      operationId: "listIdentities", summary: "Those who have been here with a token of an OpenID provider, the newest first. What they may do, their tokens say.", tags,
      querystring: query({ ...pageQuery, issuer: text("Only of this one.", { maxLength: 200 }), subject: text("Only this one.", { maxLength: 255 }) }), response: answers({ 200: page(identitySchema) }),
    },
  }, async (request) => {
    allow(request, "user:read");
    const limit = limitOf(request.query);
    const [created, last = ""] = cursorOf(request.query, 2) ?? [];
    const { issuer, subject } = request.query;
    const rows = await identities(db, { issuer, subject }, created === undefined ? undefined : { created: Number.isSafeInteger(Number(created)) ? Number(created) : 0, id: last }, limit + 1);
    return pageOf(rows, limit, shown, (row) => [String(row.created), row.id]);
  });

  app.patch<{ Params: { id: string }; Body: { disabled: boolean } }>("/v1/identities/:id", {
    schema: {
      operationId: "changeIdentity", summary: "Let somebody in no more, whatever their tokens say, or again.", tags, params: params("id"),
      body: object({ disabled }), response: answers({ 200: identitySchema }),
    },
  }, async (request) => {
    allow(request, "user:write");
    return act(context, request, async (transaction) => {
      await changeIdentity(transaction, request.params.id, { disabled: Number(request.body.disabled) });
      const row = await identityById(transaction, request.params.id);
      if (row === undefined) throw notFound();
      return { result: shown(row), entry: { action: "identity:change", subject: `identity:${row.id}`, detail: { issuer: row.issuer, subject: row.subject, disabled: row.disabled === 1 } } };
    });
  });
};

function shown(row: IdentityRow): object {
  const at = (when: number): string => new Date(when).toISOString();
  return { id: row.id, issuer: row.issuer, subject: row.subject, actor: identityName(row), name: row.name, disabled: row.disabled === 1, created: at(row.created), seen: at(row.seen) };
}
