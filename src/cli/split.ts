/** `split`: a bundle in parts for media that hold less than all of it; or one part made again, from the bundle or from its sources. */

import type { Command } from "commander";
import { dirname, join } from "node:path";
import type { Issue } from "../core/issue.ts";
import { headBytes } from "../pack/limits.ts";
import { partSizeOf, sizeForms } from "../pack/media.ts";
import { cutsOf, overheadOf, partName, shapeOf, type Cut, type Description } from "../pack/parts.ts";
import { contentsOf } from "../seal/contents.ts";
import { partIssue } from "../seal/part-issue-codes.ts";
import { describe, isAsSaid, knownBundle, lie, type KnownBundle, type PartFile } from "../seal/part-set.ts";
import { readRuns } from "../store/archive-file.ts";
import { openBundle } from "../store/bundle-file.ts";
import { findParts } from "../store/part-files.ts";
import { viewOfFolder, type TarView } from "../store/tar-view.ts";
import { refuse } from "./bundle-argument.ts";
import { absolute } from "./documents.ts";
import { releaseOptions, type ReleaseOptions } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import { progressOn } from "./progress.ts";
import { refuseFullDisk } from "./refuse-full-disk.ts";
import { bundleOfSources } from "./sources-of-part.ts";
import { clockOf, trustOf } from "./verify.ts";
import { startHere } from "./start-here.ts";
import { writeTextAside } from "./write-aside.ts";
import { writePart } from "./write-part.ts";

interface Options extends ReleaseOptions {
  readonly size?: string;
  readonly out?: string;
  readonly only?: readonly string[];
  readonly parity?: true;
  readonly unproven?: true;
  readonly trust?: string;
  readonly spec?: string;
  readonly like?: string;
  readonly key?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  releaseOptions(command.argument("[bundle]", "the tar, the folder it was unpacked into, or a folder with its parts"))
    .description(
      "Split a bundle into parts for media that hold less than all of it. Each part carries the small files, and its stretch is proven alone by what was signed; no key is needed. The same bundle and size always give the same parts, so a bad one is made again to the byte: from the bundle, or with --spec from the sources.",
    )
    .option("--size <size>", `the largest that a part may be: ${sizeForms}`)
    .option("--out <folder>", "where the parts go; <bundle>.parts when left out")
    .option("--only <part...>", "make these parts alone: numbers, or parity")
    .option("--parity", "make a parity part as well: with it, join brings back any one part that is lost")
    .option("--trust <key>", "the signer's public key or fingerprint, to be checked before anything is written; the digests are checked in any case")
    .option("--unproven", "copy the bytes without comparing them with what was signed; whoever takes the parts does that")
    .option("--spec <file>", "make the parts from this spec with --release, --lock and --store, without a bundle; needs --like or --key")
    .option("--like <part>", "another part of the same split: its size, and with --spec its signature, are used")
    .option("--key <file>", "with --spec: sign again with this key; the signature is the same one")
    .option("--json", "print the result as JSON")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle split berlin-1-tdg-2026.11.cloudlet.tar --size dvd --parity
  cloudlet-bundle split berlin-1-tdg-2026.11.cloudlet.tar --size 700MiB --only 3
  cloudlet-bundle split --spec berlin-1.yaml --release release.yaml --like berlin-1-tdg-2026.11.cloudlet.part-1-of-4.tar --only 3

Exit status: 0 done, 1 it can't be split or is not what was signed, 2 usage, 3 environment (disk).`,
    )
    .action(async (bundle: string | undefined, options: Options) => done(await split(bundle, options, io)));
}

async function split(given: string | undefined, options: Options, io: Io): Promise<ExitStatus> {
  const wrong = wrongUsage(given, options);
  if (wrong !== undefined) return usage(io, wrong);
  const trust = await trustOf(io, options.trust ?? "none", "split");
  if (trust === "wrong") return 2;
  const like = options.like === undefined ? undefined : (await findParts([absolute(io, options.like)])).parts[0];
  if (options.like !== undefined && like === undefined) return refused(io, options.like, [partIssue("part/form", "it is no part of a bundle")]);
  const from = given === undefined ? await bundleOfSources(io, { ...options, spec: options.spec ?? "", like }) : await bundleOf(io, given);
  if (from === undefined) return 1;
  const name = given ?? options.spec ?? "";
  const head = await readRuns(from.view.runs(0, from.head));
  const known = await knownBundle(head, trust, clockOf(io));
  if ("issues" in known) return refused(io, name, known.issues);
  const { bundle } = known;
  if (like !== undefined && !(await isOf(bundle, like))) {
    return refused(io, options.like ?? "", [partIssue("part/other-bundle", `it is a part of another bundle than ${name}`)]);
  }
  const limit = like?.form.description.limit ?? partSizeOf(options.size ?? "") ?? 0;
  const cuts = cutsOf(bundle.shape, bundle.atoms, limit);
  if ("wrong" in cuts) return refused(io, name, [partIssue("part/too-small", `${cuts.wrong}; ${limit} were asked for`, `Give at least --size ${cuts.least}.`)]);
  // A model of which the size was damaged would give parts that go with no others.
  if (like !== undefined && !isAsSaid(like, bundle, cuts)) return refused(io, options.like ?? "", [lie(like)]);
  const wanted = wantedOf(options, bundle, cuts, limit);
  if (typeof wanted === "string") return usage(io, wanted);
  const folder = absolute(io, options.out ?? join(dirname(given ?? ""), bundle.name.replace(/\.tar$/, ".parts")));
  return write(io, { options, name, folder, bundle, view: from.view, cuts, wanted });
}

async function isOf(bundle: KnownBundle, { source, form }: PartFile): Promise<boolean> {
  return Buffer.compare(await source.read({ file: "", start: 0, end: form.head }), bundle.head) === 0;
}

function wrongUsage(given: string | undefined, { spec, size, like, key }: Options): string | undefined {
  if ((given === undefined) === (spec === undefined)) return "give a bundle, or --spec, and not both";
  if (size !== undefined && like !== undefined) return "--size and --like exclude each other: a part is as large as the one it is like";
  if (size === undefined && like === undefined) return `how large may a part be? --size ${sizeForms}`;
  if (size !== undefined && partSizeOf(size) === undefined) return `--size ${size} is no size: ${sizeForms}`;
  if (key !== undefined && spec === undefined) return "--key goes with --spec: a bundle has its signature";
  return undefined;
}

function usage(io: Io, message: string): ExitStatus {
  io.err(`cloudlet-bundle split: ${message}\n`);
  return 2;
}

function refused(io: Io, name: string, issues: readonly Issue[]): ExitStatus {
  refuse(io, name, issues);
  return 1;
}

/** A bundle as one tar, and where its small files end. */
export interface Splittable {
  readonly view: TarView;
  readonly head: number;
}

/** Undefined where it can't be read as a bundle, which has been said. */
async function bundleOf(io: Io, name: string): Promise<Splittable | undefined> {
  const path = absolute(io, name);
  const source = await openBundle(path, { signal: io.signal });
  const contents = await contentsOf(source);
  const issues = contents.ok ? [] : contents.issues;
  const view = !contents.ok ? undefined : source.kind === "archive" ? source.view : viewOfFolder(path, contents.value);
  const head = contents.ok ? shapeOf(contents.value.files, 0).head : 0;
  if (view !== undefined && head <= headBytes) return { view, head };
  refuse(io, name, issues.length > 0 ? issues : [partIssue("part/no-pieces", "it is no whole bundle: its manifest is missing, or its small files have more than 128 MiB")]);
  return undefined;
}

/** What is to be made of which files; or what is wrong with what was asked for. */
function wantedOf({ only, parity }: Options, bundle: KnownBundle, cuts: readonly Cut[], limit: number): readonly Description[] | string {
  const all = [...cuts.keys()].map((index) => index + 1);
  const parts: readonly (number | "parity")[] = only === undefined ? all : only.map((each) => (each === "parity" ? each : Number(/^\d{1,4}$/.test(each) ? each : Number.NaN)));
  const wrong = parts.findIndex((part) => describe(bundle, cuts, limit, part) === undefined);
  if (wrong >= 0) return `--only ${only?.[wrong] ?? ""}: there are parts 1 to ${cuts.length}, and parity`;
  return [...new Set([...parts, ...(parity ? ["parity" as const] : [])])].flatMap((part) => describe(bundle, cuts, limit, part) ?? []);
}

interface Work {
  readonly options: Options;
  readonly name: string;
  readonly folder: string;
  readonly bundle: KnownBundle;
  readonly view: TarView;
  readonly cuts: readonly Cut[];
  readonly wanted: readonly Description[];
}

async function write(io: Io, { options, name, folder, bundle, view, cuts, wanted }: Work): Promise<ExitStatus> {
  const sizeOf = ({ start, end }: Description): number => overheadOf(bundle.shape) + end - start;
  const total = wanted.reduce((sum, each) => sum + sizeOf(each), 0);
  const paths = wanted.map((each) => join(folder, partName(each)));
  await refuseFullDisk(paths[0] ?? folder, total, wanted.length === 1 ? "the part" : `all ${wanted.length} parts`);
  const progress = progressOn(io, options.quiet === true);
  let done = 0;
  try {
    for (const [index, description] of wanted.entries()) {
      const path = paths[index] ?? "";
      const hashed = (bytes: number): void => progress.report(partName(description), Math.min(total, (done += bytes)), total);
      // With all parts, what the parity is made of was proven when they were written.
      const isUnproven = options.unproven === true || (description.part === "parity" && wanted.length > cuts.length);
      const issues = await writePart(path, { bundle, from: view, cuts, description, isUnproven }, { hashed, signal: io.signal });
      if (issues.length > 0) {
        progress.finish();
        return refused(io, name, issues);
      }
    }
  } finally {
    progress.finish();
  }
  if (options.only === undefined) await writeTextAside(join(folder, "START-HERE.txt"), startHere(bundle, wanted));
  const made = wanted.map((description, index) => ({ file: paths[index] ?? "", part: description.part, size: sizeOf(description), start: description.start, end: description.end }));
  if (options.json) io.out(`${JSON.stringify({ bundle: bundle.name, size: bundle.shape.size, limit: wanted[0]?.limit ?? 0, parts: cuts.length, folder, proven: options.unproven !== true, made }, null, 2)}\n`);
  else io.out(`${made.map(({ file, size }) => `${String(size).padStart(13)}  ${file}\n`).join("")}${cuts.length} ${cuts.length === 1 ? "part" : "parts"} in all, ${made.length} written to ${folder}\n${options.unproven ? "Their bytes are not proven: verify, join, parts.sh and install.sh do it.\n" : ""}`);
  return 0;
}
