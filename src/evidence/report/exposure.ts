/** Who may reach a cloudlet's PlatformVMs and whom they may reach: what the picture of the report shows. */

import type { Origin } from "../../core/origin.ts";
import { specPath } from "../../pack/layout.ts";
import { hostName, platformVmName } from "../../plan/names.ts";
import { rulesOf } from "../../plan/networks.ts";
import { traitsOf } from "../../plan/traits.ts";
import { formatCidr, networkOf, parseCidr } from "../../spec/ip.ts";
import type { SpecDocument } from "../../spec/read-spec.ts";
import type { ExternalNetwork, Spec } from "../../spec/spec.ts";
import { allPorts, isEverybody, letThroughOf, type LetThrough } from "../audit/exposure.ts";
import type { AuditInput } from "../audit/input.ts";
import type { AuditPlace } from "../audit/rule.ts";

export interface Exposure {
  readonly machines: readonly { readonly name: string; readonly host: string; readonly role?: "primary" | "secondary" }[];
  /** In the order of the network cards. */
  readonly networks: readonly ReportNetwork[];
  /** That of the cloudlet's own VMs, behind the PlatformVM. */
  readonly internal?: { readonly name: string; readonly cidr: string };
  /** The machines of a pool that is there already; none where the VMs are made. */
  readonly pool: readonly PoolMachine[];
  /** Every rule that lets something in or out; nothing else passes but what belongs to a connection, ICMP and DHCP. */
  readonly passes: readonly Pass[];
  /** Whom the PlatformVM is told to call. */
  readonly calls: readonly { readonly what: string; readonly address: string }[];
}

export interface ReportNetwork {
  /** Of the card, from 1. */
  readonly card: number;
  readonly name: string;
  readonly purpose: ExternalNetwork["purpose"];
  readonly mode: ExternalNetwork["address"]["mode"];
  /** Of each machine, where the spec says them; ranges whole. */
  readonly addresses: readonly string[];
  /** Left out where only the site knows it. */
  readonly cidr?: string;
  readonly gateway?: string;
  readonly defaultRoute: boolean;
}

export interface PoolMachine {
  readonly name: string;
  readonly addresses: readonly string[];
  /** Whether it becomes the PlatformVM. */
  readonly platform: boolean;
}

export interface Pass {
  readonly direction: "in" | "out";
  /** From or to whom. */
  readonly cidr: string;
  /** Who that is, in words. */
  readonly who: string;
  readonly everybody: boolean;
  /** `any` or the protocol's name. */
  readonly protocol: string;
  /** `all`, one, or `first-last`. */
  readonly ports: string;
  /** Who holds to it. */
  readonly by: readonly ("security group" | "guest firewall")[];
  readonly places: readonly AuditPlace[];
}

/** What a spec alone says of it: enough for the picture. Whom else the CRM calls, the release says. */
export type SpecExposure = Omit<Exposure, "calls">;

export function exposureOf(input: AuditInput): Exposure {
  return { ...placesOf(input.spec), passes: passesOf(input.spec, letThroughOf(input)), calls: callsOf(input) };
}

/** Without a release nothing is rendered: the plan's own rules say what will pass. */
export function exposureOfSpec({ spec, sourced }: Pick<SpecDocument, "spec" | "sourced">): SpecExposure {
  const holder = traitsOf(spec.platform.type).firewall;
  const rules = rulesOf(sourced).map(({ direction, cidr, protocol, from, to }): LetThrough => ({
    direction: direction.value,
    cidr: cidr.value,
    protocol: protocol.value,
    ports: from === undefined || to === undefined ? allPorts : { from: from.value, to: to.value },
    place: { file: holder === "iaas" ? securityGroupFile : specPath, line: 1, origins: cidr.origins },
  }));
  return { ...placesOf(spec), passes: passesOf(spec, rules) };
}

function placesOf(spec: Spec): Pick<Exposure, "machines" | "networks" | "internal" | "pool"> {
  return {
    machines: machinesOf(spec),
    networks: spec.networks.external.map(networkAt),
    ...(spec.networks.internal === undefined ? {} : { internal: { name: spec.networks.internal.name, cidr: spec.networks.internal.cidr } }),
    pool: poolOf(spec),
  };
}

/** Where a security group's rules are. */
const securityGroupFile = "site/heat-template.yaml";

function machinesOf({ name, organization, crm }: Spec): Exposure["machines"] {
  const whole = platformVmName(name, organization);
  if (!crm.highAvailability) return [{ name: whole, host: hostName(whole) }];
  return (["primary", "secondary"] as const).map((role) => ({ name: `${whole}-${role}`, host: hostName(`${whole}-${role}`), role }));
}

function networkAt({ name, purpose, address, defaultRoute }: ExternalNetwork, index: number): ReportNetwork {
  const shared = { card: index + 1, name, purpose, mode: address.mode, defaultRoute };
  switch (address.mode) {
    case "dhcp":
      return { ...shared, addresses: [] };
    case "floating":
      return { ...shared, addresses: [`a floating address of ${address.pool}`] };
    case "static":
      return { ...shared, addresses: [address.ip, ...(address.secondaryIp === undefined ? [] : [address.secondaryIp])], ...blockOf(address.ip, address.prefix), ...gatewayOf(address) };
    case "range":
      return { ...shared, addresses: address.ranges, ...blockOf(address.ranges[0]?.split("-")[0] ?? "", address.prefix), ...gatewayOf(address) };
  }
}

function blockOf(ip: string, prefix: number): { readonly cidr?: string } {
  const cidr = parseCidr(`${ip}/${prefix}`);
  return cidr === undefined ? {} : { cidr: formatCidr(networkOf(cidr)) };
}

function gatewayOf({ gateway }: { readonly gateway?: string }): { readonly gateway?: string } {
  return gateway === undefined ? {} : { gateway };
}

/** As `platform-vmpool.schema.json` lets them be; of one machine alone the role may be left out. */
function poolOf({ platform }: Spec): Exposure["pool"] {
  const { machines = [] } = platform.parameters as unknown as { readonly machines?: readonly { readonly name: string; readonly internalIp: string; readonly externalIp?: string; readonly role?: string }[] };
  return platform.type !== "vmpool"
    ? []
    : machines.map(({ name, internalIp, externalIp, role }) => ({ name, addresses: [internalIp, ...(externalIp === undefined ? [] : [externalIp])], platform: role === "platform" || machines.length === 1 }));
}

/** A rule that several files hold, of the cloud and of each guest, is told once. */
function passesOf(spec: Spec, all: readonly LetThrough[]): readonly Pass[] {
  const groups = Map.groupBy(all, ({ direction, cidr, protocol, ports }) => `${direction} ${cidr} ${protocol} ${ports.from} ${ports.to}`);
  const passes = [...groups.values()].map((same): Pass => {
    const [first] = same as [LetThrough];
    const by = same.map(({ place }) => (place.file === securityGroupFile ? "security group" : "guest firewall"));
    return {
      direction: first.direction === "ingress" ? "in" : "out",
      cidr: first.cidr,
      who: whoIs(first, spec),
      everybody: isEverybody(first.cidr),
      protocol: first.protocol === "ipv6-icmp" ? "icmp" : first.protocol,
      ports: portsOf(first),
      by: [...new Set(by)].sort(),
      places: same.map(({ place }) => place),
    };
  });
  return [...passes.filter(({ direction }) => direction === "in"), ...passes.filter(({ direction }) => direction === "out")];
}

function portsOf({ ports: { from, to } }: LetThrough): string {
  if (from === allPorts.from && to === allPorts.to) return "all";
  return from === to ? String(from) : `${from}-${to}`;
}

function whoIs({ direction, cidr, place }: LetThrough, { firewall }: Spec): string {
  const origins = place.origins ?? [];
  if (origins.some((origin) => origin.startsWith("spec:/firewall/ssh/from"))) return "operators, by SSH";
  const [list, key] = direction === "ingress" ? ([firewall.ingress, "ingress"] as const) : ([firewall.egress, "egress"] as const);
  const description = describedIn(list, key, origins);
  return description ?? (isEverybody(cidr) ? "everybody" : "named in the spec");
}

function describedIn(list: Spec["firewall"]["ingress"], key: string, origins: readonly Origin[]): string | undefined {
  const index = origins.map((origin) => new RegExp(`^spec:/firewall/${key}/(\\d+)/`).exec(origin)?.[1]).find((found) => found !== undefined);
  const description = index === undefined ? undefined : list[Number(index)]?.description;
  return description === "" ? undefined : description;
}

function callsOf({ spec, release: { controller } }: AuditInput): Exposure["calls"] {
  const all: readonly (readonly [string, readonly (string | undefined)[]])[] = [
    ["controller, notify", controller.notifyAddresses],
    ["controller, access API", [controller.accessApiAddress]],
    ["metrics (Thanos)", [controller.thanosReceiveAddress]],
    ["Kafka", [spec.kafka?.cluster]],
    ["Redis", [spec.crm.redisAddress]],
    ["DNS", spec.networks.dns],
    ["time (NTP)", spec.networks.ntp],
  ];
  return all.flatMap(([what, addresses]) => addresses.flatMap((address) => (address === undefined || address === "" ? [] : [{ what, address }])));
}
