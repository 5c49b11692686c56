/** The view of what is told about a PlatformVM in vCloud Director: runbook and MobiledgeX's manifest. */

import { derive } from "../core/origin.ts";
import type { Guest } from "../guest/guest.ts";
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
    nics: cardViews(plan, machine.nics),
    secrets: machine.slots.map(({ name, description, required, maxBytes }) => ({ name, description, required, maxBytes })),
  };
}
