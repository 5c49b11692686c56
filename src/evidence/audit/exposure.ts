/** Which packets a bundle's files let in and out: security groups of Heat's, and the guest's own firewall. */

import { guestFilesOf, heatOf, listOf, objectOf, resourcesOf } from "./guest-view.ts";
import type { AuditedFiles } from "./input.ts";
import type { AuditPlace } from "./rule.ts";

export interface LetThrough {
  readonly direction: "ingress" | "egress";
  /** From or to whom; `0.0.0.0/0` where the rule names nobody. */
  readonly cidr: string;
  /** `any` or the protocol's name. */
  readonly protocol: string;
  /** All ports where the rule names none. */
  readonly ports: { readonly from: number; readonly to: number };
  readonly place: AuditPlace;
}

export const allPorts = { from: 0, to: 65_535 };

/** Every rule that lets something through, in the order of the files. */
export function letThroughOf(input: AuditedFiles): readonly LetThrough[] {
  return [...ofHeat(input), ...ofGuest(input)];
}

function ofHeat(input: AuditedFiles): readonly LetThrough[] {
  const heat = heatOf(input);
  if (heat === undefined) return [];
  return resourcesOf(heat, "OS::Neutron::SecurityGroup").flatMap(({ name, properties }) =>
    listOf(properties["rules"]).map((each, index): LetThrough => {
      const rule = objectOf(each);
      const { direction, remote_ip_prefix: cidr, protocol, port_range_min: from, port_range_max: to } = rule;
      const key = cidr === undefined ? "direction" : "remote_ip_prefix";
      return {
        direction: direction === "egress" ? "egress" : "ingress",
        cidr: typeof cidr === "string" ? cidr : rule["ethertype"] === "IPv6" ? "::/0" : "0.0.0.0/0",
        protocol: typeof protocol === "string" ? protocol : "any",
        ports: typeof from === "number" && typeof to === "number" ? { from, to } : allPorts,
        place: heat.placeOf("resources", name, "properties", "rules", index, key),
      };
    }),
  );
}

/** The guest's own chains; what belongs to a connection that is there, loopback, ICMP and DHCP are in every one. */
function ofGuest(input: AuditedFiles): readonly LetThrough[] {
  return guestFilesOf(input)
    .filter(({ path }) => /\/firewall\.v[46]$/.test(path))
    .flatMap(({ path, text, placeOf }) =>
      text.split("\n").flatMap((line, index): readonly LetThrough[] => {
        const [, chain] = /^-A CLOUDLET-(IN|OUT) .*-j ACCEPT$/.exec(line) ?? [];
        if (chain === undefined || standing.test(line)) return [];
        const [, from, to] = / --dport (\d+):(\d+)/.exec(line) ?? [];
        return [
          {
            direction: chain === "IN" ? "ingress" : "egress",
            cidr: / -[sd] (\S+)/.exec(line)?.[1] ?? (path.endsWith("6") ? "::/0" : "0.0.0.0/0"),
            protocol: / -p (\S+)/.exec(line)?.[1] ?? "any",
            ports: from === undefined || to === undefined ? allPorts : { from: Number(from), to: Number(to) },
            place: placeOf(index + 1),
          },
        ];
      }),
    );
}

/** src/guest/firewall.ts writes these into every chain. */
const standing = /--ctstate ESTABLISHED,RELATED -j|-[io] lo -j|-p (?:ipv6-)?icmp -j|-p udp --dport (?:67|68|546|547) -j/;

/** RFC 4632: a block without a bit of its own is everybody; half of everybody is as good as. */
export function isEverybody(cidr: string): boolean {
  return Number(cidr.slice(cidr.lastIndexOf("/") + 1)) <= 1;
}

/** Whether a TCP connection to the port passes. */
export function reaches({ protocol, ports }: LetThrough, port: number): boolean {
  return (protocol === "any" || protocol === "tcp" || protocol === "6") && ports.from <= port && port <= ports.to;
}
