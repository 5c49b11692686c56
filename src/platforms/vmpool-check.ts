/** What a VM pool can't do, and what it leaves to machines that are there already: each by name. */

import type { Issue } from "../core/issue.ts";
import type { Sourced, Val } from "../core/origin.ts";
import type { Plan } from "../plan/plan.ts";
import { formatIp, parseIp } from "../spec/ip.ts";
import { sshKeyFault } from "../spec/ssh-key.ts";
import type { PoolMachine } from "./vmpool-parameters.ts";
import { platformMachines, poolMachines } from "./vmpool-parameters.ts";

const machinesPointer = "/platform/parameters/machines";

/** Errors first, then warnings. Rules of the pool's machines: MobiledgeX's (edgeproto, VMPool.Validate). */
export function vmpoolIssues(plan: Plan): readonly Issue[] {
  return [...refusals(plan), ...machineIssues(plan), ...withoutEffect(plan), ...shutOut(plan)];
}

function refusals(plan: Plan): readonly Issue[] {
  const { spec } = plan;
  const issues: Issue[] = [];
  const refuse = (code: Issue["code"], pointer: string, message: string, hint: string): void => {
    issues.push({ code, severity: "error", pointer, message, hint });
  };
  if (spec.deployment.value === "kubernetes") {
    refuse("platform/kubernetes", "/deployment", "a VM pool runs the CRM in docker or podman; Kubernetes is not supported", "Write deployment: docker.");
  }
  if (spec.crm.highAvailability.value) {
    refuse("platform/high-availability", "/crm/highAvailability", "a VM pool runs one CRM; two of them are not supported", "Write highAvailability: false.");
  }
  for (const [index, { vnicType }] of spec.networks.external.entries()) {
    if (vnicType === undefined) continue;
    refuse("platform/vnic-type", `/networks/external/${index}/vnicType`, "the machines of a pool have their network cards already", "Leave it out.");
  }
  return issues;
}

function machineIssues(plan: Plan): readonly Issue[] {
  const machines = poolMachines(plan);
  const issues: Issue[] = [];
  const refuse = (code: Issue["code"], pointer: string, message: string, hint: string): void => {
    issues.push({ code, severity: "error", pointer, message, hint });
  };
  const chosen = platformMachines(machines);
  if (chosen.length !== 1) {
    const message = chosen.length === 0 ? "no machine of the pool has the role platform" : `${chosen.length} machines of the pool have the role platform`;
    refuse("platform/machine-role", machinesPointer, message, "Give role: platform to the one that is to be the PlatformVM.");
  }
  for (const [index, machine] of machines.entries()) {
    const pointer = `${machinesPointer}/${index}`;
    for (const key of ["internalIp", "externalIp"] as const) {
      const fault = machine[key] === undefined ? undefined : addressFault(machine[key].value);
      if (fault !== undefined) refuse("platform/machine-address", `${pointer}/${key}`, `${machine[key]?.value} ${fault}`, "Write the address at which others reach the machine.");
    }
    for (const [number, key] of machine.hostKeys.entries()) {
      const fault = sshKeyFault(key.value);
      if (fault !== undefined) refuse("platform/host-key", `${pointer}/hostKeys/${number}`, `the host key ${fault}`, "Copy a line of /etc/ssh/ssh_host_*_key.pub from the machine.");
    }
  }
  return [...issues, ...repeated(machines)];
}

/** What no other machine can send to is no address of a pool's machine. */
function addressFault(text: string): string | undefined {
  const ip = parseIp(text);
  if (ip === undefined) return "is not an IP address";
  const unusable = ip.family === 4 ? ip.value === 0n || ip.value >> 24n === 127n || ip.value >> 28n === 14n : ip.value <= 1n || ip.value >> 120n === 0xffn;
  return unusable ? "is not the address of one machine" : undefined;
}

/** Names, internal and external addresses are each given once. */
function repeated(machines: readonly Sourced<PoolMachine>[]): readonly Issue[] {
  return (["name", "internalIp", "externalIp"] as const).flatMap((key) => {
    const seen = new Set<string>();
    return machines.flatMap((machine, index): readonly Issue[] => {
      const text = machine[key]?.value;
      if (text === undefined) return [];
      const ip = key === "name" ? undefined : parseIp(text);
      const same = ip === undefined ? text : formatIp(ip);
      const isNew = !seen.has(same);
      seen.add(same);
      if (isNew) return [];
      return [{ code: "platform/machine-repeated", severity: "error", pointer: `${machinesPointer}/${index}/${key}`, message: `${text} is given twice`, hint: "Each machine of a pool has its own." }];
    });
  });
}

/** A pool's machines were set up by the site, without cloud-init: what the spec says of that reaches no machine. */
function withoutEffect(plan: Plan): readonly Issue[] {
  const { networks, users, trust, compute } = plan.spec;
  const issues: Issue[] = [];
  const warn = (pointer: string, what: string, hint: string): void => {
    issues.push({ code: "platform/no-effect", severity: "warning", pointer, message: `in a VM pool ${what}`, hint });
  };
  for (const [index, network] of networks.external.entries()) {
    const pointer = `/networks/external/${index}`;
    if (network.address.mode.value !== "dhcp") warn(`${pointer}/address`, "a machine has its addresses already; this one is not set", "See that the machine has it.");
    if (network.mtu !== undefined) warn(`${pointer}/mtu`, "a machine's network cards stay as they are", "Set the MTU on the machine.");
  }
  if (compute.flavor !== undefined) warn("/compute/flavor", "there are no flavors", "Leave it out; compute.platformVm says what the machine must have.");
  const [user] = users;
  if (user !== undefined) warn("/users", "no users are made", "Make them on the machine.");
  const told = "the CRM is told, the machine keeps its own";
  if (networks.dns.length > 0) warn("/networks/dns", told, "Set them on the machine too, if they are to serve it.");
  if (networks.ntp.length > 0) warn("/networks/ntp", told, "Set them on the machine too, if they are to serve it.");
  if (trust.caCertificates.length > 0) warn("/trust/caCertificates", "the machine keeps its own certificate authorities", "Add them on the machine.");
  if (trust.sshUserCaKeys.length > 0) warn("/trust/sshUserCaKeys", "the machine keeps its own SSH authorities", "Set TrustedUserCAKeys on the machine.");
  if (networks.internal !== undefined) warn("/networks/internal/cidr", "the internal network is there already; the CRM is told its name", "See that the machines are on it.");
  return issues;
}

/** The machine's own firewall lets SSH in from nobody but these, so install.sh could not come back. */
function shutOut(plan: Plan): readonly Issue[] {
  const allowed: readonly Val<string>[] = plan.spec.firewall.ssh.from;
  if (allowed.length > 0) return [];
  return [
    {
      code: "platform/ssh-from-nowhere",
      severity: "warning",
      pointer: "/firewall/ssh",
      message: "the machine's firewall will let in SSH from nobody, so it can be installed only on itself, with --local",
      hint: "List the jump host's network in firewall.ssh.from.",
    },
  ];
}
