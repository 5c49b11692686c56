/** CreateCloudlet, UpdateCloudlet and DeleteCloudlet. Each answers with a line for each message, as the master controller streams them. */

import type { FastifyReply, FastifyRequest } from "fastify";
import type { Json, JsonObject } from "../../core/json.ts";
import { objectOf, textOf } from "../../spec/import/source-values.ts";
import type { SpecDocument } from "../../spec/read-spec.ts";
import { may } from "../access/roles.ts";
import { newId, type Context } from "../context.ts";
import { keptSpec, readCloudletSpec } from "../jobs/documents.ts";
import { numbered, platformNamed } from "../mc/enums.ts";
import { cloudletFields, given, masked, spelled, valueAt, withValue, type Place } from "../mc/fields.ts";
import { changedSpec, specOfObject, type Taken } from "../mc/from-object.ts";
import { cloudletExists, messageLine, Refusal, resultLine } from "../mc/refusal.ts";
import { faultAfter, faultBefore, faultOfFeatures, faultOfUpdate } from "../mc/rules.ts";
import { objectOfCloudlet } from "../mc/to-object.ts";
import { addCloudlet, changeCloudlet, removeCloudlet } from "../state/cloudlets.ts";
import { keepDocument } from "../state/documents.ts";
import type { CloudletRow } from "../state/tables.ts";
import { organizationByName } from "../state/users.ts";
import { act, callerOf } from "./caller.ts";
import { cloudletAt, envelopeOf, keyOf, permit, type McCalls } from "./mc-request.ts";

export const mcChanges: McCalls = (context) => ({
  CreateCloudlet: async (request, reply, body) => streamed(reply, (say) => create(context, request, body, say)),
  UpdateCloudlet: async (request, reply, body) => streamed(reply, (say) => update(context, request, body, say)),
  DeleteCloudlet: async (request, reply, body) => streamed(reply, (say) => remove(context, request, body, say)),
});

type Say = (message: string) => void;

/** Before the first message a refusal is an answer of its own; after it, the last line. */
async function streamed(reply: FastifyReply, work: (say: Say) => Promise<void>): Promise<FastifyReply> {
  const lines: string[] = [];
  try {
    await work((message) => void lines.push(messageLine(message)));
  } catch (error) {
    if (lines.length === 0 || !(error instanceof Refusal)) throw error;
    lines.push(resultLine(error));
  }
  return reply.type("application/json").send(lines.join(""));
}

function refuseIf(fault: string | undefined): void {
  if (fault !== undefined) throw new Refusal(fault);
}

/** What the console waits for, to the letter, before it asks for the manifest. */
const runManifest = "Cloudlet configured successfully. Please run `GetCloudletManifest` to bringup Platform VM(s) for cloudlet services";

async function create(context: Context, request: FastifyRequest, body: Json, say: Say): Promise<void> {
  const { region, object: sent } = envelopeOf(body, "Cloudlet");
  const { object, wrong } = numbered(spelled(sent ?? {}, cloudletFields));
  const key = keyOf(objectOf(object["key"]) ?? {});
  permit(request, "cloudlet:write", key.organization);
  if (key.organization !== "" && (await organizationByName(context.db, key.organization)) === undefined) {
    // Whoever may write everywhere learns that it is not there; nobody else gets so far.
    throw may(callerOf(request).actor, "cloudlet:write") ? new Refusal(`Org ${key.organization} not found`) : new Refusal("Forbidden", 403);
  }
  refuseIf(faultBefore(object, wrong));
  if ((textOf(object["physical_name"]) ?? "") === "") say("Setting physicalname to match cloudlet name");
  refuseIf(faultAfter(object, wrong));
  const taken = accepted(specOfObject(region, object));
  const document = readNew(taken.text);
  const { spec } = document;
  await act(context, request, async (transaction) => {
    const at = context.now();
    const row: CloudletRow = {
      id: newId(context), organization: spec.organization, name: spec.name, region: spec.region, platform: spec.platform.type,
      document: await keepDocument(transaction, taken.text), spec_digest: document.digest, revision: 1, state: "defined", created: at, updated: at,
    };
    if (!(await addCloudlet(transaction, row))) throw cloudletExists(key);
    return { result: row, entry: { action: "cloudlet:create", subject: `cloudlet:${row.id}`, organization: row.organization, detail: { name: row.name, document: row.document } } };
  });
  sayOfSecrets(taken.secrets, say);
  // Direct is what the site's people carry in, too: this service reaches no IaaS.
  say(runManifest);
}

async function update(context: Context, request: FastifyRequest, body: Json, say: Say): Promise<void> {
  const { region, object: sent } = envelopeOf(body, "Cloudlet");
  const { object, wrong } = numbered(spelled(sent ?? {}, cloudletFields));
  const key = keyOf(objectOf(object["key"]) ?? {});
  permit(request, "cloudlet:write", key.organization);
  const places = maskOf(object);
  const row = await cloudletAt(context.db, region, key);
  const before = await keptSpec(context.db, row.document);
  const chosen = places.reduce((made: JsonObject, { path }) => withValue(made, path, valueAt(object, path)), {});
  refuseIf(faultOfUpdate(places, chosen, wrong.filter((each) => names(places, each)), row.platform));
  const was = editable(before, row);
  const will = places.reduce((made: JsonObject, { path }) => (path[0] === "key" ? made : withValue(made, path, valueAt(object, path))), was);
  if (places.some(({ path }) => ["trust_policy", "enable_default_serverless_cluster", "platform_high_availability"].includes(path[0] ?? ""))) refuseIf(faultOfFeatures(will, platformNamed(will["platform_type"])));
  refuseNowhere(will, places);
  const taken = accepted(changedSpec(row.region, before.written, was, will));
  const document = readNew(taken.text);
  await act(context, request, async (transaction) => {
    const change = { document: await keepDocument(transaction, taken.text), spec_digest: document.digest, region: document.spec.region, platform: document.spec.platform.type, updated: context.now() };
    if (!(await changeCloudlet(transaction, row.id, row.revision, change))) throw new Refusal("Cloudlet was changed meanwhile, try again");
    return { result: undefined, entry: { action: "cloudlet:change", subject: `cloudlet:${row.id}`, organization: row.organization, detail: { before: row.document, document: change.document } } };
  });
  sayOfSecrets(taken.secrets, say);
  say("Cloudlet updated successfully");
}

/** `fields`, or else every field that was sent. */
function maskOf(object: JsonObject): readonly Place[] {
  const { fields, ...others } = object;
  const ids = Array.isArray(fields) ? (fields as readonly Json[]).map((id) => textOf(id) ?? "") : [];
  return (ids.length > 0 ? masked(ids) : given(others)).filter(({ path }) => path[0] !== "fields");
}

/** What is wrong with an enumeration that the mask does not name is nobody's business. */
function names(places: readonly Place[], wrong: string): boolean {
  const field = wrong.startsWith("Invalid maintenance") ? "maintenance_state" : { "Invalid IpSupport": "ip_support" }[wrong];
  return places.some(({ path }) => path[0] === field);
}

/** The object as a client would send it: without what only a controller sets. */
function editable(document: SpecDocument, row: CloudletRow): JsonObject {
  const object = objectOfCloudlet(document, { state: row.state, created: row.created, updated: row.updated, publicKeys: {} });
  return Object.fromEntries(Object.entries(object).filter(([name]) => !["state", "created_at", "updated_at", "flavor"].includes(name)));
}

/** 0/0 is a place that nobody meant. */
function refuseNowhere(object: JsonObject, places: readonly Place[]): void {
  if (!places.some(({ path }) => path[0] === "location")) return;
  const isZero = (name: string): boolean => Number(valueAt(object, ["location", name]) ?? 0) === 0;
  if (isZero("latitude") && isZero("longitude")) throw new Refusal("Location is missing; 0,0 is not a valid location");
}

async function remove(context: Context, request: FastifyRequest, body: Json, say: Say): Promise<void> {
  const { region, object: sent } = envelopeOf(body, "Cloudlet");
  const key = keyOf(objectOf(spelled(sent ?? {}, cloudletFields)["key"]) ?? {});
  permit(request, "cloudlet:delete", key.organization);
  const row = await cloudletAt(context.db, region, key);
  await act(context, request, async (transaction) => {
    if (!(await removeCloudlet(transaction, row.id, row.revision))) throw new Refusal("Cloudlet was changed meanwhile, try again");
    return { result: undefined, entry: { action: "cloudlet:delete", subject: `cloudlet:${row.id}`, organization: row.organization, detail: { name: row.name, document: row.document } } };
  });
  context.news.tell(row.id);
  say("Deleted Cloudlet successfully");
}

function accepted(taken: Taken): Extract<Taken, { ok: true }> {
  if (taken.ok) return taken;
  const rest = taken.refused.length - mostTold;
  throw new Refusal(`Not to be carried over: ${taken.refused.slice(0, mostTold).join("; ")}${rest > 0 ? `; and ${rest} more` : ""}`);
}

/** More than anybody reads in one line. */
const mostTold = 20;

/** Throws a Refusal with every mistake. */
function readNew(text: string): SpecDocument {
  const outcome = readCloudletSpec(text);
  if (outcome.ok) return outcome.value;
  throw new Refusal(outcome.issues.filter(({ severity }) => severity === "error").map(({ message, hint }) => (hint === undefined ? message : `${message} (${hint})`)).join("; "));
}

function sayOfSecrets(secrets: readonly string[], say: Say): void {
  if (secrets.length > 0) say(`Not stored: ${secrets.join(", ")}. The site's secrets file is the place for ${secrets.length === 1 ? "its value" : "their values"}`);
}
