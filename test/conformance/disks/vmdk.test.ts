/** A release's disks as VMDKs in the store: made once, noted, collected, and nothing half left behind. */

import { createHash } from "node:crypto";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs";
import * as disk from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";
import type { Digest } from "../../../src/core/digest.ts";
import type { Outcome } from "../../../src/core/issue.ts";
import type { Lock } from "../../../src/spec/lock.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { openStore, type BlobStore } from "../../../src/store/blob-store.ts";
import { missingBlobs, resolve } from "../../../src/store/resolve.ts";
import type { StoreDisk } from "../../../src/store/store-disk.ts";
import { qcow2File, sparseVmdk } from "../../unit/store/disks/image-files.ts";
import { readStreamOptimized } from "../../unit/store/disks/stream-optimized-file.ts";

const root = join(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "cloudlet-vmdk-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
await makeReferenceInputs(join(folder, "inputs"));
const bytesPerMiB = 1_048_576;

/** The reference release with this image. */
function releaseText(image: Buffer, format: "qcow2" | "raw" | "vmdk"): string {
  const digest = createHash("sha256").update(image).digest("hex");
  writeFileSync(join(folder, digest), image);
  return readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8")
    .replaceAll("../../out/inputs", join(folder, "inputs"))
    .replace(/format: qcow2\n( +source: )\S+\n( +digest: )\S+\n( +sizeLimit: )\d+/, `format: ${format}\n$1${digest}\n$2sha256:${digest}\n$399999999999`);
}

interface How {
  readonly vmdk?: boolean;
  readonly qemuImg?: boolean;
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly said?: (what: string) => void;
}

async function resolved(text: string, store: BlobStore, how: How = {}): Promise<Outcome<Lock>> {
  const release = readRelease(text);
  if (!release.ok) throw new Error(JSON.stringify(release.issues));
  return resolve({
    release: release.value,
    releaseFolder: folder,
    store,
    architecture: "amd64",
    environment: how.environment ?? {},
    vmdk: how.vmdk ?? true,
    qemuImg: how.qemuImg ?? false,
    progress: (what) => how.said?.(what),
    signal: how.signal ?? new AbortController().signal,
  });
}

function valueOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues));
  return outcome.value;
}

function read(store: BlobStore, { digest }: { readonly digest: Digest }): Buffer {
  return readFileSync(store.path(digest));
}

const raw = Buffer.alloc(20 * bytesPerMiB);
for (let at = 0; at < raw.byteLength; at += 3) raw[at] = (at * at) >>> 7;
const rawRelease = releaseText(raw, "raw");

t.test("both disks are made, told of, and made no second time", async (t) => {
  const store = await openStore(join(folder, "once"));
  const said = new Set<string>();
  const lock = valueOf(await resolved(rawRelease, store, { said: (what) => said.add(what) }));
  t.ok(said.has("VM image to VMDK") && said.has("payload to VMDK"), [...said].join(", "));
  const { vmImage, payload } = lock.vmdk!;
  for (const made of [vmImage, payload]) {
    const bytes = read(store, made);
    t.strictSame([bytes.byteLength, createHash("sha1").update(bytes).digest("hex")], [made.size, made.sha1]);
    t.equal(createHash("sha512").update(bytes).digest("hex"), made.sha512);
  }
  t.ok(readStreamOptimized(read(store, vmImage)).content.equals(raw));
  t.equal(vmImage.capacity, raw.byteLength);
  t.equal(payload.capacity, bytesPerMiB);
  t.equal(readStreamOptimized(read(store, payload)).content.toString("latin1", 0, 21), "cloudlet-payload.json");
  t.strictSame(await missingBlobs(lock, store), []);
  const again = new Set<string>();
  // Were it read again, this would be noticed.
  truncateSync(store.path(lock.vmImage.digest), 4_096);
  truncateSync(store.path(lock.vmImage.digest), raw.byteLength);
  t.strictSame(valueOf(await resolved(rawRelease, store, { said: (what) => again.add(what) })), lock);
  t.notOk([...again].some((what) => what.includes("VMDK")), [...again].join(", "));
  t.equal(valueOf(await resolved(rawRelease, store, { vmdk: false })).vmdk, undefined);
});

t.test("what is cleaned away is missing, is made again, and is the same; notes that lead nowhere go", async (t) => {
  const store = await openStore(join(folder, "clean"));
  const lock = valueOf(await resolved(rawRelease, store));
  const notes = (): number => readdirSync(join(store.folder, "converted")).length;
  t.equal(notes(), 2);
  const kept = new Set([lock.vmImage.digest, lock.vmdk!.payload.digest, ...lock.containers.flatMap(({ config, layers }) => [config.digest, ...layers.map(({ digest }) => digest)])]);
  const { removed, leftovers } = await store.collect(kept, 4_000_000_000);
  t.strictSame(removed.map(({ digest }) => digest), [lock.vmdk!.vmImage.digest]);
  t.equal(leftovers, 2, "what was made of which, and the digests of its pieces");
  t.equal(notes(), 1);
  t.strictSame(await missingBlobs(lock, store), [lock.vmdk!.vmImage.digest]);
  t.strictSame(valueOf(await resolved(rawRelease, store)), lock);
  for (const name of readdirSync(join(store.folder, "converted"))) writeFileSync(join(store.folder, "converted", name), "{");
  t.strictSame(valueOf(await resolved(rawRelease, store)), lock, "a note that is damaged is none");
});

t.test("a streamOptimized VMDK stays as it is; a monolithicSparse one is converted", async (t) => {
  const store = await openStore(join(folder, "through"));
  const first = valueOf(await resolved(rawRelease, store));
  const vmdk = read(store, first.vmdk!.vmImage);
  const lock = valueOf(await resolved(releaseText(vmdk, "vmdk"), store));
  t.strictSame(lock.vmdk!.vmImage, first.vmdk!.vmImage);
  t.equal(lock.vmImage.digest, lock.vmdk!.vmImage.digest);
  const sparse = sparseVmdk(2 * bytesPerMiB, new Map([[3, raw.subarray(0, 65_536)]]));
  const converted = valueOf(await resolved(releaseText(sparse, "vmdk"), store));
  t.ok(readStreamOptimized(read(store, converted.vmdk!.vmImage)).content.subarray(3 * 65_536, 4 * 65_536).equals(raw.subarray(0, 65_536)));
});

t.test("an image that is damaged inside is an issue, and nothing of it is stored", async (t) => {
  const store = await openStore(join(folder, "damaged"));
  const qcow2 = qcow2File({ virtualSize: 2 * bytesPerMiB, clusters: new Map([[0, { kind: "data", bytes: raw.subarray(0, 65_536) }], [1, { kind: "deflate", bytes: raw.subarray(0, 65_536) }]]) });
  const outcome = await resolved(releaseText(qcow2.subarray(0, -65_600), "qcow2"), store);
  t.match(outcome, { ok: false, issues: [{ code: "resolve/image-vmdk", pointer: "/vmImage/source", message: /damaged|beyond the end/ }] });
  const cut = read(store, valueOf(await resolved(rawRelease, store)).vmdk!.vmImage).subarray(0, -512);
  t.match(await resolved(releaseText(cut, "vmdk"), store), { ok: false, issues: [{ code: "resolve/image-vmdk", message: /header of it is cut off/ }] });
  t.strictSame(readdirSync(join(store.folder, "tmp")), []);
  t.strictSame(await store.check(), []);
});

t.test("a disk that would not hold it is said before it is begun", async (t) => {
  const plain = join(folder, "full");
  valueOf(await resolved(rawRelease, await openStore(plain), { vmdk: false }));
  const statfs = async (): Promise<ReturnType<typeof statfsSync>> => ({ ...statfsSync(folder), bavail: 4_500, bsize: 4_096 });
  const store = await openStore(plain, { files: { ...disk, statfs } as unknown as StoreDisk });
  const said: string[] = [];
  await t.rejects(resolved(rawRelease, store, { said: (what) => said.push(what) }), /the disk of the blob store is full: 18432000 bytes are free, 2\d{7} are needed/);
  t.notOk(said.includes("VM image to VMDK"));
  const zeros = releaseText(Buffer.alloc(20 * bytesPerMiB), "raw");
  await resolved(zeros, await openStore(plain), { vmdk: false });
  t.ok((await resolved(zeros, store)).ok, "zeros take nothing");
});

t.test("stopped in the middle, it leaves nothing", async (t) => {
  const store = await openStore(join(folder, "stopped"));
  const stop = new AbortController();
  const said = (what: string): void => {
    if (what === "VM image to VMDK") stop.abort(new Error("enough"));
  };
  await t.rejects(resolved(rawRelease, store, { said, signal: stop.signal }), /enough/);
  t.strictSame(readdirSync(join(store.folder, "tmp")), []);
  t.strictSame(readdirSync(join(store.folder, "converted")), []);
  t.strictSame(await store.check(), []);
});

t.test("killed at any moment, the store is clean and the next one makes the same", async (t) => {
  const text = join(folder, "killed.yaml");
  writeFileSync(text, rawRelease);
  const expected = valueOf(await resolved(rawRelease, await openStore(join(folder, "whole"))));
  let killed = 0;
  for (let round = 0; round < 5; round += 1) {
    const place = join(folder, `killed-${round}`);
    valueOf(await resolved(rawRelease, await openStore(place), { vmdk: false }));
    const words = [join(root, "src/cli/start.ts"), "lock", "--vmdk", text, "--store", place, "--quiet"];
    const child = spawn(process.execPath, words, { stdio: "ignore" });
    const ended = new Promise<string | null>((resolve) => child.once("close", (_, signal) => resolve(signal)));
    setTimeout(() => child.kill("SIGKILL"), 250 + round * 100);
    if ((await ended) === "SIGKILL") killed += 1;
    const store = await openStore(place);
    t.strictSame(await store.check(), [], `round ${round}: every blob is whole`);
    t.strictSame(valueOf(await resolved(rawRelease, store)), expected, `round ${round}: the same`);
    await store.collect(new Set<Digest>(), 1_000);
    t.strictSame(readdirSync(join(place, "tmp")), [], `round ${round}: nothing is left`);
  }
  t.ok(killed > 0, `${killed} of 5 were killed`);
});

t.test("--qemu-img on a machine without it, and with one that fails", async (t) => {
  const store = await openStore(join(folder, "qemu"));
  const bin = join(folder, "bin");
  mkdirSync(bin);
  await t.rejects(resolved(rawRelease, store, { qemuImg: true, environment: { PATH: bin } }), /this machine has no qemu-img/);
  writeFileSync(join(bin, "qemu-img"), '#!/bin/sh\n[ "$1" = --version ] && { echo "qemu-img version 9.9"; exit; }\necho "no such disk" >&2\nexit 1\n', { mode: 0o755 });
  await t.rejects(resolved(rawRelease, store, { qemuImg: true, environment: { PATH: bin } }), /qemu-img convert ended with 1: no such disk/);
  t.strictSame(readdirSync(join(store.folder, "partial")), []);
});
