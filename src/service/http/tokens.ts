/** /v1/tokens: API tokens, for programs that act for somebody. */

import { grantable, may, type Action } from "../access/roles.ts";
import { hashOfSecret, newSecret } from "../access/secrets.ts";
import { newId } from "../context.ts";
import { addCredential, removeCredential, tokensOf } from "../state/credentials.ts";
import type { CredentialRow } from "../state/tables.ts";
import { organizationByName } from "../state/users.ts";
import type { Resource } from "./app.ts";
import { act, allow, callerOf, ownCallerOf } from "./caller.ts";
import { ownTokenOnly } from "./openapi.ts";
import { notFound, Problem } from "./problem.ts";
import { answers, count, id, listOf, nothing, object, organizationName, params, text, time, type Schema } from "./schemas.ts";

const scopes: Schema = listOf(text("An action.", { enum: grantable }), "What it may do, of what its owner may do.", { minItems: 1, maxItems: grantable.length, uniqueItems: true });
const properties = { id, name: text("What it is for.", { minLength: 1, maxLength: 100 }), scopes, organization: organizationName, created: time("When it was made."), expires: time("When it ends.") };
const tokenSchema = object(properties, { optional: ["organization"] });
const tags = ["access"];
const ownOnly = "API tokens belong to users of the service itself.";
const dayMs = 24 * 3_600_000;

export const tokenResource: Resource = (app, context) => {
  const { db, now, random } = context;

  app.get("/v1/tokens", {
    schema: { operationId: "listTokens", summary: "One's own API tokens, without the tokens themselves.", tags, security: ownTokenOnly, response: answers({ 200: object({ items: listOf(tokenSchema, "The oldest first.") }) }) },
  }, async (request) => ({ items: (await tokensOf(db, callerOf(request).user.id)).map(shown) }));

  app.post<{ Body: { name: string; scopes: Action[]; organization?: string; days: number } }>("/v1/tokens", {
    schema: {
      operationId: "addToken", summary: "Make an API token. It is shown this once.", tags, security: ownTokenOnly,
      body: object({ name: properties.name, scopes, organization: organizationName, days: count("How long it is good.", { minimum: 1, maximum: 366 }) }, { optional: ["organization"] }),
      response: answers({ 201: object({ ...properties, token: text("For the header `Authorization: Bearer TOKEN`.") }, { optional: ["organization"] }) }),
    },
  }, async (request, reply) => {
    allow(request, "token:write");
    const { user, actor } = ownCallerOf(request, ownOnly);
    const { name, organization, days } = request.body;
    // Whoever may not know of it learns nothing from this answer.
    if (organization !== undefined) {
      const row = await organizationByName(db, organization);
      if (row === undefined || !may(actor, "organization:read", { organization })) throw new Problem("not-valid", "There is no such organization, or you are not in it.");
    }
    const token = newSecret("token", random);
    const row: CredentialRow = {
      id: newId(context), hash: hashOfSecret(token), kind: "token", user_id: user.id, name, scopes: JSON.stringify(request.body.scopes),
      organization: organization ?? null, created: now(), expires: now() + days * dayMs,
    };
    await act(context, request, async (transaction) => {
      await addCredential(transaction, row);
      return { result: undefined, entry: { action: "token:add", subject: `token:${row.id}`, organization, detail: { name, scopes: request.body.scopes, days } } };
    });
    return reply.code(201).send({ ...shown(row), token });
  });

  app.delete<{ Params: { id: string } }>("/v1/tokens/:id", {
    schema: { operationId: "removeToken", summary: "Take a token back: it is good no more.", tags, security: ownTokenOnly, params: params("id"), response: answers({ 204: nothing }) },
  }, async (request, reply) => {
    allow(request, "token:write");
    const { user } = ownCallerOf(request, ownOnly);
    await act(context, request, async (transaction) => {
      if (!(await removeCredential(transaction, request.params.id, user.id))) throw notFound();
      return { result: undefined, entry: { action: "token:remove", subject: `token:${request.params.id}` } };
    });
    return reply.code(204).send();
  });
};

function shown(row: CredentialRow): object {
  return {
    id: row.id, name: row.name, scopes: JSON.parse(row.scopes ?? "[]") as Action[],
    ...(row.organization === null ? {} : { organization: row.organization }),
    created: new Date(row.created).toISOString(), expires: new Date(row.expires).toISOString(),
  };
}
