/**
 * Measures the budgets of docs/budgets.md, each as a ratio to a peer in the same run, and fails where one is broken.
 *
 * usage: npm run bench [-- --size GIB]     (4 GiB of blobs by default; needs six times that much disk)
 */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { nginxGiving, serviceGiving, type Giver } from "./bench-downloads.ts";
import { makeBenchInputs, makeDiskInputs, type BenchInputs } from "./bench-inputs.ts";
import { makeLargeBundle, makeSparseBundle, rangeFigures, renderFigures } from "./bench-in-process.ts";
import { makeReferenceInputs } from "./make-reference-inputs.ts";

const root = join(import.meta.dirname, "..");
const work = join(root, "out/bench");
const cli = join(root, "bin/cloudlet-bundle.js");
const sizeGiB = Number(argument("--size") ?? "4");
const rounds = 3;
/** Odd, so that there is a middle one; see addPairs. */
const pairRounds = 5;
/** Of split and join, which are timed in more ways. */
const partRounds = 3;
/** Just after gigabytes were written a disk may take three times as long for the next ones. Milliseconds. */
const pauseMs = 8_000;
const manyFiles = 5_000;

interface Figure {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
}

const figures: Figure[] = [];
rmSync(work, { recursive: true, force: true });
mkdirSync(work, { recursive: true });
try {
  await measure();
} finally {
  rmSync(work, { recursive: true, force: true });
}
const failed = figures.filter((figure) => !(figure.value <= figure.limit)).length;
process.stdout.write(`\n${figures.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && figures.length > 0 ? 0 : 1;

async function measure(): Promise<void> {
  const spec = join(root, "bundles/openstack-single/cloudlet.yaml");
  await measureCheck(spec);
  await measureVmdk();

  say(`making ${sizeGiB} GiB of inputs and storing them`);
  const inputs = await makeBenchInputs(work, sizeGiB);
  await measured([process.execPath, cli, "lock", inputs.release, "--store", inputs.store]);
  const bundle = join(work, "bench.cloudlet.tar");
  const build = [process.execPath, cli, "build", spec, "--release", inputs.release, "--store", inputs.store, "--locked", "--unsigned", "--out", bundle];
  await measureBuild(build, inputs, bundle);
  await measureVerify(bundle);
  await measureParts(bundle);
  await measureDownloads(inputs, spec);
  await measureInspect();
  await measureManyFiles();
  await measureRanges();
  await measureRenders();
}

/** `check`, the whole process, against a Node that does nothing. */
async function measureCheck(spec: string): Promise<void> {
  const nothing: Measured[] = [];
  const check: Measured[] = [];
  for (let round = 0; round < 20; round += 1) {
    nothing.push(await measured([process.execPath, "-e", "0"]));
    check.push(await measured([process.execPath, cli, "check", spec]));
  }
  add("check of a spec, whole process / node -e 0", fastest(check) / fastest(nothing), 4, "x");
}

/** A raw image that is in the store already; what was made of it is forgotten before each round. */
async function measureVmdk(): Promise<void> {
  const setup = spawnSync(join(root, "test/conformance/disks/setup"), { encoding: "utf8" });
  if (setup.status !== 0) throw new Error(`qemu-img can't be had:\n${setup.stderr}`);
  await makeReferenceInputs(join(root, "out/inputs"));
  const { image, release, store } = makeDiskInputs(join(work, "disk"), root);
  const lock = [process.execPath, cli, "lock", release, "--store", store, "--quiet"];
  await measured(lock);
  const theirs = join(work, "disk/theirs.vmdk");
  const peer: Measured[] = [];
  const ours: Measured[] = [];
  for (let round = 0; round < pairRounds; round += 1) {
    peer.push(await measured(["qemu-img", "convert", "-f", "raw", "-O", "vmdk", "-o", "subformat=streamOptimized", image, theirs], { made: theirs }));
    rmSync(join(store, "converted"), { recursive: true, force: true });
    ours.push(await measured([...lock, "--vmdk"]));
  }
  rmSync(join(work, "disk"), { recursive: true, force: true });
  addPairs("raw image to VMDK / qemu-img convert", ours, peer, 1.25);
  add("raw image to VMDK, peak memory", highest(ours), 160, "MiB");
}

/** Both write the same bytes to the same disk and end when they are on it. */
async function measureBuild(build: readonly string[], { files, store }: BenchInputs, bundle: string): Promise<void> {
  const quoted = files.map((file) => `'${file}'`).join(" ");
  const other = join(work, "other");
  const cat: Measured[] = [];
  const tar: Measured[] = [];
  const ours: Measured[] = [];
  for (let round = 0; round < pairRounds; round += 1) {
    cat.push(await measured(["sh", "-c", `cat ${quoted} >'${other}' && sync '${other}'`], { made: other, reads: files }));
    ours.push(await measured(build, { made: bundle, reads: [store] }));
    tar.push(await measured(["sh", "-c", `tar -cf '${other}' ${quoted} 2>/dev/null && sync '${other}'`], { made: other, reads: files }));
  }
  addPairs(`build of ${sizeGiB} GiB / cat`, ours, cat, 1.15);
  addPairs(`build of ${sizeGiB} GiB / GNU tar`, ours, tar, 1.15);
  add("build, peak memory", highest(ours), 160, "MiB");
}

async function measureVerify(bundle: string): Promise<void> {
  const unpacked = join(work, "unpacked");
  mkdirSync(unpacked);
  spawnSync("tar", ["-xf", bundle, "-C", unpacked]);
  const sums: Measured[] = [];
  const ours: Measured[] = [];
  for (let round = 0; round < rounds; round += 1) {
    sums.push(await measured(["sh", "-c", `cd '${unpacked}' && find . -type f -print0 | sort -z | xargs -0 -n 1 sha256sum >/dev/null`]));
    ours.push(await measured([process.execPath, cli, "verify", bundle, "--trust", "none"]));
  }
  add("verify / sha256sum of the same files", fastest(ours) / fastest(sums), 0.65, "x");
  add("verify, peak memory", highest(ours), 160, "MiB");
}

/** One way of copying: ours, and what it is compared with. */
interface Copying {
  readonly proven: Measured[];
  readonly unproven: Measured[];
  readonly cat: Measured[];
  readonly byHand: Measured[];
}

function copying(): Copying {
  return { proven: [], unproven: [], cat: [], byHand: [] };
}

/** Every piece is hashed while it is copied, unless it is left to whoever comes next; `cat` only copies. All end when the bytes are on the disk. */
async function measureParts(bundle: string): Promise<void> {
  const other = join(work, "other");
  const parts = join(work, "parts");
  const joined = join(work, "joined.tar");
  const toSplit = (...more: readonly string[]): Promise<Measured> => measured([process.execPath, cli, "split", bundle, "--size", "1GB", "--out", parts, "--quiet", ...more], { made: parts, reads: [bundle], pauses: more.length > 0 });
  const toJoin = (...more: readonly string[]): Promise<Measured> => measured([process.execPath, cli, "join", parts, "--trust", "none", "--out", joined, "--quiet", ...more], { made: joined, reads: [parts], pauses: more.length > 0 });
  const toCat = (source: string, files: string): Promise<Measured> => measured(["sh", "-c", `cat ${files} >'${other}' && sync '${other}'`], { made: other, reads: [source], pauses: true });
  const [split, joins] = [copying(), copying()];
  for (let round = 0; round < partRounds; round += 1) {
    split.proven.push(await toSplit());
    joins.proven.push(await toJoin());
    for (const [of, ours, cat] of [
      [split, () => toSplit("--unproven"), () => toCat(bundle, `'${bundle}'`)],
      [joins, () => toJoin("--unproven"), () => toCat(parts, `'${parts}'/*.tar`)],
    ] as const) {
      // Whichever comes first, the other one has the same chance in the next round.
      if (round % 2 === 0) of.unproven.push(await ours());
      of.cat.push(await cat());
      if (round % 2 === 1) of.unproven.push(await ours());
    }
    const summed = await measured(["sha256sum", other]);
    for (const { cat, byHand } of [split, joins]) byHand.push({ seconds: (cat.at(-1)?.seconds ?? Number.NaN) + summed.seconds, peakMiB: 0 });
    for (const done of [other, joined]) rmSync(done);
  }
  for (const [what, { proven, unproven, cat, byHand }] of [[`split of ${sizeGiB} GiB into parts of 1 GB`, split], ["join of them", joins]] as const) {
    // Eight tenths of its bytes in a second.
    addPairs(`${what}, unproven / cat`, unproven, cat, 1.25);
    addPairs(`${what}, proven / cat and sha256sum`, proven, byHand, 0.8);
    say(`     ${middleRatio(proven, cat).toFixed(2).padStart(8)} x   (no budget)    ${what}, proven / cat`);
  }
  add("split and join, peak memory", Math.max(...[split, joins].flatMap(({ proven, unproven }) => [highest(proven), highest(unproven)])), 160, "MiB");
}

/** curl takes the same bundle from the service, which makes its bytes as it sends them, and from nginx, which has them in a file. */
async function measureDownloads(inputs: BenchInputs, spec: string): Promise<void> {
  const setup = spawnSync(join(root, "test/conformance/service/setup"), { encoding: "utf8" });
  if (setup.status !== 0) throw new Error(`nginx can't be had:\n${setup.stderr}`);
  for (const done of ["unpacked", "parts"]) rmSync(join(work, done), { recursive: true, force: true });
  const folder = join(work, "serving");
  mkdirSync(folder);
  const service = await serviceGiving(folder, cli, inputs, spec);
  const curl = ({ words, url }: Giver, to: string): readonly string[] => ["curl", "-sSf", ...words, "-o", to, url];
  // That both files were read before is as good as certain then.
  await measured(curl(service, join(folder, "bundle.tar")));
  const nginx = await nginxGiving(folder, "bundle.tar");
  await measured(curl(nginx, "/dev/null"));
  const peer: Measured[] = [];
  const ours: Measured[] = [];
  try {
    for (let round = 0; round < pairRounds; round += 1) {
      peer.push(await measured(curl(nginx, "/dev/null")));
      ours.push(await measured(curl(service, "/dev/null")));
    }
  } finally {
    await nginx.stop();
    await service.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  // Seven tenths of its bytes in a second.
  addPairs(`download of ${sizeGiB} GiB from the service / from nginx`, ours, peer, 1.43);
}

/** One small file out of 10 GiB; the blob is a hole in the file, for nothing may read it. */
async function measureInspect(): Promise<void> {
  const bundle = join(work, "sparse.cloudlet.tar");
  await makeSparseBundle(bundle);
  const runs: Measured[] = [];
  for (let round = 0; round < 10; round += 1) runs.push(await measured([process.execPath, cli, "inspect", bundle, "site.env"]));
  add("inspect of one small file in a 10 GiB bundle, whole process", fastest(runs) * 1_000, 300, "ms");
  const piped: Measured[] = [];
  for (let round = 0; round < 10; round += 1) piped.push(await measured([process.execPath, cli, "inspect", "-", "site.env"], { piped: bundle }));
  add("the same through a pipe", fastest(piped) * 1_000, 300, "ms");
  const list = await measured([process.execPath, cli, "inspect", "-"], { piped: bundle });
  add("inspect of a 10 GiB bundle through a pipe, peak memory", list.peakMiB, 160, "MiB");
}

/** A bundle of half as many files as one may have; of two, most texts are different ones. */
async function measureManyFiles(): Promise<void> {
  const [before, after] = [join(work, "before.cloudlet.tar"), join(work, "after.cloudlet.tar")];
  await makeLargeBundle(before, "before", manyFiles);
  await makeLargeBundle(after, "after", manyFiles);
  for (const [verb, words] of [["diff", [before, after]], ["report", [before, "--quiet"]]] as const) {
    const runs: Measured[] = [];
    for (let round = 0; round < rounds; round += 1) runs.push(await measured([process.execPath, cli, verb, ...words]));
    add(`${verb} of a bundle of ${manyFiles} files, whole process`, fastest(runs), 2, "s");
    // Both hold texts of everything; when V8 collects what is done with makes 30 MiB of difference.
    add(`${verb} of it, peak memory`, highest(runs), 192, "MiB");
  }
}

async function measureRanges(): Promise<void> {
  const { worstMs } = await rangeFigures();
  add("any range of a 10 GiB bundle, first byte", worstMs, 50, "ms");
}

async function measureRenders(): Promise<void> {
  const nothing: Measured[] = [];
  for (let round = 0; round < 10; round += 1) nothing.push(await measured([process.execPath, "-e", "0"]));
  const { eachMs } = await renderFigures(1_000);
  add("1,000 cloudlets rendered and sealed, each / node -e 0", eachMs / (fastest(nothing) * 1_000), 1.5, "x");
}

interface Measured {
  readonly seconds: number;
  readonly peakMiB: number;
}

interface How {
  /** Removed first, so that no run overwrites another's pages. */
  readonly made?: string;
  /** Read to the end first: what is compared is how it is copied, and not who finds it in memory. Files and folders. */
  readonly reads?: readonly string[];
  /** A pause first, see pauseMs; not where a budget is far away. */
  readonly pauses?: boolean;
  /** Goes through a pipe to the command. */
  readonly piped?: string;
}

/** Runs a command. Throws where it fails. */
async function measured(command: readonly string[], { made, reads = [], pauses = false, piped }: How = {}): Promise<Measured> {
  if (made !== undefined) rmSync(made, { recursive: true, force: true });
  spawnSync("sync");
  if (pauses) await setTimeout(pauseMs);
  if (reads.length > 0) spawnSync("find", [...reads, "-type", "f", "-exec", "cat", "{}", "+"], { stdio: "ignore" });
  const [program = "", ...rest] = command;
  const begun = performance.now();
  const source = piped === undefined ? undefined : spawn("cat", [piped], { stdio: ["ignore", "pipe", "ignore"] });
  const child = spawn(program, rest, { stdio: [source?.stdout ?? "ignore", "ignore", "pipe"] });
  // The pipe is between those two.
  source?.stdout?.destroy();
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-4_000)));
  let peak = 0;
  const watch = setInterval(() => (peak = Math.max(peak, peakOf(child.pid))), 10);
  const status = await new Promise<number>((resolve) => child.on("close", (code) => resolve(code ?? 255)));
  clearInterval(watch);
  const seconds = (performance.now() - begun) / 1_000;
  if (status !== 0) throw new Error(`${command.join(" ")} ended with ${status}:\n${said}`);
  return { seconds, peakMiB: peak };
}

/** Peak resident memory so far, MiB, of a process that may be gone. */
function peakOf(pid: number | undefined): number {
  const file = `/proc/${pid ?? 0}/status`;
  if (!existsSync(file)) return 0;
  try {
    return Number(readFileSync(file, "utf8").match(/^VmHWM:\s+(\d+) kB/m)?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}

function add(what: string, value: number, limit: number, unit: string): void {
  figures.push({ what, value, limit, unit });
  const shown = unit === "MiB" ? value.toFixed(0) : value.toFixed(2);
  process.stdout.write(`${value <= limit ? "ok  " : "FAIL"} ${shown.padStart(8)} ${unit.padEnd(3)} (at most ${limit})  ${what}\n`);
}

/**
 * Each run against its peer of the same round, for a disk's speed drifts; how many rounds there are is fixed beforehand. The
 * middle ratio is shown. A shared disk may be three times slower for some seconds, so the budget counts as broken when every
 * round is above it: were the true ratio below it, five of five would happen in one of 32 runs (sign test).
 */
function addPairs(what: string, ours: readonly Measured[], peer: readonly Measured[], limit: number): void {
  const ratios = ratiosOf(ours, peer);
  const above = ratios.filter((ratio) => !(ratio <= limit)).length;
  const middle = middleRatio(ours, peer);
  figures.push({ what, value: above, limit: ratios.length - 1, unit: "rounds" });
  const pairs = ratios.map((ratio) => ratio.toFixed(2)).join(" ");
  process.stdout.write(`${above < ratios.length ? "ok  " : "FAIL"} ${middle.toFixed(2).padStart(8)} x   (at most ${limit})  ${what}; ${above} of ${ratios.length} rounds above: ${pairs}\n`);
}

function middleRatio(ours: readonly Measured[], peer: readonly Measured[]): number {
  return ratiosOf(ours, peer)[Math.floor(ours.length / 2)] ?? Number.NaN;
}

/** Each run against its peer of the same round, the smallest first. */
function ratiosOf(ours: readonly Measured[], peer: readonly Measured[]): readonly number[] {
  return ours.map((run, index) => run.seconds / (peer[index]?.seconds ?? Number.NaN)).sort((a, b) => a - b);
}

/** Of runs that differ by what else the machine does, the fastest says most about the work itself. */
function fastest(runs: readonly Measured[]): number {
  return Math.min(...runs.map((run) => run.seconds));
}

function highest(runs: readonly Measured[]): number {
  return Math.max(...runs.map((run) => run.peakMiB));
}

function argument(name: string): string | undefined {
  const index = process.argv.indexOf(name);
  return index < 0 ? undefined : process.argv[index + 1];
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
