/** Which group a difference between two bundles belongs to: by the field that differs, or by the role of a file. */

import type { Role } from "../core/file.ts";
import { ovfCertificatePath, trustFolder } from "../pack/layout.ts";
import type { DocumentName } from "./record.ts";

/** In the order in which an auditor wants them. */
export const groups = ["exposure", "privilege", "software", "data", "sizing", "cosmetic"] as const;
export type Group = (typeof groups)[number];

export const groupMeanings: Readonly<Record<Group, string>> = {
  exposure: "who can reach the PlatformVM, and whom it talks to",
  privilege: "who may do what: users, keys, authorities, secrets, the signer",
  software: "what runs: image, containers, scripts, templates, the generator",
  data: "what the cloudlet is called and told, without one of the above",
  sizing: "how much of the IaaS it takes",
  cosmetic: "descriptions, white space, the order of keys",
};

export const severities: Readonly<Record<Group, "high" | "medium" | "low" | "none">> = {
  exposure: "high",
  privilege: "high",
  software: "medium",
  data: "low",
  sizing: "low",
  cosmetic: "none",
};

export interface DiffRule {
  readonly document: DocumentName;
  /** The field, or a group of fields; `*` stands for one key or place. Of several rules the longest counts. */
  readonly pointer: string;
  readonly group: Group;
}

/** What MobiledgeX's variables say, which a spec gives its CRM in `environment` and a release in `controller.environment`; data where they aren't here. */
const variables: Partial<Record<Group, readonly string[]>> = {
  exposure: [
    "MEX_CLOUDLET_FIREWALL_WHITELIST_INGRESS", "MEX_CLOUDLET_FIREWALL_WHITELIST_EGRESS", "MEX_SECURITY_GROUP", "MEX_EXTERNAL_IP_MAP", "MEX_EXTERNAL_IP_RANGES",
    "MEX_EXT_NETWORK", "MEX_NETWORK", "MEX_NETWORK_SCHEME", "MEX_ROUTER", "MEX_SUBNET_DNS", "MEX_DNS", "MEX_NTP_SERVERS", "MEX_METALLB_OCTET3_RANGE",
    "MEX_ADDITIONAL_PLATFORM_NETWORKS", "MEX_ADDITIONAL_ROOTLB_NETWORKS", "MEX_EXTERNAL_NETWORK_GATEWAY", "MEX_EXTERNAL_NETWORK_MASK", "MEX_EXTERNAL_NETWORK_EDGEGATEWAY",
    "MEX_EXTERNAL_VSWITCH", "MEX_INTERNAL_VSWITCH", "MEX_INTERNAL_NETWORK_MASK", "MEX_MANAGEMENT_EXTERNAL_IP_RANGES", "MEX_MANAGEMENT_EXTERNAL_NETWORK_GATEWAY",
    "MEX_MANAGEMENT_EXTERNAL_NETWORK_MASK", "MEX_MANAGEMENT_EXTERNAL_VSWITCH", "MEX_REGISTRY_FILE_SERVER", "MEX_CRM_GATEWAY_ADDR", "MEX_CONSOLE_TYPE",
    "OS_AUTH_URL", "VCENTER_ADDR", "VCD_URL", "VCD_OAUTH_SGW_URL", "VCD_OAUTH_AGW_URL", "VCD_TEMPLATE_ARTIFACTORY_IMPORT_ENABLED",
  ],
  privilege: [
    "OS_USERNAME", "OS_PROJECT_NAME", "OS_USER_DOMAIN_NAME", "OS_PROJECT_DOMAIN_NAME", "VCENTER_USER", "VCENTER_CONSOLE_USER", "VCENTER_INSECURE",
    "VCD_USER", "VCD_ORG", "VCD_OAUTH_CLIENT_ID", "VCD_INSECURE",
  ],
  software: ["MEX_OS_IMAGE"],
  sizing: ["FLAVOR_MATCH_PATTERN", "MEX_SHARED_ROOTLB_RAM", "MEX_SHARED_ROOTLB_VCPUS", "MEX_SHARED_ROOTLB_DISK", "MEX_ENABLE_VCD_DISK_RESIZE"],
};

/** A test holds that each field of the golden specs has a rule of its own, beside the one for a whole document. */
export const diffRules: readonly DiffRule[] = [
  ...rulesOf("spec", {
    exposure: [
      "/access", "/networks/external", "/networks/internal", "/networks/dns", "/networks/ntp", "/firewall", "/kafka/cluster", "/crm/notifySrvAddr", "/crm/redisAddress",
      "/platform/parameters/securityGroupName", "/platform/parameters/networks", "/platform/parameters/machines", "/platform/parameters/url", "/platform/parameters/uri",
    ],
    privilege: [
      "/users", "/trust", "/secrets", "/audit", "/kafka/user", "/policies/trustPolicy", "/policies/allianceOrganizations", "/policies/singleKubernetesClusterOwner",
      "/platform/parameters/keyName", "/platform/parameters/gpus", "/platform/parameters/tags", "/platform/parameters/machines/*/ssh/user", "/platform/parameters/machines/*/hostKeys",
    ],
    software: ["/apiVersion", "/kind", "/deployment", "/versions", "/platform/type", "/gpu"],
    data: [
      "", "/name", "/organization", "/region", "/federatedOrganization", "/physicalName", "/location", "/ipSupport", "/platform/parameters", "/policies", "/resourceTags", "/vmPool",
      "/environment", "/networks/external/*/mtu",
    ],
    sizing: ["/dynamicIps", "/compute", "/policies/quotas", "/crm/highAvailability", "/platform/parameters/rootVolumeGiB", "/platform/parameters/rootDiskGiB", "/platform/parameters/diskProvisioning", "/platform/parameters/extraFlavorProperties"],
    cosmetic: ["/firewall/*/*/description", "/secrets/*/description"],
  }),
  ...variableRules("spec", "/environment"),
  ...variableRules("release", "/controller/environment"),
  ...rulesOf("release", {
    exposure: ["/controller/notifyAddresses", "/controller/accessApiAddress", "/controller/appDnsRoot", "/controller/thanosReceiveAddress"],
    privilege: ["/controller/commercialCerts", "/controller/useVaultPki"],
    software: [""],
    data: ["/controller"],
    sizing: ["/vmImage/minDiskGiB", "/vmImage/minMemoryMiB", "/vmImage/sizeLimit"],
  }),
  ...rulesOf("lock", { software: [""] }),
];

/** Of a file that no field explains: what says whom to trust is privilege, everything else goes by its role. */
export function fileGroup(path: string, role: Role): Group {
  return path.startsWith(trustFolder) || trusted.includes(path) ? "privilege" : roleGroups[role];
}

/** Who made the OVF package, and which machine install.sh takes for the right one. */
const trusted: readonly string[] = [ovfCertificatePath, "site/known_hosts"];

/** Of a difference that no field explains: the template or the file itself is another one. */
const roleGroups: Readonly<Record<Role, Group>> = {
  script: "software",
  site: "software",
  data: "software",
  // Somebody does by hand what it says.
  document: "software",
  evidence: "data",
  "vm-image": "software",
  payload: "software",
};

function rulesOf(document: DocumentName, byGroup: Partial<Record<Group, readonly string[]>>): readonly DiffRule[] {
  return groups.flatMap((group) => (byGroup[group] ?? []).map((pointer) => ({ document, pointer, group })));
}

function variableRules(document: DocumentName, pointer: string): readonly DiffRule[] {
  return groups.flatMap((group) => (variables[group] ?? []).map((name) => ({ document, pointer: `${pointer}/${name}`, group })));
}

export function ruleFor(document: DocumentName, pointer: string): DiffRule {
  const keys = pointer.split("/");
  const fitting = diffRules.filter((rule) => {
    const wanted = rule.pointer.split("/");
    return rule.document === document && wanted.length <= keys.length && wanted.every((key, index) => key === "*" || key === keys[index]);
  });
  const [best] = [...fitting].sort((a, b) => b.pointer.split("/").length - a.pointer.split("/").length);
  if (best === undefined) throw new Error(`no rule for ${document}:${pointer}`);
  return best;
}
