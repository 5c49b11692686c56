/**
 * The service installs on its own host, by virsh and by QEMU alone: cancelled, gone on with, killed with SIGKILL in the midst, two
 * at once, back to nothing; and what the host does not give. The VM is real; its guest is a boot sector that says after eight
 * seconds that it is well (direct-boot.test.ts boots a whole one).
 */

import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import { bytesBelow, processesWith } from "../service/stand-in.ts";
import { bridge, commandLine, lab, leftOvers, openHost, processOf, virsh } from "./host.ts";
import { HostService, removeLeft } from "./service.ts";

t.setTimeout(600_000);
const emulated = ["emulation: true", `networks: {ue: {kind: bridge, source: ${bridge}}}`];
const names = ["one", "two", "three"];
const hostFile = (driver: string, more = ""): string =>
  `cloudlets: [${names.map((name) => `ExampleTel/${name}`).join(", ")}]\nnetworks: [bridge:${bridge}]\ndriver: ${driver}\nstorage: ${lab}/storage\n${more}`;
const host = await openHost();
mkdirSync(`${lab}/storage`, { recursive: true });
const service = await HostService.prepare(t, [{ image: "sector", sequence: 1, stage: "late" }, { image: "sector", sequence: 2, stage: "healthy" }], [...names, "unnamed"].map((name) => ({ name, storage: "the host's" as const, parameters: emulated })));
t.teardown(async () => {
  await service.end("SIGTERM");
  for (const pid of vmsNow()) process.kill(Number(pid), "SIGKILL");
  removeLeft();
  await host.close();
});
/** What runs here does not know how to shut down. */
const hasty = { shutdown_seconds: "1" };
const vm = (name: string): string => `${name}-ExampleTel-pf`;
/** The folder itself is the host's. */
const left = (name: string, uuid: string): readonly string[] => [...leftOvers(vm(name), uuid).filter((each) => each !== `${lab}/storage`), ...readdirSync(`${lab}/storage`)];
const folderOf = (name: string): string => join(lab, "storage", vm(name));
const uuidOf = (receipt: JsonObject): string => String((receipt["vm"] as JsonObject)["uuid"]);

t.test("off unless whoever starts the service says so, and for whom", async (t) => {
  await service.start(undefined);
  const off = await service.asked("one", "check");
  t.equal(off.status, 409);
  t.match(off.json, { type: "urn:cloudlet-bundle:problem:not-offered", detail: /serve --libvirt/ });
  await service.end("SIGTERM");
  await service.start(hostFile("libvirt"));
  const unnamed = await service.asked("unnamed", "check");
  t.equal(unnamed.status, 409);
  t.match(unnamed.json, { detail: /has not named this cloudlet/ });
  const { json } = await service.ask("GET", `/installation-platforms?cloudlet=${service.of("one").cloudlet}`);
  t.match(json, { items: [{ platform: "libvirt", login: "none", variables: [], available: true, reason: null }] });
  t.match((await service.ask("GET", `/installation-platforms?cloudlet=${service.of("unnamed").cloudlet}`)).json, { items: [{ available: false, reason: /has not named/ }] });
  const wrong = await service.asked("one", "install", { parameters: { storage: "/etc", uri: "qemu:///session", network_1: "macvtap:eth0" } });
  t.equal(wrong.status, 422);
  t.strictSame((wrong.json["issues"] as readonly JsonObject[]).map((issue) => issue["pointer"]), ["/parameters/uri", "/parameters/storage", "/parameters/network_1"]);
  t.equal((await service.asked("one", "install", { credentials: { OS_AUTH_URL: "https://x" } })).status, 400, "there is nobody to log in to");
  t.equal((await service.ask("PUT", `/cloudlets/${service.of("one").cloudlet}/credentials`, { name: "x", credentials: { OS_AUTH_URL: "https://x" } })).status, 400);
  const checked = await service.until(await service.begin("one", "check"), "done");
  t.match(checked.log, /host\/emulated/);
  t.strictSame(left("one", "-pf"), [], "nothing was made");
});

t.test("cancelled while the guest comes up, gone on with; another is killed with the service meanwhile", async (t) => {
  const id = await service.begin("one", "install", { parameters: hasty });
  await service.says(id, /the VM says that it is well/);
  const [child = ""] = installsOf(id);
  t.match(readFileSync(`/proc/${child}/limits`, "latin1"), new RegExp(`Max file size +${41 * 1024 ** 3} `), "a root disk of 40 GiB may grow to its size");
  t.equal((await service.ask("POST", `/installations/${id}/cancel`)).status, 202);
  const cancelled = await service.until(id, "cancelled");
  t.match(service.journal("one"), /done vm .*\n.*begin guest/);
  const running = processOf(String(virsh("domuuid", vm("one"))));
  t.ok(running !== undefined, "what was done stays: the VM runs");
  const key = /^ACCESS_KEY=(.*)$/m.exec(readFileSync(join(folderOf("one"), readdirSync(folderOf("one")).find((entry) => /^[0-9a-f]{16}$/.test(entry)) ?? "", "secrets"), "utf8"))?.[1] ?? "";
  t.ok(key.length > 100);
  for (const [where, text] of [["state", bytesBelow(service.folder)], ["log of the run", cancelled.log], ["log", readFileSync(service.log, "utf8")]] as const) t.notOk(text.includes(key), `no secret is in the ${where}`);

  // Another one, of which the service dies, and install.sh with the next.
  const other = await service.begin("two", "install");
  while (!/begin (payload-disk|seed|vm|guest)/.test(service.journal("two"))) await sleep(2);
  await service.end("SIGKILL");
  await service.start(hostFile("libvirt"));
  await service.until(other, "interrupted");
  t.strictSame(processesWith(other), [], "nobody is left of it");
  t.strictSame(readdirSync(join(service.folder, "runs")), []);
  t.equal(processOf(String(virsh("domuuid", vm("one")))), running, "the other VM never noticed");

  // Both at once.
  await Promise.all([service.retry(id), service.retry(other)]);
  const [one, two] = await Promise.all([service.until(id, "done"), service.until(other, "done")]);
  t.match(one, { attempts: 2, exitStatus: 0 });
  const receipts = [await service.receipt("one", one), await service.receipt("two", two)] as const;
  for (const [index, receipt] of receipts.entries()) {
    t.match(receipt, { action: "install", result: "complete", trust: "signature", guest: "healthy crmserver", vm: { name: vm(names[index] ?? ""), driver: "libvirt", state: "running" }, folder: new RegExp(`^${folderOf(names[index] ?? "")}/`) });
  }
  t.not(uuidOf(receipts[0]), uuidOf(receipts[1]));
  t.equal(processOf(uuidOf(receipts[0])), running, "it was not started anew");
  t.match((await service.ask("GET", `/cloudlets/${service.of("one").cloudlet}`)).json, { state: "installed" });
});

t.test("upgraded and taken back; uninstalled with a SIGKILL in the midst: nothing is left", async (t) => {
  const upgraded = await service.until(await service.begin("one", "upgrade", {}, 2), "done");
  t.match(upgraded, { parameters: hasty }, "left out, those of before are taken over");
  t.match(await service.receipt("one", upgraded), { action: "upgrade", sequence: 2, guest: "healthy crmserver" });
  const back = await service.until(await service.begin("one", "rollback", {}, 2), "done");
  const receipt = await service.receipt("one", back);
  t.match(receipt, { action: "rollback", sequence: 1, guest: "healthy crmserver" });
  const id = await service.begin("one", "uninstall");
  while (!/start uninstall/.test(service.journal("one"))) await sleep(1);
  await service.end("SIGKILL");
  await service.start(hostFile("libvirt"));
  await service.until(id, "interrupted", "done");
  if ((await service.ask("GET", `/installations/${id}`)).json["state"] !== "done") await service.retry(id);
  t.match(await service.receipt("one", await service.until(id, "done")), { action: "uninstall", result: "removed" });
  t.match((await service.ask("GET", `/cloudlets/${service.of("one").cloudlet}`)).json, { state: "removed" });
  // The host may have given up the folder meanwhile: what is there is found where it was put.
  await service.end("SIGTERM");
  await service.start(hostFile("qemu").replace("/storage", "/elsewhere"));
  const uuids = [uuidOf(receipt), String(virsh("domuuid", vm("two")))];
  t.ok(processOf(uuids[1] ?? "?") !== undefined);
  await service.until(await service.begin("two", "uninstall"), "done");
  for (const [index, name] of ["one", "two"].entries()) t.strictSame(left(name, uuids[index] ?? "?"), [], name);
  await service.end("SIGTERM");
});

t.test("by QEMU alone: the VM is no part of the run, and outlives it and the service", async (t) => {
  // The user is that of the other platforms: nobody but root could do it.
  await service.start(hostFile("qemu"), "--run-as", "nobody");
  const id = await service.begin("three", "install");
  await service.says(id, /the VM says that it is well/);
  while (vmsNow().length === 0) await sleep(20);
  const [pid = ""] = vmsNow();
  await service.end("SIGKILL");
  await service.start(hostFile("qemu"));
  await service.until(id, "interrupted");
  t.strictSame(vmsNow(), [pid], "the next one has ended install.sh, and not the VM");
  await service.retry(id);
  const done = await service.until(id, "done");
  const receipt = await service.receipt("three", done);
  t.match(receipt, { guest: "healthy crmserver", vm: { driver: "qemu", state: "running" } });
  t.equal(processOf(uuidOf(receipt)), pid);
  const limits = readFileSync(`/proc/${pid}/limits`, "latin1");
  t.match(limits, /Max cpu time +unlimited +unlimited/);
  t.match(limits, /Max file size +unlimited +unlimited/);
  t.match(limits, /Max core file size +0 +0/);
  await service.end("SIGTERM");
  t.strictSame(vmsNow(), [pid], "nor does it end with the service");
  await service.start(hostFile("qemu"));
  await service.until(await service.begin("three", "uninstall"), "done");
  t.strictSame(left("three", uuidOf(receipt)), []);
  await service.end("SIGTERM");
});

/** Processes of the run's install.sh. */
function installsOf(id: string): readonly string[] {
  return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && commandLine(entry).some((word) => word.includes(`/runs/${id}/bundle/install.sh`)));
}

/** Processes of QEMU's that a run of the service has started. */
function vmsNow(): readonly string[] {
  return readdirSync("/proc").filter((entry) => /^\d+$/.test(entry) && /qemu-system/.test(commandLine(entry)[0] ?? "") && commandLine(entry).includes(vm("three")));
}
