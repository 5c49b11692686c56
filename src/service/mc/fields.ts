/** The fields of MobiledgeX's Cloudlet: their names in JSON, the numbers that an update mask names, and which of them may be changed. */

import type { Json, JsonObject } from "../../core/json.ts";
import { bare, objectOf } from "../../spec/import/source-values.ts";

export interface Field {
  /** Of edgeproto/cloudlet.proto. */
  readonly number: number;
  readonly name: string;
  /** `map`, `list` and `state` are taken and given as a whole; `state` is the controller's, in whatever form. */
  readonly kind: "scalar" | "group" | "map" | "list" | "state";
  readonly fields: readonly Field[];
  /** UpdateCloudlet may not change it. */
  readonly isFixed: boolean;
}

function scalar(number: number, name: string): Field {
  return { number, name, kind: "scalar", fields: [], isFixed: false };
}

function group(number: number, name: string, fields: readonly Field[]): Field {
  return { number, name, kind: "group", fields, isFixed: false };
}

function whole(kind: "map" | "list" | "state", number: number, name: string): Field {
  return { number, name, kind, fields: [], isFixed: false };
}

function fixed(field: Field): Field {
  return { ...field, isFixed: true, fields: field.fields.map(fixed) };
}

function scalars(...names: readonly string[]): readonly Field[] {
  return names.map((name, index) => scalar(index + 1, name));
}

export const keyFields = scalars("organization", "name", "federated_organization");

/** In the order of the numbers, which is that of MobiledgeX's JSON. */
export const cloudletFields: readonly Field[] = [
  whole("list", 1, "fields"),
  group(2, "key", keyFields),
  group(5, "location", [...scalars("latitude", "longitude", "horizontal_accuracy", "vertical_accuracy", "altitude", "course", "speed"), group(8, "timestamp", scalars("seconds", "nanos"))]),
  scalar(6, "ip_support"),
  scalar(7, "static_ips"),
  scalar(8, "num_dynamic_ips"),
  group(9, "time_limits", ["create_cluster_inst", "update_cluster_inst", "delete_cluster_inst", "create_app_inst", "update_app_inst", "delete_app_inst"].map((name, index) => scalar(index + 1, `${name}_timeout`))),
  fixed(whole("state", 10, "errors")),
  fixed(whole("state", 11, "status")),
  fixed(scalar(12, "state")),
  scalar(13, "crm_override"),
  fixed(scalar(14, "deployment_local")),
  fixed(scalar(15, "platform_type")),
  scalar(16, "notify_srv_addr"),
  fixed(group(17, "flavor", scalars("name"))),
  fixed(scalar(18, "physical_name")),
  whole("map", 19, "env_var"),
  fixed(scalar(20, "container_version")),
  fixed(whole("state", 21, "config")),
  fixed(whole("map", 22, "res_tag_map")),
  whole("map", 23, "access_vars"),
  fixed(scalar(24, "vm_image_version")),
  fixed(scalar(26, "deployment")),
  fixed(scalar(27, "infra_api_access")),
  fixed(group(28, "infra_config", scalars("external_network_name", "flavor_name"))),
  fixed(whole("state", 29, "chef_client_key")),
  scalar(30, "maintenance_state"),
  fixed(scalar(31, "override_policy_container_version")),
  fixed(scalar(32, "vm_pool")),
  fixed(scalar(33, "crm_access_public_key")),
  fixed(scalar(34, "crm_access_key_upgrade_required")),
  fixed(whole("state", 35, "created_at")),
  fixed(whole("state", 36, "updated_at")),
  scalar(37, "trust_policy"),
  fixed(scalar(38, "trust_policy_state")),
  whole("list", 39, "resource_quotas"),
  scalar(40, "default_resource_alert_threshold"),
  fixed(scalar(41, "HostController")),
  scalar(42, "kafka_cluster"),
  scalar(43, "kafka_user"),
  scalar(44, "kafka_password"),
  group(45, "gpu_config", [group(1, "driver", scalars("name", "organization")), whole("map", 2, "properties"), scalar(3, "license_config"), scalar(4, "license_config_md5sum")]),
  scalar(46, "enable_default_serverless_cluster"),
  whole("list", 47, "alliance_orgs"),
  scalar(48, "single_kubernetes_cluster_owner"),
  fixed(scalar(49, "delete_prepare")),
  scalar(50, "platform_high_availability"),
  fixed(scalar(51, "secondary_crm_access_public_key")),
  fixed(scalar(52, "secondary_crm_access_key_upgrade_required")),
  fixed(scalar(53, "secondary_notify_srv_addr")),
  fixed(scalar(54, "dns_label")),
  fixed(scalar(55, "root_lb_fqdn")),
  fixed(whole("state", 56, "federation_config")),
  fixed(scalar(57, "license_config_storage_path")),
];

/** A field by its place: every name from the outermost one on. */
export interface Place {
  readonly path: readonly string[];
  readonly field: Field;
}

/** Thrown where an object is not one of MobiledgeX's; the message is for whoever sent it. */
export class NotAnObject extends Error {
  override readonly name = "NotAnObject";
}

/** The object with the names that MobiledgeX writes, whatever spelling it came in, as Go reads it; what is null is left out. */
export function spelled(given: Json | undefined, fields: readonly Field[], path = ""): JsonObject {
  const object = objectOf(given);
  if (object === undefined) throw new NotAnObject(`Invalid JSON data: ${path === "" ? "the object" : path} must be an object`);
  const made = new Map<string, Json>();
  for (const [key, value] of Object.entries(object)) {
    if (value === null) continue;
    const field = fields.find(({ name }) => bare(name) === bare(key));
    const name = field?.name ?? key;
    const at = path === "" ? name : `${path}.${name}`;
    if (field === undefined) throw new NotAnObject(`Invalid JSON data: there is no field ${JSON.stringify(at.slice(0, 100))}`);
    if (made.has(name)) throw new NotAnObject(`Invalid JSON data: ${at} is given twice`);
    made.set(name, valueOf(value as Json, field, at));
  }
  return Object.fromEntries(made);
}

function valueOf(value: Json, field: Field, at: string): Json {
  switch (field.kind) {
    case "group":
      return spelled(value, field.fields, at);
    case "map":
      if (objectOf(value) === undefined) throw new NotAnObject(`Invalid JSON data: ${at} must be an object`);
      return value;
    case "list":
      if (!Array.isArray(value)) throw new NotAnObject(`Invalid JSON data: ${at} must be a list`);
      return value;
    case "state":
      return value;
    case "scalar":
      if (typeof value === "object") throw new NotAnObject(`Invalid JSON data: ${at} must be one value`);
      return value;
  }
}

/** Every field below these, groups not counted, in order. */
export function leaves(fields: readonly Field[], path: readonly string[] = []): readonly Place[] {
  return fields.flatMap((field) => (field.kind === "group" ? leaves(field.fields, [...path, field.name]) : [{ path: [...path, field.name], field }]));
}

/** Fields and groups of a cloudlet, several times over. */
const mostIds = 1_000;

/**
 * The fields that a mask names. The id of a group stands for all of it where no id of one of its fields is there: clients send the
 * groups of their fields, too. What is within a map or list stands for all of it.
 */
export function masked(ids: readonly string[]): readonly Place[] {
  if (ids.length > mostIds) throw new NotAnObject(`Invalid JSON data: fields has ${ids.length} ids, more than there are fields`);
  const chosen = new Map<string, Place>();
  for (const id of ids) {
    const hasMoreExact = ids.some((other) => other.startsWith(`${id}.`));
    const places = placesOf(id);
    if (!hasMoreExact) for (const place of places) chosen.set(place.path.join("."), place);
  }
  return leaves(cloudletFields).filter(({ path }) => chosen.has(path.join(".")));
}

function placesOf(id: string): readonly Place[] {
  let fields = cloudletFields;
  const path: string[] = [];
  let found: Field | undefined;
  for (const number of id.split(".")) {
    if (found !== undefined && found.kind !== "group" && found.kind !== "scalar") break;
    found = fields.find((each) => String(each.number) === number);
    if (found === undefined) throw new NotAnObject(`Invalid JSON data: fields names ${JSON.stringify(id.slice(0, 40))}, and there is no such field`);
    path.push(found.name);
    fields = found.fields;
  }
  if (found === undefined) return [];
  return found.kind === "group" ? leaves(found.fields, path) : [{ path, field: found }];
}

/** The fields that an object gives: the mask of an update that came without one. */
export function given(object: JsonObject): readonly Place[] {
  return leaves(cloudletFields).filter(({ path }) => valueAt(object, path) !== undefined);
}

export function valueAt(object: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json | undefined = object;
  for (const name of path) value = objectOf(value) === undefined || !Object.hasOwn(value as JsonObject, name) ? undefined : (value as JsonObject)[name];
  return value;
}

/** A copy with another value at that place; undefined takes it out. */
export function withValue(object: JsonObject, path: readonly string[], value: Json | undefined): JsonObject {
  const [name = "", ...rest] = path;
  const { [name]: before, ...others } = object;
  const after = rest.length === 0 ? value : withValue(objectOf(before) ?? {}, rest, value);
  return after === undefined ? others : { ...others, [name]: after };
}

/** As MobiledgeX's messages name a field. */
export function wordsOf({ path }: Place): string {
  return path.join("_").split("_").map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`).join(" ");
}
