/** A service with a cloudlet whose site is a simulated vCenter, and the guests that come to life there. */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";
import { canonicalJson, type JsonObject } from "../../../src/core/json.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { openStore } from "../../../src/store/blob-store.ts";
import { resolve } from "../../../src/store/resolve.ts";
import { addCloudlet, addOrganization, bundleOf, releaseText, root, startService, type Running } from "../../unit/service/running.ts";
import type { BuiltBundle } from "../bundle.ts";
import { Front } from "../vsphere/front.ts";
import { Guests } from "../vsphere/guest.ts";
import { Simulator, versions } from "../vsphere/simulator.ts";

const out = join(root, "out/conformance/direct");
/** The current one, where there is one. */
export const version = versions.at(-1) ?? "0.24.2";

const spec = `apiVersion: cloudlet-bundle/v1
kind: Cloudlet
name: cb direct
organization: ExampleTel
region: EU
access: direct
location: {latitude: 41.15, longitude: -8.61}
dynamicIps: 8
platform: {type: vsphere, parameters: {datastore: LocalDS_0, cluster: DC0_C0}}
compute: {flavor: m4.medium, platformVm: {vcpus: 2, memoryMiB: 4096, diskGiB: 40}}
networks:
  external:
    - {name: DC0_DVPG0, purpose: ue, address: {mode: range, ranges: [203.0.113.10-203.0.113.20], prefix: 24, gateway: 203.0.113.1}, defaultRoute: true}
    - {name: VM Network, purpose: management, address: {mode: dhcp}}
  internal: {name: vSwitch-internal, cidr: 10.101.0.0/16}
firewall: {ssh: {from: [198.51.100.0/24]}}
`;

/** The reference release, resolved into the service's store with the disks that vSphere takes. */
async function uploadRelease({ ask, admin, folder }: Running): Promise<string> {
  await makeReferenceInputs(join(root, "out/inputs"));
  const release = readRelease(releaseText);
  if (!release.ok) throw new Error("the reference release is not valid");
  const lock = await resolve({
    release: release.value, releaseFolder: join(root, "bundles/openstack-single"), store: await openStore(join(folder, "blobs")), architecture: "amd64", environment: {}, vmdk: true,
    progress: () => undefined, signal: new AbortController().signal,
  });
  if (!lock.ok) throw new Error(JSON.stringify(lock.issues));
  const id = String((await ask("POST", "/v1/releases", { token: admin, yaml: releaseText })).json["id"]);
  await ask("PUT", `/v1/releases/${id}/lock`, { token: admin, body: canonicalJson(lock.value as unknown as JsonObject), headers: { "content-type": "application/json" } });
  return id;
}

/** The bundle as whoever downloads it has it. */
async function unpacked({ ask, admin }: Running, id: string): Promise<BuiltBundle> {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(out, "bundle"), { recursive: true });
  const tar = join(out, "bundle.tar");
  writeFileSync(tar, (await ask("GET", `/v1/bundles/${id}/download`, { token: admin })).bytes);
  execFileSync("tar", ["-xf", tar, "-C", join(out, "bundle")]);
  return { tar, folder: join(out, "bundle"), publicKey: "", fingerprint: "", secrets: "" };
}

export interface Site {
  readonly running: Running;
  readonly simulator: Simulator;
  readonly front: Front;
  readonly guests: Guests;
  /** As it was before anything was asked for. */
  readonly before: Awaited<ReturnType<Simulator["inventory"]>>;
  readonly cloudlet: string;
  readonly bundle: string;
  readonly credentials: Readonly<Record<"GOVC_URL" | "GOVC_USERNAME" | "GOVC_PASSWORD" | "GOVC_TLS_CA_CERTS", string>>;
}

/** Ends with the test. */
export async function siteFor(t: Test): Promise<Site> {
  const simulator = await Simulator.start(version);
  const front = await Front.open(simulator.url, join(root, "out/conformance/direct-vcenter"));
  const before = await simulator.inventory();
  const running = await startService(t, { installer: { clients: `${simulator.bin}:/usr/bin:/bin`, graceMs: 5_000 } });
  running.secrets.add("lab-pass");
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, running.admin, spec);
  const bundle = String((await bundleOf(running, running.admin, cloudlet, await uploadRelease(running)))["id"]);
  const guests = new Guests(simulator, [await unpacked(running, bundle)]);
  t.teardown(async () => {
    await guests.stop();
    front.close();
    simulator.stop();
  });
  return { running, simulator, front, guests, before, cloudlet, bundle, credentials: { GOVC_URL: front.url, GOVC_USERNAME: "lab", GOVC_PASSWORD: "lab-pass", GOVC_TLS_CA_CERTS: readFileSync(front.authority, "utf8") } };
}
