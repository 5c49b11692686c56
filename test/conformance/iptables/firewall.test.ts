/** The guest's firewall as the bootstrap sets it, in a network namespace: who gets in, who goes out, and nothing is left. */

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { firewallLines } from "../../../src/guest/firewall.ts";
import { compose } from "../../golden/cases.ts";

const script = join(import.meta.dirname, "../../../templates/guest/cloudlet-bootstrap");
const root = mkdtempSync(join(tmpdir(), "firewall-"));
const guest = `cb-guest-${process.pid}`;
const outside = `cb-outside-${process.pid}`;

function ip(...words: readonly string[]): void {
  const run = spawnSync("ip", words, { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`ip ${words.join(" ")}: ${run.stderr}`);
}

function inside(space: string, ...command: readonly string[]): { readonly status: number | null; readonly stdout: string } {
  const { status, stdout } = spawnSync("ip", ["netns", "exec", space, ...command], {
    encoding: "utf8",
    timeout: 30_000,
    env: { ...process.env, CLOUDLET_ROOT: root, PATH: `/usr/sbin:/sbin:${process.env["PATH"] ?? ""}` },
  });
  return { status, stdout };
}

/** Whether a connection from the address in `space` is answered within two seconds. */
function connects(space: string, from: string, to: string, port: number): boolean {
  const program = `require("net").connect({host:"${to}",port:${port},localAddress:"${from}"}).on("connect",()=>process.exit(0)).on("error",()=>process.exit(1));setTimeout(()=>process.exit(1),2000)`;
  return inside(space, process.execPath, "-e", program).status === 0;
}

for (const space of [guest, outside]) ip("netns", "add", space);
t.teardown(() => {
  for (const space of [guest, outside]) spawnSync("ip", ["netns", "del", space]);
  rmSync(root, { recursive: true });
});
ip("link", "add", "cb-in", "netns", guest, "type", "veth", "peer", "name", "cb-out", "netns", outside);
for (const [space, card, addresses] of [
  [guest, "cb-in", ["198.51.100.9/24", "203.0.113.9/24", "2001:db8:0:1::9/64"]],
  [outside, "cb-out", ["198.51.100.5/24", "203.0.113.5/24", "2001:db8:0:1::5/64"]],
] as const) {
  for (const address of addresses) ip("-n", space, "address", "add", address, "dev", card, ...(address.includes(":") ? ["nodad"] : []));
  for (const link of ["lo", card]) ip("-n", space, "link", "set", link, "up");
}
const { rules } = compose("everything").plan;
for (const folder of ["etc/cloudlet", "run", "proc/sys/net/ipv6", "dev"]) mkdirSync(join(root, folder), { recursive: true });
for (const family of ["IPv4", "IPv6"] as const) {
  const lines = firewallLines(rules, family).map((line) => (typeof line === "string" ? line : line.value));
  writeFileSync(join(root, `etc/cloudlet/firewall.v${family.slice(-1)}`), `${lines.join("\n")}\n`);
}
writeFileSync(join(root, "etc/cloudlet/bootstrap.env"), "CB_RELEASE='1'\nCB_RELEASE_SEQUENCE='1'\nCB_CONTAINER_COUNT='0'\n");
const listener = (space: string): ReturnType<typeof spawn> =>
  spawn("ip", ["netns", "exec", space, process.execPath, "-e", "for(const p of [22,9092,9999])require('net').createServer(s=>s.end()).listen(p,'::');setTimeout(()=>process.exit(),60000)"], { stdio: "ignore" });
const servers = [guest, outside].map(listener);
t.teardown(() => servers.forEach((each) => each.kill("SIGKILL")));
for (let tries = 0; tries < 50 && !connects(outside, "203.0.113.5", "203.0.113.9", 9999); tries += 1) await sleep(100);

t.test("before it is set, everybody gets in", (t) => {
  t.ok(connects(outside, "203.0.113.5", "203.0.113.9", 22));
  t.end();
});

t.test("set twice, it stands once", (t) => {
  t.equal(inside(guest, "sh", script, "firewall").status, 0);
  const once = inside(guest, "iptables", "-S").stdout;
  t.equal(inside(guest, "sh", script, "firewall").status, 0);
  t.equal(inside(guest, "iptables", "-S").stdout, once);
  t.match(once, /-A INPUT -j CLOUDLET-IN/);
  t.end();
});

t.test("SSH from the named networks only, and what else the spec lets in", (t) => {
  t.ok(connects(outside, "198.51.100.5", "198.51.100.9", 22), "named");
  t.ok(connects(outside, "2001:db8:0:1::5", "2001:db8:0:1::9", 22), "named, IPv6");
  t.notOk(connects(outside, "203.0.113.5", "203.0.113.9", 22), "not named");
  t.ok(connects(outside, "198.51.100.5", "198.51.100.9", 9092), "a port of the spec's");
  t.notOk(connects(outside, "198.51.100.5", "198.51.100.9", 9999), "a port that nobody names");
  t.end();
});

t.test("what goes out is what the spec lets out; the guest reaches itself", (t) => {
  t.ok(connects(guest, "198.51.100.9", "198.51.100.5", 9999), "tcp is let out");
  t.ok(connects(guest, "127.0.0.1", "127.0.0.1", 9999));
  t.notOk(connects(guest, "2001:db8:0:1::9", "2001:db8:0:1::5", 9999), "IPv6 only for ICMP");
  t.end();
});

t.test("removed, nothing of it is left", (t) => {
  inside(guest, "sh", script, "remove");
  for (const tables of ["iptables", "ip6tables"]) t.equal(inside(guest, tables, "-S").stdout, "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n");
  t.ok(connects(outside, "203.0.113.5", "203.0.113.9", 22));
  t.end();
});
