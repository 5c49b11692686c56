/** What the runbooks for VMware tell of the network cards: which network, and who has which address. */

import type { Val } from "../core/origin.ts";
import { derive } from "../core/origin.ts";
import type { Nic } from "../plan/networks.ts";
import type { Plan } from "../plan/plan.ts";
import type { IpRange } from "../spec/ip-range.ts";
import { countOf, parseRange } from "../spec/ip-range.ts";
import type { View } from "./draft.ts";
import { ovfNetworkNames } from "./ovf.ts";
import { siteNetworkOf } from "./vmware-parameters.ts";

/** In the order of the spec. */
export function cardViews(plan: Plan, nics: readonly Nic[]): readonly View[] {
  const ovfNames = ovfNetworkNames(nics);
  return nics.map((nic, index) => cardView(plan, nic, ovfNames[index] as Val<string>));
}

function cardView(plan: Plan, nic: Nic, ovfName: Val<string>): View {
  const { ip, prefix } = nic;
  return {
    number: nic.number,
    network: nic.network,
    purpose: nic.purpose,
    mode: nic.mode,
    ovfName,
    siteName: siteNetworkOf(plan, nic),
    /** Stands in a command for its hardware address. */
    macWord: derive([nic.number], (number) => `MAC${number}`),
    ip,
    address: ip === undefined || prefix === undefined ? undefined : derive([ip, prefix], (address, bits) => `${address}/${bits}`),
    gateway: nic.gateway,
    ranges: rangesOf(plan, nic).map((range) => ({ range, addresses: derive([range], countIn) })),
    others: othersOf(plan, nic),
  };
}

/** Of the spec, in its order: of a single address that one, with DHCP none. */
function rangesOf(plan: Plan, nic: Nic): readonly Val<string>[] {
  const network = plan.spec.networks.external[nic.number.value - 1];
  const given = (network?.address as { readonly ranges?: readonly Val<string>[] } | undefined)?.ranges;
  return given ?? (nic.ip === undefined ? [] : [nic.ip]);
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

function countIn(text: string): string {
  return String(countOf([parseRange(text) as IpRange]));
}
