/** Specs of the scenarios, small enough for the lab: 8 vCPUs, 16 GiB, 3 floating IPs, 20 ports. */

import { buildBundle } from "../bundle.ts";
import type { BuiltBundle } from "../bundle.ts";

export interface Choice {
  readonly name: string;
  readonly organization?: string;
  readonly flavor?: string;
  /** YAML of networks.external, as flow mappings. */
  readonly networks?: readonly string[];
  /** More lines of the spec. */
  readonly more?: readonly string[];
  /** Number of the release, from 1. */
  readonly sequence?: number;
}

export const dhcp = "{name: provider, purpose: management, address: {mode: dhcp}}";
export const floating = "{name: cb-own, purpose: ue, address: {mode: floating, pool: public}}";
export const fixed = "{name: cb-static, purpose: internet, address: {mode: static, ip: 10.77.0.77, prefix: 24}}";

/** The same choice gives the same bundle; `folder` keeps two of them apart. */
export async function cloudlet(folder: string, choice: Choice): Promise<BuiltBundle> {
  const spec = [
    "apiVersion: cloudlet-bundle/v1",
    "kind: Cloudlet",
    `name: ${JSON.stringify(choice.name)}`,
    `organization: ${JSON.stringify(choice.organization ?? "ExampleTel")}`,
    "region: EU",
    "location: {latitude: 52.52, longitude: 13.405}",
    "access: restricted",
    "dynamicIps: 8",
    "platform: {type: openstack}",
    `compute: {flavor: ${JSON.stringify(choice.flavor ?? "m4.medium")}}`,
    "networks:",
    "  external:",
    ...(choice.networks ?? [dhcp]).map((network) => `    - ${network}`),
    "firewall: {ssh: {from: [198.51.100.0/24]}}",
    ...(choice.more ?? []),
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
