/** libvirt/KVM: a domain on a host, or with high availability two on two; by virsh, or by QEMU alone where there is no libvirt. */

import type { Assets } from "../core/assets.ts";
import type { Issue } from "../core/issue.ts";
import type { Val } from "../core/origin.ts";
import { below } from "../core/pointer.ts";
import type { Guest, Guests } from "../guest/guest.ts";
import type { YamlText } from "../guest/yaml-text.ts";
import type { Machine } from "../plan/machines.ts";
import type { Plan } from "../plan/plan.ts";
import { userDataDrafts } from "./common-files.ts";
import type { Draft } from "./draft.ts";
import { domainView } from "./libvirt-domain.ts";
import { attachmentOf, libvirtParameters, machineFiles } from "./libvirt-parameters.ts";
import { siteVariables } from "./libvirt-site.ts";
import type { Platform, Requirement } from "./platform.ts";

export const libvirt: Platform = {
  name: "libvirt",
  startHere: { place: "KVM host", access: "Unpack the bundle on the host itself, and be root there (or who may use libvirt and write to the storage folder)." },
  userDataBytes: undefined,
  parameterSchema: "platform-libvirt.schema.json",
  requirements: requirements(),
  check,
  draft,
};

function requirements(): readonly Requirement[] {
  return [
    { what: "an x86-64 Linux host with KVM", why: "without it the VM is emulated, which is for trials only" },
    { what: "libvirt 7.2 or later with virsh, or qemu-system-x86_64 alone", why: "install.sh drives one of them" },
    { what: "qemu-img 2.10 or later", why: "it makes the root disk from the image" },
    { what: "install.sh run on the host itself, by root or by who may write to the storage folder", why: "the disks are files of the host" },
    { what: "the bridges, network cards or libvirt networks that the spec names", why: "install.sh makes none of them" },
    { what: "for GPUs, an IOMMU that is switched on", why: "a device is passed through by VFIO" },
  ];
}

type Refuse = (code: Issue["code"], pointer: string, message: string, hint: string) => void;

function check(plan: Plan): readonly Issue[] {
  const { spec } = plan;
  const issues: Issue[] = [];
  const refuse: Refuse = (code, pointer, message, hint) => issues.push({ code, severity: "error", pointer, message, hint });
  if (spec.deployment.value === "kubernetes") {
    refuse("platform/kubernetes", "/deployment", "libvirt bundles run the CRM in docker; Kubernetes is not supported", "Write deployment: docker.");
  }
  refuseNetworks(plan, refuse);
  refuseSizes(plan, refuse);
  return [...issues, ...warnings(plan)];
}

function refuseNetworks(plan: Plan, refuse: Refuse): void {
  const { nics } = plan.machines[0];
  if (nics.length === 0) {
    refuse("platform/no-external-network", "/networks", "the PlatformVM has no external network", "List at least one in networks.external.");
  }
  for (const [index, { vnicType, mode, subnet }] of nics.entries()) {
    const pointer = `/networks/external/${index}`;
    if (vnicType !== undefined && vnicType.value !== "normal") {
      refuse("platform/vnic-type", `${pointer}/vnicType`, `a libvirt bundle makes no card of type ${vnicType.value}`, "It makes normal ones (virtio); how they are attached: platform.parameters.networks.");
    }
    if (mode.value === "floating") {
      refuse("platform/floating-address", `${pointer}/address/mode`, "a KVM host has no floating IPs", "Write mode static or dhcp; addresses behind NAT: environment.MEX_EXTERNAL_IP_MAP.");
    }
    if (subnet !== undefined) {
      refuse("platform/subnet", `${pointer}/address/subnet`, "a KVM host knows no subnets by name", "Leave it out; ip and prefix say it all.");
    }
  }
  refuseAttachments(plan, refuse);
}

/** Linux holds 15 characters of a network device's name (IFNAMSIZ); of those that it takes, these need no care anywhere. */
const deviceName = /^[A-Za-z0-9_.-]{1,15}$/;

function refuseAttachments(plan: Plan, refuse: Refuse): void {
  const { nics } = plan.machines[0];
  const parameters = libvirtParameters(plan);
  for (const [index, nic] of nics.entries()) {
    const { kind, source } = attachmentOf(parameters, nic);
    if ((kind.value !== "bridge" && kind.value !== "macvtap") || deviceName.test(source.value)) continue;
    const isGiven = Object.hasOwn(parameters.networks, nic.network.value);
    refuse(
      "platform/network-source",
      isGiven ? below("/platform/parameters/networks", nic.network.value, "source") : `/networks/external/${index}/name`,
      `no bridge or network card of a host can be called ${source.value}`,
      isGiven ? "Give the name that `ip link` shows." : "Name the network's bridge in platform.parameters.networks.",
    );
  }
  const names = nics.map((nic) => nic.network.value);
  for (const name of Object.keys(parameters.networks).sort()) {
    if (names.includes(name)) continue;
    refuse("platform/unknown-network", below("/platform/parameters/networks", name), `there is no external network ${name}`, `The spec has ${names.join(", ")}.`);
  }
}

function refuseSizes(plan: Plan, refuse: Refuse): void {
  const { rootDiskGiB, gpus } = libvirtParameters(plan);
  const least = Math.max(plan.vmImage.diskGiB.value, plan.need.diskGiB.value);
  if (rootDiskGiB.value < least) {
    refuse(
      "platform/root-volume-too-small",
      "/platform/parameters/rootDiskGiB",
      `the root disk has ${rootDiskGiB.value} GiB, the PlatformVM needs ${least} GiB`,
      `Give it at least ${least} GiB, or leave it out.`,
    );
  }
  if (plan.need.gpus.value !== gpus.length) {
    refuse(
      "platform/gpu-addresses",
      "/platform/parameters/gpus",
      `the PlatformVM needs ${plan.need.gpus.value} GPUs, and ${gpus.length} PCI addresses are listed`,
      "List one address for each GPU; lspci -D shows them.",
    );
  }
}

/** What a KVM host does in its own way. */
function warnings(plan: Plan): readonly Issue[] {
  if (plan.spec.networks.internal === undefined) return [];
  return [
    {
      code: "platform/internal-network",
      severity: "warning",
      pointer: "/networks/internal/cidr",
      message: "the CRM makes the internal network; its name is handed over, its addresses are not",
      hint: "Set environment.MEX_NETWORK_SCHEME where the addresses matter.",
    },
  ];
}

function draft(plan: Plan, guests: Guests, assets: Assets): readonly Draft[] {
  const [machine] = plan.machines;
  const scripts = [...assets.keys()].filter((path) => path.startsWith("libvirt/lib/")).sort();
  return [
    ...userDataDrafts(guests),
    ...guests.flatMap((guest) => machineDrafts(plan, guest)),
    environment(plan, machine, "site.env"),
    // Where there are two, each host reads its own; the first is the one that is asked about the bundle.
    ...plan.machines.flatMap((each) => (each.role === undefined ? [] : [environment(plan, each, machineFiles(each).environment.value)])),
    ...scripts.map((asset): Draft => ({ kind: "static", path: asset.slice("libvirt/".length), mode: 0o644, role: "script", asset })),
  ];
}

function environment(plan: Plan, machine: Machine, path: string): Draft {
  const view = { ...domainView(plan, machine), variables: siteVariables(plan, machine) };
  return { kind: "template", path, mode: 0o644, role: "data", template: "common/site.env", format: "env", view };
}

/** What one host needs: the VM, and the seed's files beside user-data. */
function machineDrafts(plan: Plan, { machine, metaData, networkConfig }: Guest): readonly Draft[] {
  const view = domainView(plan, machine);
  const files = machineFiles(machine);
  const yaml = (path: Val<string>, { text, spans }: YamlText): Draft => ({ kind: "text", path: path.value, mode: 0o644, role: "site", source: "no-cloud", text, spans });
  return [
    yaml(files.metaData, metaData),
    yaml(files.networkConfig, networkConfig),
    { kind: "template", path: files.domain.value, mode: 0o644, role: "site", template: "libvirt/domain.xml", format: "xml", view },
    { kind: "template", path: files.runbook.value, mode: 0o644, role: "document", template: "libvirt/runbook.md", format: "markdown", view },
  ];
}
