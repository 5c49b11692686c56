/** The service installs by itself, in a simulated vCenter: asked through its API from nothing to installed, and back to nothing. */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
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
const version = versions.at(-1) ?? "0.24.2";

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

async function until({ ask, admin }: Running, id: string, ...states: readonly string[]): Promise<JsonObject> {
  for (let tries = 0; tries < 1_200; tries += 1) {
    const { json } = await ask("GET", `/v1/installations/${id}`, { token: admin });
    if (states.includes(String(json["state"]))) return json;
    await sleep(250);
  }
  throw new Error((await ask("GET", `/v1/installations/${id}/log`, { token: admin })).text);
}

t.test(`vSphere, with govc ${version}`, { timeout: 600_000 }, async (t) => {
  const simulator = await Simulator.start(version);
  const front = await Front.open(simulator.url, join(root, "out/conformance/direct-vcenter"));
  const before = await simulator.inventory();
  const running = await startService(t, { installer: { clients: `${simulator.bin}:/usr/bin:/bin`, graceMs: 5_000 } });
  const { ask, admin, folder, log } = running;
  running.secrets.add("lab-pass");
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, admin, spec);
  const bundle = String((await bundleOf(running, admin, cloudlet, await uploadRelease(running)))["id"]);
  const guests = new Guests(simulator, [await unpacked(running, bundle)]);
  t.teardown(async () => {
    await guests.stop();
    front.close();
    simulator.stop();
  });
  const credentials = { GOVC_URL: front.url, GOVC_USERNAME: "lab", GOVC_PASSWORD: "lab-pass", GOVC_TLS_CA_CERTS: readFileSync(front.authority, "utf8") };
  const begin = async (action: string, more: object = { credentials }): Promise<string> => {
    const answer = await ask("POST", "/v1/installations", { token: admin, json: { cloudlet, bundle, action, ...more } });
    if (answer.status !== 202) throw new Error(answer.text);
    return String(answer.json["id"]);
  };
  const ended = async (id: string, expected: string): Promise<JsonObject> => {
    const row = await until(running, id, "done", "findings", "failed", "cancelled");
    t.equal(row["state"], expected, (await ask("GET", `/v1/installations/${id}/log`, { token: admin })).text);
    return row;
  };

  const refused = await ended(await begin("check", { credentials: { ...credentials, GOVC_PASSWORD: "not the password" } }), "findings");
  t.match(refused["lastLines"], /credentials\/refused/);
  await ended(await begin("check"), "done");

  // Stopped in the midst of it: slow enough that the disks are on their way.
  front.diskBytesPerSecond = 20_000;
  const id = await begin("install");
  while ((await simulator.vms()).length === 0) await sleep(100);
  await ask("POST", `/v1/installations/${id}/cancel`, { token: admin });
  await until(running, id, "cancelled");
  front.diskBytesPerSecond = Infinity;
  await ask("POST", `/v1/installations/${id}/retry`, { token: admin, json: { credentials } });
  const installed = await ended(id, "done");
  t.match(installed, { attempts: 2, exitStatus: 0, receipt: /^sha256:/ });
  const receipt = (await ask("GET", `/v1/cloudlets/${cloudlet}/receipts/${String(installed["receipt"])}`, { token: admin })).json;
  t.match(receipt, { action: "install", result: "complete", trust: "signature", guest: /^healthy/, bundle: (await ask("GET", `/v1/bundles/${bundle}`, { token: admin })).json["sums"] });
  t.match((await ask("GET", `/v1/cloudlets/${cloudlet}`, { token: admin })).json, { state: "installed" });
  const [vm, ...others] = await simulator.vms();
  t.ok(vm?.isOn);
  t.strictSame(others, [], "once");
  await ended(await begin("install", { credentials, accessKey: "keep" }), "done");
  const upgraded = await ended(await begin("upgrade"), "done");
  const keys = (await ask("GET", `/v1/cloudlets/${cloudlet}/access-keys`, { token: admin })).json["items"] as readonly JsonObject[];
  t.strictSame(keys.map((key) => key["revoked"] === null), [false, true], "upgraded with another key");
  t.not(upgraded["receipt"], installed["receipt"]);
  t.equal((await simulator.vms()).length, 1);
  const [booted] = guests.booted.values();
  t.ok(booted?.extra["guestinfo.userdata"], "the guest was told what it needs");

  await ask("PUT", `/v1/cloudlets/${cloudlet}/credentials`, { token: admin, json: { name: "vcenter", credentials } });
  await ended(await begin("uninstall", { credential: "vcenter" }), "done");
  t.match((await ask("GET", `/v1/cloudlets/${cloudlet}`, { token: admin })).json, { state: "removed" });
  t.strictSame(await simulator.inventory(), before, "vCenter is as it was before");
  t.strictSame(readdirSync(join(folder, "runs")), []);
  t.notOk(log.join("").includes("lab-pass"));
  t.match((await ask("GET", "/v1/audit/verification", { token: admin })).json, { good: true });
});
