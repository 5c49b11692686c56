/** `join`: makes a bundle's tar of its parts, each piece checked as it is copied; goes on where a run before it ended. */

import type { Command } from "commander";
import { basename } from "node:path";
import type { FileHandle } from "node:fs/promises";
import type { Issue } from "../core/issue.ts";
import type { Atom } from "../pack/parts.ts";
import { partIssue } from "../seal/part-issue-codes.ts";
import { partSetOf, type KnownBundle, type PartFile, type PartSet } from "../seal/part-set.ts";
import { verdictText } from "../seal/verdict.ts";
import { findParts, type PartOnDisk } from "../store/part-files.ts";
import type { Run } from "../store/hash-stretch.ts";
import { hashStretches, type HashWatch } from "../store/hash-workers.ts";
import { refuse } from "./bundle-argument.ts";
import { absolute } from "./documents.ts";
import { flushMeanwhile } from "./flush-meanwhile.ts";
import type { ExitStatus, Io } from "./io.ts";
import { progressOn } from "./progress.ts";
import { refuseFullDisk } from "./refuse-full-disk.ts";
import { clockOf, trustOf } from "./verify.ts";
import { undone, writeAt, writeResumed } from "./write-aside.ts";
import { filled, pieceIn } from "./write-part.ts";

interface Options {
  readonly out?: string;
  readonly trust?: string;
  readonly unproven?: true;
  readonly json?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      "Make a bundle's tar of its parts, the same to the byte. Every piece is compared with what was signed while it is copied; what is bad or missing is told by name, and with a parity part any one lost part is brought back. A run that was stopped goes on where it was.",
    )
    .argument("<parts...>", "the parts, or folders in which they lie, in any order")
    .option("--out <file>", "the bundle; the name that its manifest gives it when left out")
    .option("--trust <key>", "the signer's public key (PEM file), its fingerprint (SHA256:…), or none to leave the signature unchecked")
    .option("--unproven", "copy the bytes without comparing them with what was signed, for when verify or install.sh, which compare them, come next")
    .option("--json", "print the result as JSON")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle join /media/disk1 /media/disk2 --trust SHA256:d8bc…
  cloudlet-bundle join berlin-1-tdg-2026.11.cloudlet.parts --trust release-2026.pub.pem --out bundle.tar

Exit status: 0 done, 1 a part is missing or bad, 2 usage, 3 environment (disk).`,
    )
    .action(async (parts: readonly string[], options: Options) => done(await join(parts, options, io)));
}

async function join(given: readonly string[], options: Options, io: Io): Promise<ExitStatus> {
  const trust = await trustOf(io, options.trust, "join");
  if (trust === "wrong") return 2;
  const { parts, refused } = await findParts(given.map((each) => absolute(io, each)), { signal: io.signal });
  for (const [path, issues] of refused) refuse(io, basename(path), issues);
  if (parts.length === 0) {
    refuse(io, given.join(" "), [partIssue("part/form", "there is no part of a bundle")]);
    return 1;
  }
  const set = await partSetOf(parts, trust, clockOf(io));
  tellBad(io, set);
  const { bundle } = set;
  if (bundle === undefined) {
    if (!set.verdict.good) io.err(verdictText(set.verdict));
    return 1;
  }
  const hopeless = hopelessness(set);
  if (hopeless.length > 0) {
    refuse(io, bundle.name, hopeless);
    return 1;
  }
  const out = absolute(io, options.out ?? bundle.name);
  return copy(io, options, { set, bundle, out, isUnproven: options.unproven === true });
}

/** What is wrong with each part that is there. */
export function tellBad(io: Io, { bad, issues }: PartSet): void {
  for (const [{ name }, those] of bad) refuse(io, name, those);
  if (issues.length > 0) refuse(io, "the parts", issues);
}

function hopelessness({ issues, missing, parity }: PartSet): readonly Issue[] {
  if (issues.length > 0) return [partIssue("part/missing", "it can't be told which parts make the bundle; see above")];
  if (missing.length === 0 || (missing.length === 1 && parity !== undefined)) return [];
  const words = missing.map(({ part, name }) => `part ${part} (${name})`).join(", ");
  return [partIssue("part/missing", `missing: ${words}${parity === undefined ? "" : "; the parity brings back one alone"}`)];
}

interface Joining {
  readonly set: PartSet;
  readonly bundle: KnownBundle;
  readonly out: string;
  readonly isUnproven: boolean;
}

async function copy(io: Io, options: Options, joining: Joining): Promise<ExitStatus> {
  const { bundle, out } = joining;
  const { size } = bundle.shape;
  const progress = progressOn(io, options.quiet === true);
  let done = 0;
  const watch: HashWatch = { signal: io.signal, hashed: (bytes) => progress.report(basename(out), Math.min(size, (done += bytes)), size) };
  const recovered: string[] = [];
  let issues: readonly Issue[] = [];
  let kept = 0;
  const made = await writeResumed(out, async (file, aside) => {
    const there = (await file.stat()).size;
    const good = await goodAlready(aside, there, bundle.atoms, watch);
    kept = bundle.atoms.filter((atom) => good.has(atom)).reduce((sum, atom) => sum + atom.end - atom.start, 0);
    await refuseFullDisk(out, size - Math.min(there, kept), "the bundle");
    const wrong = await fill(file, joining, bundle.atoms.filter((atom) => !good.has(atom)), watch);
    const still = await recover(file, joining, wrong, watch);
    recovered.push(...namesOf(joining.set, wrong.filter((atom) => !still.includes(atom))));
    issues = bytesIssues(joining.set, still);
    if (issues.length > 0) return undone;
    await writeAt(file, bundle.head, 0);
    for (const atom of bundle.atoms) {
      await writeAt(file, atom.before, atom.start);
      await writeAt(file, atom.after, pieceIn(atom).end);
    }
    await file.truncate(size);
    return "made";
  }).finally(progress.finish);
  if (made === undone) {
    refuse(io, bundle.name, issues);
    io.err("What is good was kept: run it again with those parts made good, and it goes on from there.\n");
    return 1;
  }
  tell(io, options, { bundle: out, size, recovered, kept, proven: !joining.isUnproven, signedBy: joining.set.verdict.signedBy ?? null });
  return 0;
}

/** Pieces that a run before this one has written, by their digests: nothing else says that they are whole. */
async function goodAlready(aside: string, size: number, atoms: readonly Atom[], watch: HashWatch): Promise<ReadonlySet<Atom>> {
  const there = atoms.filter((atom) => pieceIn(atom).end <= size);
  const digests = await hashStretches(there.map((atom) => ({ from: [[{ path: aside, ...pieceIn(atom) }]] })), watch);
  return new Set(there.filter(({ piece }, index) => digests[index] === piece.sha256));
}

/** Copies what the parts have; gives what was not there, or not as it was signed. */
async function fill(file: FileHandle, { set, isUnproven }: Joining, atoms: readonly Atom[], watch: HashWatch): Promise<readonly Atom[]> {
  const there = atoms.flatMap((atom) => {
    const part = set.parts.get(numberOf(set, atom));
    return part === undefined ? [] : [{ atom, part }];
  });
  const stretches = there.map(({ atom, part }) => ({ from: [runsOf(part, pieceIn(atom))], to: { fd: file.fd, at: pieceIn(atom).start }, isUnhashed: isUnproven }));
  const digests = await flushMeanwhile(file, watch, (watch) => hashStretches(stretches, watch));
  const good = new Set(there.filter(({ atom }, index) => isUnproven || digests[index] === atom.piece.sha256).map(({ atom }) => atom));
  return atoms.filter((atom) => !good.has(atom));
}

/** Makes the pieces of what the other parts and the parity have; gives those that it could not. */
async function recover(file: FileHandle, { set }: Joining, atoms: readonly Atom[], watch: HashWatch): Promise<readonly Atom[]> {
  const { parity, cuts, parts } = set;
  if (parity === undefined || atoms.length === 0) return atoms;
  const possible = atoms.filter((atom) => [...cuts.keys()].every((index) => index + 1 === numberOf(set, atom) || parts.has(index + 1)));
  const stretches = possible.map((atom) => {
    const number = numberOf(set, atom);
    const offset = cuts[number - 1]?.start ?? 0;
    const [from, to] = [pieceIn(atom).start - offset, pieceIn(atom).end - offset];
    const others = cuts.flatMap((cut, index) => {
      const part = parts.get(index + 1);
      return index + 1 === number || part === undefined ? [] : [filled((start, end) => runsOf(part, { start: cut.start + start, end: cut.start + end }), cut.end - cut.start, from, to)];
    });
    return { from: [runsOf(parity, { start: from, end: to }), ...others], to: { fd: file.fd, at: pieceIn(atom).start } };
  });
  const digests = await hashStretches(stretches, watch);
  const good = new Set(possible.filter(({ piece }, index) => digests[index] === piece.sha256));
  return atoms.filter((atom) => !good.has(atom));
}

function numberOf({ cuts }: PartSet, { start }: Atom): number {
  return cuts.findIndex((cut) => cut.start <= start && start < cut.end) + 1;
}

/** Where bytes of the bundle's tar lie in a part; of the parity, bytes of its stretch. */
function runsOf(part: PartFile, { start, end }: { readonly start: number; readonly end: number }): readonly Run[] {
  const offset = part.form.stretch.start - part.form.description.start;
  return [{ path: (part as PartOnDisk).path, start: offset + start, end: offset + end }];
}

function namesOf(set: PartSet, atoms: readonly Atom[]): readonly string[] {
  const name = (number: number): string => set.parts.get(number)?.name ?? set.missing.find((each) => each.part === number)?.name ?? "";
  return [...new Set(atoms.map((atom) => name(numberOf(set, atom))))];
}

function bytesIssues(set: PartSet, atoms: readonly Atom[]): readonly Issue[] {
  return atoms.map((atom) => {
    const { path, start, end } = atom.piece;
    return partIssue("part/bytes", `${namesOf(set, [atom]).join("")}: bytes ${start} to ${end} of ${path} are not what was signed${set.parity === undefined ? "" : ", and the parity does not bring them back"}`);
  });
}

interface Made {
  readonly bundle: string;
  readonly size: number;
  /** Names of parts of which something was made from the parity. */
  readonly recovered: readonly string[];
  /** Bytes that an earlier run had written. */
  readonly kept: number;
  /** Whether every byte was compared with what was signed. */
  readonly proven: boolean;
  readonly signedBy: string | null;
}

function tell(io: Io, options: Options, made: Made): void {
  if (options.json) return io.out(`${JSON.stringify(made, null, 2)}\n`);
  io.out(`bundle       ${made.bundle}\nsize         ${made.size} bytes\n`);
  if (made.kept > 0) io.out(`kept         ${made.kept} bytes of the run before\n`);
  for (const name of made.recovered) io.out(`brought back ${name}\n`);
  if (!made.proven) io.out("bytes        not proven: verify and install.sh do it\n");
  io.out(made.signedBy === null ? "signature    not checked\n" : `signed by    ${made.signedBy}\n`);
}
