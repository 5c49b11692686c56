/** The view of what is told about a PlatformVM in vCloud Director: runbook and MobiledgeX's manifest. */

import { derive } from "../core/origin.ts";
import type { Guest } from "../guest/guest.ts";
import type { Nic } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";
import type { View } from "./draft.ts";
import { siteView } from "./site-variables.ts";
import { vcdParameters } from "./vmware-parameters.ts";
import { cardViews } from "./vmware-view.ts";

export function vcdView(plan: Plan, { machine, instanceId }: Guest): View {
  const { disks } = plan;
  if (disks === undefined) throw new Error("a plan for VMware without VMDKs");
  const parameters = vcdParameters(plan);
  return {
    ...siteView(plan),
    name: machine.name,
    host: machine.host,
    instanceId,
    url: parameters.url,
    org: parameters.org,
    vdc: parameters.vdc,
    catalog: parameters.catalog,
    storageProfile: parameters.storageProfile,
    rootDiskGiB: parameters.rootDiskGiB,
    rootDiskSize: derive([parameters.rootDiskGiB], (size) => `${size} GB`),
    disks: { vmImage: disks.vmImage.file, payload: disks.payload.file },
    nics: cardViews(plan, machine.nics).map((view, index) => ({ ...view, ...assignmentOf(machine.nics[index] as Nic) })),
    secrets: machine.slots.map(({ name, description, required, maxBytes }) => ({ name, description, required, maxBytes })),
  };
}

/** As the portal calls it. An address of IPv6 is the guest's own affair: vCloud Director gives a card one of IPv4 only. */
function assignmentOf({ mode, ip }: Nic): View {
  if (ip === undefined) return { assignment: derive([mode], () => "DHCP"), manual: undefined };
  const isIpv6 = ip.value.includes(":");
  return { assignment: derive([mode, ip], () => (isIpv6 ? "None" : "Static - Manual")), manual: isIpv6 ? undefined : ip };
}
