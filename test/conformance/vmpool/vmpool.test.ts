/** install.sh against a real machine: over SSH through a wire that can be cut, and on the machine itself. */

import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { Test } from "tap";
import type { BuiltBundle } from "../bundle.ts";
import { accelerator, patience } from "../boot/guest.ts";
import { withBallast } from "./bigger.ts";
import { cloudlet } from "./cloudlets.ts";
import { Operator } from "./installer.ts";
import type { PoolVm } from "./machine.ts";
import { poolVm, siteKeys } from "./machine.ts";
import type { Wire } from "./wire.ts";
import { wire } from "./wire.ts";

const full = process.env["CONFORMANCE_FULL"] === "1";
const seed = Number.parseInt((process.env["CONFORMANCE_SEED"] ?? "").slice(0, 6), 16) || 0;
const only = (process.env["CONFORMANCE_ONLY"] ?? "").split(",").filter((word) => word !== "");
t.setTimeout(3_600_000 * patience);

const steps = ["claim", "payload", "secrets", "files", "units", "healthy"];
const keys = siteKeys();
const spec = { hostKeys: [keys.hostKey], user: "ops" };
const first = await cloudlet("vmpool-first", spec);
const second = await cloudlet("vmpool-second", { ...spec, sequence: 2, release: await ballast(24) });

/** Each finds the machine without a cloudlet, and must leave it so. */
const parts = { refusals, life, kill, local };

for (const engine of full ? (["podman", "docker"] as const) : ([seed % 2 === 0 ? "podman" : "docker"] as const)) {
  await t.test(engine, async (t) => {
    const vm = await poolVm(`vmpool-${engine}`, engine, keys);
    t.teardown(vm.off);
    const line = await wire(vm.port);
    t.teardown(line.close);
    const before = inventory(vm.ask);
    const site: Site = { engine, vm, line, way: { address: "127.0.0.1", port: line.port, identity: keys.identity } };
    for (const [name, part] of Object.entries(parts)) {
      if (!takes(name)) continue;
      await t.test(name, async (t) => {
        await part(t, site);
        t.same(inventory(vm.ask), before, "the machine is as it was before all this");
      });
    }
  });
}

/** Under emulation a part takes minutes; then one of the last two is left to another commit. */
function takes(name: string): boolean {
  if (only.length > 0) return only.includes(name);
  return full || accelerator === "kvm" || name !== (seed % 2 === 0 ? "kill" : "local");
}

interface Site {
  readonly engine: string;
  readonly vm: PoolVm;
  readonly line: Wire;
  /** Parameters that lead over the wire to the machine. */
  readonly way: Readonly<Record<string, string | number>>;
}

/** Installed, looked at, upgraded, taken back, removed. */
async function life(t: Test, { engine, vm, line, way }: Site): Promise<void> {
  const operator = new Operator(engine, way);
  const secret = secretOf(first);

  await t.test("install until it is healthy, as a user with sudo", async (t) => {
    const installed = await operator.install(first);
    t.equal(installed.status, 0, installed.text);
    t.match(operator.receipt(), { action: "install", result: "complete", machine: { name: "pool-vm-1", engine }, status: { stage: "healthy" } });
    t.equal(vm.ask("cat /root/accesskey/accesskey.pem"), secret, "the secret is where the CRM looks for it");
    t.equal(vm.ask("stat -c '%a %U' /root/accesskey/accesskey.pem /var/lib/cloudlet"), "600 root\n700 root\n");
    t.notMatch(`${operator.traces()}${installed.text}`, secret.split("\n")[1], "no secret stays behind, and none is shown");
    t.match(vm.ask("for port in 9091 9092 9093; do python3 -c \"import sys, urllib.request as r; print(r.urlopen('http://127.0.0.1:' + sys.argv[1]).read())\" $port; done"), /ok.*\n.*ok.*\n.*ok/, "the containers answer");
  });

  await t.test("once more changes nothing, in any shell; status is well", async (t) => {
    const was = inventory(vm.ask);
    const journal = operator.journal();
    for (const shell of full ? [["dash"], ["bash", "--posix"], ["busybox", "sh"], ["ksh93"]] : [["busybox", "sh"]]) {
      const again = await operator.install(first, ["--yes"], shell);
      t.equal(again.status, 0, again.text);
      t.match(again.text, /nothing to do/, shell.join(" "));
    }
    t.same(inventory(vm.ask), was);
    t.equal(operator.journal(), journal);
    t.equal((await operator.run(first, ["--status"])).status, 0);
  });

  await t.test("a key that the CRM renewed stays; another cloudlet, another bundle are refused", async (t) => {
    vm.ask("printf renewed >/root/accesskey/accesskey.pem");
    t.match((await operator.install(first)).text, /nothing to do/);
    const foreign = await new Operator(`${engine}-other`, way).install(await cloudlet("vmpool-foreign", { ...spec, name: "pool-2" }), ["--check"]);
    t.equal(foreign.status, 1, foreign.text);
    t.match(foreign.text, /host\/other-cloudlet[^]*pool-1-ExampleTel-pf/);
    t.match((await operator.install(second)).text, /input\/bundle/);
  });

  await t.test("upgrade over a wire that is cut: the payload goes on at the byte", async (t) => {
    line.cutAfter(8_000_000);
    const upgraded = await operator.run(second, ["--upgrade", "--trust", second.fingerprint, "--yes"]);
    t.equal(upgraded.status, 0, upgraded.text);
    t.equal(line.cuts(), 1);
    t.match(upgraded.text, /was cut; [1-9]\d* MiB are there, going on/);
    t.equal(vm.ask("cat /root/accesskey/accesskey.pem"), "renewed", "the access key is the one that was there");
    t.match(vm.ask("cat /var/lib/cloudlet/payload"), shaOf(second));
  });

  await t.test("rollback to what was there, without its folder", async (t) => {
    const back = await operator.run(second, ["--rollback", "--yes"]);
    t.equal(back.status, 0, back.text);
    t.match(vm.ask("cat /var/lib/cloudlet/payload"), shaOf(first));
    t.match(vm.ask("cat /etc/cloudlet/bootstrap.env"), /CB_RELEASE_SEQUENCE='1'/);
    t.equal(vm.ask("cat /root/accesskey/accesskey.pem"), "renewed");
  });

  const gone = await operator.uninstall(first);
  t.equal(gone.status, 0, gone.text);
  t.equal((await operator.run(first, [...operator.parameters, "--status"])).status, 1);
}

/** SIGKILL in every step, then the run that ends well. */
async function kill(t: Test, { engine, way }: Site): Promise<void> {
  const operator = new Operator(`${engine}-kill`, way);
  for (const [index, step] of steps.entries()) {
    for (const event of full ? ["begin", "done"] : [(seed + index) % 2 === 0 ? "begin" : "done"]) {
      // What a killed run had begun may have gone on by itself, so that the next finds the step done without beginning it.
      const killed = await operator.killAt(second, new RegExp(` ${event === "begin" ? "(begin|done)" : "done"} ${step}\\b`));
      // The last line of all may be followed by the end of the run before anybody sees it.
      if (step !== "healthy") t.ok(killed, `${event} ${step}`);
    }
  }
  const resumed = await operator.install(second);
  t.equal(resumed.status, 0, resumed.text);
  const gone = await operator.uninstall(second);
  t.equal(gone.status, 0, gone.text);
}

/** On the machine itself, as its root. */
async function local(t: Test, { vm }: Site): Promise<void> {
  const folder = "/root/carried";
  const carry = `tar -C "$1" -cf - bundle secrets | ssh -q -F /dev/null -i "$2" -p "$3" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null root@127.0.0.1 'mkdir ${folder} && tar -C ${folder} -xf -'`;
  execFileSync("sh", ["-c", carry, "sh", join(first.folder, ".."), keys.identity, String(vm.port)]);
  const run = (words: string): string => vm.ask(`cd ${folder}/bundle && ./install.sh --local --state ${folder}/state ${words} 2>&1 || echo "status $?"`);
  t.match(run(`--trust ${first.fingerprint} --secrets ../secrets --yes`), /done: release conformance\.1/);
  t.match(run(`--trust ${first.fingerprint} --secrets ../secrets --yes`), /nothing to do/);
  t.match(run("--status"), /healthy/);
  t.match(run("--uninstall --yes"), /nothing is left/);
  vm.ask(`rm -rf ${folder}`);
}

/** Each thing that stands in the way has its own name, and none of them changes the machine. */
async function refusals(t: Test, { engine, vm: { ask }, line: { port }, way: ways }: Site): Promise<void> {
  const check = async (bundle: BuiltBundle, way: Readonly<Record<string, string | number>>, code: RegExp): Promise<void> => {
    const checked = await new Operator("check", { ...ways, ...way }).install(bundle, ["--check"]);
    t.match(checked.text, code);
    t.equal(checked.status, code.source === "nothing stands in the way" ? 0 : 1, String(code));
  };
  const fine = /nothing stands in the way/;
  await check(first, {}, fine);

  const wrongKey = await cloudlet("vmpool-wrong-key", { ...spec, hostKeys: [keys.otherHostKey] });
  await check(wrongKey, {}, /ssh\/host-key/);
  const noKey = await cloudlet("vmpool-no-key", { ...spec, hostKeys: [] });
  await check(noKey, {}, /ssh\/no-host-key/);
  await check(noKey, { host_key: fingerprintOf(keys.hostKey) }, fine);
  await check(noKey, { host_key: fingerprintOf(keys.otherHostKey) }, /ssh\/host-key/);
  const known = join(new Operator("known", {}).home, "known_hosts");
  writeFileSync(known, `[127.0.0.1]:${port} ${keys.hostKey}\n`);
  await check(noKey, { known_hosts: known }, fine);
  writeFileSync(known, `[127.0.0.1]:${port} ${keys.otherHostKey}\n`);
  await check(noKey, { known_hosts: known }, /ssh\/host-key/);

  await check(first, { user: "weak" }, /ssh\/no-sudo/);
  await check(first, { user: "nobody-there" }, /ssh\/login/);
  await check(first, { port: 1 }, /ssh\/unreachable/);
  await check(first, { flavor: "m4" }, /parameter\/unknown/);
  await check(await cloudlet("vmpool-shut-out", { ...spec, sshFrom: ["192.0.2.0/24"] }), {}, /host\/shuts-out/);
  await check(await cloudlet("vmpool-greedy", { ...spec, memoryMiB: 65_536 }), {}, /host\/too-small[^]*65536 needed/);

  // All at once, each told.
  ask(`mv /usr/bin/${engine} /usr/bin/${engine}.off; touch /usr/local/sbin/cloudlet-bootstrap; date -s '-1 hour' >/dev/null; python3 -m http.server 9092 >/dev/null 2>&1 & echo $! >/run/taken`);
  const several = await new Operator("check", ways).install(first, ["--check"]);
  ask(`mv /usr/bin/${engine}.off /usr/bin/${engine}; rm /usr/local/sbin/cloudlet-bootstrap; date -s '+1 hour' >/dev/null; kill "$(cat /run/taken)"; rm /run/taken`);
  for (const code of [/host\/no-container-engine/, /host\/file-taken[^]*cloudlet-bootstrap/, /clock\/skew/, /host\/port-taken[^]*9092/]) t.match(several.text, code);
  t.equal(several.status, 1);
}

/** What a bundle could leave on a machine: files with modes and owners, units, rules, images, containers. What the engine keeps for itself at its first use is its own. */
function inventory(ask: (script: string) => string): readonly string[] {
  const engine = "$(command -v docker || command -v podman)";
  return ask(`
    find / -xdev \\( -path /var/log -o -path /tmp -o -path /var/tmp -o -path /run -o -path /var/lib/docker -o -path /var/lib/containerd -o -path /var/lib/containers -o -path /var/lib/systemd -o -path /var/lib/cni -o -path /etc/cni -o -path /etc/containers/networks -o -path /var/cache/containers -o -path /etc/docker \\) -prune -o -printf '%y %m %U:%G %p\\n' | LC_ALL=C sort
    systemctl list-unit-files --no-legend 'cloudlet*'
    systemctl list-units --all --no-legend --plain 'cloudlet*' | cut -d ' ' -f 1,2
    iptables-save | grep -i cloudlet
    ip6tables-save | grep -i cloudlet
    ${engine} images --quiet --no-trunc | sort
    ${engine} ps --all --format '{{.Names}}' | sort
    ls -d /run/cloudlet 2>/dev/null
    true`).split("\n");
}

function secretOf(bundle: BuiltBundle): string {
  const line = readFileSync(bundle.secrets, "utf8").split("\n").find((each) => each.startsWith("ACCESS_KEY=")) ?? "";
  const value = line.slice("ACCESS_KEY=".length);
  return value.startsWith("base64:") ? Buffer.from(value.slice("base64:".length), "base64").toString("utf8") : value;
}

function shaOf(bundle: BuiltBundle): string {
  return /^CB_PAYLOAD_SHA256='(.*)'$/m.exec(readFileSync(join(bundle.folder, "site.env"), "utf8"))?.[1] ?? "";
}

function fingerprintOf(key: string): string {
  return execFileSync("ssh-keygen", ["-l", "-E", "sha256", "-f", "-"], { input: key, encoding: "utf8" }).split(" ")[1] ?? "";
}

async function ballast(mebibytes: number): Promise<(text: string) => string> {
  const reference = readFileSync(join(import.meta.dirname, "../../../bundles/openstack-single/release.yaml"), "utf8");
  const changed = await withBallast(reference, mebibytes);
  const part = (text: string): string => text.slice(text.indexOf("role: prometheus"), text.indexOf("controller:"));
  return (text) => text.replace(part(text), part(changed));
}
