/** The spec's rules as the text that iptables-restore(8) reads, in chains of our own. */

import type { Val } from "../core/origin.ts";
import { derive } from "../core/origin.ts";
import type { Rule } from "../plan/networks.ts";
import type { Text } from "./cloud-config.ts";

/**
 * Of one family. What belongs to a connection that is there, this host itself, ICMP (IPv6 does not work without, RFC 4890)
 * and DHCP pass always; then what the rules name; nothing else.
 */
export function firewallLines(rules: readonly Rule[], family: "IPv4" | "IPv6"): readonly Text[] {
  const isSix = family === "IPv6";
  const own = rules.filter((rule) => rule.family.value === family);
  const always = (chain: string, device: string): readonly string[] => [
    `-A ${chain} -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT`,
    `-A ${chain} ${device} lo -j ACCEPT`,
    `-A ${chain} -p ${isSix ? "ipv6-icmp" : "icmp"} -j ACCEPT`,
  ];
  return [
    "*filter",
    ":CLOUDLET-IN - [0:0]",
    ":CLOUDLET-OUT - [0:0]",
    ...always("CLOUDLET-IN", "-i"),
    `-A CLOUDLET-IN -p udp --dport ${isSix ? 546 : 68} -j ACCEPT`,
    ...own.filter((rule) => rule.direction.value === "ingress").map((rule) => ruleLine(rule, "CLOUDLET-IN", "-s")),
    "-A CLOUDLET-IN -j DROP",
    ...always("CLOUDLET-OUT", "-o"),
    `-A CLOUDLET-OUT -p udp --dport ${isSix ? 547 : 67} -j ACCEPT`,
    ...own.filter((rule) => rule.direction.value === "egress").map((rule) => ruleLine(rule, "CLOUDLET-OUT", "-d")),
    "-A CLOUDLET-OUT -j REJECT",
    "COMMIT",
  ];
}

function ruleLine(rule: Rule, chain: string, side: "-s" | "-d"): Val<string> {
  const { cidr, protocol, family, from, to } = rule;
  const name = derive([protocol, family], (text, of) => (text === "icmp" && of === "IPv6" ? "ipv6-icmp" : text));
  const words = derive([cidr, name], (range, kind) => `-A ${chain} ${side} ${range}${kind === "any" ? "" : ` -p ${kind}`}`);
  if (from === undefined || to === undefined) return derive([words], (text) => `${text} -j ACCEPT`);
  return derive([words, from, to], (text, first, last) => `${text} --dport ${first}:${last} -j ACCEPT`);
}
