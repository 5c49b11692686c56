/**
 * What an auditor expects of each field of a spec, written down by hand and without a look at src/evidence/diff-rules.ts: the
 * group that its change belongs to, and why. The first pattern that fits counts; `*` stands for one key or place.
 */

import type { Group } from "../../src/evidence/diff-rules.ts";

export type ExpectedGroup = readonly [pattern: string, group: Group, why: string];

export const expectedGroups: readonly ExpectedGroup[] = [
  // Words for people, that nothing acts on.
  ["/firewall/*/*/description", "cosmetic", "no packet is let through or stopped because of it"],
  ["/secrets/*/description", "cosmetic", "it stands beside the slot that the operator fills in"],

  // Who reaches whom.
  ["/access", "exposure", "restricted or direct: whether the IaaS's API is called from outside"],
  ["/firewall/**", "exposure", "a rule lets somebody in or out"],
  ["/networks/external/*/mtu", "data", "how long a packet is, not whose it is"],
  ["/networks/**", "exposure", "on which networks, at which addresses and routes the VM is reached; whom it asks for names and time"],
  ["/kafka/cluster", "exposure", "whom the CRM sends events to"],
  ["/crm/notifySrvAddr", "exposure", "where the CRM listens"],
  ["/crm/redisAddress", "exposure", "whom the CRM shares its state with"],
  ["/platform/parameters/securityGroupName", "exposure", "the rules of another group would hold"],
  ["/platform/parameters/networks/**", "exposure", "which wire a network of the spec is"],
  ["/platform/parameters/machines/*/ssh/user", "privilege", "as whom install.sh logs in"],
  ["/platform/parameters/machines/*/hostKeys/*", "privilege", "which machine is taken for the right one"],
  ["/platform/parameters/machines/**", "exposure", "which machines, and how they are reached"],
  ["/platform/parameters/url", "exposure", "whom install.sh gives the IaaS's credentials"],
  ["/platform/parameters/uri", "exposure", "whose hypervisor install.sh talks to"],

  // Who may do what.
  ["/users/**", "privilege", "who logs in and becomes root"],
  ["/trust/**", "privilege", "whose certificates are believed"],
  ["/secrets/**", "privilege", "what the guest is told in confidence, and where it lies"],
  ["/audit/**", "privilege", "a waiver lets pass what a rule would stop"],
  ["/kafka/user", "privilege", "as whom the CRM logs in"],
  ["/policies/trustPolicy", "privilege", "what applications may reach"],
  ["/policies/singleKubernetesClusterOwner", "privilege", "whose cluster it is"],
  ["/policies/allianceOrganizations/*", "privilege", "which other organizations may use the cloudlet"],
  ["/platform/parameters/keyName", "privilege", "a key that the IaaS puts on the VM"],
  ["/platform/parameters/gpus/**", "privilege", "a device of the host that the guest gets whole"],
  ["/platform/parameters/tags", "privilege", "install.sh needs rights on tags for it"],

  // What runs.
  ["/versions/**", "software", "which containers and image"],
  ["/platform/type", "software", "another IaaS, other scripts"],
  ["/gpu/**", "software", "the driver that is installed"],

  // How much of the IaaS it takes.
  ["/dynamicIps", "sizing", "so many addresses"],
  ["/compute/**", "sizing", "vCPUs, memory, disk"],
  ["/policies/quotas/**", "sizing", "how much may be taken"],
  ["/crm/highAvailability", "sizing", "one VM or two"],
  ["/platform/parameters/rootVolumeGiB", "sizing", "disk"],
  ["/platform/parameters/rootDiskGiB", "sizing", "disk"],
  ["/platform/parameters/diskProvisioning", "sizing", "whether the disk takes its whole size at once"],
  ["/platform/parameters/extraFlavorProperties/*", "sizing", "what the flavor has beside vCPUs and memory"],

  // Variables of the CRM, by what they say.
  ["/environment/MEX_CLOUDLET_FIREWALL_WHITELIST_*", "exposure", "lets somebody in or out of every cluster"],
  ["/environment/*_URL", "exposure", "whom the CRM talks to"],
  ["/environment/*_ADDR", "exposure", "whom the CRM talks to"],
  ["/environment/MEX_NETWORK_SCHEME", "exposure", "which networks clusters are on"],
  ["/environment/MEX_OS_IMAGE", "software", "which image clusters are made of"],
  ["/environment/MEX_DNS", "exposure", "whom clusters ask for names"],
  ["/environment/MEX_NTP_SERVERS", "exposure", "whom clusters ask for the time"],
  ["/environment/*_NETWORK_MASK", "exposure", "which addresses are one network"],
  ["/environment/*_USER", "privilege", "whose rights the CRM has"],
  ["/environment/*_USERNAME", "privilege", "whose rights the CRM has"],
  ["/environment/*_ORG", "privilege", "whose rights the CRM has"],
  ["/environment/*_INSECURE", "privilege", "whether anybody's certificate is believed"],
  ["/environment/FLAVOR_MATCH_PATTERN", "sizing", "which flavors the CRM may take"],
  ["/environment/MEX_SHARED_ROOTLB_*", "sizing", "vCPUs, memory, disk"],
  ["/environment/MEX_ENABLE_VCD_DISK_RESIZE", "sizing", "whether disks grow"],
  ["/environment/*", "data", "a name, a zone, a way of doing it"],

  // The rest says what the cloudlet is called, where it is and how the IaaS makes it.
  ["/name", "data", "a name"],
  ["/organization", "data", "a name"],
  ["/region", "data", "a name"],
  ["/federatedOrganization", "data", "a name"],
  ["/physicalName", "data", "a name"],
  ["/vmPool", "data", "a name"],
  ["/location/*", "data", "a place"],
  ["/resourceTags/**", "data", "names of tables of tags"],
  ["/policies/**", "data", "how the controller treats the cloudlet"],
  ["/platform/parameters/**", "data", "where the IaaS puts the VM and which virtual hardware it has"],
];

/** Throws where nobody thought of the field. */
export function expectedGroup(pointer: string): Group {
  const found = expectedGroups.find(([pattern]) => expressionOf(pattern).test(pointer));
  if (found === undefined) throw new Error(`test/property/field-groups.ts has no row for ${pointer}`);
  return found[1];
}

const expressions = new Map<string, RegExp>();

function expressionOf(pattern: string): RegExp {
  const known = expressions.get(pattern) ?? new RegExp(`^${pattern.replace(/\/\*\*$/, "(/.*)?").replaceAll(/(?<!\.)\*/g, "[^/]*").replaceAll("(/.[^/]*)", "(/.*)")}$`);
  expressions.set(pattern, known);
  return known;
}
