/** The view of the domain's XML and of the runbook that tells about it. */

import type { Val } from "../core/origin.ts";
import { derive } from "../core/origin.ts";
import type { Machine } from "../plan/machines.ts";
import type { Nic } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";
import type { View } from "./draft.ts";
import type { AttachmentKind, LibvirtParameters } from "./libvirt-parameters.ts";
import { attachmentOf, domainUuid, libvirtParameters, machineFiles } from "./libvirt-parameters.ts";
import { siteView } from "./site-variables.ts";

export function domainView(plan: Plan, machine: Machine): View {
  const parameters = libvirtParameters(plan);
  return {
    ...siteView(plan),
    name: machine.name,
    role: machine.role,
    files: machineFiles(machine),
    host: machine.host,
    uuid: domainUuid(plan, machine),
    uri: parameters.uri,
    machine: parameters.machine,
    cpu: parameters.cpu,
    isEfi: derive([parameters.firmware], (firmware) => firmware === "efi"),
    autostart: parameters.autostart,
    rootDiskGiB: parameters.rootDiskGiB,
    rootDiskSize: derive([parameters.rootDiskGiB], (size) => `${size}G`),
    folder: derive([parameters.storage, machine.name], (storage, name) => `${storage}/${name}/by-hand`),
    rootDisk: inFolder(machine, parameters, "root.qcow2"),
    payloadDisk: inFolder(machine, parameters, "payload.tar"),
    seed: inFolder(machine, parameters, "seed.iso"),
    serialLog: inFolder(machine, parameters, "serial.log"),
    nics: machine.nics.map((nic) => nicView(parameters, nic)),
    gpus: parameters.gpus.map(gpuView),
    secrets: machine.slots.map(({ name, description, required, maxBytes, placeholder }) => ({ name, description, required, maxBytes, placeholder })),
  };
}

/** Where it is when done by hand; install.sh has a folder for each bundle and each set of choices. */
function inFolder(machine: Machine, parameters: LibvirtParameters, file: string): Val<string> {
  return derive([parameters.storage, machine.name], (storage, name) => `${storage}/${name}/by-hand/${file}`);
}

function nicView(parameters: LibvirtParameters, nic: Nic): View {
  const { kind, source } = attachmentOf(parameters, nic);
  const is = (wanted: AttachmentKind): Val<boolean> => derive([kind], (word) => word === wanted);
  // libvirt sets the packet size of what it makes itself: a tap device; elsewhere the guest does.
  const isTap = kind.value === "bridge" || kind.value === "network";
  return {
    number: nic.number,
    network: nic.network,
    purpose: nic.purpose,
    mode: nic.mode,
    ip: nic.ip,
    mac: nic.mac,
    kind,
    source,
    mtu: isTap && nic.mtu !== undefined ? derive([nic.mtu, kind], (bytes) => bytes) : undefined,
    isBridge: is("bridge"),
    isMacvtap: is("macvtap"),
    isNetwork: is("network"),
    isUser: is("user"),
  };
}

/** As libvirt's address element wants it. */
function gpuView(address: Val<string>): View {
  const part = (index: number): Val<string> => derive([address], (text) => `0x${text.split(/[:.]/)[index] ?? ""}`);
  return { address, domain: part(0), bus: part(1), slot: part(2), function: part(3) };
}
