/** Addresses, blocks of them and the default route. */

import type { Issue } from "../../core/issue.ts";
import { below } from "../../core/pointer.ts";
import type { Draft } from "../draft.ts";
import { entries, isLeftOut } from "../draft.ts";
import type { Cidr, Ip } from "../ip.ts";
import { bits, contains, formatCidr, formatIp, lastOf, networkOf, overlap, parseCidr, parseIp } from "../ip.ts";
import type { IpRange } from "../ip-range.ts";
import { countOf, parseRange, rangesOverlap } from "../ip-range.ts";
import { show } from "../show.ts";
import type { ExternalNetwork, NetworkAddress } from "../spec.ts";
import type { Rule } from "./rule.ts";
import { error } from "./rule.ts";

type Address<Mode> = Extract<NonNullable<Draft<ExternalNetwork>["address"]>, { readonly mode?: Mode | undefined }>;
type Static = Address<"static">;
type Range = Address<"range">;

interface Placed {
  readonly pointer: string;
  readonly ip: Ip;
  readonly block: Cidr | undefined;
}

export const defaultRoute: Rule = ({ networks }) => {
  const all = entries(networks?.external);
  const holders = all.filter(([, each]) => each.defaultRoute === true);
  if (holders.length > 1) {
    return holders
      .slice(1)
      .map(([index]) =>
        error(
          "spec/default-route",
          below("/networks/external", index, "defaultRoute"),
          "another external network holds the default route already",
          "exactly one may: set the others to false or leave them out",
        ),
      );
  }
  const unsaid = all.some(([, each]) => isLeftOut(each, "defaultRoute"));
  return all.length > 0 &&
    holders.length === 0 &&
    !unsaid &&
    all.length === networks?.external?.length &&
    all.every(([, each]) => each.defaultRoute === false)
    ? [
        error(
          "spec/default-route",
          "/networks/external",
          "no external network holds the default route",
          "set defaultRoute: true on the one that leads to the controller",
        ),
      ]
    : [];
};

export const networkNames: Rule = ({ networks }) => {
  const first = new Map<string, number>();
  return entries(networks?.external).flatMap(([index, { name }]) => {
    if (name === undefined) return [];
    const before = first.get(name);
    if (before === undefined) first.set(name, index);
    return before === undefined
      ? []
      : [
          error(
            "spec/network-twice",
            below("/networks/external", index, "name"),
            `${show(name)} is entry ${before + 1} already`,
            "a PlatformVM has one network card on each network",
          ),
        ];
  });
};

export const addresses: Rule = ({ networks }) => {
  const issues: Issue[] = [];
  for (const [index, ip] of entries(networks?.dns)) {
    if (parseIp(ip) === undefined) issues.push(notAnAddress(below("/networks/dns", index), ip));
  }
  const placed: Placed[] = [];
  for (const [index, network] of entries(networks?.external)) {
    const { address } = network;
    if (address === undefined) continue;
    const pointer = below("/networks/external", index, "address");
    const one = placedAddress(address, pointer, issues);
    if (one === undefined) continue;
    if (one.ip.family === 6 && network.mtu !== undefined && network.mtu < IPV6_MIN_MTU) {
      issues.push(
        error(
          "spec/mtu",
          below("/networks/external", index, "mtu"),
          `IPv6 needs an MTU of at least ${IPV6_MIN_MTU} bytes`,
          "raise it, or use IPv4",
        ),
      );
    }
    issues.push(...clashes(one, placed));
    placed.push(one);
    const two = address.mode === "static" ? secondAddress(address, one, below(pointer, "secondaryIp"), issues) : undefined;
    if (two === undefined) continue;
    issues.push(...clashes(two, placed));
    placed.push(two);
  }
  const internal = networks?.internal?.cidr;
  if (internal !== undefined) issues.push(...internalIssues(internal, placed));
  return issues;
};

/** RFC 8200 section 5. */
const IPV6_MIN_MTU = 1280;

/** Undefined where the network itself gives the address, or too little is said. */
function placedAddress(address: Draft<NetworkAddress>, pointer: string, issues: Issue[]): Placed | undefined {
  if (address.mode === "static") return staticAddress(address, pointer, issues);
  if (address.mode === "range") return rangeAddress(address, pointer, issues);
  return undefined;
}

function staticAddress(address: Draft<Static>, pointer: string, issues: Issue[], at = below(pointer, "ip")): Placed | undefined {
  if (address.ip === undefined) return undefined;
  const ip = parseIp(address.ip);
  if (ip === undefined) {
    issues.push(notAnAddress(at, address.ip));
    return undefined;
  }
  if (isSpecial(ip)) {
    issues.push(
      error(
        "spec/address",
        at,
        `${formatIp(ip)} is no address a machine can have`,
        "give the address that the site has set aside for the PlatformVM",
      ),
    );
  }
  if (address.prefix === undefined) return { pointer: at, ip, block: undefined };
  if (address.prefix > bits(ip.family)) {
    issues.push(
      error(
        "spec/prefix",
        below(pointer, "prefix"),
        `a prefix of IPv4 has at most 32 bits, not ${address.prefix}`,
        "write the prefix of the network, such as 24",
      ),
    );
    return { pointer: at, ip, block: undefined };
  }
  const block = networkOf({ ...ip, prefix: address.prefix });
  if (!isSpecial(ip) && isEdge(ip, block)) {
    issues.push(
      error(
        "spec/address",
        at,
        `${formatIp(ip)} is the ${ip.value === block.value ? "network" : "broadcast"} address of ${formatCidr(block)}`,
        "give an address between the two",
      ),
    );
  }
  if (address.gateway !== undefined) {
    issues.push(...gatewayIssues(address.gateway, ip, block, below(pointer, "gateway")));
  }
  return { pointer: at, ip, block };
}

/** The first address of ranges, which is the PlatformVM's; every other one has to be good for a VM as well. */
function rangeAddress(address: Draft<Range>, pointer: string, issues: Issue[]): Placed | undefined {
  const { prefix, gateway } = address;
  const placed: (readonly [string, IpRange])[] = [];
  for (const [index, text] of entries(address.ranges)) {
    const at = below(pointer, "ranges", index);
    const range = parseRange(text);
    if (range === undefined) {
      issues.push(error("spec/address-range", at, `${show(text)} is no range of addresses`, "write first-last, such as 203.0.113.10-203.0.113.40"));
      continue;
    }
    const twice = placed.find(([, other]) => rangesOverlap(range, other));
    if (twice !== undefined) {
      issues.push(error("spec/address-range", at, `${show(text)} overlaps ${show(twice[0])}`, "list each address once"));
    }
    placed.push([text, range]);
    const fault = prefix === undefined || prefix > bits(range.first.family) ? undefined : rangeFault(range, networkOf({ ...range.first, prefix }), gateway);
    if (fault !== undefined) issues.push(error("spec/address-range", at, `${show(text)} ${fault}`, "leave out what no VM can have, and check prefix and gateway"));
  }
  const [first] = placed;
  if (first === undefined) return undefined;
  const ip = formatIp(first[1].first);
  return staticAddress({ mode: "static", ip, prefix, gateway }, pointer, issues, below(pointer, "ranges", 0));
}

/** What a range holds that no VM of the network can have. */
function rangeFault({ first, last }: IpRange, block: Cidr, gateway: string | undefined): string | undefined {
  if (!contains(block, last)) return `is not within ${formatCidr(block)}`;
  if (isEdge(first, block) || isEdge(last, block)) return `holds the first or last address of ${formatCidr(block)}`;
  const router = gateway === undefined ? undefined : parseIp(gateway);
  const isInside = router?.family === first.family && router.value >= first.value && router.value <= last.value;
  return isInside ? `holds the gateway ${formatIp(router)}` : undefined;
}

/** Applications get addresses of the same ranges, so there have to be as many as the cloudlet promises. */
export const addressRanges: Rule = ({ networks, platform, dynamicIps }) => {
  const own = entries(networks?.external).flatMap(([index, { address, purpose }]) =>
    address?.mode === "range" ? [{ at: below("/networks/external", index, "address"), address, purpose }] : [],
  );
  const type = platform?.type;
  if (type !== undefined && !RANGE_PLATFORMS.includes(type)) {
    return own.map(({ at }) =>
      error("spec/address-range", below(at, "mode"), `${show(type)} gives no addresses of ranges`, "write mode static or dhcp; ranges are for vsphere and vcd"),
    );
  }
  return own.flatMap(({ at, address, purpose }) => {
    const ranges = entries(address.ranges).flatMap(([, text]) => parseRange(text) ?? []);
    const others = countOf(ranges) - 1n;
    if (purpose === "management" || dynamicIps === undefined || ranges.length === 0 || others >= BigInt(dynamicIps)) return [];
    return [
      error(
        "spec/address-range",
        below(at, "ranges"),
        `besides the PlatformVM's own there are ${others} addresses, and dynamicIps promises ${dynamicIps}`,
        "add addresses, or lower dynamicIps",
      ),
    ];
  });
};

/** Those whose CRM takes its VMs' addresses from ranges. */
const RANGE_PLATFORMS: readonly string[] = ["vsphere", "vcd"];

/** The second PlatformVM's address, beside the first one's. */
function secondAddress(address: Draft<Static>, first: Placed, pointer: string, issues: Issue[]): Placed | undefined {
  if (address.secondaryIp === undefined) return undefined;
  const ip = parseIp(address.secondaryIp);
  if (ip === undefined) {
    issues.push(notAnAddress(pointer, address.secondaryIp));
    return undefined;
  }
  const { block } = first;
  const gateway = address.gateway === undefined ? undefined : parseIp(address.gateway);
  const isGateway = gateway?.family === ip.family && gateway.value === ip.value;
  if (isSpecial(ip) || isGateway || (block !== undefined && (!contains(block, ip) || isEdge(ip, block)))) {
    const where = block === undefined ? "the first one's network" : formatCidr(block);
    issues.push(
      error(
        "spec/address",
        pointer,
        `${formatIp(ip)} is no address that a second PlatformVM can have in ${where}`,
        "give a free address of the same network",
      ),
    );
  }
  return { pointer, ip, block: undefined };
}

function gatewayIssues(text: string, ip: Ip, block: Cidr, pointer: string): readonly Issue[] {
  const gateway = parseIp(text);
  if (gateway === undefined) return [notAnAddress(pointer, text)];
  // IPv6 gateways are often link-local (RFC 4861 section 6.3.4).
  const linkLocal = gateway.family === 6 && gateway.value >> 118n === 0x3fan;
  if (gateway.family !== ip.family || (!linkLocal && !contains(block, gateway))) {
    return [
      error(
        "spec/gateway",
        pointer,
        `the gateway ${formatIp(gateway)} is not in ${formatCidr(block)}`,
        "check gateway and prefix",
      ),
    ];
  }
  if (gateway.value === ip.value) {
    return [
      error(
        "spec/gateway",
        pointer,
        "the gateway has the PlatformVM's own address",
        "give the address of the site's router",
      ),
    ];
  }
  return isEdge(gateway, block)
    ? [
        error(
          "spec/gateway",
          pointer,
          `the gateway ${formatIp(gateway)} is the network or broadcast address of ${formatCidr(block)}`,
          "give the address of the site's router",
        ),
      ]
    : [];
}

function clashes(one: Placed, others: readonly Placed[]): readonly Issue[] {
  for (const other of others) {
    if (one.ip.family === other.ip.family && one.ip.value === other.ip.value) {
      return [
        error(
          "spec/address-taken",
          one.pointer,
          `${formatIp(one.ip)} is given to two network cards`,
          "each needs its own",
        ),
      ];
    }
    if (one.block !== undefined && other.block !== undefined && overlap(one.block, other.block)) {
      return [
        error(
          "spec/networks-overlap",
          one.pointer,
          `${formatCidr(one.block)} overlaps ${formatCidr(other.block)} of another network card, so neither could be routed`,
          "use networks with different addresses",
        ),
      ];
    }
  }
  return [];
}

function internalIssues(text: string, placed: readonly Placed[]): readonly Issue[] {
  const pointer = "/networks/internal/cidr";
  const form = cidrIssues(text, pointer);
  const block = parseCidr(text);
  if (block === undefined || form.length > 0) return form;
  const clash = placed.find((each) => each.block !== undefined && overlap(block, each.block));
  return clash?.block === undefined
    ? []
    : [
        error(
          "spec/networks-overlap",
          pointer,
          `${formatCidr(block)} overlaps ${formatCidr(clash.block)} of an external network`,
          "give the internal network addresses of its own",
        ),
      ];
}

/** Issues of a block of addresses in its canonical form; also used for firewall rules. */
export function cidrIssues(text: string, pointer: string): readonly Issue[] {
  const cidr = parseCidr(text);
  if (cidr === undefined) {
    return [
      error(
        "spec/cidr",
        pointer,
        `${show(text)} is no block of addresses`,
        "write address/prefix, such as 198.51.100.0/24",
      ),
    ];
  }
  const canonical = formatCidr(networkOf(cidr));
  return networkOf(cidr).value === cidr.value
    ? []
    : [
        error(
          "spec/cidr",
          pointer,
          `${show(text)} has host bits set`,
          `write ${canonical} for the block, or ${formatIp(cidr)}/${bits(cidr.family)} for the one address`,
        ),
      ];
}

function notAnAddress(pointer: string, text: string): Issue {
  return error(
    "spec/address",
    pointer,
    `${show(text)} is no IP address`,
    "write it as 192.0.2.53 (no leading zeros) or 2001:db8::35",
  );
}

/** RFC 6890: this network, loopback, multicast, reserved. */
function isSpecial(ip: Ip): boolean {
  if (ip.family === 6) return ip.value <= 1n || ip.value >> 120n === 0xffn;
  const first = Number(ip.value >> 24n);
  return first === 0 || first === 127 || first >= 224;
}

/** First or last address of a block; blocks of one or two addresses have no such thing (RFC 3021, RFC 6164). */
function isEdge(ip: Ip, block: Cidr): boolean {
  if (ip.family !== block.family || bits(ip.family) - block.prefix < 2) return false;
  return ip.value === block.value || (ip.family === 4 && ip.value === lastOf(block));
}
