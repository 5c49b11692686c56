/**
 * Three verifiers judge every good and every damaged bundle: `verify`, the bundle's own verify.sh in one of four shells, and
 * a reader written from the format page alone. They agree, and so do the reasons of the first two.
 */

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { drawBundle, loadSpec } from "../../src/cli/draw.ts";
import { resolveInputs } from "../../src/cli/inputs.ts";
import { processIo } from "../../src/cli/io.ts";
import { main } from "../../src/cli/main.ts";
import { textFile } from "../../src/core/file.ts";
import { layBundle, produce } from "../../src/pack/stream.ts";
import type { Tree } from "../../src/pack/tree.ts";
import { pack } from "../../src/pack/tree.ts";
import { generateKey, publicHalf } from "../../src/seal/keys.ts";
import { seal } from "../../src/seal/seal.ts";
import { pemSigner } from "../../src/seal/sign.ts";
import { verifyBundle, type Trust } from "../../src/seal/verify.ts";
import { openBundle } from "../../src/store/bundle-file.ts";
import { makeReferenceInputs } from "../../scripts/make-reference-inputs.ts";
import { archiveDamages, folderDamages, folderHarmless } from "./damages.ts";
import { reseal, resealedFaults, resealedHarmless } from "./resealed.ts";

const root = join(import.meta.dirname, "../..");
const work = mkdtempSync(join(tmpdir(), "cloudlet verify's-"));
t.teardown(() => {
  execFileSync("chmod", ["-R", "u+w", work]);
  rmSync(work, { recursive: true, force: true });
});
t.setTimeout(300_000);

const shells = [["dash"], ["bash", "--posix"], ["busybox", "sh"], ["ksh"]] as const;
const verifySh = join(work, "verify.sh");
writeFileSync(verifySh, readFileSync(join(root, "templates/common/verify.sh")));

const key = generateKey((bytes) => new Uint8Array(bytes).fill(5));
const { fingerprint, publicKeyPem } = publicHalf(key);
const keyFile = join(work, "key.pem");
writeFileSync(keyFile, publicKeyPem);
const good = await bundle();
/** The same with an OVF package, whose disks come last. */
const withDisks = await bundle((tree) => pack([...tree.files, ...["vm-image.vmdk", "payload.vmdk", "platformvm.ovf", "platformvm.mf"].map((name) => textFile(`ovf/${name}`, name, { role: "site", source: "a test" }))], tree.about));

async function bundle(change: (tree: Tree) => Tree = (tree) => tree): Promise<Buffer> {
  await makeReferenceInputs(join(root, "out/inputs"));
  const io = { ...processIo(), workingFolder: root };
  const inputs = await resolveInputs(io, { release: "bundles/openstack-single/release.yaml", lock: join(work, "lock.json"), store: join(work, "store"), architecture: "amd64", vmdk: false, quiet: true });
  if (inputs.resolved === undefined) throw new Error(JSON.stringify(inputs.reports));
  const { drawn } = drawBundle(io, await loadSpec(io, "bundles/openstack-single/cloudlet.yaml"), inputs.resolved);
  const signer = pemSigner(key);
  if (drawn === undefined || !signer.ok) throw new Error("the reference cloudlet does not draw");
  const layout = layBundle(await seal(change(drawn.tree), signer.value));
  const parts: Buffer[] = [];
  for await (const chunk of produce(layout, inputs.resolved.store)) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

/** The tar with the first disk where its path alone would put it: before the other files of ovf/. */
function disksEarly(tar: Buffer): Buffer {
  const at = (path: string): number => tar.indexOf(Buffer.from(`${path}\0`));
  const disk = tar.subarray(at("ovf/payload.vmdk"), at("ovf/payload.vmdk") + 1_024);
  const from = at("ovf/platformvm.mf");
  return Buffer.concat([tar.subarray(0, from), disk, tar.subarray(from, at("ovf/payload.vmdk")), tar.subarray(at("ovf/payload.vmdk") + 1_024)]);
}

interface Judgement {
  readonly good: boolean;
  readonly codes: readonly string[];
}

async function byVerify(path: string, trust: Trust): Promise<Judgement> {
  const verdict = await verifyBundle(await openBundle(path), trust);
  return { good: verdict.good, codes: [...new Set(verdict.rungs.flatMap((rung) => rung.issues.map((issue) => issue.code)))].sort() };
}

async function byShell(shell: readonly string[], script: string, words: readonly string[]): Promise<Judgement> {
  const { status, text } = await run([...shell, script, ...words]);
  if (status !== 0 && status !== 1) return { good: false, codes: [`exit ${status}: ${text}`] };
  return { good: status === 0, codes: [...new Set([...text.matchAll(/\b(verify\/[a-z-]+): /g)].map((match) => match[1] ?? ""))].sort() };
}

async function byReader(path: string, trust: string): Promise<boolean> {
  const { status, text } = await run(["/usr/bin/python3", join(root, "test/independent/verify_bundle.py"), path, trust]);
  if (status !== 0 && status !== 1) throw new Error(`the independent reader ended with ${status}: ${text}`);
  return status === 0;
}

function run(command: readonly string[]): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve) => {
    const [program = "", ...words] = command;
    const child = spawn(program, words, { cwd: "/", env: { PATH: process.env["PATH"] }, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    child.on("close", (status) => resolve({ status: status ?? 255, text }));
  });
}

/** Two at a time: each is a few hundred small processes. */
async function inTwos<T>(items: readonly T[], judge: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await judge(next);
  };
  await Promise.all([work(), work()]);
}

let turn = 0;
const nextShell = (): readonly string[] => shells[(turn += 1) % shells.length] ?? ["sh"];

async function judgeArchive(t: Test, what: string, tar: Buffer, trust: Trust, expected: boolean): Promise<void> {
  const path = join(work, `${(turn += 1)}.tar`);
  writeFileSync(path, tar);
  const shell = nextShell();
  const words = trust === undefined ? [] : ["--trust", trust];
  const [ours, theirs, reader] = await Promise.all([byVerify(path, trust), byShell(shell, verifySh, ["--bundle", path, ...words]), byReader(path, trust ?? "")]);
  t.equal(ours.good, expected, `${what}: verify`);
  t.strictSame(theirs, ours, `${what}: verify.sh in ${shell.join(" ")}`);
  t.equal(reader, expected, `${what}: the independent reader`);
  rmSync(path);
}

async function judgeFolder(t: Test, what: string, damage: (folder: string) => unknown, trust: Trust, expected: boolean): Promise<void> {
  const place = join(work, `f${(turn += 1)}`);
  const folder = join(place, "bundle");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(place, "b.tar"), good);
  execFileSync("tar", ["-xf", join(place, "b.tar"), "-C", folder]);
  await damage(folder);
  const shell = nextShell();
  // The script itself may be what was damaged: the operator's copy judges it.
  const words = trust === undefined ? [] : ["--trust", trust];
  const [ours, theirs, reader] = await Promise.all([
    byVerify(folder, trust),
    byShell(shell, verifySh, ["--bundle", folder, ...words]),
    byReader(folder, trust ?? ""),
  ]);
  t.equal(ours.good, expected, `${what}: verify`);
  t.strictSame(theirs, ours, `${what}: verify.sh in ${shell.join(" ")}`);
  t.equal(reader, expected, `${what}: the independent reader`);
  execFileSync("chmod", ["-R", "u+rwx", place]);
  rmSync(place, { recursive: true });
}

t.test("good bundles", async (t) => {
  await judgeArchive(t, "as it is", good, fingerprint, true);
  await judgeArchive(t, "without looking at the signature", good, "none", true);
  await judgeArchive(t, "with an OVF package", withDisks, fingerprint, true);
  await judgeArchive(t, "with an OVF package whose disks are not the last", disksEarly(withDisks), fingerprint, false);
  for (const [what, damage] of folderHarmless) await judgeFolder(t, `a folder ${what}`, damage, fingerprint, true);
});

t.test("trust that is not there", async (t) => {
  await judgeArchive(t, "nobody said whom to trust", good, undefined, false);
  await judgeArchive(t, "another key is trusted", good, `SHA256:${"0".repeat(64)}`, false);
});

t.test("every damage to the tar is refused", async (t) => {
  await inTwos(archiveDamages, ([what, damage]) => judgeArchive(t, what, damage(good) ?? good, fingerprint, false));
});

t.test("every damage to the folder is refused", async (t) => {
  await inTwos(folderDamages, ([what, damage]) => judgeFolder(t, what, damage, fingerprint, false));
});

t.test("what is signed and wrong is refused, what is only unusual is not", async (t) => {
  const signer = pemSigner(key);
  if (!signer.ok) throw new Error("the key is no key");
  const cases = [...resealedFaults.map((each) => [each, false] as const), ...resealedHarmless.map((each) => [each, true] as const)];
  await inTwos(cases, ([each, expected]) => judgeFolder(t, each.what, (folder) => reseal(folder, each, signer.value), fingerprint, expected));
});

t.test("a key file is as good as its fingerprint, and what is no key is no judgement", async (t) => {
  const path = join(work, "good.tar");
  writeFileSync(path, good);
  for (const shell of shells) {
    t.equal((await run([...shell, verifySh, "--bundle", path, "--trust", keyFile])).status, 0, shell.join(" "));
    t.equal((await run([...shell, verifySh, "--bundle", path, "--trust", "SHA256:zz"])).status, 2, shell.join(" "));
    t.equal((await run([...shell, verifySh, "--bundle", path, "--trust", path])).status, 2, shell.join(" "));
    t.equal((await run([...shell, verifySh, "--bundle", `${path}x`])).status, 3, shell.join(" "));
  }
});

t.test("a trust in any case of letters is the same to both", async (t) => {
  const path = join(work, "good.tar");
  const hex = fingerprint.slice(7);
  for (const [trust, status] of [[`sha256:${hex}`, 0], [`SHA256:${hex.toUpperCase()}`, 0], [hex, 3], [`SHA256:${hex}0`, 2], [`SHA256:${hex.replace(/../g, "$&:")}`, 2], ["", 2]] as const) {
    t.equal((await run(["dash", verifySh, "--bundle", path, "--trust", trust])).status, status, `verify.sh: ${trust}`);
    t.equal(await main(["verify", path, "--trust", trust], { ...processIo(), workingFolder: work, out: () => undefined, err: () => undefined }), status, `verify: ${trust}`);
  }
});

/** A folder with links to these tools, to be a PATH. */
function toolbox(name: string, tools: readonly string[]): string {
  const folder = join(work, name);
  mkdirSync(folder);
  for (const tool of tools) symlinkSync(execFileSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).trim(), join(folder, tool));
  return folder;
}

const tools = ["awk", "cat", "cmp", "dd", "dirname", "find", "grep", "head", "mktemp", "od", "openssl", "rm", "sed", "sha256sum", "stat", "tail", "tr", "wc"];

t.test("these tools are enough, and without one of them it fails closed", async (t) => {
  const path = toolbox("few", tools);
  const judge = (): ReturnType<typeof run> => run(["/usr/bin/env", `PATH=${path}`, "/bin/dash", verifySh, "--bundle", join(work, "good.tar"), "--trust", fingerprint]);
  t.equal((await judge()).status, 0);
  for (const tool of tools) {
    renameSync(join(path, tool), join(work, "away"));
    const child = await judge();
    t.equal(child.status, 3, tool);
    t.match(child.text, `missing: ${tool}`);
    renameSync(join(work, "away"), join(path, tool));
  }
});

t.test("BusyBox alone is enough, with openssl", async (t) => {
  const path = join(work, "busybox");
  mkdirSync(path);
  for (const tool of tools.filter((each) => each !== "openssl" && each !== "mktemp")) symlinkSync("/bin/busybox", join(path, tool));
  symlinkSync("/bin/busybox", join(path, "mktemp"));
  symlinkSync("/usr/bin/openssl", join(path, "openssl"));
  for (const bundle of [join(work, "good.tar"), unpacked()]) {
    const child = await run(["/usr/bin/env", `PATH=${path}`, "/bin/busybox", "sh", verifySh, "--bundle", bundle, "--trust", fingerprint]);
    t.equal(child.status, 0, child.text);
  }
});

function unpacked(): string {
  const folder = mkdtempSync(join(work, "unpacked-"));
  execFileSync("tar", ["-xf", join(work, "good.tar"), "-C", folder]);
  return folder;
}

t.test("without --bundle it judges the folder that it lies in, from anywhere and without a home", async (t) => {
  const folder = join(work, 'a "b" $c');
  renameSync(unpacked(), folder);
  for (const shell of shells) {
    const whole = ["/usr/bin/env", "-i", `PATH=${process.env["PATH"] ?? ""}`, "LC_ALL=tr_TR.UTF-8", "sh", "-c", 'umask 0777 && exec "$@"', "sh", ...shell];
    const child = await run([...whole, join(folder, "verify.sh"), "--trust", fingerprint]);
    t.equal(child.status, 0, `${shell.join(" ")}: ${child.text}`);
    t.match(child.text, /^GOOD: /m);
    const quiet = await run([...whole, join(folder, "verify.sh"), "--trust", fingerprint, "--quiet"]);
    // Where that locale is not installed, bash itself says so.
    const said = quiet.text.replace(/^.*setlocale: .*\n/gm, "");
    t.strictSame([quiet.status, said], [0, ""], `${shell.join(" ")}: --quiet`);
  }
});

t.test("a disk that is full proves nothing", async (t) => {
  const folder = unpacked();
  for (const kept of ["SHA256SUMS", "SHA256SUMS.sig", "SHA256SUMS.pub", "manifest.json"]) {
    // What is written there ends as on a full disk.
    const path = join(work, `full-${kept}`);
    mkdirSync(path);
    writeFileSync(join(path, "mktemp"), `#!/bin/sh\nfolder=$(/usr/bin/mktemp -d) && ln -s /dev/full "$folder/${kept}" && printf '%s\\n' "$folder"\n`, { mode: 0o755 });
    for (const shell of shells) {
      const child = await run(["/usr/bin/env", `PATH=${path}:${process.env["PATH"] ?? ""}`, ...shell, verifySh, "--bundle", folder, "--trust", fingerprint]);
      t.equal(child.status, 3, `${kept}: ${shell.join(" ")}`);
      t.match(child.text, `no room for ${kept}`);
    }
  }
  for (const shell of shells) {
    const child = await run(["sh", "-c", '"$@" >/dev/full', "sh", ...shell, verifySh, "--bundle", folder, "--trust", fingerprint]);
    t.equal(child.status, 3, `nothing can be said: ${shell.join(" ")}`);
    t.match(child.text, "nothing is proven");
  }
});
