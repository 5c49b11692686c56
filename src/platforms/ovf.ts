/** The view of the OVF descriptor that vSphere and vCloud Director are given. */

import type { Val } from "../core/origin.ts";
import { derive, val } from "../core/origin.ts";
import type { Guest } from "../guest/guest.ts";
import type { Nic } from "../plan/networks.ts";
import type { DiskPlan, Plan } from "../plan/plan.ts";
import type { View } from "./draft.ts";
import { siteView } from "./site-variables.ts";
import type { VmwareParameters } from "./vmware-parameters.ts";

export function ovfView(plan: Plan, guest: Guest): View {
  const { machine } = guest;
  const { disks, release, spec } = plan;
  if (disks === undefined) throw new Error("a plan for VMware without VMDKs");
  const parameters = spec.platform.parameters as unknown as VmwareParameters;
  const both = [diskView("vm-image", disks.vmImage), diskView("payload", disks.payload)];
  return {
    ...siteView(plan),
    name: machine.name,
    told: toldView(plan, guest),
    files: both,
    disks: both,
    nics: nicViews(machine.nics),
    hardware: derive([parameters.version], (version) => hardware[version]),
    controller: derive([parameters.diskController], (controller) => controllers[controller]),
    firmware: parameters.firmware,
    isEfi: derive([parameters.firmware], (firmware) => firmware === "efi"),
    annotation: derive(
      [spec.name, spec.organization, release.name],
      (cloudlet, organization, name) => `PlatformVM of cloudlet ${cloudlet} of ${organization}, release ${name}.`,
    ),
    fullVersion: derive(
      [release.name, release.sequence, release.vmImage.name, release.vmImage.version],
      (name, sequence, image, version) => `${name} (sequence ${sequence}), VM image ${image} ${version}`,
    ),
    eula: eulaLines(parameters.eula),
    ...sizesView(plan),
  };
}

/**
 * What the guest reads from the OVF environment, in vCloud Director alone. On vSphere it reads guestinfo, and must not find
 * an environment: cloud-init asks its OVF datasource first, and one without user-data would end the search.
 */
function toldView({ spec }: Plan, { machine, instanceId }: Guest): View | undefined {
  return spec.platform.type.value === "vcd" ? { instanceId, host: machine.host } : undefined;
}

/**
 * Called after what the spec says they are for, so that whoever deploys by hand sees which of the site's networks belongs
 * where: `ue`; a second of the same, `ue-2`. In the order of the cards.
 */
export function ovfNetworkNames(nics: readonly Nic[]): readonly Val<string>[] {
  return nics.map((nic, index) => {
    const earlier = nics.slice(0, index).map((each) => each.purpose);
    const before = earlier.filter((each) => each.value === nic.purpose.value).length;
    return derive([nic.purpose, nic.number, ...earlier], (purpose) => (before === 0 ? purpose : `${purpose}-${before + 1}`));
  });
}

/** The newest virtual hardware that each vSphere runs (VMware KB 1003746). */
const hardware = { "6.7": "vmx-14", "7.0": "vmx-17", "8.0": "vmx-20" } as const;

/** As vSphere names them in rasd:ResourceSubType. */
const controllers = { pvscsi: "VirtualSCSI", lsilogic: "lsilogic" } as const;

function diskView(id: string, disk: DiskPlan): View {
  return {
    id: val(id, "constant:layout"),
    file: val(id, "constant:layout"),
    // The disks lie beside the descriptor, and are named without a folder (DSP0243 1.1.0 clause 5.1).
    href: derive([disk.file], (path) => path.slice(path.lastIndexOf("/") + 1)),
    size: disk.size,
    capacity: disk.capacity,
    populated: disk.populated,
  };
}

const purposes = {
  ue: "the mobile network",
  internet: "the way to the controller",
  management: "the operator's management network",
} as const;

/** vSphere counts the addresses of a machine's first PCI devices from 7 on for network cards, ten at most. */
const firstCardAddress = 7;

/** Of the cards' Items; the template's own are below. */
const firstCardInstance = 100;

function nicViews(nics: readonly Nic[]): readonly View[] {
  const names = ovfNetworkNames(nics);
  return nics.map((nic, index) => ({
    number: nic.number,
    ovfName: names[index],
    description: derive([nic.network, nic.purpose], (network, purpose) => `${network}: ${purposes[purpose]}`),
    address: derive([nic.number], (number) => firstCardAddress + number - 1),
    instance: derive([nic.number], (number) => firstCardInstance + number),
  }));
}

/** Paragraphs, each of one line, with an empty line between. */
function eulaLines(paragraphs: readonly Val<string>[]): readonly Val<string>[] {
  return paragraphs.flatMap((paragraph, index) => (index === 0 ? [paragraph] : [derive([paragraph], () => ""), paragraph]));
}

/**
 * What the spec gives the PlatformVM, and where the tenant has room for it, twice that for whoever deploys by hand.
 * Nothing smaller is offered: the spec's figures are what the containers need. vCloud Director has no choice of
 * configurations when a template is uploaded, so there it is left out.
 */
function sizesView({ need, tenant, spec }: Plan): View {
  const sizes = [need.vcpus, need.memoryMiB, tenant.vcpus, tenant.memoryMiB] as const;
  const fits = tenant.vcpus.value >= 2 * need.vcpus.value && tenant.memoryMiB.value >= 2 * need.memoryMiB.value;
  const said = (vcpus: number, memory: number): string => `${vcpus} virtual CPUs, ${memory} MiB of memory`;
  if (!fits || spec.platform.type.value === "vcd") return { large: undefined, standard: undefined };
  return {
    standard: derive([need.vcpus, need.memoryMiB], said),
    large: {
      vcpus: derive(sizes, (vcpus) => 2 * vcpus),
      memoryMiB: derive(sizes, (_, memory) => 2 * memory),
      description: derive(sizes, (vcpus, memory) => said(2 * vcpus, 2 * memory)),
    },
  };
}
