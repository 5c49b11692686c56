/** The view of what is told about a PlatformVM on vSphere: runbook and MobiledgeX's manifest. */

import { derive } from "../core/origin.ts";
import type { Guest } from "../guest/guest.ts";
import type { Plan } from "../plan/plan.ts";
import type { View } from "./draft.ts";
import { siteView } from "./site-variables.ts";
import { vsphereParameters } from "./vmware-parameters.ts";
import { cardViews } from "./vmware-view.ts";

export function vsphereView(plan: Plan, { machine }: Guest): View {
  const { disks } = plan;
  if (disks === undefined) throw new Error("a plan for VMware without VMDKs");
  const parameters = vsphereParameters(plan);
  return {
    ...siteView(plan),
    name: machine.name,
    host: machine.host,
    version: parameters.version,
    datacenter: parameters.datacenter,
    cluster: parameters.cluster,
    datastore: parameters.datastore,
    folder: parameters.folder,
    resourcePool: parameters.resourcePool,
    provisioning: derive([parameters.diskProvisioning], (word) => provisioningWords[word]),
    rootDiskGiB: parameters.rootDiskGiB,
    rootDiskSize: derive([parameters.rootDiskGiB], (size) => `${size}G`),
    disks: { vmImage: disks.vmImage.file, payload: disks.payload.file },
    nics: cardViews(plan, machine.nics),
    secrets: machine.slots.map(({ name, description, required, maxBytes }) => ({ name, description, required, maxBytes })),
  };
}

/** As the vSphere Client's page "Select storage" calls them. */
const provisioningWords = { thin: "Thin Provision", thick: "Thick Provision Lazy Zeroed", eagerZeroedThick: "Thick Provision Eager Zeroed" } as const;
