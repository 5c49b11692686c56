/** The PlatformVM's network cards and what may pass them. */

import type { Val, Sourced } from "../core/origin.ts";
import { derive } from "../core/origin.ts";
import { hexOf, sha256 } from "../core/digest.ts";
import { formatIp } from "../spec/ip.ts";
import type { IpRange } from "../spec/ip-range.ts";
import { formatRanges, parseRange, withoutFirst } from "../spec/ip-range.ts";
import type { ExternalNetwork, FirewallRule, Spec } from "../spec/spec.ts";
import { portName } from "./names.ts";
import { positions } from "./positions.ts";
import { traitsOf } from "./traits.ts";

/** A network card, in the guest's order. */
export interface Nic {
  /** From 1. */
  readonly number: Val<number>;
  readonly network: Val<string>;
  readonly purpose: Val<ExternalNetwork["purpose"]>;
  readonly mode: Val<"dhcp" | "static" | "floating">;
  /** With mode static. */
  readonly ip: Val<string> | undefined;
  readonly prefix: Val<number> | undefined;
  readonly gateway: Val<string> | undefined;
  readonly subnet: Val<string> | undefined;
  /** The addresses of the spec's ranges that the PlatformVM does not take, as MEX_EXTERNAL_IP_RANGES has them; maybe none. */
  readonly otherAddresses: Val<string> | undefined;
  /** With mode floating. */
  readonly pool: Val<string> | undefined;
  readonly floatingIpId: Val<string> | undefined;
  /** Bytes. */
  readonly mtu: Val<number> | undefined;
  readonly defaultRoute: Val<boolean>;
  readonly vnicType: Val<string> | undefined;
  readonly portName: Val<string>;
  /** Its hardware address, lower case with colons; where the IaaS chooses it, what stands for it until then. */
  readonly mac: Val<string>;
}

export interface Rule {
  readonly direction: Val<"ingress" | "egress">;
  readonly family: Val<"IPv4" | "IPv6">;
  readonly protocol: Val<"tcp" | "udp" | "icmp" | "any">;
  /** Both or neither. */
  readonly from: Val<number> | undefined;
  readonly to: Val<number> | undefined;
  readonly cidr: Val<string>;
  readonly description: Val<string>;
}

/** The cards of the machine `name`, the `machine`th of the cloudlet, from 0. */
export function nicsOf(spec: Sourced<Spec>, name: Val<string>, machine: number): readonly Nic[] {
  const numbers = positions(spec.networks.external.map((network) => network.name));
  return spec.networks.external.map((network, index) => ({
    number: numbers[index] as Val<number>,
    network: network.name,
    purpose: network.purpose,
    ...addressOf(network, machine),
    mtu: network.mtu,
    defaultRoute: network.defaultRoute,
    vnicType: network.vnicType,
    portName: derive([name, network.name], portName),
    mac: macOf(spec, name, numbers[index] as Val<number>),
  }));
}

/**
 * The same each time the bundle is made. 52:54:00 is what QEMU and libvirt use for VMs; the rest comes from the names, so
 * that cloudlets of one site differ.
 */
function macOf(spec: Sourced<Spec>, name: Val<string>, number: Val<number>): Val<string> {
  const { type } = spec.platform;
  switch (traitsOf(type.value).macs) {
    case "nobody":
      return derive([type], () => "");
    case "iaas":
      return derive([number], (position) => `@@CLOUDLET-PORT-MAC:${position}@@`);
    case "plan":
      return derive([name, spec.organization, number], (vm, organization, position) => {
        const digest = hexOf(sha256(JSON.stringify([organization, vm, position])));
        return ["52", "54", "00", digest.slice(0, 2), digest.slice(2, 4), digest.slice(4, 6)].join(":");
      });
  }
}

interface SecondFields {
  readonly secondaryIp?: Val<string>;
  readonly secondaryFloatingIpId?: Val<string>;
}

type AddressFields = Pick<Nic, "mode" | "ip" | "prefix" | "gateway" | "subnet" | "otherAddresses" | "pool" | "floatingIpId">;

/** The second machine's own address is in fields of its own; network, subnet and pool are those of the first. */
function addressOf(network: Sourced<ExternalNetwork>, machine: number): AddressFields {
  // The mode is inside a Val, so the compiler can't narrow the union by it; the fields of the other modes are undefined.
  const address = network.address as { readonly mode: Nic["mode"] } & Partial<AddressFields> & SecondFields & RangeFields;
  const { mode, prefix, gateway, subnet, pool } = address;
  if (address.ranges !== undefined && prefix !== undefined) return { ...firstOf(address.ranges, mode, prefix), gateway, subnet, pool, floatingIpId: undefined };
  const own = machine === 0 ? address : { ip: address.secondaryIp, floatingIpId: address.secondaryFloatingIpId };
  return { mode, ip: own.ip, prefix, gateway, subnet, otherAddresses: undefined, pool, floatingIpId: own.floatingIpId };
}

interface RangeFields {
  readonly ranges?: readonly Val<string>[];
}

/** The PlatformVM takes the first address; to the guest that is a fixed one. */
function firstOf(ranges: readonly Val<string>[], mode: Val<string>, prefix: Val<number>): Pick<Nic, "mode" | "ip" | "prefix" | "otherAddresses"> {
  const [first] = ranges as readonly [Val<string>];
  const others = withoutFirst(ranges.map((range) => parseRange(range.value) as IpRange));
  return {
    mode: derive([mode], () => "static" as const),
    ip: derive([first], (range) => formatIp((parseRange(range) as IpRange).first)),
    prefix,
    otherAddresses: derive([prefix, ...ranges], () => formatRanges(others, prefix.value)),
  };
}

/**
 * SSH first, then what the spec lists, incoming before outgoing. The schema wants at least one outgoing rule: a security
 * group without any lets everything out.
 */
export function rulesOf(spec: Sourced<Spec>): readonly Rule[] {
  const { ssh, ingress, egress } = spec.firewall;
  return [
    ...ssh.from.map((cidr) => sshRule(cidr)),
    ...ingress.map((rule) => listedRule("ingress", rule)),
    ...egress.map((rule) => listedRule("egress", rule)),
  ];
}

function familyOf(cidr: Val<string>): Val<"IPv4" | "IPv6"> {
  return derive([cidr], (text) => (text.includes(":") ? "IPv6" : "IPv4"));
}

function sshRule(cidr: Val<string>): Rule {
  return {
    direction: derive([cidr], () => "ingress"),
    family: familyOf(cidr),
    protocol: derive([cidr], () => "tcp"),
    from: derive([cidr], () => 22),
    to: derive([cidr], () => 22),
    cidr,
    description: derive([cidr], () => "SSH"),
  };
}

function listedRule(direction: "ingress" | "egress", rule: Sourced<FirewallRule>): Rule {
  return {
    direction: derive([rule.protocol], () => direction),
    family: familyOf(rule.cidr),
    protocol: rule.protocol,
    from: rule.ports?.from,
    to: rule.ports?.to,
    cidr: rule.cidr,
    description: rule.description ?? derive([rule.protocol], () => ""),
  };
}
