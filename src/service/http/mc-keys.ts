/** GetCloudletManifest, GenerateAccessKey and RevokeAccessKey: where an access key's private half is seen, once. */

import type { FastifyRequest } from "fastify";
import { accessKey } from "../../seal/access-key.ts";
import type { SpecDocument } from "../../spec/read-spec.ts";
import { newId, type Context } from "../context.ts";
import { drawBundle } from "../jobs/build-bundle.ts";
import { keptRelease, keptSpec } from "../jobs/documents.ts";
import { protoNameOf } from "../mc/enums.ts";
import { manifestOf, type IssuedKey } from "../mc/manifest.ts";
import { Refusal } from "../mc/refusal.ts";
import type { InTransaction } from "../state/database.ts";
import { addAccessKey, currentAccessKeys, revokeAccessKeys } from "../state/keys.ts";
import { releases } from "../state/releases.ts";
import type { AccessKeyRow, CloudletRow, ReleaseRow } from "../state/tables.ts";
import { askFor, wantedBundle } from "./bundles.ts";
import { act, callerOf } from "./caller.ts";
import { namedCloudlet, permit, type McCall } from "./mc-request.ts";

export function mcKeys(context: Context): Readonly<Record<string, McCall>> {
  const { db } = context;
  return {
    GetCloudletManifest: async (request, reply, body) => {
      const row = await namedCloudlet(context, request, body, "access-key:write");
      permit(request, "bundle:request", row.organization);
      const spec = await keptSpec(db, row.document);
      const release = await releaseFor(context, spec);
      const steps = await stepsOf(context, row, release);
      if ((await currentAccessKeys(db, [row.id])).length > 0) throw registered();
      const bundle = await askFor(context, request, await wantedBundle(context, row, release, callerOf(request).user.name));
      const download = `${request.protocol}://${request.host}/v1/bundles/${bundle.id}/download`;
      const manifest = await act(context, request, async (transaction) => {
        const { result: keys, entry } = await issued(context, request, transaction, row, spec);
        // Within the transaction: a key whose manifest can't be made is none.
        return { result: manifestOf(steps, keys, download), entry };
      });
      return reply.send({ manifest });
    },

    GenerateAccessKey: async (request, reply, body) => {
      const row = await namedCloudlet(context, request, body, "access-key:write");
      const spec = await keptSpec(db, row.document);
      const keys = await act(context, request, async (transaction) => {
        await revokeAccessKeys(transaction, row.id, context.now());
        return issued(context, request, transaction, row, spec);
      });
      return reply.send({ message: keys.map(({ privateKeyPem }) => privateKeyPem).join("") });
    },

    RevokeAccessKey: async (request, reply, body) => {
      const row = await namedCloudlet(context, request, body, "access-key:write");
      await act(context, request, async (transaction) => {
        const revoked = await revokeAccessKeys(transaction, row.id, context.now());
        return { result: undefined, entry: { action: "access-key:revoke", subject: `cloudlet:${row.id}`, organization: row.organization, detail: { revoked } } };
      });
      return reply.send({});
    },
  };
}

function registered(): Refusal {
  return new Refusal("Cloudlet has access key registered, please revoke the current access key first so a new one can be generated for the manifest");
}

interface Issued {
  readonly result: readonly IssuedKey[];
  readonly entry: { readonly action: string; readonly subject: string; readonly organization: string; readonly detail: { readonly keys: readonly string[] } };
}

/** One key, or two with high availability; of two requests at a time one gets them. */
async function issued(context: Context, request: FastifyRequest, transaction: InTransaction, row: CloudletRow, { spec }: SpecDocument): Promise<Issued> {
  const made: { readonly id: string; readonly key: IssuedKey }[] = [];
  for (const slot of spec.crm.highAvailability ? (["primary", "secondary"] as const) : (["primary"] as const)) {
    const { privateKeyPem, publicKeyPem } = accessKey(context.random(32));
    const key: AccessKeyRow = { id: newId(context), cloudlet_id: row.id, slot, public_key: publicKeyPem, issued: context.now(), issued_by: callerOf(request).user.name, revoked: null };
    if (!(await addAccessKey(transaction, key))) throw registered();
    made.push({ id: key.id, key: { slot: slot === "primary" ? "ACCESS_KEY" : "ACCESS_KEY_SECONDARY", privateKeyPem } });
  }
  return {
    result: made.map(({ key }) => key),
    entry: { action: "access-key:issue", subject: `cloudlet:${row.id}`, organization: row.organization, detail: { keys: made.map(({ id }) => id) } },
  };
}

/**
 * The newest one that has a lock: among those of the container version and VM image version that the cloudlet asks for, where
 * there is such a one.
 */
async function releaseFor({ db }: Context, { spec }: SpecDocument): Promise<ReleaseRow> {
  const all = await Promise.all((await releases(db)).filter(({ lock_document }) => lock_document !== null).map(async (row) => ({ row, release: (await keptRelease(db, row.document)).release })));
  const { container, vmImage } = spec.versions;
  const ofContainer = narrowed(all, ({ release }) => release.controller.containerVersion === container);
  const [best] = narrowed(ofContainer, ({ release }) => release.vmImage.version === vmImage);
  if (best === undefined) throw new Refusal("There is no release with a lock yet; an administrator uploads one");
  return best.row;
}

function narrowed<T>(all: readonly T[], is: (one: T) => boolean): readonly T[] {
  const those = all.filter(is);
  return those.length === 0 ? all : those;
}

/** `site/manifest.yaml` as the bundle has it. */
async function stepsOf(context: Context, { document, platform }: CloudletRow, release: ReleaseRow): Promise<string> {
  const made = await drawBundle(context, { spec_document: document, release_document: release.document, lock_document: release.lock_document ?? "" });
  if (made.kind === "issues") throw new Refusal(made.issues.filter(({ severity }) => severity === "error").map(({ message }) => message).join("; "));
  const body = made.tree.files.find(({ path }) => path === manifestPath)?.body;
  if (body?.kind !== "bytes") throw new Refusal(`GetCloudletManifest is not supported for ${protoNameOf(platform)}; its bundle has all that is needed`);
  return new TextDecoder().decode(body.bytes);
}

const manifestPath = "site/manifest.yaml";
