/** /v1/cloudlets/…/credentials: logins to a site that are kept for installations, sealed, and never given back. */

import { newId } from "../context.ts";
import { aboutCredentials } from "../direct/seal-anew.ts";
import type { GivenLogin } from "../direct/site-login.ts";
import { cloudletById } from "../state/cloudlets.ts";
import { keepSiteCredential, removeSiteCredentials, siteCredential, siteCredentialsOf } from "../state/installations.ts";
import type { SiteCredentialRow } from "../state/tables.ts";
import type { Installer } from "../direct/installer.ts";
import type { Resource } from "./app.ts";
import { act, allow, callerOf, visible } from "./caller.ts";
import { loginPlatform, soundLogin } from "./installation-login.ts";
import { loginSchema } from "./installations.ts";
import { notFound } from "./problem.ts";
import { answers, id, listOf, nothing, object, params, text, time } from "./schemas.ts";

const name = text("A name for them.", { pattern: "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", "x-form": "letters, digits and any of . _ -, at most 64" });
const keptSchema = object({ id, name, created: time("When they were kept."), createdBy: text("Who gave them.") });
const tags = ["installations"];

export const siteCredentialResource = (installer: Installer): Resource => (app, context) => {
  const { db, now } = context;

  app.get<{ Params: { id: string } }>("/v1/cloudlets/:id/credentials", {
    schema: { operationId: "listCredentials", summary: "The names of the kept credentials; what they are is never told.", tags, params: params("id"), response: answers({ 200: object({ items: listOf(keptSchema, "By name.") }) }) },
  }, async (request) => {
    const row = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    allow(request, "credential:read", row);
    return { items: (await siteCredentialsOf(db, row.id)).map(shown) };
  });

  app.put<{ Params: { id: string }; Body: { name: string; credentials: GivenLogin } }>("/v1/cloudlets/:id/credentials", {
    schema: { operationId: "keepCredentials", summary: "Keep credentials for this cloudlet's site, sealed; those of the same name are replaced.", tags, params: params("id"), body: object({ name, credentials: loginSchema }), response: answers({ 200: keptSchema }) },
  }, async (request) => {
    const cloudlet = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    allow(request, "credential:write", cloudlet);
    const { body } = request;
    soundLogin(loginPlatform(cloudlet.platform, installer), body.credentials);
    const { box, keyId } = installer.sealing.seal(JSON.stringify(body.credentials), aboutCredentials(cloudlet.id, body.name));
    const kept = await act(context, request, async (transaction) => {
      const there = await siteCredential(transaction, cloudlet.id, body.name);
      const row: SiteCredentialRow = { id: there?.name === body.name ? there.id : newId(context), cloudlet_id: cloudlet.id, name: body.name, sealed: box, sealed_key: keyId, created: now(), created_by: callerOf(request).user.name };
      await keepSiteCredential(transaction, row);
      return { result: row, entry: { action: "credential:keep", subject: `cloudlet:${cloudlet.id}`, organization: cloudlet.organization, detail: { credential: row.id, name: row.name } } };
    });
    return shown(kept);
  });

  app.delete<{ Params: { id: string } }>("/v1/cloudlets/:id/credentials", {
    schema: { operationId: "removeAllCredentials", summary: "Forget all of them.", tags, params: params("id"), response: answers({ 204: nothing }) },
  }, async (request, reply) => {
    const cloudlet = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    allow(request, "credential:write", cloudlet);
    await act(context, request, async (transaction) => {
      const removed = await removeSiteCredentials(transaction, cloudlet.id);
      return { result: undefined, entry: removed === 0 ? undefined : { action: "credential:remove", subject: `cloudlet:${cloudlet.id}`, organization: cloudlet.organization, detail: { removed } } };
    });
    return reply.code(204).send();
  });

  app.delete<{ Params: { id: string; credential: string } }>("/v1/cloudlets/:id/credentials/:credential", {
    schema: { operationId: "removeCredentials", summary: "Forget some, by id or name.", tags, params: params("id", "credential"), response: answers({ 204: nothing }) },
  }, async (request, reply) => {
    const cloudlet = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    allow(request, "credential:write", cloudlet);
    await act(context, request, async (transaction) => {
      const row = await siteCredential(transaction, cloudlet.id, request.params.credential);
      if (row === undefined) throw notFound();
      await removeSiteCredentials(transaction, cloudlet.id, row.id);
      return { result: undefined, entry: { action: "credential:remove", subject: `cloudlet:${cloudlet.id}`, organization: cloudlet.organization, detail: { credential: row.id, name: row.name } } };
    });
    return reply.code(204).send();
  });
};

function shown(row: SiteCredentialRow): object {
  return { id: row.id, name: row.name, created: new Date(row.created).toISOString(), createdBy: row.created_by };
}
