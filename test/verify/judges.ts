/** Three verifiers and the bundle they judge: `verify`, the operator's verify.sh in one of four shells, the independent reader. */

import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Test } from "tap";
import { drawBundle, loadSpec } from "../../src/cli/draw.ts";
import { resolveInputs } from "../../src/cli/inputs.ts";
import { processIo } from "../../src/cli/io.ts";
import type { File } from "../../src/core/file.ts";
import { layBundle, produce } from "../../src/pack/stream.ts";
import type { Tree } from "../../src/pack/tree.ts";
import { seal } from "../../src/seal/seal.ts";
import type { Signer } from "../../src/seal/sign.ts";
import { verifyBundle, type Trust } from "../../src/seal/verify.ts";
import { openBundle } from "../../src/store/bundle-file.ts";
import { makeReferenceInputs } from "../../scripts/make-reference-inputs.ts";

const root = join(import.meta.dirname, "../..");

export const shells = [["dash"], ["bash", "--posix"], ["busybox", "sh"], ["ksh"]] as const;

/** A copy of verify.sh, as the operator has one from elsewhere. */
export function operatorsCopy(work: string): string {
  const path = join(work, "verify.sh");
  writeFileSync(path, readFileSync(join(root, "templates/common/verify.sh")));
  return path;
}

/** Draws a reference cloudlet, as often as is wanted, with any trust policies; `work` holds lock and store. */
export async function referenceCloudlet(work: string): Promise<{ readonly draw: (trust: readonly File[]) => Promise<Tree>; readonly tar: (tree: Tree) => Promise<Buffer> }> {
  await makeReferenceInputs(join(root, "out/inputs"));
  const io = { ...processIo(), workingFolder: root };
  const inputs = await resolveInputs(io, { release: "bundles/openstack-single/release.yaml", lock: join(work, "lock.json"), store: join(work, "store"), architecture: "amd64", vmdk: false, quiet: true });
  const { resolved } = inputs;
  if (resolved === undefined) throw new Error(JSON.stringify(inputs.reports));
  const draw = async (trust: readonly File[]): Promise<Tree> => {
    const { drawn } = drawBundle(io, await loadSpec(io, "bundles/openstack-single/cloudlet.yaml"), resolved, trust);
    if (drawn === undefined) throw new Error("the reference cloudlet does not draw");
    return drawn.tree;
  };
  const tar = async (tree: Tree): Promise<Buffer> => {
    const parts: Buffer[] = [];
    for await (const chunk of produce(layBundle(tree), resolved.store)) parts.push(Buffer.from(chunk));
    return Buffer.concat(parts);
  };
  return { draw, tar };
}

/** Its bundle, signed by one key, after a change. */
export async function referenceBundle(work: string, signer: Signer, change: (tree: Tree) => Tree = (tree) => tree): Promise<Buffer> {
  const { draw, tar } = await referenceCloudlet(work);
  return tar(await seal(change(await draw([])), [signer]));
}

export interface Judgement {
  readonly good: boolean;
  readonly codes: readonly string[];
}

async function byVerify(path: string, trust: Trust, time: string | undefined): Promise<Judgement> {
  const verdict = await verifyBundle(await openBundle(path), trust, { now: time });
  return { good: verdict.good, codes: [...new Set(verdict.rungs.flatMap((rung) => rung.issues.map((issue) => issue.code)))].sort() };
}

async function byShell(shell: readonly string[], script: string, words: readonly string[]): Promise<Judgement> {
  const { status, text } = await run([...shell, script, ...words]);
  if (status !== 0 && status !== 1) return { good: false, codes: [`exit ${status}: ${text}`] };
  return { good: status === 0, codes: [...new Set([...text.matchAll(/\b(verify\/[a-z-]+): /g)].map((match) => match[1] ?? ""))].sort() };
}

async function byReader(path: string, trust: string, time: string | undefined): Promise<boolean> {
  const { status, text } = await run(["/usr/bin/python3", join(root, "test/independent/verify_bundle.py"), path, trust, ...(time === undefined ? [] : [time])]);
  if (status !== 0 && status !== 1) throw new Error(`the independent reader ended with ${status}: ${text}`);
  return status === 0;
}

export function run(command: readonly string[]): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve) => {
    const [program = "", ...words] = command;
    const child = spawn(program, words, { cwd: "/", env: { PATH: process.env["PATH"] }, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
    child.on("close", (status) => resolve({ status: status ?? 255, text }));
  });
}

let turn = 0;
const nextShell = (): readonly string[] => shells[(turn += 1) % shells.length] ?? ["sh"];


/** What is asked of all three, and what they should say. */
export interface Asked {
  readonly trust: Trust;
  /** Instead of the clock, where there is a policy that ends. */
  readonly time?: string;
  readonly expected: boolean;
  /** Where it matters which ones. */
  readonly codes?: readonly string[];
}

/** They agree on the tar or folder at `path`; `verifySh` is the operator's copy, for the one in it may be what was damaged. */
export async function judge(t: Test, what: string, path: string, verifySh: string, { trust, time, expected, codes }: Asked): Promise<void> {
  const shell = nextShell();
  const words = [...(trust === undefined ? [] : ["--trust", trust]), ...(time === undefined ? [] : ["--time", time])];
  const [ours, theirs, reader] = await Promise.all([byVerify(path, trust, time), byShell(shell, verifySh, ["--bundle", path, ...words]), byReader(path, trust ?? "", time)]);
  t.equal(ours.good, expected, `${what}: verify`);
  t.strictSame(theirs, ours, `${what}: verify.sh in ${shell.join(" ")}`);
  t.equal(reader, expected, `${what}: the independent reader`);
  if (codes !== undefined) t.strictSame(ours.codes, codes, `${what}: why`);
}

/** Two at a time: each is a few hundred small processes. */
export async function inTwos<T>(items: readonly T[], judge: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const work = async (): Promise<void> => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await judge(next);
  };
  await Promise.all([work(), work()]);
}
