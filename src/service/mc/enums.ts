/** MobiledgeX's enumerations, by number and by name, and what its platforms can do. */

import type { Json, JsonObject } from "../../core/json.ts";
import { platforms } from "../../platforms/registry.ts";
import { ACCESS, IP_SUPPORT, MAINTENANCE, MAINTENANCE_NAMES, PLATFORM_TYPES } from "../../spec/import/fields.ts";
import { bare, enumOf } from "../../spec/import/source-values.ts";

/** TrackedState of edgeproto/common.proto, as far as a cloudlet that nobody reaches can be in it. */
export const trackedState = { notPresent: 1, createRequested: 2, ready: 5 } as const;

const TRACKED_STATES = new Map(
  ["unknown", "notpresent", "createrequested", "creating", "createerror", "ready", "updaterequested", "updating", "updateerror", "deleterequested", "deleting", "deleteerror", "deleteprepare", "crminitok", "creatingdependencies", "deletedone"].map((name, number) => [number, name]),
);

const IP_SUPPORT_WITH_UNKNOWN = new Map([[0, "unknown"], ...IP_SUPPORT]);

/** Fields that are enumerations: how their names begin, the numbers, and what MobiledgeX says of another value. */
const enumerations: Readonly<Record<string, { readonly names: ReadonlyMap<number, string>; readonly prefix: string; readonly type: string }>> = {
  ip_support: { names: IP_SUPPORT_WITH_UNKNOWN, prefix: "ip_support", type: "IpSupport" },
  state: { names: TRACKED_STATES, prefix: "tracked_state", type: "TrackedState" },
  platform_type: { names: PLATFORM_TYPES, prefix: "platform_type", type: "PlatformType" },
  infra_api_access: { names: ACCESS, prefix: "", type: "InfraApiAccess" },
};

/** The object with numbers for the names of enumerations; `wrong` is what MobiledgeX says of a value that is none. */
export function numbered(object: JsonObject): { readonly object: JsonObject; readonly wrong: readonly string[] } {
  const wrong: string[] = [];
  const made: Record<string, Json> = { ...object };
  for (const [name, { names, prefix, type }] of Object.entries(enumerations)) {
    const value = object[name];
    if (value === undefined) continue;
    const number = numberIn(value, names, prefix);
    if (number !== undefined) made[name] = number;
    // A platform that came after MobiledgeX is named as it is.
    else if (name !== "platform_type" || !isOurs(value)) wrong.push(`Invalid ${type}`);
  }
  const maintenance = object["maintenance_state"];
  if (maintenance !== undefined) {
    const name = enumOf(maintenance, MAINTENANCE) ?? MAINTENANCE_NAMES.get(bare(String(maintenance)));
    if (name === undefined) wrong.push("Invalid maintenance state, only normal operation and maintenance start states are allowed");
    else made["maintenance_state"] = numberOfMaintenance(name);
  }
  return { object: made, wrong };
}

function numberIn(value: Json, names: ReadonlyMap<number, string>, prefix: string): number | undefined {
  const text = typeof value === "string" ? value : "";
  const name = enumOf(value, names, prefix) ?? (text === "" ? undefined : enumOf(text.replace(/_?access$/i, ""), names, prefix));
  return name === undefined ? undefined : numberNamed(names, name);
}

function numberNamed(names: ReadonlyMap<number, string>, wanted: string): number | undefined {
  return [...names].find(([, name]) => name === wanted)?.[0];
}

export function numberOfMaintenance(name: string): number {
  return numberNamed(MAINTENANCE, name) ?? 0;
}

function isOurs(value: Json): boolean {
  return typeof value === "string" && platforms.some(({ name }) => name === bare(value) && numberNamed(PLATFORM_TYPES, name) === undefined);
}

/** The number, or the name of a platform that MobiledgeX had none for. */
export function platformTypeOf(platform: string): Json {
  return numberNamed(PLATFORM_TYPES, platform) ?? platform;
}

/** Our name of the platform; empty where it is none. */
export function platformNamed(type: Json | undefined): string {
  return typeof type === "string" ? bare(type) : (PLATFORM_TYPES.get(typeof type === "number" ? type : 0) ?? "");
}

const protoNames: Readonly<Record<string, string>> = { awseks: "AWS_EKS", vmpool: "VM_POOL", awsec2: "AWS_EC2", k8sbaremetal: "K8S_BARE_METAL", fakesinglecluster: "FAKE_SINGLE_CLUSTER", fakevmpool: "FAKE_VM_POOL" };

/** As MobiledgeX's messages name it: PLATFORM_TYPE_OPENSTACK. */
export function protoNameOf(platform: string): string {
  return `PLATFORM_TYPE_${protoNames[platform] ?? platform.toUpperCase()}`;
}

export interface Features {
  readonly multiTenantCluster: boolean;
  readonly trustPolicy: boolean;
  readonly highAvailabilityOnKubernetes: boolean;
}

/** Feature flags of the plug-ins (edge-cloud-infra, crm-platforms). What came after MobiledgeX has them all: our own rules judge it. */
const features: Readonly<Record<string, Features>> = {
  openstack: { multiTenantCluster: true, trustPolicy: true, highAvailabilityOnKubernetes: true },
  vcd: { multiTenantCluster: true, trustPolicy: true, highAvailabilityOnKubernetes: true },
  vsphere: { multiTenantCluster: true, trustPolicy: false, highAvailabilityOnKubernetes: false },
  vmpool: { multiTenantCluster: true, trustPolicy: false, highAvailabilityOnKubernetes: false },
};

export function featuresOf(platform: string): Features {
  return features[platform] ?? { multiTenantCluster: true, trustPolicy: true, highAvailabilityOnKubernetes: true };
}
