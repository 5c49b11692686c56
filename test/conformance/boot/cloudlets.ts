/** The cloudlets of the boots, and what is read of them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BuiltBundle } from "../bundle.ts";
import type { Running } from "./guest.ts";

const bundles = join(import.meta.dirname, "../../../bundles");

/** On one KVM host: its seed is cloud-init's NoCloud, and the guest has a firewall of its own. */
export const kvmSpec = readFileSync(join(bundles, "libvirt-single/cloudlet.yaml"), "utf8");

/** The same with all that leaves a trace in the guest: two networks, name and time servers, people, a certificate authority. */
export const kvmFullSpec = `apiVersion: cloudlet-bundle/v1
kind: Cloudlet
name: munich-kvm
organization: ExampleTel
region: EU
location: {latitude: 48.14, longitude: 11.58}
access: restricted
dynamicIps: 8
platform: {type: libvirt}
compute: {flavor: kvm-host}
networks:
  external:
    - {name: br-ue, purpose: ue, address: {mode: static, ip: 198.51.100.50, prefix: 24}, defaultRoute: false, mtu: 1400}
    - {name: br-net, purpose: internet, address: {mode: static, ip: 203.0.113.7, prefix: 28, gateway: 203.0.113.1}, defaultRoute: true}
  dns: [192.0.2.53]
  ntp: [192.0.2.123]
firewall:
  ssh: {from: [192.0.2.0/28]}
  ingress: [{protocol: tcp, ports: {from: 10000, to: 10100}, cidr: 198.51.100.0/24}]
users:
  - name: operator
    sshAuthorizedKeys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBERERERERERERERERERERERERERERERERERERERERER operator@example]
    sudo: true
  - name: auditor
    sshAuthorizedKeys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBERERERERERERERERERERERERERERERERERERERERER auditor@example]
    sudo: false
trust:
  sshUserCaKeys: [ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBERERERERERERERERERERERERERERERERERERERERER ca@example]
`;

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

/** Waits until it says that it is healthy. Throws with what it has said when it fails. */
export async function untilHealthy(running: Running): Promise<void> {
  const { stage, detail } = await running.until("healthy", "failed");
  if (stage !== "healthy") throw new Error(`${stage} ${detail}\n${running.said()}`);
}

/** What the three containers answer: port and text. */
export async function answersOf(running: Running): Promise<readonly string[]> {
  const answers = await running.read("for port in 9091 9092 9093; do echo $port $(busybox wget -q -O - http://127.0.0.1:$port/); done");
  return answers.trim().split("\n");
}

export const allAnswer: readonly string[] = ["9091 ok", "9092 ok", "9093 ok"];

/** What cloud-init could not do, once it has come to its end. */
export async function cloudInitErrors(running: Running): Promise<readonly string[]> {
  const result = JSON.parse(await running.read("cloud-init status --wait >/dev/null || :; cat /run/cloud-init/result.json")) as { readonly v1: { readonly errors: readonly string[] } };
  return result.v1.errors;
}
