/** /v1/cloudlets/…/access-keys: the one-time keys with which the CRMs of a cloudlet first meet their controller. */

import { accessKey } from "../../seal/access-key.ts";
import { newId, type Context } from "../context.ts";
import { keptSpec } from "../jobs/documents.ts";
import { cloudletById } from "../state/cloudlets.ts";
import type { InTransaction } from "../state/database.ts";
import { accessKeysOf, addAccessKey, revokeAccessKeys } from "../state/keys.ts";
import type { AccessKeyRow } from "../state/tables.ts";
import type { Resource } from "./app.ts";
import { act, allow, visible } from "./caller.ts";
import { Problem } from "./problem.ts";
import { answers, count, id, listOf, object, orNull, params, text, time } from "./schemas.ts";

const slot = text("Of which PlatformVM: there is a secondary one with high availability only.", { enum: ["primary", "secondary"] });
const properties = { id, slot, publicKey: text("PKIX PEM, Ed25519: for the controller."), issued: time("When."), revoked: orNull(time("When; null as long as it is good.")) };
const tags = ["keys"];

export const accessKeyResource: Resource = (app, context) => {
  const { db, now } = context;

  app.get<{ Params: { id: string } }>("/v1/cloudlets/:id/access-keys", {
    schema: { operationId: "listAccessKeys", summary: "The public halves of every key that was issued.", tags, params: params("id"), response: answers({ 200: object({ items: listOf(object(properties), "The oldest first.") }) }) },
  }, async (request) => {
    const row = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    allow(request, "access-key:read", row);
    return { items: (await accessKeysOf(db, row.id)).map(shown) };
  });

  app.post<{ Params: { id: string } }>("/v1/cloudlets/:id/access-keys", {
    schema: {
      operationId: "issueAccessKeys", summary: "Issue the keys: once, until they are revoked. The private halves are in this answer and nowhere else.", tags, params: params("id"),
      response: answers({ 201: object({ items: listOf(object({ ...properties, privateKey: text("PKCS#8 PEM. Shown this once.") }), "One; two with high availability."), secrets: text("The lines of a secrets file for install.sh.") }) }),
    },
  }, async (request, reply) => {
    const row = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    allow(request, "access-key:write", row);
    const { spec } = await keptSpec(db, row.document);
    const { items, secrets } = await act(context, request, async (transaction) => {
      const issued = await issueAccessKeys(transaction, context, { cloudletId: row.id, isDouble: spec.crm.highAvailability, by: request.caller?.user.name ?? "" });
      return { result: issued, entry: { action: "access-key:issue", subject: `cloudlet:${row.id}`, organization: row.organization, detail: { keys: issued.items.map((each) => each.id) } } };
    });
    return reply.code(201).send({ items, secrets });
  });

  app.delete<{ Params: { id: string } }>("/v1/cloudlets/:id/access-keys", {
    schema: { operationId: "revokeAccessKeys", summary: "Revoke what was issued; others may be issued then. The controller must be told, too.", tags, params: params("id"), response: answers({ 200: object({ revoked: count("How many.") }) }) },
  }, async (request) => {
    const row = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    allow(request, "access-key:write", row);
    return act(context, request, async (transaction) => {
      const revoked = await revokeAccessKeys(transaction, row.id, now());
      return { result: { revoked }, entry: { action: "access-key:revoke", subject: `cloudlet:${row.id}`, organization: row.organization, detail: { revoked } } };
    });
  });
};

type ShownKey = ReturnType<typeof shown>;

export interface IssuedKeys {
  readonly items: readonly (ShownKey & { readonly privateKey: string })[];
  /** Lines of a secrets file. */
  readonly secrets: string;
}

/** Throws a Problem where there is a key that was not revoked. */
export async function issueAccessKeys(transaction: InTransaction, context: Context, { cloudletId, isDouble, by }: { readonly cloudletId: string; readonly isDouble: boolean; readonly by: string }): Promise<IssuedKeys> {
  const items = [];
  for (const each of isDouble ? (["primary", "secondary"] as const) : (["primary"] as const)) {
    const { privateKeyPem, publicKeyPem } = accessKey(context.random(32));
    const key: AccessKeyRow = { id: newId(context), cloudlet_id: cloudletId, slot: each, public_key: publicKeyPem, issued: context.now(), issued_by: by, revoked: null };
    // As GetCloudletManifest refuses to: who lost a key revokes it first, so that it is good no more.
    if (!(await addAccessKey(transaction, key))) throw new Problem("exists-already", "An access key was issued already. Revoke it first: DELETE on /v1/cloudlets/ID/access-keys. (An installation takes accessKey: reissue or keep.)");
    items.push({ ...shown(key), privateKey: privateKeyPem });
  }
  return { items, secrets: items.map(({ slot: each, privateKey }) => `${variables[each]}=base64:${Buffer.from(privateKey).toString("base64")}\n`).join("") };
}

/** Slots of the secrets file, as the verb `access-key` names them. */
const variables = { primary: "ACCESS_KEY", secondary: "ACCESS_KEY_SECONDARY" } as const;

function shown(row: AccessKeyRow): { readonly id: string; readonly slot: AccessKeyRow["slot"]; readonly publicKey: string; readonly issued: string; readonly revoked: string | null } {
  return { id: row.id, slot: row.slot, publicKey: row.public_key, issued: new Date(row.issued).toISOString(), revoked: row.revoked === null ? null : new Date(row.revoked).toISOString() };
}
