/** Which group a difference between two bundles belongs to: by the field that differs, or by the role of a file. */

import type { Role } from "../core/file.ts";
import { trustFolder } from "../pack/layout.ts";
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

/** A test holds that each field of the golden specs has a rule of its own, beside the one for a whole document. */
export const diffRules: readonly DiffRule[] = [
  ...rulesOf("spec", {
    exposure: [
      "/access", "/networks/external", "/networks/internal", "/networks/dns", "/networks/ntp", "/firewall", "/kafka/cluster", "/crm/notifySrvAddr", "/crm/redisAddress",
      "/platform/parameters/securityGroupName", "/platform/parameters/networks", "/platform/parameters/machines",
    ],
    privilege: [
      "/users", "/trust", "/secrets", "/audit", "/kafka/user", "/policies/trustPolicy", "/policies/allianceOrganizations", "/policies/singleKubernetesClusterOwner",
      "/platform/parameters/keyName", "/platform/parameters/gpus", "/platform/parameters/machines/*/ssh/user", "/platform/parameters/machines/*/hostKeys",
    ],
    software: ["/apiVersion", "/kind", "/deployment", "/versions", "/platform/type", "/gpu"],
    data: [
      "", "/name", "/organization", "/region", "/federatedOrganization", "/physicalName", "/location", "/ipSupport", "/platform/parameters", "/policies", "/resourceTags", "/vmPool",
      "/environment", "/networks/external/*/mtu",
    ],
    sizing: ["/dynamicIps", "/compute", "/policies/quotas", "/crm/highAvailability", "/platform/parameters/rootVolumeGiB", "/platform/parameters/extraFlavorProperties"],
    cosmetic: ["/firewall/*/*/description", "/secrets/*/description"],
  }),
  ...rulesOf("release", {
    exposure: ["/controller/notifyAddresses", "/controller/accessApiAddress", "/controller/appDnsRoot", "/controller/thanosReceiveAddress"],
    privilege: ["/controller/commercialCerts", "/controller/useVaultPki"],
    software: [""],
    data: ["/controller"],
    sizing: ["/vmImage/minDiskGiB", "/vmImage/minMemoryMiB", "/vmImage/sizeLimit"],
  }),
  ...rulesOf("lock", { software: [""] }),
];

/** Of a file that no field explains: a trust policy says whose signatures count, everything else goes by its role. */
export function fileGroup(path: string, role: Role): Group {
  return path.startsWith(trustFolder) ? "privilege" : roleGroups[role];
}

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
