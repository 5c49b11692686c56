/** The PlatformVM's network cards and what may pass them. */

import type { Val, Sourced } from "../core/origin.ts";
import { derive } from "../core/origin.ts";
import type { ExternalNetwork, FirewallRule, Spec } from "../spec/spec.ts";
import { portName } from "./names.ts";
import { positions } from "./positions.ts";

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
  /** With mode floating. */
  readonly pool: Val<string> | undefined;
  readonly floatingIpId: Val<string> | undefined;
  /** Bytes. */
  readonly mtu: Val<number> | undefined;
  readonly defaultRoute: Val<boolean>;
  readonly vnicType: Val<string> | undefined;
  readonly portName: Val<string>;
  /** Stands in user-data for the card's hardware address, which the IaaS chooses. */
  readonly macPlaceholder: Val<string>;
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

export function nicsOf(spec: Sourced<Spec>, platformVm: Val<string>): readonly Nic[] {
  const numbers = positions(spec.networks.external.map((network) => network.name));
  return spec.networks.external.map((network, index) => ({
    number: numbers[index] as Val<number>,
    network: network.name,
    purpose: network.purpose,
    ...addressOf(network),
    mtu: network.mtu,
    defaultRoute: network.defaultRoute,
    vnicType: network.vnicType,
    portName: derive([platformVm, network.name], portName),
    macPlaceholder: derive([numbers[index] as Val<number>], (number) => `@@CLOUDLET-PORT-MAC:${number}@@`),
  }));
}

type AddressFields = Pick<Nic, "mode" | "ip" | "prefix" | "gateway" | "subnet" | "pool" | "floatingIpId">;

function addressOf(network: Sourced<ExternalNetwork>): AddressFields {
  // The mode is inside a Val, so the compiler can't narrow the union by it; the fields of the other modes are undefined.
  const address = network.address as { readonly mode: Nic["mode"] } & Partial<AddressFields>;
  const { mode, ip, prefix, gateway, subnet, pool, floatingIpId } = address;
  return { mode, ip, prefix, gateway, subnet, pool, floatingIpId };
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
