/**
 * Three verifiers judge every good and every damaged bundle: `verify`, the bundle's own verify.sh in one of four shells, and
 * a reader written from the format page alone. They agree, and so do the reasons of the first two.
 */

import { execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { drawBundle } from "../../src/cli/draw.ts";
import { resolveInputs } from "../../src/cli/inputs.ts";
import { processIo } from "../../src/cli/io.ts";
import { layBundle, produce } from "../../src/pack/stream.ts";
import { generateKey, publicHalf } from "../../src/seal/keys.ts";
import { seal } from "../../src/seal/seal.ts";
import { pemSigner } from "../../src/seal/sign.ts";
import { verifyBundle, type Trust } from "../../src/seal/verify.ts";
import { openBundle } from "../../src/store/bundle-file.ts";
import { makeReferenceInputs } from "../../scripts/make-reference-inputs.ts";
import { archiveDamages, folderDamages, folderHarmless } from "./damages.ts";

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

async function bundle(): Promise<Buffer> {
  await makeReferenceInputs(join(root, "out/inputs"));
  const io = { ...processIo(), workingFolder: root };
  const inputs = await resolveInputs(io, { release: "bundles/openstack-single/release.yaml", lock: join(work, "lock.json"), store: join(work, "store"), architecture: "amd64", quiet: true });
  if (inputs.resolved === undefined) throw new Error(JSON.stringify(inputs.reports));
  const { drawn } = await drawBundle(io, "bundles/openstack-single/cloudlet.yaml", inputs.resolved);
  const signer = pemSigner(key);
  if (drawn === undefined || !signer.ok) throw new Error("the reference cloudlet does not draw");
  const layout = layBundle(await seal(drawn.tree, signer.value));
  const parts: Buffer[] = [];
  for await (const chunk of produce(layout, inputs.resolved.store)) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
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
  damage(folder);
  const shell = nextShell();
  // The script itself may be what was damaged: the operator's copy judges it, from where it lies.
  const words = trust === undefined ? [] : ["--trust", trust];
  const script = join(place, "verify.sh");
  writeFileSync(script, readFileSync(verifySh, "utf8").replace('here=$(cd "$(dirname -- "$0")" && pwd -P)', 'here=$(cd "$(dirname -- "$0")/bundle" && pwd -P)'));
  const [ours, theirs, reader] = await Promise.all([byVerify(folder, trust), byShell(shell, script, words), byReader(folder, trust ?? "")]);
  t.equal(ours.good, expected, `${what}: verify`);
  t.strictSame(theirs, ours, `${what}: verify.sh in ${shell.join(" ")}`);
  t.equal(reader, expected, `${what}: the independent reader`);
  execFileSync("chmod", ["-R", "u+rwx", place]);
  rmSync(place, { recursive: true });
}

t.test("good bundles", async (t) => {
  await judgeArchive(t, "as it is", good, fingerprint, true);
  await judgeArchive(t, "without looking at the signature", good, "none", true);
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

t.test("without a tool it fails closed", async (t) => {
  const few = join(work, "few");
  mkdirSync(few);
  for (const tool of ["awk", "cat", "cmp", "comm", "cut", "dirname", "find", "grep", "head", "mktemp", "mv", "od", "rm", "sed", "sha256sum", "sort", "stat", "tail", "tr", "wc"]) {
    execFileSync("ln", ["-s", execFileSync("sh", ["-c", `command -v ${tool}`], { encoding: "utf8" }).trim(), join(few, tool)]);
  }
  chmodSync(few, 0o755);
  const child = await run(["/usr/bin/env", `PATH=${few}`, "/bin/dash", verifySh, "--bundle", join(work, "good.tar"), "--trust", fingerprint]);
  t.equal(child.status, 3);
  t.match(child.text, /missing: openssl/);
});
