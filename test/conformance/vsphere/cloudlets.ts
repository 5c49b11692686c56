/** Specs of the scenarios, small enough for the simulator: two hosts of two threads each, in one cluster. */

import { buildBundle } from "../bundle.ts";
import type { BuiltBundle } from "../bundle.ts";

export interface Choice {
  readonly name: string;
  /** YAML of platform.parameters, as members of a flow mapping. */
  readonly parameters?: readonly string[];
  /** YAML of networks.external, as flow mappings. */
  readonly networks?: readonly string[];
  /** Number of the release, from 1. */
  readonly sequence?: number;
}

const ranged = "{name: DC0_DVPG0, purpose: ue, address: {mode: range, ranges: [203.0.113.10-203.0.113.20], prefix: 24, gateway: 203.0.113.1}, defaultRoute: true}";
const management = "{name: VM Network, purpose: management, address: {mode: dhcp}}";

/** The same choice gives the same bundle; `folder` keeps two of them apart. */
export async function cloudlet(folder: string, choice: Choice): Promise<BuiltBundle> {
  const spec = [
    "apiVersion: cloudlet-bundle/v1",
    "kind: Cloudlet",
    `name: ${JSON.stringify(choice.name)}`,
    "organization: ExampleTel",
    "region: EU",
    "location: {latitude: 41.15, longitude: -8.61}",
    "dynamicIps: 8",
    `platform: {type: vsphere, parameters: {${["datastore: LocalDS_0", "cluster: DC0_C0", ...(choice.parameters ?? [])].join(", ")}}}`,
    "compute: {flavor: m4.medium, platformVm: {vcpus: 2, memoryMiB: 4096, diskGiB: 40}}",
    "networks:",
    "  external:",
    ...(choice.networks ?? [ranged, management]).map((network) => `    - ${network}`),
    "  internal: {name: vSwitch-internal, cidr: 10.101.0.0/16}",
    "firewall: {ssh: {from: [198.51.100.0/24]}}",
    "",
  ].join("\n");
  const sequence = choice.sequence ?? 1;
  return buildBundle(folder, spec, { release: (text) => nextRelease(text, sequence) });
}

function nextRelease(text: string, sequence: number): string {
  const changed = text.replace(/^name: .*$/m, `name: "conformance.${sequence}"`).replace(/^sequence: .*$/m, `sequence: ${sequence}`);
  if (changed === text) throw new Error("the reference release has no name and sequence lines");
  return changed;
}
