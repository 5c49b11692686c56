/** /v1/signing-keys: the public keys that bundles were signed with. Operators compare the fingerprint by another channel. */

import { signingKey, signingKeys } from "../state/keys.ts";
import type { SigningKeyRow } from "../state/tables.ts";
import type { Resource } from "./app.ts";
import { allow } from "./caller.ts";
import { notFound } from "./problem.ts";
import { answers, flag, listOf, object, params, text, time } from "./schemas.ts";

const keySchema = object({
  fingerprint: text("SHA-256 of the key.", { pattern: "^SHA256:[0-9a-f]{64}$" }), publicKey: text("PEM."), current: flag("New bundles are signed with it."), created: time("Since when the service uses it."),
});
const tags = ["keys"];

export const signingKeyResource: Resource = (app, context) => {
  const { db, signer } = context;
  const shown = (row: SigningKeyRow): object => ({ fingerprint: row.fingerprint, publicKey: row.public_key, current: row.fingerprint === signer.fingerprint, created: new Date(row.created).toISOString() });

  app.get("/v1/signing-keys", {
    schema: { operationId: "listSigningKeys", summary: "Every key of this service, the newest first.", tags, response: answers({ 200: object({ items: listOf(keySchema, "By age.") }) }) },
  }, async (request) => {
    allow(request, "signing-key:read");
    return { items: (await signingKeys(db)).map(shown) };
  });

  app.get<{ Params: { fingerprint: string } }>("/v1/signing-keys/:fingerprint", {
    schema: { operationId: "getSigningKey", summary: "One public key, as PEM.", tags, params: params("fingerprint"), response: answers({ 200: { description: "PEM.", content: { "application/x-pem-file": { schema: { type: "string" } } } } }) },
  }, async (request, reply) => {
    allow(request, "signing-key:read");
    const row = await signingKey(db, request.params.fingerprint);
    if (row === undefined) throw notFound();
    return reply.type("application/x-pem-file").send(row.public_key);
  });
};
