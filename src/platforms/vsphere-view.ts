/** The view of what is told about a PlatformVM on vSphere: runbook and MobiledgeX's manifest. */

import type { Val } from "../core/origin.ts";
import { derive } from "../core/origin.ts";
import type { Guest } from "../guest/guest.ts";
import type { Nic } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";
import type { IpRange } from "../spec/ip-range.ts";
import { countOf, parseRange } from "../spec/ip-range.ts";
import type { View } from "./draft.ts";
import { ovfNetworkNames } from "./ovf.ts";
import { siteView } from "./site-variables.ts";
import { siteNetworkOf, vsphereParameters } from "./vmware-parameters.ts";

export function vsphereView(plan: Plan, { machine }: Guest): View {
  const { disks } = plan;
  if (disks === undefined) throw new Error("a plan for VMware without VMDKs");
  const parameters = vsphereParameters(plan);
  const ovfNames = ovfNetworkNames(machine.nics);
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
    nics: machine.nics.map((nic, index) => nicView(plan, nic, ovfNames[index] as Val<string>)),
    macs: derive([...machine.nics.map((nic) => nic.number)] as unknown as [Val<number>], (...numbers) => numbers.map(macWord).join(" ")),
    secrets: machine.slots.map(({ name, description, required, maxBytes }) => ({ name, description, required, maxBytes })),
  };
}

/** Stands for a hardware address that vCenter will choose. */
function macWord(number: number): string {
  return `MAC${number}`;
}

/** As the vSphere Client's page "Select storage" calls them. */
const provisioningWords = { thin: "Thin Provision", thick: "Thick Provision Lazy Zeroed", eagerZeroedThick: "Thick Provision Eager Zeroed" } as const;

function nicView(plan: Plan, nic: Nic, ovfName: Val<string>): View {
  const { ip, prefix } = nic;
  return {
    number: nic.number,
    network: nic.network,
    purpose: nic.purpose,
    mode: nic.mode,
    ovfName,
    portGroup: siteNetworkOf(plan, nic),
    mac: derive([nic.number], macWord),
    address: ip === undefined || prefix === undefined ? undefined : derive([ip, prefix], (address, bits) => `${address}/${bits}`),
    gateway: nic.gateway,
    ranges: rangesOf(plan, nic).map((range) => ({ range, addresses: derive([range], (text) => addressesIn([text])) })),
    others: othersOf(plan, nic),
  };
}

/** Of the spec, in its order; none with a single address or DHCP. */
function rangesOf(plan: Plan, nic: Nic): readonly Val<string>[] {
  const network = plan.spec.networks.external[nic.number.value - 1];
  return (network?.address as { readonly ranges?: readonly Val<string>[] } | undefined)?.ranges ?? [];
}

/** What is left for the CRM's own VMs, with how many there are. */
function othersOf(plan: Plan, nic: Nic): View | undefined {
  const { otherAddresses } = nic;
  if (otherAddresses === undefined || otherAddresses.value === "") return undefined;
  const ranges = rangesOf(plan, nic);
  return {
    addresses: otherAddresses,
    count: derive([otherAddresses, ...ranges], () => String(countOf(ranges.map(({ value }) => parseRange(value) as IpRange)) - 1n)),
  };
}

function addressesIn(texts: readonly string[]): string {
  return String(countOf(texts.map((text) => parseRange(text) as IpRange)));
}
