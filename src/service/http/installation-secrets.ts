/** The secrets file of an installation: the access key, issued for it, and the slots that somebody fills. */

import type { FastifyRequest } from "fastify";
import { accessKey } from "../../seal/access-key.ts";
import type { Context } from "../context.ts";
import { aboutSecrets } from "../direct/seal-anew.ts";
import type { Sealed, Sealing } from "../direct/sealing.ts";
import { secretLines } from "../direct/secret-lines.ts";
import { keptSpec } from "../jobs/documents.ts";
import { record } from "../state/audit-trail.ts";
import type { InTransaction } from "../state/database.ts";
import { latestChange } from "../state/installations.ts";
import { revokeAccessKeys } from "../state/keys.ts";
import type { BundleRow, CloudletRow, DeliveryAction } from "../state/tables.ts";
import { issueAccessKeys } from "./access-keys.ts";
import { actorName, callerOf } from "./caller.ts";

export type AccessKeyChoice = "issue" | "reissue" | "keep";

export interface SecretsWanted {
  readonly id: string;
  readonly cloudlet: CloudletRow;
  readonly bundle: BundleRow;
  readonly action: DeliveryAction;
  readonly given: Readonly<Record<string, string>>;
  readonly accessKey: AccessKeyChoice | undefined;
  /** Something was installed before, as far as is known. */
  readonly hasJournal: boolean;
}

interface Doing {
  readonly context: Context;
  readonly request: FastifyRequest;
  readonly sealing: Sealing;
  readonly transaction: InTransaction;
}

/** Sealed; undefined where install.sh is given no secrets file. Throws a Problem where a key was issued and none may be. */
export async function sealedSecrets(doing: Doing, wanted: SecretsWanted): Promise<Sealed | undefined> {
  const { action, given } = wanted;
  if (action !== "install" && action !== "upgrade" && action !== "check") return undefined;
  const before = action === "check" && Object.keys(given).length === 0 ? await ofTheRunBefore(doing, wanted) : undefined;
  if (before !== undefined) return doing.sealing.seal(before, aboutSecrets(wanted.id));
  const text = secretLines(given) + (Object.hasOwn(given, "ACCESS_KEY") ? "" : await keyLines(doing, wanted));
  return text === "" ? undefined : doing.sealing.seal(text, aboutSecrets(wanted.id));
}

/** Looking at how to go on looks with what one would go on with. */
async function ofTheRunBefore({ sealing, transaction }: Doing, { cloudlet }: SecretsWanted): Promise<string | undefined> {
  const last = await latestChange(transaction, cloudlet.id);
  if (last?.secrets === undefined || last.secrets === null) return undefined;
  return sealing.open({ box: last.secrets, keyId: last.secrets_key ?? "" }, aboutSecrets(last.id));
}

async function keyLines({ context, request, transaction }: Doing, { cloudlet, bundle, action, accessKey: choice, hasJournal }: SecretsWanted): Promise<string> {
  const how = choice ?? (action === "upgrade" ? "reissue" : "issue");
  const isDouble = (await keptSpec(transaction, bundle.spec_document)).spec.crm.highAvailability;
  // Looking issues nothing: a key of the right form that nobody knows of takes its place, unless there are secrets to compare with.
  if (action === "check") return how === "keep" || hasJournal ? "" : standIn(context, isDouble);
  if (how === "keep") return "";
  const entry = { time: context.now(), actor: actorName(request), address: request.ip, subject: `cloudlet:${cloudlet.id}`, organization: cloudlet.organization };
  if (how === "reissue") {
    const revoked = await revokeAccessKeys(transaction, cloudlet.id, context.now());
    if (revoked > 0) await record(transaction, { ...entry, action: "access-key:revoke", detail: { revoked } });
  }
  const issued = await issueAccessKeys(transaction, context, { cloudletId: cloudlet.id, isDouble, by: callerOf(request).user.name });
  await record(transaction, { ...entry, action: "access-key:issue", detail: { keys: issued.items.map((each) => each.id) } });
  return issued.secrets;
}

function standIn({ random }: Context, isDouble: boolean): string {
  return secretLines(Object.fromEntries((isDouble ? ["ACCESS_KEY", "ACCESS_KEY_SECONDARY"] : ["ACCESS_KEY"]).map((name) => [name, accessKey(random(32)).privateKeyPem])));
}
