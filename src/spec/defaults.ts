/** Every value that is filled in where a document leaves it out, with its reason. */

import type { Json, JsonObject } from "../core/json.ts";
import type { Origin } from "../core/origin.ts";
import { below, keysOf } from "../core/pointer.ts";

export interface Default {
  /** Origins name it: `default:NAME`. */
  readonly name: string;
  /** Where it goes; `*` stands for every entry of a list. */
  readonly pointer: string;
  readonly value: Json;
  readonly reason: string;
}

export const SPEC_DEFAULTS: readonly Default[] = [
  {
    name: "access",
    pointer: "/access",
    value: "restricted",
    reason: "a bundle is carried in where nobody outside reaches the IaaS",
  },
  { name: "ip-support", pointer: "/ipSupport", value: "dynamic", reason: "the only one MobiledgeX accepts" },
  { name: "deployment", pointer: "/deployment", value: "docker", reason: "MobiledgeX's default" },
  {
    name: "override-policy-container-version",
    pointer: "/versions/overridePolicyContainerVersion",
    value: false,
    reason: "the controller's policy decides",
  },
  {
    name: "platform-parameters",
    pointer: "/platform/parameters",
    value: {},
    reason: "each platform has its own defaults",
  },
  {
    name: "platform-vm-vcpus",
    pointer: "/compute/platformVm/vcpus",
    value: 2,
    reason: "minimum for a PlatformVM told to operators",
  },
  {
    name: "platform-vm-memory",
    pointer: "/compute/platformVm/memoryMiB",
    value: 4096,
    reason: "minimum for a PlatformVM told to operators",
  },
  {
    name: "platform-vm-disk",
    pointer: "/compute/platformVm/diskGiB",
    value: 40,
    reason:
      "minimum for a PlatformVM told to operators; the controller's own default of 20 is too small for its images",
  },
  { name: "platform-vm-gpus", pointer: "/compute/platformVm/gpus", value: 0, reason: "the CRM needs none" },
  {
    name: "tenant-vcpus",
    pointer: "/compute/tenant/vcpus",
    value: 32,
    reason: "minimum for a tenant told to operators",
  },
  {
    name: "tenant-memory",
    pointer: "/compute/tenant/memoryMiB",
    value: 131_072,
    reason: "minimum for a tenant told to operators",
  },
  {
    name: "tenant-disk",
    pointer: "/compute/tenant/diskGiB",
    value: 500,
    reason: "minimum for a tenant told to operators",
  },
  { name: "tenant-gpus", pointer: "/compute/tenant/gpus", value: 0, reason: "optional in every scenario" },
  { name: "external-networks", pointer: "/networks/external", value: [], reason: "networks have no sensible default" },
  {
    name: "network-purpose",
    pointer: "/networks/external/*/purpose",
    value: "ue",
    reason: "the mobile network is the one that is always there",
  },
  {
    name: "network-address",
    pointer: "/networks/external/*/address",
    value: { mode: "dhcp" },
    reason: "MobiledgeX's template leaves the address to the network",
  },
  {
    name: "dns",
    pointer: "/networks/dns",
    value: [],
    reason:
      "the networks' own servers; the public ones MobiledgeX names (1.1.1.1) are not reachable from a restricted site",
  },
  { name: "ntp", pointer: "/networks/ntp", value: [], reason: "the image's own servers" },
  {
    name: "ssh-from",
    pointer: "/firewall/ssh/from",
    value: [],
    reason: "nobody may open SSH unless named; MobiledgeX's template opens it to the world",
  },
  {
    name: "ingress",
    pointer: "/firewall/ingress",
    value: [],
    reason: "connections begin at the CRM, none comes to it",
  },
  {
    name: "egress",
    pointer: "/firewall/egress",
    value: [{ protocol: "any", cidr: "0.0.0.0/0" }],
    reason: "as MobiledgeX's template: the CRM must reach its controller, DNS, NTP and the IaaS",
  },
  { name: "users", pointer: "/users", value: [], reason: "nobody logs in unless named" },
  { name: "sudo", pointer: "/users/*/sudo", value: false, reason: "least privilege" },
  { name: "ca-certificates", pointer: "/trust/caCertificates", value: [], reason: "the image's own authorities" },
  {
    name: "ssh-user-ca-keys",
    pointer: "/trust/sshUserCaKeys",
    value: [],
    reason: "no SSH certificates unless an authority is named",
  },
  { name: "quotas", pointer: "/policies/quotas", value: [], reason: "the IaaS's own limits" },
  {
    name: "default-alert-threshold",
    pointer: "/policies/defaultAlertThreshold",
    value: 80,
    reason: "MobiledgeX's default",
  },
  {
    name: "alliance-organizations",
    pointer: "/policies/allianceOrganizations",
    value: [],
    reason: "own subscribers only",
  },
  {
    name: "default-serverless-cluster",
    pointer: "/policies/defaultServerlessCluster",
    value: false,
    reason: "MobiledgeX's default",
  },
  { name: "maintenance", pointer: "/policies/maintenance", value: "normal", reason: "MobiledgeX's default" },
  { name: "time-limits", pointer: "/policies/timeLimits", value: {}, reason: "the controller's own" },
  {
    name: "gpu-driver-organization",
    pointer: "/gpu/driver/organization",
    value: "",
    reason: "MobiledgeX's own drivers",
  },
  { name: "gpu-properties", pointer: "/gpu/properties", value: {}, reason: "the driver's own" },
  { name: "resource-tags", pointer: "/resourceTags", value: {}, reason: "flavors offer nothing special" },
  {
    name: "high-availability",
    pointer: "/crm/highAvailability",
    value: false,
    reason: "one PlatformVM",
  },
  {
    name: "notify-srv-addr",
    pointer: "/crm/notifySrvAddr",
    value: "127.0.0.1:0",
    reason: "MobiledgeX's default: this machine only, a free port",
  },
  { name: "environment", pointer: "/environment", value: {}, reason: "the platform's own defaults" },
  { name: "secrets", pointer: "/secrets", value: [], reason: "ACCESS_KEY is always added" },
  { name: "waivers", pointer: "/audit/waivers", value: [], reason: "every audit rule counts" },
  {
    name: "secret-required",
    pointer: "/secrets/*/required",
    value: true,
    reason: "a secret that is declared is needed",
  },
  {
    name: "secret-max-bytes",
    pointer: "/secrets/*/maxBytes",
    value: 1024,
    reason: "enough for passwords and tokens; all secrets share 49,149 bytes of user-data",
  },
];

function vmwareDefaults(platform: string): readonly Default[] {
  return [
    { name: `${platform}-version`, pointer: "/version", value: "6.7", reason: "MobiledgeX's own default; later ones run it too" },
    { name: `${platform}-manifest-digest`, pointer: "/manifestDigest", value: "sha256", reason: "vSphere 8 takes no SHA-1" },
    { name: `${platform}-disk-controller`, pointer: "/diskController", value: "pvscsi", reason: "VMware's own advice for Linux" },
    { name: `${platform}-firmware`, pointer: "/firmware", value: "bios", reason: "every image for clouds boots with it" },
    { name: `${platform}-eula`, pointer: "/eula", value: [], reason: "who deploys it has ordered it" },
  ];
}

/** By platform; pointers are below /platform/parameters. */
export const PLATFORM_DEFAULTS: Readonly<Record<string, readonly Default[]>> = {
  openstack: [
    {
      name: "openstack-root-volume",
      pointer: "/rootVolumeGiB",
      value: 0,
      reason: "as MobiledgeX's template: the flavor's local disk",
    },
    {
      name: "openstack-extra-flavor-properties",
      pointer: "/extraFlavorProperties",
      value: {},
      reason: "most flavors need none",
    },
    {
      name: "openstack-image-properties",
      pointer: "/imageProperties",
      value: {},
      reason: "the cloud's own choice of virtual hardware",
    },
    {
      name: "openstack-server-metadata",
      pointer: "/serverMetadata",
      value: {},
      reason: "the guest needs only what is always there",
    },
  ],
  libvirt: [
    { name: "libvirt-driver", pointer: "/driver", value: "auto", reason: "libvirt where the host has it" },
    { name: "libvirt-uri", pointer: "/uri", value: "qemu:///system", reason: "VMs of the host, not of a user" },
    {
      name: "libvirt-storage",
      pointer: "/storage",
      value: "/var/lib/libvirt/images/cloudlets",
      reason: "where every distribution lets libvirt's VMs read",
    },
    { name: "libvirt-machine", pointer: "/machine", value: "q35", reason: "PCI Express, which passed-through GPUs want" },
    { name: "libvirt-firmware", pointer: "/firmware", value: "bios", reason: "every image for clouds boots with it" },
    { name: "libvirt-cpu", pointer: "/cpu", value: "host-passthrough", reason: "the VM stays on this host" },
    { name: "libvirt-networks", pointer: "/networks", value: {}, reason: "a bridge of the network's name" },
    { name: "libvirt-gpus", pointer: "/gpus", value: [], reason: "none is passed through" },
    { name: "libvirt-autostart", pointer: "/autostart", value: true, reason: "a cloudlet comes back by itself" },
    { name: "libvirt-emulation", pointer: "/emulation", value: false, reason: "too slow for real use" },
  ],
  vmpool: [
    { name: "vmpool-ssh-user", pointer: "/machines/*/ssh/user", value: "root", reason: "what is written to the machine is root's" },
    { name: "vmpool-ssh-port", pointer: "/machines/*/ssh/port", value: 22, reason: "the port of SSH (IANA)" },
    { name: "vmpool-host-keys", pointer: "/machines/*/hostKeys", value: [], reason: "the site knows them" },
  ],
  vsphere: [
    ...vmwareDefaults("vsphere"),
    { name: "vsphere-cluster", pointer: "/cluster", value: "compute-cluster", reason: "MobiledgeX's own default" },
    { name: "vsphere-management", pointer: "/management", value: {}, reason: "the PlatformVM is where the cloudlet's other VMs are" },
    { name: "vsphere-template-folder", pointer: "/templateFolder", value: "templates", reason: "MobiledgeX's own default" },
    { name: "vsphere-networks", pointer: "/networks", value: {}, reason: "a port group of the network's name" },
    { name: "vsphere-disk-provisioning", pointer: "/diskProvisioning", value: "thin", reason: "as MobiledgeX tells its operators" },
    { name: "vsphere-tags", pointer: "/tags", value: false, reason: "they need rights on tags, and a Restricted CRM can't read them" },
  ],
  vcd: [
    ...vmwareDefaults("vcd"),
    { name: "vcd-networks", pointer: "/networks", value: {}, reason: "a network of the same name" },
  ],
};

export const RELEASE_DEFAULTS: readonly Default[] = [
  {
    name: "commercial-certs",
    pointer: "/controller/commercialCerts",
    value: false,
    reason: "a public authority needs a public name",
  },
  {
    name: "use-vault-pki",
    pointer: "/controller/useVaultPki",
    value: true,
    reason: "as in every production deployment",
  },
  { name: "release-environment", pointer: "/controller/environment", value: {}, reason: "none is needed" },
];

/** Computed ones, whose value depends on the document; the code that computes them names them. */
export const COMPUTED_DEFAULTS = {
  "default-route": "the first external network holds the default route unless another claims it",
  "secret-description": "the name says enough where nobody has described it",
  "secret-target": "a secret goes to the CRM's environment variable of its name",
  "access-key": "every CRM proves itself with the access key at its first connection",
  "kafka-password": "a Kafka user has a password",
  "access-variable": "the IaaS's access variables are all or none",
} as const;

/**
 * A copy of `document` with every default that it leaves out, parents included. `origins` learns where each filled-in scalar
 * comes from. Optional groups (such as gpu) are not made only to hold a default.
 */
export function withDefaults(
  document: JsonObject,
  defaults: readonly Default[],
  origins: Map<string, Origin>,
): JsonObject {
  return defaults.reduce(
    (filled, each) => fill(filled, keysOf(each.pointer), each, "", origins) as JsonObject,
    document,
  );
}

/** Groups that stay absent when the user leaves them out. */
const OPTIONAL_GROUPS: ReadonlySet<string> = new Set(["/gpu", "/kafka", "/networks/internal"]);

function fill(
  value: Json | undefined,
  keys: readonly string[],
  each: Default,
  pointer: string,
  origins: Map<string, Origin>,
): Json | undefined {
  const [key, ...rest] = keys;
  if (key === undefined) {
    if (value !== undefined) return value;
    remember(each.value, each, pointer, origins);
    return each.value;
  }
  if (key === "*") {
    return Array.isArray(value)
      ? value.map((one, index) => fill(one as Json, rest, each, below(pointer, index), origins) as Json)
      : value;
  }
  if (value === undefined && OPTIONAL_GROUPS.has(pointer)) return undefined;
  const group = (value ?? {}) as JsonObject;
  const filled = fill(Object.hasOwn(group, key) ? group[key] : undefined, rest, each, below(pointer, key), origins);
  return filled === undefined ? value : { ...group, [key]: filled };
}

function remember(value: Json, each: Default, pointer: string, origins: Map<string, Origin>): void {
  if (typeof value !== "object" || value === null) {
    origins.set(pointer, `default:${each.name}`);
    return;
  }
  for (const [key, one] of Object.entries(value)) remember(one as Json, each, below(pointer, key), origins);
}
