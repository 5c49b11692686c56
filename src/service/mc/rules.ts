/** What MobiledgeX's controller asks of a cloudlet, in its words and its order. What only our spec asks comes after it. */

import type { Json, JsonObject } from "../../core/json.ts";
import { isBlank, numberOf, objectOf, textOf } from "../../spec/import/source-values.ts";
import { quotaNames } from "../../spec/rules/policies.ts";
import { platforms } from "../../platforms/registry.ts";
import { featuresOf, platformNamed, protoNameOf } from "./enums.ts";
import { wordsOf, type Place } from "./fields.ts";
import { defaultFlavor } from "./to-object.ts";

const text = (value: Json | undefined): string => textOf(value) ?? "";
const within = (object: JsonObject, group: string): JsonObject => objectOf(object[group]) ?? {};

/** A name as MobiledgeX takes it (edge-cloud, util/validate.go). */
const validName = /^[0-9a-zA-Z][-_0-9a-zA-Z .&,!]*$/;

/** What is wrong with a new cloudlet before anything is answered; undefined where nothing is. */
export function faultBefore(object: JsonObject, wrongEnums: readonly string[]): string | undefined {
  const platform = platformNamed(object["platform_type"]);
  const isRestricted = object["infra_api_access"] === 1;
  const config = within(object, "infra_config");
  const deployment = text(object["deployment"]);
  const place = within(object, "location");
  const pool = text(object["vm_pool"]);
  if (wrongEnums.includes("Invalid IpSupport") || object["ip_support"] === 1) return "Only dynamic IPs are supported currently";
  if (!((numberOf(object["num_dynamic_ips"] ?? 0) ?? 0) >= 1)) return "Must specify at least one dynamic public IP available";
  if (isBlank(place["latitude"] ?? 0) && isBlank(place["longitude"] ?? 0)) return "Location is missing; 0,0 is not a valid location";
  const local = object["deployment_local"] === true ? faultOfLocal(object, isRestricted) : undefined;
  if (local !== undefined) return local;
  if (deployment !== "" && !["docker", "kubernetes"].includes(deployment)) return "Invalid deployment, must be one of [docker kubernetes]";
  if (wrongEnums.includes("Invalid PlatformType")) return "Invalid PlatformType";
  if (!platforms.some(({ name }) => name === platform)) return `Platform ${protoNameOf(platform)} is not supported; it may be ${platforms.map(({ name }) => name).join(", ")}`;
  if (isRestricted && platform !== "vmpool") {
    if (text(config["flavor_name"]) === "") return "Infra flavor name is required for private deployments";
    if (text(config["external_network_name"]) === "") return "Infra external network is required for private deployments";
  }
  if (pool !== "" && platform !== "vmpool") return "VM Pool is only valid for PlatformTypeVmPool";
  if (pool === "" && platform === "vmpool") return "VM Pool is mandatory for PlatformTypeVmPool";
  return faultOfFeatures(object, platform);
}

function faultOfLocal(object: JsonObject, isRestricted: boolean): string | undefined {
  if (!isBlank(object["access_vars"] ?? null)) return "Access vars is not supported for local deployment";
  if (text(object["vm_image_version"]) !== "") return "VM Image version is not supported for local deployment";
  if (text(object["deployment"]) !== "") return "Deployment type is not supported for local deployment";
  return isRestricted ? "Infra access type private is not supported for local deployment" : undefined;
}

/** Of a new cloudlet, and of what an update makes. */
export function faultOfFeatures(object: JsonObject, platform: string): string | undefined {
  const features = featuresOf(platform);
  if (object["enable_default_serverless_cluster"] === true && !features.multiTenantCluster) return `Serverless cluster not supported on ${protoNameOf(platform)}`;
  if (text(object["trust_policy"]) !== "" && !features.trustPolicy) return `Trust Policy not supported on ${protoNameOf(platform)}`;
  if (object["platform_high_availability"] !== true) return undefined;
  if (text(object["deployment"]) !== "kubernetes") return `Platform High Availability not supported for docker on ${protoNameOf(platform)}`;
  return features.highAvailabilityOnKubernetes ? undefined : `Platform High Availability not supported for k8s on ${protoNameOf(platform)}`;
}

/** What is wrong with a new cloudlet once the answer has begun. */
export function faultAfter(object: JsonObject, wrongEnums: readonly string[]): string | undefined {
  const key = within(object, "key");
  const flavor = text(within(object, "flavor")["name"]);
  const pool = text(object["vm_pool"]);
  const owner = text(within(within(object, "gpu_config"), "driver")["organization"]);
  const kafka = faultOfKafka(object);
  if (kafka !== undefined) return kafka;
  if (flavor !== "" && flavor !== defaultFlavor) return `Platform Flavor ${flavor} not found`;
  // Pools are written in the spec here, with their machines.
  if (pool !== "") return `VM Pool ${pool} not found`;
  if (owner !== "" && owner !== text(key["organization"])) return `Can only use ${text(key["organization"])} or '' org gpu drivers`;
  if (!validName.test(text(key["organization"]))) return "Invalid organization name";
  if (!validName.test(text(key["name"]))) return "Invalid cloudlet name";
  return faultOfValues(object, wrongEnums) ?? faultOfQuotas(object, platformNamed(object["platform_type"])) ?? faultOfOwner(object);
}

function faultOfKafka(object: JsonObject): string | undefined {
  const [user, password] = [text(object["kafka_user"]), text(object["kafka_password"])];
  if ((user !== "") !== (password !== "")) return "Must specify both kafka username and password, or neither";
  return user !== "" && text(object["kafka_cluster"]) === "" ? "Must specify a kafka cluster endpoint in addition to kafka credentials" : undefined;
}

function faultOfValues(object: JsonObject, wrongEnums: readonly string[]): string | undefined {
  const { latitude, longitude } = within(object, "location");
  const threshold = object["default_resource_alert_threshold"] ?? 0;
  const version = text(object["vm_image_version"]);
  if (!isWithin(latitude, -90, 90)) return "Invalid latitude value";
  if (!isWithin(longitude, -180, 180)) return "Invalid longitude value";
  if (wrongEnums.length > 0) return wrongEnums[0];
  if (version !== "" && !/^[0-9a-zA-Z][-0-9a-zA-Z._]*$/.test(version)) return "Invalid VM image version";
  if (!isWithin(threshold, 0, 100)) return `Invalid resource alert threshold ${shown(threshold)} specified, valid threshold is in the range of 0 to 100`;
  for (const each of quotasOf(object)) {
    const own = each["alert_threshold"] ?? 0;
    if (!isWithin(own, 0, 100)) return `Invalid resource quota alert threshold ${shown(own)} specified for ${shown(each["name"])}, valid threshold is in the range of 0 to 100`;
  }
  return undefined;
}

function faultOfQuotas(object: JsonObject, platform: string): string | undefined {
  const known = quotaNames(platform);
  const wrong = quotasOf(object).find(({ name }) => !known.includes(text(name)));
  return wrong === undefined ? undefined : `Invalid quota name: ${shown(wrong["name"])}, valid names are ${known.join(",")}`;
}

function faultOfOwner(object: JsonObject): string | undefined {
  return text(object["single_kubernetes_cluster_owner"]) === "" ? undefined : "Single kubernetes cluster owner can only be set on a single cluster platform";
}

function quotasOf(object: JsonObject): readonly JsonObject[] {
  const list = object["resource_quotas"];
  return Array.isArray(list) ? (list as readonly Json[]).map((each) => objectOf(each) ?? {}) : [];
}

function isWithin(value: Json | undefined, least: number, most: number): boolean {
  const number = numberOf(value ?? 0);
  return number !== undefined && number >= least && number <= most;
}

function shown(value: Json | undefined): string {
  return (typeof value === "object" ? JSON.stringify(value) : String(value ?? "")).slice(0, 100);
}

/** What is wrong with an update by its mask alone, and then by the values that the mask names; `object` holds those alone, and the key. */
export function faultOfUpdate(places: readonly Place[], object: JsonObject, wrongEnums: readonly string[], platform: string): string | undefined {
  const names = new Set(places.map(({ path }) => path[0] ?? ""));
  if (![...names].some((name) => name !== "key" && name !== "fields")) return "Nothing specified to update";
  const wrong = places.filter(({ field, path }) => field.isFixed && path[0] !== "key");
  if (wrong.length > 0) return `Specified field(s) ${wrong.map(wordsOf).join(",")} cannot be modified`;
  if (names.has("num_dynamic_ips") && !((numberOf(object["num_dynamic_ips"] ?? 0) ?? 0) >= 1)) return "Cannot specify less than one dynamic IP unless Ip Support Static is specified";
  if (names.has("ip_support") && object["ip_support"] === 1) return "Only dynamic IPs are supported currently";
  if (names.has("env_var") && names.has("maintenance_state")) return "Cannot set envvars if maintenance state is set";
  if (names.has("trust_policy") && names.has("maintenance_state")) return "Cannot change both maintenance state and trust policy at the same time";
  const kafka = names.has("kafka_user") || names.has("kafka_password") ? faultOfKafka({ kafka_cluster: "given", ...object }) : undefined;
  return kafka ?? faultOfValues(object, wrongEnums) ?? faultOfQuotas(object, platform) ?? faultOfOwner(object);
}
