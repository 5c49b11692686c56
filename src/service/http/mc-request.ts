/** Requests as MobiledgeX's clients send them: a region, and an object whose name and fields are spelled in whatever case. */

import type { FastifyReply, FastifyRequest } from "fastify";
import type { Json, JsonObject } from "../../core/json.ts";
import { bare, objectOf, textOf } from "../../spec/import/source-values.ts";
import { may, type Action } from "../access/roles.ts";
import type { Context } from "../context.ts";
import { keyFields, spelled } from "../mc/fields.ts";
import { forbidden, noSuchCloudlet, Refusal, type CloudletKey } from "../mc/refusal.ts";
import { cloudlets } from "../state/cloudlets.ts";
import type { Database } from "../state/database.ts";
import type { CloudletRow } from "../state/tables.ts";
import { callerOf } from "./caller.ts";

export type McCall = (request: FastifyRequest, reply: FastifyReply, body: Json) => Promise<unknown>;
export type McCalls = (context: Context) => Readonly<Record<string, McCall>>;

export interface Envelope {
  readonly region: string;
  /** Not yet looked at. */
  readonly object: Json | undefined;
}

/** `{Region, Cloudlet: {…}}`; the console writes `region` and `cloudlet`, mcctl `Region` and `Cloudlet`. */
export function envelopeOf(body: Json, name: string): Envelope {
  const fields = objectOf(body);
  if (fields === undefined) throw new Refusal("Invalid JSON data: the body must be an object");
  const found = (wanted: string): Json | undefined => Object.entries(fields).find(([key]) => bare(key) === bare(wanted))?.[1];
  const region = textOf(found("region")) ?? "";
  if (region === "") throw new Refusal("No region specified");
  if (!/^\w{1,80}$/.test(region)) throw new Refusal(`Region ${JSON.stringify(region.slice(0, 80))} not found`);
  return { region, object: found(name) };
}

/** The key as it was sent; what it names may be nothing. */
export function keyOf(object: JsonObject): CloudletKey {
  return { organization: textOf(object["organization"]) ?? "", name: textOf(object["name"]) ?? "" };
}

/** Throws a Refusal where the caller may not, whether there is such an organization or not. */
export function permit(request: FastifyRequest, action: Action, organization: string): void {
  if (!may(callerOf(request).actor, action, organization === "" ? {} : { organization })) throw forbidden();
}

/** The cloudlet of a call that names one by its key alone. */
export async function namedCloudlet(context: Context, request: FastifyRequest, body: Json, action: Action): Promise<CloudletRow> {
  const { region, object } = envelopeOf(body, "CloudletKey");
  const key = keyOf(spelled(object ?? {}, keyFields));
  permit(request, action, key.organization);
  return cloudletAt(context.db, region, key);
}

/** Throws a Refusal where the region has none of that key. */
export async function cloudletAt(db: Database, region: string, key: CloudletKey): Promise<CloudletRow> {
  const [row] = await cloudlets(db, { among: undefined, region, organization: key.organization, name: key.name }, undefined, 1);
  if (row === undefined) throw noSuchCloudlet(key);
  return row;
}
