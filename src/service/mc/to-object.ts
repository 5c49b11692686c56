/** Our spec to MobiledgeX's Cloudlet object: the way back of src/spec/import. What the object has no place for is not in it. */

import type { Json, JsonObject } from "../../core/json.ts";
import { formatRanges, parseRange } from "../../spec/ip-range.ts";
import type { SpecDocument } from "../../spec/read-spec.ts";
import type { ExternalNetwork, Spec } from "../../spec/spec.ts";
import type { CloudletState } from "../state/tables.ts";
import { numberOfMaintenance, platformTypeOf, trackedState } from "./enums.ts";

/** What only the service knows of a cloudlet. */
export interface Known {
  readonly state: CloudletState;
  /** Milliseconds since the Epoch. */
  readonly created: number;
  readonly updated: number;
  /** Those that were issued and not revoked. */
  readonly publicKeys: Readonly<{ primary?: string; secondary?: string }>;
}

/** The name of MobiledgeX's own default, 2 vCPUs, 4096 MB, 20 GB. */
export const defaultFlavor = "DefaultPlatformFlavor";

/** As ShowCloudlet gives it: in the order of the fields' numbers, without what is empty. */
export function objectOfCloudlet(document: SpecDocument, known: Known): JsonObject {
  const { spec } = document;
  const access = spec.access === "restricted" ? 1 : 0;
  return whole({
    key: { organization: spec.organization, name: spec.name, federated_organization: spec.federatedOrganization },
    location: { ...spec.location },
    ip_support: 2,
    num_dynamic_ips: spec.dynamicIps,
    time_limits: timeLimits(spec),
    state: stateOf(spec, known.state),
    platform_type: platformTypeOf(spec.platform.type),
    notify_srv_addr: spec.crm.notifySrvAddr,
    flavor: { name: defaultFlavor },
    physical_name: spec.physicalName,
    env_var: variablesOf(document),
    container_version: spec.versions.container,
    res_tag_map: spec.resourceTags as unknown as Json,
    vm_image_version: spec.versions.vmImage,
    deployment: spec.deployment,
    infra_api_access: access,
    infra_config: { external_network_name: externalName(spec), flavor_name: spec.compute.flavor },
    maintenance_state: numberOfMaintenance(spec.policies.maintenance),
    override_policy_container_version: spec.versions.overridePolicyContainerVersion,
    vm_pool: spec.vmPool,
    crm_access_public_key: known.publicKeys.primary,
    crm_access_key_upgrade_required: known.publicKeys.primary !== undefined,
    created_at: timestamp(known.created),
    updated_at: timestamp(known.updated),
    trust_policy: spec.policies.trustPolicy,
    resource_quotas: spec.policies.quotas.map(({ name, value, alertThreshold }) => whole({ name, value, alert_threshold: alertThreshold })),
    default_resource_alert_threshold: spec.policies.defaultAlertThreshold,
    kafka_cluster: spec.kafka?.cluster,
    kafka_user: spec.kafka?.user,
    gpu_config: spec.gpu === undefined ? undefined : { driver: { ...spec.gpu.driver }, properties: spec.gpu.properties, license_config_md5sum: spec.gpu.licenseConfigMd5 },
    enable_default_serverless_cluster: spec.policies.defaultServerlessCluster,
    alliance_orgs: spec.policies.allianceOrganizations,
    single_kubernetes_cluster_owner: spec.policies.singleKubernetesClusterOwner,
    platform_high_availability: spec.crm.highAvailability,
    secondary_crm_access_public_key: known.publicKeys.secondary,
    secondary_crm_access_key_upgrade_required: known.publicKeys.secondary !== undefined,
  });
}

type Part = Json | undefined | { readonly [key: string]: Part };

/** As Go's JSON of MobiledgeX leaves it: no field of no value. A latitude of 0 is one of none, too. */
function whole(fields: { readonly [key: string]: Part }): JsonObject {
  const made: Record<string, Json> = {};
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined || value === "" || value === 0 || value === false) continue;
    const part = typeof value === "object" && value !== null && !Array.isArray(value) ? whole(value as { readonly [key: string]: Part }) : (value as Json);
    if (typeof part === "object" && part !== null && Object.keys(part).length === 0) continue;
    Object.defineProperty(made, name, { value: part, enumerable: true, writable: true, configurable: true });
  }
  return made;
}

/** Restricted is READY at once, as the controller has it; Direct is READY when a receipt says so, for here nobody waits for the CRM. */
function stateOf({ access }: Spec, state: CloudletState): number {
  if (access === "restricted" || state === "installed") return trackedState.ready;
  return state === "removed" ? trackedState.notPresent : trackedState.createRequested;
}

function timestamp(ms: number): JsonObject {
  return { seconds: Math.floor(ms / 1_000), nanos: (ms % 1_000) * 1_000_000 };
}

/** Go's durations: `createClusterInst: 1800` is `create_cluster_inst_timeout: "30m0s"`. */
function timeLimits({ policies }: Spec): JsonObject {
  return Object.fromEntries(
    Object.entries(policies.timeLimits).filter(([, seconds]) => seconds > 0).map(([name, seconds]) => [`${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_timeout`, goDuration(seconds)]),
  );
}

function goDuration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60)];
  return `${hours > 0 ? `${hours}h` : ""}${hours > 0 || minutes > 0 ? `${minutes}m` : ""}${seconds % 60}s`;
}

/** Of a floating IP it is the network that those come from. */
function externalName({ networks }: Spec): string | undefined {
  const first = networks.external[0];
  if (first === undefined || isOwnSwitch(first)) return undefined;
  return first.address.mode === "floating" ? first.address.pool : first.name;
}

/** The network that MEX_MANAGEMENT_EXTERNAL_… tells of. */
function isOwnSwitch({ purpose, address }: ExternalNetwork): boolean {
  return purpose === "management" && address.mode === "range";
}

/** `env_var`: the CRM's variables, and the fields that were made of some. */
function variablesOf({ spec, written }: SpecDocument): JsonObject {
  const platform = spec.platform.type;
  const own: Readonly<Record<string, string | undefined>> = {
    MEX_DNS: joined(spec.networks.dns),
    MEX_NTP_SERVERS: joined(spec.networks.ntp),
    ...(platform === "vsphere" ? {} : { MEX_ADDITIONAL_PLATFORM_NETWORKS: joined(spec.networks.external.slice(1).map(({ name }) => name)) }),
    ...internalNetwork(spec),
    ...parameterVariables(platform, parametersOf(written)),
    ...(platform === "vsphere" ? switchVariables(spec, parametersOf(written)) : {}),
  };
  const all = new Map<string, string>(Object.entries(spec.environment));
  for (const [name, value] of Object.entries(own)) if (value !== undefined && !all.has(name)) all.set(name, value);
  return Object.fromEntries([...all].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function joined(list: readonly string[]): string | undefined {
  return list.length === 0 ? undefined : list.join(",");
}

/** MobiledgeX tells the range of its common internal network in its network scheme. */
function internalNetwork({ networks, environment, platform }: Spec): Readonly<Record<string, string>> {
  const { internal } = networks;
  if (internal === undefined || platform.type === "vsphere") return {};
  const scheme = environment["MEX_NETWORK_SCHEME"];
  if (scheme?.includes("commoninternalnet=") === true) return { MEX_NETWORK: internal.name };
  return scheme === undefined ? { MEX_NETWORK: internal.name, MEX_NETWORK_SCHEME: `cidr=10.101.X.0/24,commoninternalnet=${internal.cidr}` } : {};
}

/** As they were written: a default of ours is not the user's word. */
function parametersOf(written: JsonObject): JsonObject {
  const { parameters } = (written["platform"] ?? {}) as JsonObject;
  return (parameters ?? {}) as JsonObject;
}

/** The way back of `parameters` in src/spec/import/vmware-variables.ts. */
const parameters: Readonly<Record<string, Readonly<Record<string, readonly [string, string?]>>>> = {
  openstack: { MEX_COMPUTE_AVAILABILITY_ZONE: ["availabilityZone"] },
  vsphere: {
    MEX_DATASTORE: ["datastore"], MEX_COMPUTE_CLUSTER: ["cluster"], MEX_TEMPLATE_FOLDER: ["templateFolder"], MEX_VM_VERSION: ["version"],
    MEX_MANAGEMENT_DATASTORE: ["management", "datastore"], MEX_MANAGEMENT_CLUSTER: ["management", "cluster"],
  },
  vcd: { MEX_CATALOG: ["catalog"], VCD_NSX_TYPE: ["nsxType"] },
};

function parameterVariables(platform: string, given: JsonObject): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(
    Object.entries(parameters[platform] ?? {}).map(([name, [key, within]]) => {
      const value = within === undefined ? given[key] : ((given[key] ?? {}) as JsonObject)[within];
      return [name, typeof value === "string" ? value : undefined];
    }),
  );
}

function switchVariables({ networks }: Spec, given: JsonObject): Readonly<Record<string, string | undefined>> {
  const cloudlet = networks.external.find((each) => !isOwnSwitch(each));
  const own = networks.external.find(isOwnSwitch);
  return {
    ...(cloudlet === undefined ? {} : switchOf("MEX_EXTERNAL", cloudlet, portGroupOf(given, cloudlet.name))),
    ...(own === undefined ? {} : switchOf("MEX_MANAGEMENT_EXTERNAL", own, portGroupOf(given, own.name))),
    MEX_INTERNAL_VSWITCH: networks.internal?.name,
  };
}

function portGroupOf({ networks }: JsonObject, name: string): string {
  const one = ((networks ?? {}) as JsonObject)[name] as JsonObject | undefined;
  return typeof one?.["portGroup"] === "string" ? one["portGroup"] : name;
}

function switchOf(prefix: string, { address }: ExternalNetwork, name: string): Readonly<Record<string, string | undefined>> {
  if (address.mode !== "range") return {};
  const ranges = address.ranges.flatMap((each) => parseRange(each) ?? []);
  return {
    [`${prefix}_VSWITCH`]: name,
    [`${prefix}_IP_RANGES`]: formatRanges(ranges, address.prefix),
    [`${prefix}_NETWORK_MASK`]: String(address.prefix),
    [`${prefix}_NETWORK_GATEWAY`]: address.gateway,
  };
}
