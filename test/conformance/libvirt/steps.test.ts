/**
 * install.sh on a KVM host, by virsh and by QEMU alone: killed after each step and run again, upgraded, taken back, removed.
 * The VM is real; its guest is a boot sector that says at once that it is well (boot.test.ts boots a whole one).
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import type { Test } from "tap";
import type { BuiltBundle } from "../bundle.ts";
import { cloudlet, site } from "./cloudlets.ts";
import { bridge, commandLine, lab, leftOvers, openHost, processOf, virsh } from "./host.ts";
import { Operator } from "./operator.ts";

t.setTimeout(900_000);
const first = await cloudlet({ name: "steps", sequence: 1, image: "sector" });
const second = await cloudlet({ name: "steps", sequence: 2, image: "sector" });
const host = await openHost();
t.teardown(() => host.close());
const name = site(first, "CB_NAME");
const uuid = site(first, "CB_LV_UUID");
const home = join(lab, "storage", name);
const steps = ["root-disk", "payload-disk", "seed", "vm", "guest"];
const accessKey = /^ACCESS_KEY=base64:(.+)$/m.exec(readFileSync(first.secrets, "utf8"))?.[1] ?? "";

for (const driver of ["libvirt", "qemu"] as const) {
  t.test(driver, async (t) => {
    const shell = driver === "libvirt" ? ["dash"] : ["busybox", "sh"];
    const operator = new Operator(`libvirt-${driver}`, shell, [`driver=${driver}`, "shutdown_seconds=1"]);
    await t.test("killed after each step, run again each time", (t) => killed(t, operator));
    await t.test("a second run changes nothing", (t) => again(t, operator));
    await t.test("a VM that was stopped is started", (t) => stopped(t, operator, driver));
    await t.test("upgrade keeps hardware addresses and the old disks", (t) => upgraded(t, operator));
    await t.test("rollback goes to the disks of before", (t) => takenBack(t, operator));
    await t.test("uninstall leaves nothing", (t) => removed(t, operator));
    t.end();
  });
}

async function killed(t: Test, operator: Operator): Promise<void> {
  const run = await operator.killedAtEach(first, operator.installWords(first));
  t.equal(run.status, 0, run.text);
  // What a kill leaves complete is found done, so that not every step is begun again; each is done once at least.
  for (const step of steps) t.ok(run.kills.includes(`done ${step}`), `killed after ${step} was done`);
  t.ok(run.kills.filter((event) => event.startsWith("begin ")).length >= 3, run.kills.join(", "));
  t.equal(foldersOfDisks().length, 1, "one folder of disks");
  t.notOk(operator.traces().includes(accessKey), "no secret is left with the operator");
}

async function again(t: Test, operator: Operator): Promise<void> {
  const before = stamp();
  const run = await operator.install(first, "--receipt", join(operator.state, "receipt.json"));
  t.equal(run.status, 0, run.text);
  t.match(operator.receipt(), { result: "complete", vm: { name, uuid, state: "running" }, guest: "healthy crmserver" });
  t.match(run.text, /nothing to do: release conformance\.1 is installed and well/);
  t.strictSame(stamp(), before);
  const status = await operator.run(first, "--status");
  t.equal(status.status, 0, status.text);
  t.match(status.text, /^guest {4}healthy crmserver$/m);
}

async function stopped(t: Test, operator: Operator, driver: "libvirt" | "qemu"): Promise<void> {
  if (driver === "libvirt") virsh("destroy", name);
  else process.kill(Number(processOf(uuid)), "SIGKILL");
  while (processOf(uuid) !== undefined) await sleep(50);
  const status = await operator.run(first, "--status");
  t.equal(status.status, 1, status.text);
  const folder = foldersOfDisks();
  const run = await operator.install(first);
  t.equal(run.status, 0, run.text);
  t.ok(processOf(uuid) !== undefined, "it runs");
  t.strictSame(foldersOfDisks(), folder, "from the same disks");
}

async function upgraded(t: Test, operator: Operator): Promise<void> {
  const cards = macs();
  const [old] = foldersOfDisks();
  const refused = await operator.install(second);
  t.match(refused.text, /input\/bundle/);
  // Without the secrets file: they are taken over.
  const run = await operator.killedAtEach(second, ["--trust", second.fingerprint, "--yes", "--upgrade"]);
  t.equal(run.status, 0, run.text);
  t.strictSame(macs(), cards);
  t.equal(cards.length, 1);
  t.equal(foldersOfDisks().length, 2, "old and new disks");
  const fresh = foldersOfDisks().find((each) => each !== old) ?? "";
  t.ok(commandLine(processOf(uuid) ?? "").join(" ").includes(fresh) || readFileSync(join(home, "installed"), "utf8").includes(fresh), "the new ones run");
  t.ok(readFileSync(join(home, fresh, "seed.iso"), "latin1").includes(accessKey), "with the secrets of before");
  for (const step of steps) t.ok(run.kills.includes(`done ${step}`), `killed after ${step} was done`);
  t.match(operator.journal(), /^\S+ end upgrade .* sequence=2 former=/m);
}

async function takenBack(t: Test, operator: Operator): Promise<void> {
  const run = await operator.run(second, "--rollback", "--yes");
  t.equal(run.status, 0, run.text);
  t.match(operator.receipt(), { action: "rollback", sequence: 1, result: "complete", guest: "healthy crmserver" });
  const status = await operator.run(first, "--status");
  t.equal(status.status, 0, status.text);
}

async function removed(t: Test, operator: Operator): Promise<void> {
  // Cut a few times on the way: each time it goes on.
  for (const afterMs of [0, 40, 120, 250]) {
    const child = operator.start(first, ["--uninstall", "--yes"]);
    const starts = operator.journal().split(" start uninstall ").length;
    while (child.exitCode === null && operator.journal().split(" start uninstall ").length === starts) await sleep(2);
    await sleep(afterMs);
    child.kill("SIGKILL");
    await sleep(50);
  }
  const run = await operator.run(first, "--uninstall", "--yes");
  t.equal(run.status, 0, run.text);
  t.strictSame(leftOvers(name, uuid), []);
  const once = await operator.run(first, "--uninstall", "--yes");
  t.equal(once.status, 0, once.text);
}

/** Their names. */
function foldersOfDisks(): readonly string[] {
  return readdirSync(home).filter((entry) => /^[0-9a-f]{16}$/.test(entry)).sort();
}

/** Equal before and after: nothing was touched, and the VM was not started anew. */
function stamp(): unknown {
  const files = readdirSync(home, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name)).sort();
  return [processOf(uuid), ...files.filter((file) => !file.endsWith("root.qcow2")).map((file) => [file, statSync(file).mtimeMs, statSync(file).size])];
}

/** Of the cards that the running VM has. */
function macs(): readonly string[] {
  return [...new Set(commandLine(processOf(uuid) ?? "").join(" ").match(/52:54:00(?::[0-9a-f]{2}){3}/g) ?? [])].sort();
}

t.test("a guest that says that it failed: the reason, and another try at the next run", async (t) => {
  const bundle = await cloudlet({ name: "unwell", sequence: 1, image: "sector", stage: "failed" });
  const operator = new Operator("libvirt-unwell", ["bash"], ["driver=libvirt", "shutdown_seconds=1"]);
  const run = await operator.install(bundle);
  t.equal(run.status, 1, run.text);
  t.match(run.text, /guest\/failed: the PlatformVM says that it failed: crmserver/);
  t.match(run.text, /last lines of the console:/);
  const before = processOf(site(bundle, "CB_LV_UUID"));
  const next = await operator.install(bundle);
  t.equal(next.status, 1, next.text);
  t.match(next.text, /it had failed \(crmserver\); starting it again/);
  t.not(processOf(site(bundle, "CB_LV_UUID")), before, "another process");
  const gone = await operator.run(bundle, "--uninstall", "--yes");
  t.equal(gone.status, 0, gone.text);
  t.strictSame(leftOvers(site(bundle, "CB_NAME"), site(bundle, "CB_LV_UUID")), []);
  t.end();
});

t.test("by hand: the runbook's commands make the disks, the seed and the VM, and take them away", async (t) => {
  const bundle = await cloudlet({ name: "hand", sequence: 1, image: "sector" });
  const hand = site(bundle, "CB_NAME");
  const folder = join(lab, "storage", hand, "by-hand");
  const runbook = readFileSync(join(bundle.folder, "site/runbook.md"), "utf8");
  const section = (number: number): string => {
    const text = new RegExp(`^## ${number}\\. [^]*?(?=^## |$(?![^]))`, "m").exec(runbook)?.[0] ?? "";
    return [...text.matchAll(/^```sh\n([^]*?)^```$/gm)].map((match) => match[1]).join("");
  };
  const shell = (script: string): void => {
    const run = spawnSync("sh", ["-euc", script], { cwd: bundle.folder, encoding: "utf8" });
    t.equal(run.status, 0, `${script}\n${run.stdout}${run.stderr}`);
  };
  const secrets = join(bundle.folder, "../secrets");
  const key = Buffer.from(/^ACCESS_KEY=base64:(.+)$/m.exec(readFileSync(secrets, "utf8"))?.[1] ?? "", "base64");
  rmSync(secrets);
  mkdirSync(secrets);
  writeFileSync(join(secrets, "ACCESS_KEY"), key);
  shell(section(1).replace("FINGERPRINT", bundle.fingerprint));
  shell(section(3));
  shell(section(4));
  const seed = readFileSync(join(folder, "seed.iso"), "latin1");
  t.ok(seed.includes(key.toString("base64")) && !seed.includes("@@CLOUDLET-SECRET:"), "the secret is where its placeholder was");
  // By hand as well the VM is emulated where there is no KVM.
  shell(section(5).replace("site/domain.xml", "../domain.xml").replace(/^/, "sed 's/type=\"kvm\"/type=\"qemu\"/; s/<cpu mode=.*/<cpu mode=\"maximum\"\\/>/' site/domain.xml >../domain.xml\n"));
  for (let tries = 0; tries < 60 && !readFileSync(join(folder, "serial.log"), "latin1").includes('"stage":"healthy"'); tries += 1) await sleep(500);
  shell(section(6));
  const taken = await new Operator("libvirt-hand", ["dash"], ["driver=libvirt"]).install({ ...bundle, secrets: join(secrets, "none") }, "--check");
  t.match(taken.text, /domain\/name-taken|storage\/name-taken/, "install.sh does not touch what was made by hand");
  shell(section(8));
  rmSync(join(lab, "storage"), { recursive: true });
  t.strictSame(leftOvers(hand, site(bundle, "CB_LV_UUID")), []);
  t.end();
});

t.test("two machines: one on each host, never both on one", async (t) => {
  const bundle = await cloudlet({
    name: "two",
    sequence: 1,
    image: "sector",
    networks: ["{name: ue, address: {mode: static, ip: 10.98.7.11, secondaryIp: 10.98.7.12, prefix: 24}}"],
    crm: '{highAvailability: true, redisAddress: "10.98.7.1:6379"}',
  });
  const keys = [...readFileSync(bundle.secrets, "utf8").matchAll(/^ACCESS_KEY(?:_SECONDARY)?=base64:(.+)$/gm)].map((match) => match[1] ?? "?");
  t.equal(new Set(keys).size, 2);
  const operator = new Operator("libvirt-two", ["dash"], ["shutdown_seconds=1"]);
  const unsaid = await operator.install(bundle);
  t.equal(unsaid.status, 2, unsaid.text);
  t.match(unsaid.text, /usage\/machine/);
  for (const [index, role] of ["primary", "secondary"].entries()) {
    const run = await operator.install(bundle, "--parameter", `machine=${role}`);
    t.equal(run.status, 0, run.text);
    const [vm] = virsh("list", "--name").split("\n");
    t.match(vm, new RegExp(`-pf-${role}$`));
    const folder = operator.receipt()["folder"] as string;
    t.strictSame(keys.map((key) => readFileSync(join(folder, "seed.iso"), "latin1").includes(key)), [index === 0, index === 1], "its own key");
    t.strictSame(keys.map((key) => readFileSync(join(folder, "secrets"), "latin1").includes(key)), [index === 0, index === 1], "and no other is kept");
    const other = await new Operator("libvirt-two-other", ["dash"], [`machine=${role === "primary" ? "secondary" : "primary"}`]).install(bundle, "--check");
    t.match(other.text, /domain\/same-host/);
    // The state directory knows which one it is.
    const status = await operator.run(bundle, "--status");
    t.equal(status.status, 0, status.text);
    const gone = await operator.run(bundle, "--uninstall", "--yes");
    t.equal(gone.status, 0, gone.text);
    rmSync(operator.state, { recursive: true });
    t.strictSame(leftOvers(vm ?? "?", "-pf-"), []);
  }
  t.end();
});

t.test("what stands in the way is told before anything is made, all at once", async (t) => {
  const bundle = await cloudlet({
    name: "wrong",
    sequence: 1,
    image: "sector",
    parameters: ["networks: {a: {kind: bridge, source: nobridge}, b: {kind: bridge, source: lo}, c: {kind: network, source: nonet}, d: {kind: macvtap, source: nocard}}", "gpus: [{address: \"0000:ff:1f.7\"}]", "machine: pc"],
    networks: ["{name: a}", "{name: b}", "{name: c}", "{name: d}", `{name: ${bridge}, mtu: 9000}`],
    compute: "{flavor: kvm-host, platformVm: {vcpus: 64, memoryMiB: 4096, diskGiB: 40, gpus: 1}, tenant: {vcpus: 64, gpus: 1}}",
  });
  const wrong = site(bundle, "CB_NAME");
  mkdirSync(join(lab, "storage", wrong), { recursive: true });
  writeFileSync(join(lab, "storage", wrong, "of-somebody"), "");
  defineForeign(wrong, bundle);
  const operator = new Operator("libvirt-wrong", ["ksh"], ["driver=libvirt", "root_disk_gib=10", "nonsense=1", "network_9=bridge:br0"]);
  const run = await operator.install(bundle);
  t.equal(run.status, 1, run.text);
  const codes = [...run.text.matchAll(/^finding {2}(\S+)$/gm)].map((match) => match[1]).sort();
  t.strictSame(
    [...new Set(codes)],
    [
      "domain/name-taken",
      "gpu/missing",
      ...(canVirtualize() ? [] : ["host/no-kvm"]),
      "host/too-small",
      "network/kind",
      "network/missing",
      "network/mtu",
      "parameter/unknown",
      "storage/name-taken",
      "storage/root-too-small",
    ],
    run.text,
  );
  t.equal(codes.filter((code) => code === "network/missing").length, 3);
  t.strictSame(readdirSync(join(lab, "storage", wrong)), ["of-somebody"], "nothing was made");
  const uninstall = await operator.run(bundle, "--uninstall", "--yes");
  t.equal(uninstall.status, 1, "and somebody else's is not removed");
  t.match(uninstall.text, /domain\/not-ours/);
  virsh("undefine", wrong);
  const outside = await new Operator("libvirt-outside", ["dash"], ["uri=qemu+ssh://elsewhere/system"]).install(bundle, "--check");
  t.match(outside.text, /parameter\/value/);
  t.end();
});

/** Somebody's own domain of that name. */
function defineForeign(domain: string, bundle: BuiltBundle): void {
  const path = join(bundle.folder, "..", "foreign.xml");
  writeFileSync(path, `<domain type="qemu"><name>${domain}</name><memory>1024</memory><os><type arch="x86_64">hvm</type></os></domain>`);
  virsh("define", path);
}

function canVirtualize(): boolean {
  return existsSync("/dev/kvm") && /^flags.* (vmx|svm)( |$)/m.test(readFileSync("/proc/cpuinfo", "utf8"));
}

t.test("the domain is what libvirt's own schema says, in each variant", (t) => {
  for (const folder of ["libvirt", "libvirt-everything"]) {
    const run = spawnSync("virt-xml-validate", [join(import.meta.dirname, "../../golden", folder, "expected/site/domain.xml"), "domain"], { encoding: "utf8" });
    t.equal(run.status, 0, run.stderr);
  }
  t.end();
});
