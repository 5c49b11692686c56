/** The variables that each platform's plug-in of the CRM knows. Names and defaults are MobiledgeX's (GetCloudletProps). */

export type VariableForm =
  | { readonly kind: "text" }
  | { readonly kind: "integer"; readonly minimum: number; readonly maximum: number }
  | { readonly kind: "choice"; readonly values: readonly string[] }
  /** Comma-separated IP addresses. */
  | { readonly kind: "addresses"; readonly most: number };

export interface Variable {
  readonly name: string;
  readonly description: string;
  /** `access`: how the CRM reaches the IaaS's API. The controller holds these unless the spec gives any of them. */
  readonly group: "environment" | "access";
  readonly form: VariableForm;
  /** What the plug-in takes when the variable is not given. */
  readonly default?: string;
  readonly mandatory: boolean;
  /** Secret in nature: only as a secret slot, never a value in a spec. */
  readonly secret: boolean;
  /** Set by the platform itself; refused in a spec. */
  readonly internal: boolean;
  /** Most bytes of a secret's value. */
  readonly maxBytes?: number;
  /** Makes mandatory access variables unnecessary, as it holds them. */
  readonly holdsAccess?: boolean;
}

type More = Partial<Omit<Variable, "name" | "description">>;

const TEXT: VariableForm = { kind: "text" };
const YES_NO: VariableForm = { kind: "choice", values: ["yes", "no"] };
const TRUE_FALSE: VariableForm = { kind: "choice", values: ["true", "false"] };

function variable(name: string, description: string, more: More = {}): Variable {
  return {
    name,
    description,
    group: "environment",
    form: TEXT,
    mandatory: false,
    secret: false,
    internal: false,
    ...more,
  };
}

function access(name: string, description: string, more: More = {}): Variable {
  return variable(name, description, { group: "access", ...more });
}

function integer(minimum: number, maximum: number): VariableForm {
  return { kind: "integer", minimum, maximum };
}

const COMMON: readonly Variable[] = [
  variable("MEX_EXTERNAL_IP_MAP", "internal=external address pairs behind NAT, separated by commas"),
  variable("MEX_REGISTRY_FILE_SERVER", "host that serves files to the CRM", { default: "registry.mobiledgex.net" }),
  variable("FLAVOR_MATCH_PATTERN", "regular expression of the IaaS flavors the CRM may use", { default: ".*" }),
  variable("MEX_CRM_GATEWAY_ADDR", "host:port of an SSH hop to an isolated IaaS API"),
  variable("SKIP_INSTALL_RESOURCE_TRACKER", "leave out the resource tracker", { internal: true }),
  variable("MEX_PLATFORM_STATS_MAX_CACHE_TIME", "seconds that statistics are kept", {
    internal: true,
    default: "3600",
  }),
];

const VM: readonly Variable[] = [
  variable("MEX_EXT_NETWORK", "external network of the cloudlet's VMs", { default: "external-network-shared" }),
  variable("MEX_NETWORK", "internal network of the cloudlet's VMs", { default: "mex-k8s-net-1" }),
  variable("MEX_OS_IMAGE", "name of the base image in the IaaS", { default: "mobiledgex-v4.10.0" }),
  variable("MEX_SECURITY_GROUP", "security group of the cloudlet; by default named after cloudlet and organization"),
  variable("MEX_SHARED_ROOTLB_RAM", "memory of the shared load balancer in MB", {
    form: integer(512, 1_048_576),
    default: "4096",
  }),
  variable("MEX_SHARED_ROOTLB_VCPUS", "vCPUs of the shared load balancer", { form: integer(1, 256), default: "2" }),
  variable("MEX_SHARED_ROOTLB_DISK", "disk of the shared load balancer in GB", {
    form: integer(1, 65_536),
    default: "40",
  }),
  variable(
    "MEX_NETWORK_SCHEME",
    "key=value pairs separated by commas: cidr, floatingipnet, floatingipsubnet, floatingipextnet, vnictype, routergateway, networktype, commoninternalnet",
    { default: "cidr=10.101.X.0/24" },
  ),
  variable("MEX_COMPUTE_AVAILABILITY_ZONE", "availability zone of VMs"),
  variable("MEX_NETWORK_AVAILABILITY_ZONE", "availability zone of networks"),
  variable("MEX_VOLUME_AVAILABILITY_ZONE", "availability zone of volumes"),
  variable("MEX_IMAGE_DISK_FORMAT", "format of application images", {
    form: { kind: "choice", values: ["qcow2", "vmdk", "raw"] },
    default: "qcow2",
  }),
  variable("MEX_ROUTER", "NONE, NOCONFIG or the name of a router", { default: "NONE" }),
  variable("MEX_SUBNET_DNS", "NONE leaves DNS servers out of subnets"),
  variable("MEX_DNS", "DNS servers, at most two, separated by a comma", {
    form: { kind: "addresses", most: 2 },
    default: "1.1.1.1,1.0.0.1",
  }),
  variable(
    "MEX_CLOUDLET_FIREWALL_WHITELIST_EGRESS",
    "outgoing traffic allowed: protocol=,portrange=a:b,remotecidr=;…",
    { default: "all tcp, udp and icmp" },
  ),
  variable(
    "MEX_CLOUDLET_FIREWALL_WHITELIST_INGRESS",
    "incoming traffic allowed: protocol=,portrange=a:b,remotecidr=;…",
  ),
  variable("MEX_ADDITIONAL_PLATFORM_NETWORKS", "further networks of the PlatformVM, separated by commas"),
  variable("MEX_ADDITIONAL_ROOTLB_NETWORKS", "further networks of load balancers, separated by commas"),
  variable("MEX_NTP_SERVERS", "time servers, separated by commas"),
  variable("MEX_VM_APP_SUBNET_DHCP_ENABLED", "DHCP in subnets of VM applications", { form: YES_NO, default: "yes" }),
  variable("MEX_VM_APP_IMAGE_CLEANUP_ON_DELETE", "delete an application's image with it", {
    form: YES_NO,
    default: "yes",
  }),
  variable("MEX_VM_APP_METRICS_COLLECT_INTERVAL", "minutes between metrics of VM applications", {
    form: integer(1, 1440),
    default: "5",
  }),
  variable("MEX_METALLB_OCTET3_RANGE", "third octets that MetalLB may use", { default: "200-250" }),
  variable("MEX_ENABLE_ANTI_AFFINITY", "spread the VMs of a cluster", { form: YES_NO, default: "yes" }),
];

const OPENSTACK: readonly Variable[] = [
  variable("MEX_CONSOLE_TYPE", "console of VM applications", {
    form: { kind: "choice", values: ["novnc", "xvpvnc", "spice", "rdp", "serial", "mks"] },
    default: "novnc",
  }),
  access("OPENRC_DATA", "the OpenRC file: OS_NAME=value lines", { secret: true, maxBytes: 8192, holdsAccess: true }),
  access("CACERT_DATA", "PEM certificate of the API's authority; with OPENRC_DATA and https", {
    secret: true,
    maxBytes: 8192,
  }),
  access("OS_AUTH_URL", "Keystone endpoint", { mandatory: true }),
  access("OS_USERNAME", "user of the cloudlet's project", { mandatory: true }),
  access("OS_PASSWORD", "password of the cloudlet's user", { mandatory: true, secret: true }),
  access("OS_CACERT_DATA", "PEM certificate of the API's authority; with https", { secret: true, maxBytes: 8192 }),
  access("OS_PROJECT_NAME", "the cloudlet's project"),
  access("OS_REGION_NAME", "region of the cloud"),
  access("OS_USER_DOMAIN_NAME", "domain of the user", { default: "default" }),
  access("OS_IDENTITY_API_VERSION", "version of the identity API", { default: "3" }),
  access("OS_PROJECT_DOMAIN_NAME", "domain of the project", { default: "default" }),
];

const VSPHERE: readonly Variable[] = [
  variable("MEX_DATASTORE", "datastore of the VMs", { mandatory: true }),
  variable("MEX_EXTERNAL_IP_RANGES", "external addresses: StartCIDR-EndCIDR, separated by commas", { mandatory: true }),
  variable("MEX_EXTERNAL_NETWORK_GATEWAY", "gateway of the external network", {
    mandatory: true,
    form: { kind: "addresses", most: 1 },
  }),
  variable("MEX_EXTERNAL_NETWORK_MASK", "prefix length of the external network in bits", {
    mandatory: true,
    form: integer(1, 32),
  }),
  variable("MEX_EXTERNAL_VSWITCH", "external vSwitch", { mandatory: true }),
  variable("MEX_INTERNAL_VSWITCH", "internal vSwitch", { mandatory: true }),
  variable("MEX_COMPUTE_CLUSTER", "compute cluster", { default: "compute-cluster" }),
  variable("MEX_INTERNAL_NETWORK_MASK", "prefix length of internal networks in bits", {
    form: integer(1, 32),
    default: "24",
  }),
  variable("MEX_TEMPLATE_FOLDER", "folder of templates", { default: "templates" }),
  variable("MEX_VM_VERSION", "VM compatibility version", { default: "6.7" }),
  variable("MEX_MANAGEMENT_CLUSTER", "compute cluster of the PlatformVM, where it is another"),
  variable("MEX_MANAGEMENT_DATASTORE", "datastore of the PlatformVM, where it is another"),
  variable("MEX_MANAGEMENT_EXTERNAL_IP_RANGES", "external addresses of the PlatformVM, where they are others"),
  variable("MEX_MANAGEMENT_EXTERNAL_NETWORK_GATEWAY", "gateway of the PlatformVM's network", {
    form: { kind: "addresses", most: 1 },
  }),
  variable("MEX_MANAGEMENT_EXTERNAL_NETWORK_MASK", "prefix length of the PlatformVM's network in bits", {
    form: integer(1, 32),
  }),
  variable("MEX_MANAGEMENT_EXTERNAL_VSWITCH", "external vSwitch of the PlatformVM, where it is another"),
  access("VCENTER_ADDR", "vCenter as host:port", { mandatory: true }),
  access("VCENTER_USER", "user at vCenter", { mandatory: true }),
  access("VCENTER_PASSWORD", "password of the user", { mandatory: true, secret: true }),
  access("VCENTER_CONSOLE_USER", "user for consoles"),
  access("VCENTER_CONSOLE_PASSWORD", "password of the user for consoles", { secret: true }),
  access("VCENTER_INSECURE", "do not check vCenter's certificate", { form: TRUE_FALSE, default: "false" }),
];

const VCD: readonly Variable[] = [
  variable("MEX_CATALOG", "catalog of templates", { mandatory: true }),
  variable("VCD_NSX_TYPE", "kind of NSX", { mandatory: true, form: { kind: "choice", values: ["NSX-T", "NSX-V"] } }),
  variable("MEX_ENABLE_VCD_DISK_RESIZE", "resize disks; false with fast provisioning", {
    form: TRUE_FALSE,
    default: "true",
  }),
  variable("VCD_TEMPLATE_ARTIFACTORY_IMPORT_ENABLED", "vCD fetches templates itself", {
    form: TRUE_FALSE,
    default: "true",
  }),
  variable("MEX_EXTERNAL_NETWORK_EDGEGATEWAY", "edge gateway of the external network"),
  ...[
    "VCDVerbose",
    "VCD_OVERRIDE_LEASE_DISABLE",
    "VCD_OVERRIDE_VCPU_SPEED",
    "VCD_CLEANUP_ORPHAN_NETS",
    "VCD_VM_APP_STATS_MAX_VDC_CACHE_TIME",
    "VCD_VM_APP_INTERNAL_DHCP_SERVER",
    "VCD_VM_HREF_CACHE_ENABLED",
  ].map((name) => variable(name, "for the platform's developers", { internal: true })),
  access("VCD_USER", "user of the organization", { mandatory: true }),
  access("VCD_PASSWORD", "password of the user", { mandatory: true, secret: true }),
  access("VCD_ORG", "organization in vCD", { mandatory: true }),
  access("VCD_URL", "vCD's API", { mandatory: true }),
  access("VDC_NAME", "virtual datacenter", { mandatory: true }),
  access("VCD_OAUTH_SGW_URL", "OAuth security gateway"),
  access("VCD_OAUTH_AGW_URL", "OAuth API gateway"),
  access("VCD_OAUTH_CLIENT_ID", "OAuth client"),
  access("VCD_OAUTH_CLIENT_SECRET", "secret of the OAuth client", { secret: true }),
  access("VCD_CLIENT_TLS_CERT", "PEM certificate of the client", { secret: true, maxBytes: 8192 }),
  access("VCD_CLIENT_TLS_KEY", "PEM key of the client", { secret: true, maxBytes: 8192 }),
  access("VCD_CLIENT_REFRESH_INTERVAL", "seconds between refreshes of the client's token", {
    form: integer(1, 86_400),
  }),
  access("VCD_INSECURE", "do not check vCD's certificate", { form: TRUE_FALSE, default: "true" }),
];

/** The same variable may differ between platforms; the later entry wins. */
const BY_PLATFORM: Readonly<Record<string, readonly Variable[]>> = {
  openstack: [...COMMON, ...VM, ...OPENSTACK],
  vsphere: [...COMMON, ...VM, ...VSPHERE],
  vcd: [...COMMON, ...VM, ...VCD],
  vmpool: [
    ...COMMON,
    ...VM.filter(({ name }) => name !== "MEX_ROUTER"),
    variable("MEX_ROUTER", "NONE, NOCONFIG or the name of a router", { default: "NOCONFIG" }),
  ],
  libvirt: [...COMMON, ...VM],
};

/** Variables of a platform by name; those all platforms share where the platform has no list of its own. */
export function variablesOf(platform: string): ReadonlyMap<string, Variable> {
  const list = Object.hasOwn(BY_PLATFORM, platform) ? BY_PLATFORM[platform] : COMMON;
  return new Map((list ?? COMMON).map((each) => [each.name, each]));
}

/** Platforms with a list of their own, for the reference. */
export const PLATFORMS_WITH_VARIABLES: readonly string[] = Object.keys(BY_PLATFORM);
