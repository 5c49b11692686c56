/** `delta`: what one bundle has over another; and the bundle again, of the other and that. */

import type { Command } from "commander";
import type { FileHandle } from "node:fs/promises";
import { hexOf, sha256 } from "../core/digest.ts";
import type { Issue } from "../core/issue.ts";
import { additionsPath, additionsSize, parseRecipe, recipeBytes, recipePath, recipeText, type Recipe, type Target } from "../pack/delta.ts";
import { sumsPath, unsummedPaths } from "../pack/layout.ts";
import { bundleNameIn } from "../pack/parts.ts";
import { blockSize, encodeHeader, endSize, paddingOf, readHeader } from "../pack/tar.ts";
import { mtimeOf } from "../pack/tree.ts";
import { contentsOf, type Contents } from "../seal/contents.ts";
import { deltaSteps } from "../seal/delta-plan.ts";
import { partIssue } from "../seal/part-issue-codes.ts";
import { refusal, verdictText, type Verdict } from "../seal/verdict.ts";
import { verifyBundle, type Trust } from "../seal/verify.ts";
import { openArchive, type ArchiveOnDisk } from "../store/archive-file.ts";
import { openBundle } from "../store/bundle-file.ts";
import { lengthOf, type Run, type Stretch } from "../store/hash-stretch.ts";
import { hashStretches, type HashWatch } from "../store/hash-workers.ts";
import { viewOfFolder, type TarView } from "../store/tar-view.ts";
import { refuse } from "./bundle-argument.ts";
import { absolute } from "./documents.ts";
import { flushMeanwhile } from "./flush-meanwhile.ts";
import type { ExitStatus, Io } from "./io.ts";
import { progressOn, type Progress } from "./progress.ts";
import { refuseFullDisk } from "./refuse-full-disk.ts";
import { clockOf, trustOf } from "./verify.ts";
import { writeAside } from "./write-aside.ts";

interface Options {
  readonly apply?: true;
  readonly out?: string;
  readonly trust?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      "Write what a bundle has over another one: files, layers of containers and pieces of the VM image that the base has are left out. With --apply, make the bundle again of the base and the delta, the same to the byte: the base must be proven complete, and so must what is made.",
    )
    .argument("<base>", "the bundle that the other side has: the tar, the folder it was unpacked into, or a folder with its parts")
    .argument("<other>", "the new bundle; with --apply, the delta")
    .option("--apply", "make the new bundle of the base and the delta")
    .option("--out <file>", "the delta, or the new bundle; a name made of both bundles' when left out")
    .option("--trust <key>", "the signer's public key (PEM file), its fingerprint (SHA256:…), or none. With --apply it must be said; without it, the digests are checked in any case")
    .option("--json", "print the result as JSON")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle delta berlin-1-tdg-2026.10.cloudlet.tar berlin-1-tdg-2026.11.cloudlet.tar --out to-2026.11.delta.tar
  cloudlet-bundle delta --apply berlin-1-tdg-2026.10.cloudlet.tar to-2026.11.delta.tar --trust SHA256:d8bc…

Exit status: 0 done, 1 base or delta is not what it must be, 2 usage, 3 environment (disk).`,
    )
    .action(async (base: string, other: string, options: Options) => done(await delta(base, other, options, io)));
}

async function delta(base: string, other: string, options: Options, io: Io): Promise<ExitStatus> {
  const trust = await trustOf(io, options.trust ?? (options.apply ? undefined : "none"), "delta");
  if (trust === "wrong") return 2;
  const progress = progressOn(io, options.quiet === true);
  try {
    return options.apply ? await apply({ base, other, options, io, trust, progress }) : await create({ base, other, options, io, trust, progress });
  } finally {
    progress.finish();
  }
}

interface Job {
  readonly base: string;
  readonly other: string;
  readonly options: Options;
  readonly io: Io;
  readonly trust: Trust;
  readonly progress: Progress;
}

interface Proven {
  readonly contents: Contents;
  readonly view: TarView;
  readonly side: Target;
  readonly verdict: Verdict;
}

/** A bundle of which every byte is proven, or what is wrong with it. */
async function proven({ io, trust, progress }: Job, name: string, what: string): Promise<Proven | { readonly issues: readonly Issue[] }> {
  const path = absolute(io, name);
  let [done, total] = [0, 0];
  const source = await openBundle(path, { signal: io.signal, hashed: (bytes) => progress.report(`verifying ${what}`, (done += bytes), Math.max(total, done)) });
  const contents = await contentsOf(source);
  if (!contents.ok) return { issues: contents.issues };
  total = contents.value.files.reduce((sum, file) => sum + file.size, 0);
  const verdict = await verifyBundle(source, trust, { now: clockOf(io) });
  progress.finish();
  const view = source.kind === "archive" ? source.view : viewOfFolder(path, contents.value);
  const sums = contents.value.files.find((file) => file.path === sumsPath);
  if (!verdict.good || verdict.manifest === undefined || view === undefined || sums === undefined) {
    io.err(verdictText(verdict));
    return { issues: verdict.rungs.flatMap((rung) => rung.issues) };
  }
  const side = { name: bundleNameIn(verdict.manifest), size: view.size, sums: hexOf(sha256(await source.read(sums.place))), seal: await sealOf(contents.value) };
  return { contents: contents.value, view, side, verdict };
}

async function sealOf({ source, files }: Contents): Promise<string> {
  const lines: string[] = [];
  for (const { path, place } of files.filter((file) => unsummedPaths.includes(file.path))) lines.push(`${hexOf(sha256(await source.read(place)))}  ${path}\n`);
  return hexOf(sha256(new TextEncoder().encode(lines.join(""))));
}

function refused(io: Io, name: string, issues: readonly Issue[]): 1 {
  refuse(io, name, issues);
  return 1;
}

async function create(job: Job): Promise<ExitStatus> {
  const { io, options } = job;
  const base = await proven(job, job.base, "the base");
  if ("issues" in base) return refused(io, job.base, base.issues);
  const target = await proven(job, job.other, "the new bundle");
  if ("issues" in target) return refused(io, job.other, target.issues);
  const { steps, added } = await deltaSteps(base.contents, target.contents);
  const { seal: _, ...baseSide } = base.side;
  const recipe: Recipe = { base: baseSide, target: target.side, steps };
  const runs = [...deltaHead(recipe, mtimeOf(target.verdict.manifest?.release.created ?? "")), ...added.flatMap(({ start, end }) => target.view.runs(start, end))];
  const bytes = additionsSize(recipe);
  const all = [...runs, { zeros: paddingOf(bytes) + endSize }];
  const out = absolute(io, options.out ?? `${target.side.name.replace(/(\.cloudlet)?\.tar$/, "")}.from-${base.side.sums.slice(0, 12)}.delta.tar`);
  const size = lengthOf(all);
  await refuseFullDisk(out, size, "the delta");
  await writeAside(out, (file) => copyRuns(all, file, watchOf(job, "writing the delta", size)));
  job.progress.finish();
  const made = { delta: out, size, base: recipe.base, target: recipe.target, copied: target.side.size - bytes };
  if (options.json) io.out(`${JSON.stringify(made, null, 2)}\n`);
  else io.out(`delta        ${out}\nsize         ${size} bytes, of ${target.side.size}\nbase         ${base.side.name}, SHA256SUMS ${base.side.sums}\nmakes        ${target.side.name}, SHA256SUMS ${target.side.sums}\n`);
  return 0;
}

function deltaHead(recipe: Recipe, mtime: number): readonly Run[] {
  const text = new TextEncoder().encode(recipeText(recipe));
  const header = (path: string, size: number): Uint8Array => encodeHeader({ path, size, mode: 0o644, mtime });
  return [{ bytes: header(recipePath, text.byteLength) }, { bytes: text }, { zeros: paddingOf(text.byteLength) }, { bytes: header(additionsPath, additionsSize(recipe)) }];
}

function watchOf({ io, progress }: Job, what: string, total: number): HashWatch {
  let done = 0;
  return { signal: io.signal, hashed: (bytes) => progress.report(what, Math.min(total, (done += bytes)), total) };
}

/** Stretches this long are copied on several threads at once. Bytes. */
const copyBytes = 16_777_216;

async function copyRuns(runs: readonly Run[], file: FileHandle, watch: HashWatch): Promise<void> {
  const stretches: Stretch[] = [];
  let [held, size, at] = [[] as Run[], 0, 0];
  const end = (): void => {
    if (size > 0) stretches.push({ from: [held], to: { fd: file.fd, at } });
    [held, size, at] = [[], 0, at + size];
  };
  for (const run of runs.flatMap(cutRun)) {
    held.push(run);
    size += lengthOf([run]);
    if (size >= copyBytes) end();
  }
  end();
  await flushMeanwhile(file, watch, (watch) => hashStretches(stretches, watch));
}

function cutRun(run: Run): readonly Run[] {
  if (!("path" in run) || run.end - run.start <= copyBytes) return [run];
  const count = Math.ceil((run.end - run.start) / copyBytes);
  return Array.from({ length: count }, (_, index) => ({ path: run.path, start: run.start + index * copyBytes, end: Math.min(run.end, run.start + (index + 1) * copyBytes) }));
}

async function apply(job: Job): Promise<ExitStatus> {
  const { io, options } = job;
  // Nothing is made before it is known whose signature is wanted.
  if (job.trust === undefined) return refused(io, job.other, [refusal("verify/no-trust", "nobody said whose signature is trusted (--trust)")]);
  const source = await openArchive(absolute(io, job.other));
  const read = await readDelta(source);
  if (read === undefined) return refused(io, job.other, [partIssue("delta/form", "it is no delta, or it ends early")]);
  const { recipe, additions } = read;
  // Who signed the base plays no part, and may be out of trust by now: its bytes are those that the delta names, and what is made is judged.
  const base = await proven({ ...job, trust: "none" }, job.base, "the base");
  if ("issues" in base) return refused(io, job.base, [partIssue("delta/base", "the base is not proven complete, so nothing is made of it")]);
  if (base.side.sums !== recipe.base.sums || base.side.size !== recipe.base.size) {
    return refused(io, job.other, [partIssue("delta/other-base", `it is for ${recipe.base.name} with SHA256SUMS ${recipe.base.sums}; this is ${base.side.name} with ${base.side.sums}`)]);
  }
  const runs = recipe.steps.flatMap(({ from, start, end }) => (from === "base" ? base.view.runs(start, end) : source.view.runs(additions + start, additions + end)));
  const out = absolute(io, options.out ?? recipe.target.name);
  await refuseFullDisk(out, recipe.target.size, "the bundle");
  try {
    const verdict = await writeAside(out, async (file, aside) => {
      await copyRuns(runs, file, watchOf(job, "making the bundle", recipe.target.size));
      return judged(await openArchive(aside, watchOf(job, "verifying what was made", recipe.target.size)), job, recipe);
    });
    job.progress.finish();
    if (options.json) io.out(`${JSON.stringify({ bundle: out, size: recipe.target.size, signedBy: verdict.signedBy ?? null }, null, 2)}\n`);
    else io.out(`bundle       ${out}\nsize         ${recipe.target.size} bytes\n${verdict.signedBy === undefined ? "signature    not checked" : `signed by    ${verdict.signedBy}`}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof OtherTarget)) throw error;
    job.progress.finish();
    io.err(verdictText(error.verdict));
    return refused(io, job.other, [partIssue("delta/target", "what base and delta make is not what was signed")]);
  }
}

/** Ends the writing, so that nothing is left of it. */
class OtherTarget extends Error {
  readonly verdict: Verdict;

  constructor(verdict: Verdict) {
    super("base and delta make another bundle than was signed");
    this.verdict = verdict;
  }
}

async function judged(made: ArchiveOnDisk, { io, trust }: Job, { target }: Recipe): Promise<Verdict> {
  const verdict = await verifyBundle(made, trust, { now: clockOf(io) });
  const contents = verdict.good ? await contentsOf(made) : undefined;
  // SHA256SUMS is among what it stands for; of signatures, other bytes may be as good, but are not the target's.
  if (contents?.ok !== true || (await sealOf(contents.value)) !== target.seal) throw new OtherTarget(verdict);
  return verdict;
}

/** The recipe, and where delta.bin begins. */
async function readDelta(source: ArchiveOnDisk): Promise<{ readonly recipe: Recipe; readonly additions: number } | undefined> {
  const entryAt = async (start: number): ReturnType<typeof entryIn> => (start + blockSize > source.size ? undefined : entryIn(source, start));
  const first = await entryAt(0);
  if (first?.path !== recipePath || first.size > recipeBytes) return undefined;
  const recipe = parseRecipe(new TextDecoder().decode(await source.read({ file: "", start: blockSize, end: blockSize + first.size })));
  const second = blockSize + first.size + paddingOf(first.size);
  const entry = await entryAt(second);
  const additions = second + blockSize;
  if (recipe === undefined || entry?.path !== additionsPath || entry.size !== additionsSize(recipe)) return undefined;
  return source.size === additions + entry.size + paddingOf(entry.size) + endSize ? { recipe, additions } : undefined;
}

async function entryIn(source: ArchiveOnDisk, start: number): Promise<{ readonly path: string; readonly size: number } | undefined> {
  const reading = readHeader(await source.read({ file: "", start, end: start + blockSize }));
  return reading.kind === "entry" ? reading.entry : undefined;
}
