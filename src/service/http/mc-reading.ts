/** ShowCloudlet, StreamCloudlet, GetCloudletProps and GetCloudletResourceQuotaProps. */

import { Readable } from "node:stream";
import type { FastifyRequest } from "fastify";
import type { Json, JsonObject } from "../../core/json.ts";
import { canonicalJson } from "../../core/json.ts";
import { platforms } from "../../platforms/registry.ts";
import { isBlank, objectOf, textOf } from "../../spec/import/source-values.ts";
import { may, organizationsFor } from "../access/roles.ts";
import type { Context } from "../context.ts";
import { keptSpec } from "../jobs/documents.ts";
import { numbered, platformNamed } from "../mc/enums.ts";
import { cloudletFields, leaves, masked, spelled, valueAt, withValue, type Field, type Place } from "../mc/fields.ts";
import { followCloudlet } from "../mc/follow.ts";
import { propertiesOf, quotaPropertiesOf } from "../mc/properties.ts";
import { dataLine, forbidden, Refusal } from "../mc/refusal.ts";
import { objectOfCloudlet } from "../mc/to-object.ts";
import { cloudlets, type CloudletCursor, type CloudletFilter } from "../state/cloudlets.ts";
import { currentAccessKeys } from "../state/keys.ts";
import { callerOf } from "./caller.ts";
import { envelopeOf, keyOf, namedCloudlet, permit, type McCalls } from "./mc-request.ts";

export const mcReading: McCalls = (context) => ({
  ShowCloudlet: async (request, reply, body) => {
    const { region, object: sent } = envelopeOf(body, "Cloudlet");
    const { fields, ...filter } = numbered(spelled(sent ?? {}, cloudletFields)).object;
    const { actor } = callerOf(request);
    const among = organizationsFor(actor, "cloudlet:read");
    if (among?.length === 0) throw forbidden();
    const { organization, name } = keyOf(objectOf(filter["key"]) ?? {});
    const rows: CloudletFilter = { among, region, ...(organization === "" ? {} : { organization }), ...(name === "" ? {} : { name }) };
    const ids = Array.isArray(fields) ? (fields as readonly Json[]).map((id) => textOf(id) ?? "") : [];
    const only = ids.length === 0 ? undefined : masked(ids);
    return reply.type("application/json").send(Readable.from(shownLines(context, rows, filter, only)));
  },

  StreamCloudlet: async (request, reply, body) => {
    const row = await namedCloudlet(context, request, body, "cloudlet:read");
    const gone = new AbortController();
    reply.raw.once("close", () => gone.abort());
    return reply.type("application/json").send(Readable.from(followCloudlet(context, row.id, AbortSignal.any([gone.signal, context.stopping]))));
  },

  GetCloudletProps: async (request, reply, body) => {
    const { platform, organization } = platformAsked(request, body, "CloudletProps");
    return reply.send(propertiesOf(platform, organization));
  },

  GetCloudletResourceQuotaProps: async (request, reply, body) => {
    const { platform, organization } = platformAsked(request, body, "CloudletResourceQuotaProps");
    return reply.send(quotaPropertiesOf(platform, organization));
  },
});

/** Read together, and then answered before the next ones are read. */
const pageRows = 50;

async function* shownLines(context: Context, rows: CloudletFilter, filter: JsonObject, only: readonly Place[] | undefined): AsyncGenerator<string> {
  const wanted = leaves(cloudletFields).filter(({ path }) => !isBlank(valueAt(filter, path) ?? null));
  let after: CloudletCursor | undefined;
  for (;;) {
    const page = await cloudlets(context.db, rows, after, pageRows);
    const keys = await currentAccessKeys(context.db, page.map(({ id }) => id));
    for (const row of page) {
      const publicKeys = Object.fromEntries(keys.filter(({ cloudlet_id }) => cloudlet_id === row.id).map(({ slot, public_key }) => [slot, public_key]));
      const object = objectOfCloudlet(await keptSpec(context.db, row.document), { state: row.state, created: row.created, updated: row.updated, publicKeys });
      if (wanted.every(({ path }) => matches(valueAt(object, path), valueAt(filter, path)))) yield dataLine(only === undefined ? object : projected(object, only));
    }
    const last = page.at(-1);
    if (last === undefined || page.length < pageRows) return;
    after = { organization: last.organization, name: last.name };
  }
}

/** Each entry of a map counts for itself; a list is asked for as a whole. */
function matches(value: Json | undefined, wanted: Json | undefined): boolean {
  const [map, asked] = [objectOf(value), objectOf(wanted)];
  if (asked !== undefined) return Object.entries(asked).every(([name, each]) => matches(map !== undefined && Object.hasOwn(map, name) ? map[name] : undefined, each));
  if (Array.isArray(wanted)) return value !== undefined && canonicalJson(value) === canonicalJson(wanted);
  return textOf(value) === textOf(wanted);
}

/** The key is always there: without it nobody knows whose fields these are. */
function projected(object: JsonObject, only: readonly Place[]): JsonObject {
  const key: JsonObject = { key: object["key"] ?? {} };
  return only.reduce((made, { path }) => {
    const value = valueAt(object, path);
    return value === undefined ? made : withValue(made, path, value);
  }, key);
}

const askedFields: readonly Field[] = ["platform_type", "organization"].map((name, index) => ({ number: index + 1, name, kind: "scalar", fields: [], isFixed: false }));
const propertyFields: readonly Field[] = [...askedFields, { number: 3, name: "properties", kind: "state", fields: [], isFixed: false }];

function platformAsked(request: FastifyRequest, body: Json, name: string): { readonly platform: string; readonly organization: string } {
  const { object: sent } = envelopeOf(body, name);
  const { object, wrong } = numbered(spelled(sent ?? {}, propertyFields));
  const organization = textOf(object["organization"]) ?? "";
  // What a platform can be told is no secret: without an organization, whoever has logged in may ask.
  if (organization !== "") permit(request, "cloudlet:read", organization);
  else if (!may(callerOf(request).actor, "release:read")) throw forbidden();
  const platform = platformNamed(object["platform_type"]);
  if (wrong.length > 0) throw new Refusal(wrong[0] ?? "");
  if (!platforms.some((each) => each.name === platform)) throw new Refusal(`Platform ${String(object["platform_type"] ?? 0)} is not supported; it may be ${platforms.map((each) => each.name).join(", ")}`);
  return { platform, organization };
}
