/**
 * `push` against a real sshd in a network namespace that leads nowhere else, over a line that is cut again and again: the bundle
 * arrives, is verified there, and is installed by its own install.sh; what stands in the way is refused by name.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { openSync, readSync, writeSync, closeSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { Test } from "tap";
import { cloudlet } from "./cloudlets.ts";
import { dropbear, identity, jumpHost, keyAt, work } from "./host.ts";
import { push, until, type Ended, type Pushing } from "./operator.ts";
import { wire } from "./wire.ts";

t.setTimeout(300_000);
const mebibyte = 1_048_576;
const key = identity();
const small = join(work, "small");
mkdirSync(small, { recursive: true });
execFileSync("mount", ["-t", "tmpfs", "-o", "size=64m,mode=0700", "tmpfs", small]);
const first = await cloudlet("cut", 10);
const waiting = await cloudlet("waiting", 1, "loaded");
const host = await jumpHost("one", { net: 1, authorized: [key], more: ["ListenAddress 127.0.0.1:2223"] });
const line = await wire(host);
t.teardown(async () => {
  line.close();
  await host.close();
  execFileSync("umount", [small]);
});
const knownHosts = join(work, "known_hosts");
const size = statSync(first.tar).size;

/** By the wire, with the key and the host key that are right. */
function words(tar: string, ...more: readonly string[]): readonly string[] {
  writeFileSync(knownHosts, [`[127.0.0.1]:${line.port} ${host.hostKey}`, `${host.address} ${host.hostKey}`, `[127.0.0.1]:2223 ${host.hostKey}`, ""].join("\n"));
  return [tar, `root@127.0.0.1:${line.port}`, "--identity", key, "--known-hosts", knownHosts, ...more];
}

/** What install.sh gets. */
function installWords(bundle: { readonly secrets: string }, ...more: readonly string[]): readonly string[] {
  const site = ["driver=qemu", `storage=${join(host.home, "../storage")}`, "shutdown_seconds=1"];
  return ["--", "--secrets", bundle.secrets, ...site.flatMap((each) => ["--parameter", each]), ...more];
}

const folderOf = (name: string): string => join(host.home, name);
const trust = ["--trust", first.fingerprint];

async function run(given: readonly string[], environment?: Readonly<Record<string, string>>): Promise<Ended> {
  return push(given, environment).ended;
}

t.test("over a line that is cut every few seconds: the bundle is there, verified and installed", async (t) => {
  t.equal(host.ask("ip route show default; ip -6 route show default").trim(), "", "the host has no way out");
  const receipt = join(work, "receipt.json");
  rmSync(receipt, { force: true });
  line.cutEach({ bytes: 3 * mebibyte, ms: 4_000 });
  const ran = await run(words(first.tar, ...trust, "--folder", "main", "--install", "--receipt", receipt, ...installWords(first)));
  line.cutEach({});
  t.equal(ran.status, 0, ran.text);
  t.ok(line.cuts() >= 4, `cut ${line.cuts()} times`);
  // What was on its way when the line was cut is lost; the rest goes over it once. No connection could bring all of it.
  t.ok(line.sent() < size + line.cuts() * 2.5 * mebibyte, `${line.sent()} bytes went over the line, the bundle has ${size}`);
  t.match(ran.stdout, new RegExp(`^verified     there, signed by ${first.fingerprint}$`, "m"));
  t.match(ran.stderr, /done: release conformance\.1 of cut runs/);
  t.match(JSON.parse(readFileSync(receipt, "utf8")), { kind: "Receipt", result: "complete", trust: "signature", guest: "healthy crmserver" });
  t.equal(occurrences(ran.stderr, "done: release"), 1, "no line of the log comes twice");
  noSecrets(t, ran);
});

t.test("another process shows the same run again, from its beginning", async (t) => {
  const ran = await run(words(first.tar, "--folder", "main", "--attach", "--json"));
  t.equal(ran.status, 0, ran.text);
  const events = ran.stdout.trim().split("\n").map((each) => JSON.parse(each) as { readonly event: string; readonly text?: string; readonly status?: number });
  t.match(events.map((each) => each.text ?? "").join(""), /^verify\n[^]*done: release/);
  t.match(events.at(-1), { event: "installed", status: 0 });
});

t.test("a bit that was flipped on the host's disk: refused, and nothing is run", async (t) => {
  const blob = readdirSync(join(folderOf("main"), "bundle/blobs"))[0] ?? "";
  const before = statSync(join(folderOf("main"), "run")).ctimeMs;
  flip(join(folderOf("main"), "bundle/blobs", blob), 1_000);
  const ran = await run(words(first.tar, ...trust, "--folder", "main", "--install", ...installWords(first)));
  t.equal(ran.status, 1, ran.text);
  t.match(ran.stderr, /refused\s+verify\/digest/);
  t.match(ran.stderr, /nothing of it was run/);
  t.equal(statSync(join(folderOf("main"), "run")).ctimeMs, before);
  flip(join(folderOf("main"), "bundle/blobs", blob), 1_000);
});

t.test("words go on to install.sh: the VM is taken away again; then all that was put there is", async (t) => {
  const gone = await run(words(first.tar, ...trust, "--folder", "main", "--install", "--receipt", join(work, "removed.json"), "--remove-after", "--", "--uninstall"));
  t.equal(gone.status, 0, gone.text);
  t.match(gone.stderr, /nothing is left/);
  t.match(JSON.parse(readFileSync(join(work, "removed.json"), "utf8")), { action: "uninstall", result: "removed" });
  t.notOk(existsSync(folderOf("main")));
  const again = await run(words(first.tar, "--folder", "main", "--remove"));
  t.equal(again.status, 0, again.text);
});

t.test("killed in the middle, and again: it goes on where it was", async (t) => {
  const part = join(folderOf("kill it's; \"$HOME\""), "bundle.tar.part");
  line.cutEach({ bytes: 6 * mebibyte });
  const odd = ["--folder", "kill it's; \"$HOME\""];
  const pushing = push(words(first.tar, ...trust, ...odd));
  await until("a part has arrived", () => sizeOf(part) > 3 * mebibyte);
  pushing.child.kill("SIGKILL");
  await pushing.ended;
  line.cutEach({});
  t.ok(sizeOf(part) < size);
  const sent = line.sent();
  const ran = await run(words(first.tar, ...trust, ...odd));
  t.equal(ran.status, 0, ran.text);
  t.match(ran.stdout, /^sent +\d+ bytes; \d{7,} were there$/m);
  t.ok(line.sent() - sent < size - 2 * mebibyte);
  t.equal((await run(words(first.tar, ...odd, "--remove"))).status, 0);
  t.strictSame(readdirSync(host.home).filter((name) => !name.startsWith(".")), []);
});

t.test("what is there is not the bundle's beginning: it is sent again, from the last block that is proven", async (t) => {
  const part = join(folderOf("bits"), "bundle.tar.part");
  line.cutEach({ bytes: 6 * mebibyte });
  const pushing = push(words(first.tar, ...trust, "--folder", "bits"));
  await until("a part has arrived", () => sizeOf(part) > 3 * mebibyte);
  pushing.child.kill("SIGKILL");
  await pushing.ended;
  line.cutEach({});
  flip(part, 2 * mebibyte + 5);
  const ran = await run(words(first.tar, ...trust, "--folder", "bits"));
  t.equal(ran.status, 0, ran.text);
  t.match(ran.stderr, /is not this bundle from byte 0 on/);
  // A tar that is longer than ours, or of another bundle, is no beginning either.
  truncateSync(join(folderOf("bits"), "unpacked"));
  writeFileSync(part, Buffer.alloc(size + 1));
  const longer = await run(words(first.tar, ...trust, "--folder", "bits"));
  t.equal(longer.status, 0, longer.text);
  writeFileSync(join(folderOf("bits"), "mine"), "");
  const left = await run(words(first.tar, "--folder", "bits", "--remove"));
  t.equal(left.status, 1, left.text);
  t.match(left.stderr, /^ {2}mine$/m);
  t.strictSame(readdirSync(folderOf("bits")).sort(), [".cloudlet-push", "mine"]);
  rmSync(folderOf("bits"), { recursive: true });
});

t.test("a disk that is too small, and one that fills up", async (t) => {
  const place = ["--folder", join(small, "there")];
  writeFileSync(join(small, "ballast"), Buffer.alloc(40 * mebibyte));
  const early = await run(words(first.tar, ...trust, ...place));
  t.equal(early.status, 3, early.text);
  t.match(early.stderr, /bytes free; the bundle and its unpacked files need \d+/);
  t.notOk(existsSync(join(small, "there")), "nothing was made");
  rmSync(join(small, "ballast"));
  line.cutEach({ bytes: 4 * mebibyte });
  const pushing = push(words(first.tar, ...trust, ...place));
  await until("a part has arrived", () => sizeOf(join(small, "there/bundle.tar.part")) > mebibyte);
  execFileSync("sh", ["-c", `dd if=/dev/zero of=${join(small, "ballast")} bs=1M 2>/dev/null || :`]);
  const late = await pushing.ended;
  line.cutEach({});
  t.equal(late.status, 3, late.text);
  t.match(late.stderr, /No space left on device/);
  rmSync(join(small, "ballast"));
  const ran = await run(words(first.tar, ...trust, ...place));
  t.equal(ran.status, 0, ran.text);
  t.match(ran.stdout, /were there$/m);
  t.equal((await run(words(first.tar, ...place, "--remove"))).status, 0);
  t.strictSame(readdirSync(small), []);
});

t.test("a run goes on without the push that began it; another shows it, and one stops it", async (t) => {
  const place = ["--folder", "waiting", "--trust", waiting.fingerprint];
  const pushing = push(words(waiting.tar, ...place, "--install", ...installWords(waiting)));
  await until("install.sh waits for the VM", () => /the VM says that it is well/.test(pushing.said()) || pushing.child.exitCode !== null);
  pushing.child.kill("SIGKILL");
  await pushing.ended;
  t.ok(existsSync(join(folderOf("waiting"), "secrets")), "the secrets are there while it runs");
  t.equal(statSync(join(folderOf("waiting"), "secrets")).mode & 0o777, 0o600);
  const busy = await run(words(waiting.tar, ...place));
  t.match(busy.stderr, /an installation of this bundle is going on there/);
  t.equal(busy.status, 3);
  const attached = push(words(waiting.tar, "--folder", "waiting", "--attach"));
  await until("it is shown", () => /the VM says that it is well/.test(attached.said()));
  // The line drops, and the run is shown on without a byte twice.
  line.cut();
  await until("the line is up again", () => /the line is up again/.test(attached.said()));
  attached.child.kill("SIGINT");
  const left = await attached.ended;
  t.equal(left.status, 3, left.text);
  t.match(left.stderr, /The installation goes on there\.\n {2}to see it: .* --attach\n {2}to stop it: .* --cancel\n/);
  const again = push(words(waiting.tar, "--folder", "waiting", "--attach"));
  await until("it is shown", () => /the VM says that it is well/.test(again.said()));
  const cancelled = await run(words(waiting.tar, "--folder", "waiting", "--cancel"));
  t.equal(cancelled.status, 0, cancelled.text);
  const end = await again.ended;
  t.equal(end.status, 3, end.text);
  t.match(end.text, /interrupted\. What was done is recorded/);
  t.match(end.stdout, /install\.sh +ended with 143/);
  t.notOk(existsSync(join(folderOf("waiting"), "secrets")), "the secrets are gone");
  t.equal((await run(words(waiting.tar, "--folder", "waiting", "--cancel"))).status, 1, "nothing to cancel");
  const gone = await run(words(waiting.tar, ...place, "--install", "--", "--uninstall"));
  t.equal(gone.status, 0, gone.text);
  t.equal((await run(words(waiting.tar, "--folder", "waiting", "--remove"))).status, 0);
});

t.test("host keys are strict, and each refusal says what to do", async (t) => {
  const empty = join(work, "empty");
  writeFileSync(empty, "");
  const to = [waiting.tar, `root@${host.address}`, "--identity", key];
  const fingerprint = execFileSync("ssh-keygen", ["-lf", "-"], { input: host.hostKey, encoding: "utf8" }).split(" ")[1] ?? "";
  const refused = async (more: readonly string[], says: RegExp): Promise<void> => {
    const ran = await run([...to, ...more, "--plan"]);
    t.equal(ran.status, 3, ran.text);
    t.match(ran.stderr, says);
  };
  await refused(["--known-hosts", empty], new RegExp(`is not known \\(ssh-ed25519 ${escaped(fingerprint)}\\)[^]*--host-key`));
  await refused(["--known-hosts", empty, "--host-key", `SHA256:${"A".repeat(43)}`], /has no host key with the fingerprint/);
  await refused(["--known-hosts", empty, "--host-key", `[elsewhere]:22=${fingerprint}`], /is not known/);
  const pinned = await run([...to, "--known-hosts", empty, "--host-key", fingerprint, "--plan"]);
  t.equal(pinned.status, 0, pinned.text);
  const hashed = join(work, "hashed");
  writeFileSync(hashed, `${host.address} ${host.hostKey}\n`);
  execFileSync("ssh-keygen", ["-q", "-H", "-f", hashed], { stdio: "ignore" });
  t.match(readFileSync(hashed, "utf8"), /^\|1\|/);
  t.equal((await run([...to, "--known-hosts", hashed, "--plan"])).status, 0);
  await host.changeKey();
  await refused(["--known-hosts", hashed], /HAS CHANGED[^]*ssh-keygen -R/);
  writeFileSync(hashed, `@revoked * ${host.hostKey}\n${host.address} ${host.hostKey}\n`);
  await refused(["--known-hosts", hashed], /is revoked/);
  writeFileSync(hashed, `@cert-authority * ${host.hostKey}\n`);
  await refused(["--known-hosts", hashed], /only a certificate authority is known[^]*--transport openssh/);
});

t.test("logins: a wrong passphrase, a right one, a key that nobody knows", async (t) => {
  const encrypted = keyAt(join(work, "encrypted"), "right one");
  const passphrase = join(work, "passphrase");
  const to = words(waiting.tar, "--plan").filter((each) => each !== key && each !== "--identity");
  writeFileSync(passphrase, "wrong one\n", { mode: 0o600 });
  const wrong = await run([...to, "--identity", encrypted, "--passphrase-file", passphrase]);
  t.equal(wrong.status, 3);
  t.match(wrong.stderr, /the passphrase of .*encrypted is wrong/);
  t.notMatch(wrong.text, /wrong one/);
  writeFileSync(passphrase, "right one\n");
  const stranger = await run([...to, "--identity", encrypted, "--passphrase-file", passphrase]);
  t.equal(stranger.status, 3);
  t.match(stranger.stderr, /does not let us in \(tried: .*encrypted\)/);
  const none = await run([...to, "--identity", encrypted]);
  t.match(none.stderr, /encrypted is encrypted, and there is no passphrase/);
});

t.test("through a jump host, by both transports, each host key asked for", async (t) => {
  const behind = (known: string, more: readonly string[]): Pushing =>
    push([waiting.tar, "root@127.0.0.1:2223", "--jump", `root@${host.address}`, "--identity", key, "--known-hosts", known, "--folder", "jump", ...more]);
  words(waiting.tar);
  const own = await behind(knownHosts, ["--trust", waiting.fingerprint]).ended;
  t.equal(own.status, 0, own.text);
  const half = join(work, "half");
  writeFileSync(half, `${host.address} ${host.hostKey}\n`);
  t.match((await behind(half, ["--plan"]).ended).stderr, /host key of 127\.0\.0\.1:2223 is not known/);
  t.match((await behind(half, ["--plan", "--transport", "openssh"]).ended).stderr, /host key of 127\.0\.0\.1:2223 is refused/);
  writeFileSync(half, `[127.0.0.1]:2223 ${host.hostKey}\n`);
  t.match((await behind(half, ["--plan"]).ended).stderr, new RegExp(`host key of ${escaped(host.address)} is not known`));
  t.match((await behind(half, ["--plan", "--transport", "openssh"]).ended).stderr, /host key/i);
  const system = await behind(knownHosts, ["--trust", waiting.fingerprint, "--transport", "openssh"]).ended;
  t.equal(system.status, 0, system.text);
  t.match(system.stdout, /the bundle is there[^]*verified     there/);
  t.equal((await behind(knownHosts, ["--remove", "--transport", "openssh"]).ended).status, 0);
});

t.test("a folder of parts is sent as the tar that they are; without one of them it is refused here", async (t) => {
  const parts = join(work, "parts-of-waiting");
  rmSync(parts, { recursive: true, force: true });
  execFileSync(process.execPath, [join(import.meta.dirname, "../../../bin/cloudlet-bundle.js"), "split", waiting.tar, "--size", "2500000", "--out", parts, "--quiet"]);
  t.ok(readdirSync(parts).length > 2);
  const place = ["--folder", "parts", "--trust", waiting.fingerprint];
  const ran = await run(words(parts, ...place));
  t.equal(ran.status, 0, ran.text);
  t.match(ran.stdout, new RegExp(`^sent         ${statSync(waiting.tar).size} bytes$`, "m"));
  t.match((await run(words(waiting.tar, ...place))).stdout, /the bundle is there/);
  rmSync(join(parts, readdirSync(parts).sort().at(-1) ?? ""));
  const lacking = await run(words(parts, ...place));
  t.equal(lacking.status, 3, lacking.text);
  t.match(lacking.stderr, /does not hold all parts/);
  t.equal((await run(words(waiting.tar, "--folder", "parts", "--remove"))).status, 0);
});

t.test("by the system's ssh, over a line that is cut", async (t) => {
  const before = line.cuts();
  line.cutEach({ bytes: 4 * mebibyte });
  const ran = await run(words(first.tar, ...trust, "--folder", "system", "--transport", "openssh"));
  line.cutEach({});
  t.equal(ran.status, 0, ran.text);
  t.ok(line.cuts() > before + 1, `cut ${line.cuts() - before} times`);
  t.equal((await run(words(first.tar, "--folder", "system", "--remove", "--transport", "openssh"))).status, 0);
});

t.test("a host with nothing but BusyBox and openssl", async (t) => {
  const programs = join(work, "busybox");
  rmSync(programs, { recursive: true, force: true });
  mkdirSync(programs, { recursive: true });
  for (const name of execFileSync("busybox", ["--list"], { encoding: "utf8" }).trim().split("\n")) symlinkSync("/bin/busybox", join(programs, name));
  symlinkSync("/usr/bin/openssl", join(programs, "openssl"));
  const bare = await jumpHost("two", { net: 2, authorized: [key], path: programs });
  t.teardown(() => bare.close());
  const known = join(work, "known-busybox");
  writeFileSync(known, `${bare.address} ${bare.hostKey}\n`);
  const to = [waiting.tar, `root@${bare.address}`, "--identity", key, "--known-hosts", known];
  const ran = await run([...to, "--trust", waiting.fingerprint, "--install", "--", "--check"]);
  t.match(ran.stdout, /verified     there/, ran.text);
  // There is no QEMU: install.sh says so, and its status is ours.
  t.match(ran.stderr, /tool\/missing/);
  t.equal(ran.status, 1, ran.text);
  t.equal((await run([...to, "--remove"])).status, 0);
  t.strictSame(readdirSync(bare.home), []);
});

t.test("Dropbear, which takes short commands only and has no sftp", async (t) => {
  const server = await dropbear("one", key);
  t.teardown(() => server.close());
  const known = join(work, "known-dropbear");
  writeFileSync(known, `[127.0.0.1]:${server.port} ${server.hostKey}\n`);
  const to = [waiting.tar, `root@127.0.0.1:${server.port}`, "--identity", key, "--known-hosts", known];
  const ran = await run([...to, "--trust", waiting.fingerprint, "--install", "--", "--check", "--secrets", waiting.secrets, "--parameter", "driver=qemu"]);
  t.equal(ran.status, 0, ran.text);
  t.match(ran.stderr, /nothing stands in the way/);
  t.equal((await run([...to, "--remove"])).status, 0);
});

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function flip(path: string, at: number): void {
  const file = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  writeSync(file, byte, 0, 1, at);
  closeSync(file);
}

function occurrences(text: string, of: string): number {
  return text.split(of).length - 1;
}

function escaped(text: string): string {
  return text.replace(/[.+^${}()|[\]\\/]/g, "\\$&");
}

/** Neither in what was shown, nor in what stays on the host. */
function noSecrets(t: Test, ran: Ended): void {
  const secret = /^ACCESS_KEY=base64:(.+)$/m.exec(readFileSync(first.secrets, "utf8"))?.[1] ?? "";
  t.ok(secret.length > 40);
  t.notOk(ran.text.includes(secret));
  const left = readdirSync(host.home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && statSync(join(entry.parentPath, entry.name)).size < mebibyte)
    .map((entry) => join(entry.parentPath, entry.name));
  t.strictSame(left.filter((path) => readFileSync(path, "latin1").includes(secret)), []);
}
