/** The bundle that is pushed: install.sh runs QEMU alone with a boot sector that says that it is well, and ballast makes it last. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buildBundle } from "../bundle.ts";
import type { BuiltBundle } from "../bundle.ts";
import { replaced, sectorImage } from "../libvirt/cloudlets.ts";
import { withBallast } from "../vmpool/bigger.ts";

/** `stage` is what the VM says of itself; install.sh waits while it is neither healthy nor failed. */
export async function cloudlet(name: string, ballastMiB: number, stage = "healthy"): Promise<BuiltBundle> {
  return buildBundle(`push-${name}`, specOf(name), { release: await releaseEdit(ballastMiB, stage) });
}

export function specOf(name: string): string {
  return [
    "apiVersion: cloudlet-bundle/v1",
    "kind: Cloudlet",
    `name: ${name}`,
    "organization: ExampleTel",
    "region: EU",
    "location: {latitude: 52.52, longitude: 13.405}",
    "access: restricted",
    "dynamicIps: 8",
    'platform: {type: libvirt, parameters: {storage: /var/lib/cloudlet-push, emulation: true, networks: {ue: {kind: user, source: "-"}}}}',
    "compute: {flavor: kvm-host}",
    "networks:",
    "  external: [{name: ue, purpose: ue, address: {mode: dhcp}}]",
    "firewall: {ssh: {from: [10.98.7.0/24]}}",
    "",
  ].join("\n");
}

/** What makes the reference release's text into one whose VM is a boot sector, with so much ballast. */
export async function releaseEdit(ballastMiB: number, stage = "healthy", sequence = 1): Promise<(text: string) => string> {
  const image = sectorImage(sequence, stage);
  const digest = createHash("sha256").update(readFileSync(image)).digest("hex");
  const reference = readFileSync(join(import.meta.dirname, "../../../bundles/openstack-single/release.yaml"), "utf8");
  const heavy = await withBallast(reference, ballastMiB);
  const prometheus = (text: string): string => text.slice(text.indexOf("role: prometheus"), text.indexOf("controller:"));
  return (text) =>
    replaced(text.replace(prometheus(text), prometheus(heavy)), [
      [/source: .*vm-image\.qcow2\n  digest: sha256:[0-9a-f]{64}/, `source: ${image}\n  digest: sha256:${digest}`],
      [/^  format: qcow2$/m, "  format: raw"],
      [/sizeLimit: 1048576/, "sizeLimit: 2147483648"],
      [/^name: .*$/m, `name: "conformance.${sequence}"`],
    ]);
}
