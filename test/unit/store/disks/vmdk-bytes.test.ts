/** Images that are whole come out as the same disk, whatever they are made of; images that are not end in a word about it. */

import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import type { Digest } from "../../../../src/core/digest.ts";
import { surveyStreamOptimized } from "../../../../src/store/disks/stream-optimized.ts";
import { UnusableDisk } from "../../../../src/store/disks/unusable-disk.ts";
import { archiveVmdkLimit, contentId, metadataLimit, vmdkOfArchive, vmdkOfImage, withImage } from "../../../../src/store/vmdk-bytes.ts";
import { qcow2File, sparseVmdk, type Cluster, type Qcow2 } from "./image-files.ts";
import { readStreamOptimized, type ReadDisk } from "./stream-optimized-file.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-disks-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "image");
const source: Digest = `sha256:${"5a".repeat(32)}`;
const making = { source, progress: () => undefined, signal: new AbortController().signal };
const grain = 65_536;

type Format = "raw" | "qcow2" | "vmdk";

async function vmdkBytes(bytes: Buffer, format: Format, signal = making.signal): Promise<{ readonly file: Buffer; readonly capacity: number; readonly populated: number }> {
  writeFileSync(path, bytes);
  const made = vmdkOfImage(path, format, { ...making, signal });
  const chunks: Buffer[] = [];
  for await (const chunk of made.bytes) chunks.push(Buffer.from(chunk));
  return { file: Buffer.concat(chunks), capacity: made.capacity, populated: made.populated() };
}

async function converted(bytes: Buffer, format: Format): Promise<ReadDisk> {
  const { file, capacity, populated } = await vmdkBytes(bytes, format);
  const read = readStreamOptimized(file);
  t.equal(read.content.byteLength, capacity);
  t.equal(read.grains * grain, populated);
  writeFileSync(path, file);
  t.strictSame(withImage(path, surveyStreamOptimized), { capacity, populated }, "our own look at it finds the same");
  return read;
}

/** Compresses to something, but not to nothing. */
function pattern(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let at = 0; at < size; at += 1) bytes[at] = (at * seed + (at >> 7)) % 251;
  return bytes;
}

/** What a guest must see of a qcow2. */
function contentOf({ virtualSize, clusters, clusterBits = 16 }: Qcow2): Buffer {
  const size = 2 ** clusterBits;
  const content = Buffer.alloc(Math.ceil(virtualSize / grain) * grain);
  for (const [number, cluster] of clusters) {
    if (cluster.kind === "zeros") continue;
    const bytes = Buffer.from(cluster.bytes);
    if (cluster.kind === "parts") {
      for (let part = 0; part < 32; part += 1) if (((cluster.there >>> part) & 1) === 0) bytes.fill(0, (part * size) / 32, ((part + 1) * size) / 32);
    }
    content.set(bytes.subarray(0, Math.max(0, virtualSize - number * size)), number * size);
  }
  return content;
}

t.test("a raw image, with holes and an end that is no whole grain", async (t) => {
  const raw = Buffer.alloc(3 * 1_048_576 + 1_536);
  raw.set(pattern(200_000, 3), 100_000);
  raw.set(pattern(1_000, 5), raw.byteLength - 1_000);
  const { content, descriptor, grains } = await converted(raw, "raw");
  t.ok(content.subarray(0, raw.byteLength).equals(raw));
  t.ok(content.subarray(raw.byteLength).every((byte) => byte === 0));
  t.equal(grains, 5);
  t.match(descriptor, /^CID=5a5a5a5a$/m);
  t.match(descriptor, new RegExp(`^RW ${content.byteLength / 512} SPARSE "disk.vmdk"$`, "m"));
});

t.test("qcow2 of every cluster size, both versions, plain and packed clusters side by side", async (t) => {
  for (const clusterBits of [9, 10, 12, 14, 16, 17, 21]) {
    const size = 2 ** clusterBits;
    for (const packed of ["deflate", "zstd"] as const) {
      const version = packed === "deflate" && clusterBits % 2 === 0 ? 2 : 3;
      const clusters = new Map<number, Cluster>([
        [0, { kind: "data", bytes: pattern(size, 3) }],
        [1, { kind: packed, bytes: pattern(size, 5) }],
        [3, version === 3 ? { kind: "zeros" } : { kind: "data", bytes: Buffer.alloc(size) }],
        [4, { kind: packed, bytes: Buffer.alloc(size, 1) }],
        [90, { kind: "data", bytes: pattern(size, 7) }],
      ]);
      const image: Qcow2 = { version, clusterBits, virtualSize: 90 * size + 512, clusters, compression: packed };
      const { content } = await converted(qcow2File(image), "qcow2");
      t.ok(content.equals(contentOf(image)), `2^${clusterBits}, ${packed}`);
    }
  }
});

t.test("subclusters: there, zeros, and neither", async (t) => {
  const clusters = new Map<number, Cluster>([
    [0, { kind: "parts", bytes: pattern(grain, 3), there: 0x8000_0005, zeros: 0x0000_00f0 }],
    [1, { kind: "data", bytes: pattern(grain, 5) }],
    [2, { kind: "deflate", bytes: pattern(grain, 7) }],
  ]);
  const image: Qcow2 = { virtualSize: 10 * grain, clusters, hasSubclusters: true };
  const { content } = await converted(qcow2File(image), "qcow2");
  t.ok(content.equals(contentOf({ ...image, clusters })));
});

t.test("a deflate stream of a whole grain is carried over as it is", async (t) => {
  const bytes = pattern(grain, 11);
  const qcow2 = qcow2File({ virtualSize: grain, clusters: new Map([[0, { kind: "deflate", bytes }]]) });
  const { file } = await vmdkBytes(qcow2, "qcow2");
  const size = file.readUInt32LE(grain + 8);
  // Two bytes before the stream, four behind it.
  t.ok(qcow2.includes(file.subarray(grain + 14, grain + 12 + size - 4)));
  t.ok(readStreamOptimized(file).content.equals(bytes));
});

t.test("a monolithicSparse VMDK", async (t) => {
  const grains = new Map([[0, pattern(grain, 3)], [700, pattern(grain, 5)], [701, Buffer.alloc(grain)]]);
  const { content, grains: count } = await converted(sparseVmdk(800 * grain, grains), "vmdk");
  t.equal(count, 2, "one is zeros");
  t.ok(content.subarray(700 * grain, 701 * grain).equals(pattern(grain, 5)));
  t.ok(content.subarray(0, grain).equals(pattern(grain, 3)));
});

t.test("property: whatever disk goes in comes out", async () => {
  const disks = fc.record({
    format: fc.constantFrom("raw", "qcow2", "vmdk"),
    parts: fc.array(fc.record({ at: fc.nat(1_100), seed: fc.nat(255), size: fc.integer({ min: 1, max: grain }) }), { maxLength: 8 }),
  });
  await fc.assert(
    fc.asyncProperty(disks, async ({ format, parts }) => {
      const byPlace = new Map(parts.map(({ at, seed, size }) => [at, Buffer.concat([pattern(size, seed), Buffer.alloc(grain - size)])]));
      const content = Buffer.alloc(1_101 * grain);
      for (const [at, bytes] of byPlace) content.set(bytes, at * grain);
      const clusters = new Map<number, Cluster>([...byPlace].map(([at, bytes], index) => [at, { kind: index % 2 === 0 ? "data" : "deflate", bytes }]));
      const file = format === "raw" ? content : format === "vmdk" ? sparseVmdk(content.byteLength, byPlace) : qcow2File({ virtualSize: content.byteLength, clusters });
      const { file: vmdk } = await vmdkBytes(file, format as Format);
      return readStreamOptimized(vmdk).content.equals(content);
    }),
    { numRuns: 25 },
  );
});

t.test("threads give the bytes that one gives, and end when they are told to", async (t) => {
  const raw = Buffer.concat([pattern(12 * 1_048_576, 3), Buffer.alloc(40 * 1_048_576), pattern(5 * 1_048_576, 7)]);
  const { file } = await vmdkBytes(raw, "raw");
  t.ok(readStreamOptimized(file).content.equals(raw));
  t.equal(createHash("sha256").update((await vmdkBytes(raw, "raw")).file).digest("hex"), createHash("sha256").update(file).digest("hex"));
  const stop = new AbortController();
  setTimeout(() => stop.abort(new Error("enough")), 5);
  await t.rejects(vmdkBytes(raw, "raw", stop.signal), /enough/);
});

t.test("an archive is stored, not compressed; its disk has whole MiB", async (t) => {
  const tar = pattern(1_500_000, 3);
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < tar.byteLength; at += 70_001) yield tar.subarray(at, at + 70_001);
  };
  const made = vmdkOfArchive(chunks(), tar.byteLength, making);
  const parts: Buffer[] = [];
  for await (const chunk of made.bytes) parts.push(Buffer.from(chunk));
  const file = Buffer.concat(parts);
  const { content } = readStreamOptimized(file);
  t.equal(content.byteLength, 2 * 1_048_576);
  t.ok(content.subarray(0, tar.byteLength).equals(tar));
  t.ok(file.byteLength > tar.byteLength && file.byteLength <= archiveVmdkLimit(tar.byteLength));
  t.ok(metadataLimit(100 * 2 ** 30) < 10_000_000);
});

t.test("a content ID never says that there is none", (t) => {
  t.equal(contentId(`sha256:${"f".repeat(64)}`), "0fffffff");
  t.equal(contentId(`sha256:fffffffe${"0".repeat(56)}`), "0ffffffe");
  t.equal(contentId(source), "5a5a5a5a");
  t.end();
});

/** Each is one edit of an image that is good. */
const plain = qcow2File({ virtualSize: 600 * 2 ** 20, clusters: new Map<number, Cluster>([[0, { kind: "data", bytes: pattern(grain, 3) }], [1, { kind: "data", bytes: pattern(grain, 5) }], [9_000, { kind: "deflate", bytes: pattern(grain, 7) }]]) });
const l1 = 2 * grain;
const l2 = Number(plain.readBigUInt64BE(l1) & 0xff_ffff_ffff_fe00n);
const l2b = Number(plain.readBigUInt64BE(l1 + 8) & 0xff_ffff_ffff_fe00n);
const packedEntry = l2b + (9_000 % 8_192) * 8;
const sparse = sparseVmdk(800 * grain, new Map([[0, pattern(grain, 3)], [700, pattern(grain, 5)]]));

type Edit = (bytes: Buffer) => Buffer | void;
const hostile: readonly (readonly [string, "qcow2" | "vmdk", RegExp, Edit])[] = [
  ["a header that is cut off", "qcow2", /header is cut off/, (bytes) => bytes.subarray(0, 100)],
  ["cut off before its L2 table", "qcow2", /an L2 table lies beyond the end/, (bytes) => bytes.subarray(0, l2)],
  ["cut off in its L2 table", "qcow2", /an L2 table lies beyond the end/, (bytes) => bytes.subarray(0, l2 + 100)],
  ["cut off before its L1 table", "qcow2", /L1 table lies beyond the end/, (bytes) => bytes.subarray(0, l1)],
  ["cut off before the last cluster", "qcow2", /a compressed cluster lies beyond the end/, (bytes) => bytes.subarray(0, l2b + grain)],
  ["clusters of a byte", "qcow2", /clusters are of 2\^0 bytes/, (bytes) => void bytes.writeUInt32BE(0, 20)],
  ["clusters of 4 GiB", "qcow2", /clusters are of 2\^32 bytes/, (bytes) => void bytes.writeUInt32BE(32, 20)],
  ["no size", "qcow2", /a disk of no size/, (bytes) => void bytes.writeBigUInt64BE(0n, 24)],
  ["a size past 2^53", "qcow2", /its size is/, (bytes) => void bytes.writeBigUInt64BE(2n ** 60n, 24)],
  ["a size past its L1 table", "qcow2", /L1 table covers/, (bytes) => void bytes.writeBigUInt64BE(2n ** 40n, 24)],
  ["an L1 table of 4 thousand million", "qcow2", /L1 table has 4294967295 entries/, (bytes) => void bytes.writeUInt32BE(0xffff_ffff, 36)],
  ["an L1 table past the end", "qcow2", /L1 table lies beyond/, (bytes) => void bytes.writeBigUInt64BE(2n ** 40n, 40)],
  ["an L1 table askew", "qcow2", /L1 table begins at byte 131584/, (bytes) => void bytes.writeBigUInt64BE(BigInt(l1 + 512), 40)],
  ["an L1 table that is the header", "qcow2", /L1 table begins at byte 0/, (bytes) => void bytes.writeBigUInt64BE(0n, 40)],
  ["refcounts of 2^9 bits", "qcow2", /refcounts are of 2\^9 bits/, (bytes) => void bytes.writeUInt32BE(9, 96)],
  ["no refcount table", "qcow2", /refcount table has 0 bytes/, (bytes) => void bytes.writeUInt32BE(0, 56)],
  ["a huge refcount table", "qcow2", /refcount table has 281474976645120 bytes/, (bytes) => void bytes.writeUInt32BE(0xffff_ffff, 56)],
  ["a refcount table past the end", "qcow2", /refcount table lies beyond/, (bytes) => void bytes.writeBigUInt64BE(2n ** 40n, 48)],
  ["an unknown compression", "qcow2", /compression is of kind 7/, (bytes) => void bytes.writeUInt8(7, 104)],
  ["a compression without its feature", "qcow2", /compression is of kind 1/, (bytes) => void bytes.writeUInt8(1, 104)],
  ["subclusters of less than a sector", "qcow2", /subclusters in clusters of 512 bytes/, (bytes) => {
    bytes.writeUInt32BE(9, 20);
    bytes.writeBigUInt64BE(16n, 72);
  }],
  ["reserved bits in L1", "qcow2", /entry 0 of its L1 table is 0x/, (bytes) => void bytes.writeBigUInt64BE(BigInt(l2) | 1n, l1)],
  ["an L2 table past the end", "qcow2", /an L2 table lies beyond/, (bytes) => void bytes.writeBigUInt64BE(2n ** 40n, l1)],
  ["an L2 table askew", "qcow2", /an L2 table begins at byte/, (bytes) => void bytes.writeBigUInt64BE(BigInt(l2 + 512), l1)],
  ["an L2 table that is the L1 table", "qcow2", /an L2 table is where another table or cluster is/, (bytes) => void bytes.writeBigUInt64BE(BigInt(l1), l1)],
  ["one L2 table twice", "qcow2", /an L2 table is where another table or cluster is/, (bytes) => void bytes.writeBigUInt64BE(BigInt(l2), l1 + 8)],
  ["one cluster twice", "qcow2", /a cluster is where another table or cluster is/, (bytes) => void bytes.writeBigUInt64BE(bytes.readBigUInt64BE(l2), l2 + 80)],
  ["a cluster that is an L2 table", "qcow2", /a cluster is where another/, (bytes) => void bytes.writeBigUInt64BE(BigInt(l2), l2 + 80)],
  ["a cluster past the end", "qcow2", /a cluster lies beyond the end/, (bytes) => void bytes.writeBigUInt64BE(2n ** 40n, l2)],
  ["reserved bits in L2", "qcow2", /an entry of an L2 table is 0x/, (bytes) => void bytes.writeBigUInt64BE(bytes.readBigUInt64BE(l2) | (1n << 57n), l2)],
  ["a compressed cluster past the end", "qcow2", /a compressed cluster lies beyond/, (bytes) => void bytes.writeBigUInt64BE((1n << 62n) | (2n ** 40n), packedEntry)],
  ["a compressed cluster of garbage", "qcow2", /a compressed cluster is damaged/, (bytes) => void bytes.fill(0xff, l2b + grain)],
  ["a compressed cluster that is cut off", "qcow2", /a compressed cluster is damaged/, (bytes) => void bytes.writeBigUInt64BE(bytes.readBigUInt64BE(packedEntry) & ~(0xffn << 54n), packedEntry)],
  ["more compressed clusters than the file can hold", "qcow2", /compressed clusters are more than/, (bytes) => {
    const entry = bytes.readBigUInt64BE(packedEntry);
    for (let index = 0; index < 2 * 8_192; index += 1) bytes.writeBigUInt64BE(entry, (index % 2 === 0 ? l2 : l2b) + (index >> 1) * 8);
  }],
  ["grains of a sector", "vmdk", /grains are of 1 sectors/, (bytes) => void bytes.writeBigUInt64LE(1n, 20)],
  ["grains of 100 sectors", "vmdk", /grains are of 100 sectors/, (bytes) => void bytes.writeBigUInt64LE(100n, 20)],
  ["tables of another size", "vmdk", /grain tables have 0 entries/, (bytes) => void bytes.writeUInt32LE(0, 44)],
  ["no capacity", "vmdk", /capacity is 0/, (bytes) => void bytes.writeBigUInt64LE(0n, 12)],
  ["a capacity past vSphere's", "vmdk", /vSphere takes 68169720922112, 62 TiB, at most/, (bytes) => void bytes.writeBigUInt64LE(2n ** 40n, 12)],
  ["a capacity past its directory", "vmdk", /grain directory lies beyond|a grain/, (bytes) => void bytes.writeBigUInt64LE(2n ** 36n, 12)],
  ["compressed grains", "vmdk", /has compressed grains/, (bytes) => void bytes.writeUInt32LE(0x3_0001, 8)],
  ["a directory past the end", "vmdk", /grain directory lies beyond/, (bytes) => void bytes.writeBigUInt64LE(2n ** 40n, 56)],
  ["a directory that is the header", "vmdk", /grain directory lies beyond/, (bytes) => void bytes.writeBigUInt64LE(0n, 56)],
  ["a table past the end", "vmdk", /a grain table lies beyond/, (bytes) => void bytes.writeUInt32LE(0xffff_ff00, 21 * 512)],
  ["a grain past the end", "vmdk", /a grain lies beyond/, (bytes) => void bytes.writeUInt32LE(0xffff_ff00, 128 * 512)],
  ["grains over one another", "vmdk", /lie over one another|more than the file can hold/, (bytes) => {
    for (let index = 0; index < 512; index += 1) bytes.writeUInt32LE(130, 128 * 512 + index * 4);
  }],
  ["cut off in its last grain", "vmdk", /a grain lies beyond/, (bytes) => bytes.subarray(0, bytes.byteLength - 1)],
];

t.test("what is damaged or hostile is refused, and the reason said", async (t) => {
  for (const [what, format, message, edit] of hostile) {
    const bytes = Buffer.from(format === "qcow2" ? plain : sparse);
    const edited = edit(bytes) ?? bytes;
    const error: unknown = await vmdkBytes(edited, format).then(() => undefined, (reason: unknown) => reason);
    t.ok(error instanceof UnusableDisk, `${what}: ${String(error)}`);
    t.match(String(error), message, what);
  }
});

t.test("zstd clusters that are none, are cut off, or come to something else", async (t) => {
  const image = qcow2File({ virtualSize: grain, compression: "zstd", clusters: new Map([[0, { kind: "zstd", bytes: pattern(grain, 3) }]]) });
  const at = image.indexOf(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
  const short = qcow2File({ virtualSize: grain, compression: "zstd", clusters: new Map([[0, { kind: "zstd", bytes: pattern(grain - 1, 3) }]]) });
  const long = qcow2File({ virtualSize: grain, clusters: new Map([[0, { kind: "deflate", bytes: pattern(grain + 1, 3) }]]) });
  const none = Buffer.from(image);
  none[at] = 0;
  const endless = Buffer.from(image);
  endless.fill(0xfe, at + 9, at + 12);
  for (const [bytes, message] of [[none, /no Zstandard frame/], [endless, /cut off|damaged/], [short, /comes to 65535 bytes/], [long, /damaged/]] as const) {
    await t.rejects(vmdkBytes(bytes, "qcow2"), message);
  }
});

t.test("property: no bytes whatever make it crash or run on", async (t) => {
  const edits = fc.array(fc.record({ at: fc.nat(4 * grain), value: fc.nat(255) }), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom("qcow2", "vmdk"), edits, async (format, all) => {
      const bytes = Buffer.from(format === "qcow2" ? plain : sparse);
      for (const { at, value } of all) bytes[at % bytes.byteLength] = value;
      for (const { at, value } of all.slice(0, 4)) bytes[at % 112] = value;
      const error: unknown = await vmdkBytes(bytes, format as Format).then(() => undefined, (reason: unknown) => reason);
      return error === undefined || error instanceof UnusableDisk;
    }),
    { numRuns: 150 },
  );
  t.end();
});
