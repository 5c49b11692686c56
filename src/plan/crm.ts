/** What the containers on the PlatformVM run with: arguments, variables, folders. MobiledgeX's names and rules throughout. */

import type { Origin, Sourced, Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Lock, LockedContainer } from "../spec/lock.ts";
import type { Release, ReleaseContainer } from "../spec/release.ts";
import type { Spec } from "../spec/spec.ts";
import type { Nic } from "./networks.ts";
import { positions } from "./positions.ts";
import type { Slot } from "./secrets.ts";

export interface ContainerPlan {
  /** Position in the release, from 1. */
  readonly number: Val<number>;
  readonly role: Val<LockedContainer["role"]>;
  /** The name under which the payload loads it. */
  readonly image: Val<string>;
  /** Digest of its config, which is its image ID. */
  readonly imageId: Val<string>;
  readonly architecture: Val<string>;
  readonly arguments: readonly Val<string>[];
  readonly environment: readonly Variable[];
  /** Variables whose values are secrets: the guest reads each from its file. */
  readonly secretVariables: readonly { readonly name: Val<string>; readonly path: Val<string> }[];
  /** Paths of the guest that it sees under the same name. */
  readonly volumes: readonly Val<string>[];
  readonly health: Health | undefined;
}

/** How the guest sees that a container is well; without one, that it runs and goes on running. */
export interface Health {
  /** TCP, on the guest's own loopback address. */
  readonly port: Val<number>;
  /** Of an HTTP GET that answers 200; undefined: that somebody listens is enough. */
  readonly path: Val<string> | undefined;
}

export interface Variable {
  readonly name: Val<string>;
  readonly value: Val<string>;
}

export const accessKeyPath = "/root/accesskey/accesskey.pem";
const cachePath = "/root/crm_cache";

/** The containers in the release's order, each ready to be run with the host's network. */
export function containersOf(
  spec: Sourced<Spec>,
  release: Sourced<Release>,
  lock: Sourced<Lock>,
  nics: readonly Nic[],
  slots: readonly Slot[],
  haRole: Val<string> | undefined,
): readonly ContainerPlan[] {
  const environment = variablesOf(spec, release, nics);
  const secretVariables = slots.flatMap(({ variable, path }) => (variable === undefined ? [] : [{ name: variable, path }]));
  const numbers = positions(lock.containers.map((container) => container.role));
  return lock.containers.map((container, index) => {
    const { role, image } = container;
    const identity = {
      number: numbers[index] as Val<number>,
      role,
      image,
      imageId: container.config.digest,
      architecture: container.architecture,
      health: healthOf(release.containers.find((each) => each.role.value === role.value)?.health),
    };
    switch (role.value) {
      case "crmserver":
        return {
          ...identity,
          arguments: crmArguments(spec, release, role, haRole),
          environment,
          secretVariables,
          volumes: volumes(role, ["/var/tmp", "/root/accesskey", cachePath]),
        };
      case "shepherd":
        return {
          ...identity,
          arguments: shepherdArguments(spec, release, role),
          environment,
          secretVariables,
          volumes: volumes(role, ["/root/accesskey", "/var/tmp"]),
        };
      case "prometheus":
        return { ...identity, arguments: prometheusArguments(role), environment: [], secretVariables: [], volumes: [] };
    }
  });
}

function healthOf(health: Sourced<ReleaseContainer>["health"]): Health | undefined {
  return health === undefined ? undefined : { port: health.port, path: health.path };
}

function volumes(role: Val<string>, paths: readonly string[]): readonly Val<string>[] {
  return paths.map((path) => derive([role], () => path));
}

/** An option and its value, both caused by the value. */
function option(name: string, value: Val<string>): readonly Val<string>[] {
  return [derive([value], () => name), value];
}

/** Flags of Go's flag package: an option that is there is true. */
function flag(name: string, value: Val<boolean>): readonly Val<string>[] {
  return value.value ? [derive([value], () => name)] : [];
}

/** What both daemons of the platform take: mobiledgex 4.3. */
function commonArguments(spec: Sourced<Spec>, release: Sourced<Release>, role: Val<string>): readonly Val<string>[] {
  const { controller } = release;
  return [
    ...option("--cloudletKey", cloudletKey(spec)),
    ...option("--platform", platformType(spec)),
    ...option("--physicalName", spec.physicalName),
    ...option("--region", spec.region),
    ...option("--deploymentTag", controller.deploymentTag),
    ...option("--accessApiAddr", controller.accessApiAddress),
    ...option("--accessKeyFile", derive([role], () => accessKeyPath)),
    ...option("--appDNSRoot", controller.appDnsRoot),
    ...flag("--useVaultPki", controller.useVaultPki),
  ];
}

function crmArguments(
  spec: Sourced<Spec>,
  release: Sourced<Release>,
  role: Val<string>,
  haRole: Val<string> | undefined,
): readonly Val<string>[] {
  const { controller, vmImage } = release;
  return [
    ...option("--notifyAddrs", joined(controller.notifyAddresses)),
    ...option("--notifySrvAddr", spec.crm.notifySrvAddr),
    ...commonArguments(spec, release, role),
    ...option("--containerVersion", spec.versions.container ?? controller.containerVersion),
    ...option("--vmImageVersion", spec.versions.vmImage ?? vmImage.version),
    ...option("--cacheDir", derive([role], () => cachePath)),
    ...flag("--commercialCerts", controller.commercialCerts),
    ...(haRole === undefined ? [] : option("--HARole", haRole)),
    ...(spec.crm.redisAddress === undefined ? [] : option("--redisStandaloneAddr", spec.crm.redisAddress)),
    ...option("-d", derive([role], () => "api,infra,notify,info")),
  ];
}

function shepherdArguments(spec: Sourced<Spec>, release: Sourced<Release>, role: Val<string>): readonly Val<string>[] {
  const { thanosReceiveAddress } = release.controller;
  return [
    // Shepherd reports to the CRM beside it.
    ...option("--notifyAddrs", spec.crm.notifySrvAddr),
    ...commonArguments(spec, release, role),
    ...(thanosReceiveAddress === undefined ? [] : option("--thanosRecvAddr", thanosReceiveAddress)),
  ];
}

function prometheusArguments(role: Val<string>): readonly Val<string>[] {
  return [derive([role], () => "--config.file=/etc/prometheus/prometheus.yml"), derive([role], () => "--web.listen-address=:9092")];
}

/** The key as the CRM reads it: the fields of MobiledgeX's CloudletKey, as compact JSON. */
function cloudletKey(spec: Sourced<Spec>): Val<string> {
  const { organization, name, federatedOrganization } = spec;
  return federatedOrganization === undefined
    ? derive([organization, name], (org, cloudlet) => JSON.stringify({ organization: org, name: cloudlet }))
    : derive([organization, name, federatedOrganization], (org, cloudlet, federated) =>
        JSON.stringify({ organization: org, name: cloudlet, federated_organization: federated }),
      );
}

/** MobiledgeX's enum has an underscore where our name has none. */
function platformType(spec: Sourced<Spec>): Val<string> {
  return derive([spec.platform.type], (type) => `PLATFORM_TYPE_${type === "vmpool" ? "VM_POOL" : type.toUpperCase()}`);
}

/**
 * Variables of both daemons, sorted by name. The spec's own win over the release's; what the spec says in fields of its
 * own is said in MobiledgeX's variables too, because the CRM makes more VMs from them.
 */
function variablesOf(spec: Sourced<Spec>, release: Sourced<Release>, nics: readonly Nic[]): readonly Variable[] {
  const [first, ...more] = nics;
  const { dns, ntp } = spec.networks;
  const zone = spec.platform.parameters["availabilityZone"] as Val<string> | undefined;
  const ofFields: readonly (readonly [string, Val<string> | undefined])[] = [
    ["MEX_EXT_NETWORK", first?.network],
    ["MEX_ADDITIONAL_PLATFORM_NETWORKS", more.length === 0 ? undefined : joined(more.map((nic) => nic.network))],
    ["MEX_NETWORK", spec.networks.internal?.name],
    ["MEX_DNS", dns.length === 0 ? undefined : joined(dns)],
    ["MEX_NTP_SERVERS", ntp.length === 0 ? undefined : joined(ntp)],
    ["MEX_COMPUTE_AVAILABILITY_ZONE", zone],
    ...vmwareVariables(spec, nics),
  ];
  const found = new Map<string, Val<string>>();
  for (const [name, value] of Object.entries(release.controller.environment)) found.set(name, value);
  for (const [name, value] of ofFields) if (value !== undefined) found.set(name, value);
  for (const [name, value] of Object.entries(spec.environment)) found.set(name, value);
  return [...found.keys()].sort().map((name) => {
    const value = found.get(name) as Val<string>;
    return { name: derive([value], () => name), value };
  });
}

/** What the CRM of vSphere and vCD is told (mobiledgex 5.3), of the fields that the spec has for it. */
function vmwareVariables(spec: Sourced<Spec>, nics: readonly Nic[]): readonly (readonly [string, Val<string> | undefined])[] {
  const parameters = spec.platform.parameters as unknown as VmwareParameters;
  switch (spec.platform.type.value) {
    case "vsphere": {
      const { cluster, datastore, management, templateFolder, version } = parameters;
      return [
        ["MEX_COMPUTE_CLUSTER", cluster],
        ["MEX_DATASTORE", datastore],
        ["MEX_MANAGEMENT_CLUSTER", management?.cluster],
        ["MEX_MANAGEMENT_DATASTORE", management?.datastore],
        ["MEX_TEMPLATE_FOLDER", templateFolder],
        ["MEX_VM_VERSION", version],
        ["MEX_INTERNAL_VSWITCH", spec.networks.internal?.name],
        ...switchVariables("MEX_EXTERNAL", parameters, nics.find((nic) => nic.purpose.value !== "management")),
        ...switchVariables("MEX_MANAGEMENT_EXTERNAL", parameters, nics.find((nic) => nic.purpose.value === "management")),
      ];
    }
    case "vcd":
      return [
        ["MEX_CATALOG", parameters.catalog],
        ["VCD_NSX_TYPE", parameters.nsxType],
      ];
    default:
      return [];
  }
}

type VmwareParameters = Readonly<Partial<Record<"cluster" | "datastore" | "templateFolder" | "version" | "catalog" | "nsxType", Val<string>>>> & {
  readonly management?: Readonly<Partial<Record<"cluster" | "datastore", Val<string>>>>;
  readonly networks: Readonly<Record<string, { readonly portGroup: Val<string> }>>;
};

/**
 * The addresses that the CRM gives its VMs: without the PlatformVM's own, for a CRM that can't read tags would not see that
 * it is taken. On the management network it makes none, so there it is told the PlatformVM's.
 */
function switchVariables(prefix: string, { networks }: VmwareParameters, nic: Nic | undefined): readonly (readonly [string, Val<string> | undefined])[] {
  if (nic === undefined) return [];
  const isManagement = prefix === "MEX_MANAGEMENT_EXTERNAL";
  const { ip, prefix: mask, otherAddresses } = nic;
  const own = ip === undefined || mask === undefined ? undefined : derive([ip, mask], (address, bits) => `${address}/${bits}-${address}/${bits}`);
  const ranges = isManagement ? own : otherAddresses;
  return [
    [`${prefix}_VSWITCH`, Object.hasOwn(networks, nic.network.value) ? networks[nic.network.value]?.portGroup : nic.network],
    [`${prefix}_IP_RANGES`, ranges?.value === "" ? undefined : ranges],
    [`${prefix}_NETWORK_GATEWAY`, nic.gateway],
    [`${prefix}_NETWORK_MASK`, mask === undefined ? undefined : derive([mask], String)],
  ];
}

function joined(values: readonly Val<string>[]): Val<string> {
  const [first, ...rest] = values;
  if (first === undefined) throw new Error("nothing to join");
  const text = values.map((each) => each.value).join(",");
  const origins = [...new Set([first, ...rest].flatMap((each) => each.origins))].sort() as [Origin, ...Origin[]];
  return val(text, ...origins);
}
