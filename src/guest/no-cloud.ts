/** What cloud-init's NoCloud and VMware datasources want beside user-data: meta-data and network-config (version 2). */

import type { Val } from "../core/origin.ts";
import { derive } from "../core/origin.ts";
import type { Sourced } from "../core/origin.ts";
import type { Machine } from "../plan/machines.ts";
import type { Nic } from "../plan/networks.ts";
import type { Spec } from "../spec/spec.ts";
import type { Node, NodeMap } from "./cloud-config.ts";
import type { YamlText } from "./yaml-text.ts";
import { yamlText } from "./yaml-text.ts";

/** Other user-data is another instance: cloud-init then does again what it does once for each. */
export function instanceId(machine: Machine, userDataSha256: Val<string>): Val<string> {
  return derive([machine.name, userDataSha256], (name, sha256) => `${name}-${sha256.slice(0, 12)}`);
}

export function metaData(machine: Machine, id: Val<string>): YamlText {
  return yamlText("", { "instance-id": id, "local-hostname": machine.host });
}

/**
 * One entry a card, found by its hardware address. Only the card with the default route gets one: DHCP's routes of the
 * others are left out, and their gateways are not used.
 */
export function networkConfig(machine: Machine, networks: Sourced<Spec>["networks"]): YamlText {
  const entries = machine.nics.map((nic): readonly [string, NodeMap] => [
    `nic${nic.number.value}`,
    { match: { macaddress: nic.mac }, ...addresses(nic), ...(nic.mtu === undefined ? {} : { mtu: nic.mtu }), ...nameservers(nic, networks.dns) },
  ]);
  return yamlText("", { version: 2, ethernets: Object.fromEntries(entries) });
}

function addresses(nic: Nic): NodeMap {
  const { mode, ip, prefix, gateway, defaultRoute } = nic;
  if (ip === undefined || prefix === undefined) {
    const dhcp = { dhcp4: derive([mode], () => true), dhcp6: derive([mode], () => false) };
    return defaultRoute.value ? dhcp : { ...dhcp, "dhcp4-overrides": { "use-routes": derive([mode, defaultRoute], () => false) } };
  }
  const isSix = ip.value.includes(":");
  const route = (to: string, via: Val<string>): Node => [{ to, via }];
  return {
    dhcp4: derive([mode], () => false),
    dhcp6: derive([mode], () => false),
    addresses: [derive([ip, prefix], (address, length) => `${address}/${length}`)],
    ...(gateway === undefined || !defaultRoute.value ? {} : { routes: route(isSix ? "::/0" : "0.0.0.0/0", derive([gateway, defaultRoute], (via) => via)) }),
  };
}

/** systemd-resolved wants them at a link; the first card's will do. */
function nameservers(nic: Nic, dns: readonly Val<string>[]): NodeMap {
  return dns.length === 0 || nic.number.value !== 1 ? {} : { nameservers: { addresses: [...dns] } };
}
