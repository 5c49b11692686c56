/** The cloudlets of the boots, and what is read of them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BuiltBundle } from "../bundle.ts";
import type { Running } from "./guest.ts";

const bundles = join(import.meta.dirname, "../../../bundles");

/** On one KVM host: its seed is cloud-init's NoCloud, and the guest has a firewall of its own. */
export const kvmSpec = readFileSync(join(bundles, "libvirt-single/cloudlet.yaml"), "utf8");

/** On OpenStack, with two networks: cloud-init reads Nova's config drive. */
export const openstackSpec = readFileSync(join(bundles, "openstack-two-networks/cloudlet.yaml"), "utf8");

/** The roles of the reference release, as status lines list them. */
export const roles = "crmserver,shepherd,prometheus";

/** The payload disk as it lies in the bundle. */
export function payloadOf(bundle: BuiltBundle): string {
  return join(bundle.folder, "blobs/payload.tar");
}

/** What a machine has said since it was switched on: `stage detail`. */
export function stagesOf(running: Running): readonly string[] {
  return running.statuses().map(({ stage, detail }) => `${stage} ${detail}`);
}

/** A release that comes after the reference release. */
export function nextRelease(text: string): string {
  const changed = text.replace(/^name: .*$/m, 'name: "2026.12"').replace(/^sequence: .*$/m, "sequence: 2");
  if (changed === text) throw new Error("the reference release has no name and sequence lines");
  return changed;
}
