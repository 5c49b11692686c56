/** Digests of pieces: the same in one pass and on threads; noted once, and no note that is not whole is believed. */

import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { parsePieces, piecesOf, piecesText } from "../../../src/pack/pieces.ts";
import { partSizeOf } from "../../../src/pack/media.ts";
import { openStore } from "../../../src/store/blob-store.ts";
import { digestOf } from "../../../src/store/hash-stretch.ts";
import { PieceDigests, piecesOfFile } from "../../../src/store/piece-digests.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-pieces-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const watch = { done: () => undefined, signal: new AbortController().signal };

t.test("in whatever chunks the bytes come, and from the file", async () => {
  const path = join(folder, "file");
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 5_000 }), fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 700 }), async (bytes, size, step) => {
      writeFileSync(path, bytes);
      const digests = new PieceDigests(size);
      for (let at = 0; at < bytes.byteLength; at += step) digests.update(bytes.subarray(at, at + step));
      const wanted = Array.from({ length: Math.ceil(bytes.byteLength / size) }, (_, index) => sha256(bytes.subarray(index * size, (index + 1) * size)));
      const [passed, read] = [digests.ended(), await piecesOfFile(path, bytes.byteLength, size, watch)];
      return JSON.stringify(passed) === JSON.stringify({ size, sha256: wanted }) && JSON.stringify(read) === JSON.stringify(passed);
    }),
    { numRuns: 50, seed: 4 },
  );
});

t.test("a stretch of several runs, and the XOR of several", (t) => {
  const path = join(folder, "runs");
  const bytes = Buffer.alloc(700_001, "some text ");
  writeFileSync(path, bytes);
  const runs = [{ path, start: 5, end: 600_005 }, { zeros: 3 }, { bytes: Buffer.from("ab") }, { path, start: 0, end: 0 }];
  const flat = Buffer.concat([bytes.subarray(5, 600_005), Buffer.alloc(3), Buffer.from("ab")]);
  t.equal(digestOf({ from: [runs] }), sha256(flat));
  t.equal(digestOf({ from: [runs, runs] }), sha256(Buffer.alloc(flat.byteLength)), "with itself: zeros");
  const other = Buffer.alloc(flat.byteLength, 0x5a);
  t.equal(digestOf({ from: [runs, [{ bytes: other }]] }), sha256(flat.map((byte) => byte ^ 0x5a)));
  t.equal(digestOf({ from: [[]] }), sha256(Buffer.alloc(0)));
  t.end();
});

t.test("a store notes them; what is lost or damaged is none, and goes with its blob", async (t) => {
  const store = await openStore(join(folder, "store"));
  const blob = await store.put((async function* () {
    yield Buffer.alloc(2_000, 7);
  })());
  const pieces = await piecesOfFile(store.path(blob.digest), blob.size, 512, watch);
  t.equal(await store.pieces(blob.digest, blob.size, 512), undefined);
  await store.notePieces(blob.digest, pieces);
  t.strictSame(await store.pieces(blob.digest, blob.size, 512), pieces);
  t.equal(await store.pieces(blob.digest, blob.size, 1_024), undefined, "of another size");
  t.equal(await store.pieces(blob.digest, blob.size + 512, 512), undefined, "not as many as there must be");
  const [note = ""] = readdirSync(join(store.folder, "pieces"));
  const path = join(store.folder, "pieces", note);
  const text = readFileSync(path, "utf8");
  for (const damaged of ["", "{", "null", "{}", text.replace(/[0-9a-f]{64}/, "zz"), '{"sha256": 7}']) {
    writeFileSync(path, damaged);
    t.equal(await store.pieces(blob.digest, blob.size, 512), undefined, damaged.slice(0, 12));
  }
  writeFileSync(path, text);
  t.equal((await store.collect(new Set([blob.digest]), 4_000_000_000)).leftovers, 0);
  t.equal((await store.collect(new Set(), 4_000_000_000)).leftovers, 1);
  t.strictSame(readdirSync(join(store.folder, "pieces")), []);
});

t.test("pieces.txt is read as strictly as it is written", (t) => {
  const files = [{ path: "evidence/pieces.txt", size: 3 }, { path: "blobs/a", size: 1_000 }, { path: "blobs/b", size: 512 }];
  const digests = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index).repeat(64));
  const pieces = [...piecesOf("blobs/a", 1_000, { size: 512, sha256: digests(2) }), ...piecesOf("blobs/b", 512, { size: 512, sha256: digests(1) })];
  const text = piecesText(pieces);
  const read = (each: string): unknown => parsePieces(new TextEncoder().encode(each), files);
  t.strictSame(read(text), pieces);
  const lines = text.split("\n");
  const wrong = [
    "", "\n", text.slice(0, -1), `${text}\n`, `${text}${lines[0]}\n`, lines.slice(1).join("\n"), [lines[1], lines[0], lines[2], ""].join("\n"),
    text.replace("  ", " "), text.replace(" 0 512", " 0 511"), text.replace("0 512", "00 512"), text.replace("512 1000", "512 1001"), text.replace("512 1000", "512 999"),
    text.replace("blobs/b", "blobs/c"), text.replace("0000", "000G"), text.replace(" 0 512", " 0 400").replace("512 1000", "400 1000"), text.replace("\n", "\r\n"),
  ];
  for (const each of wrong) t.match(read(each), { wrong: String }, JSON.stringify(each.slice(60, 110)));
  t.end();
});

t.test("sizes of media and of people", (t) => {
  const sizes: readonly (readonly [string, number | undefined])[] = [
    ["fat32", 2 ** 32 - 1], ["FAT32", 2 ** 32 - 1], ["dvd", 4_696_178_688], ["cd", 735_182_848], ["1GB", 1e9], ["700MiB", 734_003_200], ["4.7GB", 4_700_000_000], ["0.5 GiB", 2 ** 29], ["12345", 12_345], ["1tib", 2 ** 40],
    ["0", undefined], ["", undefined], ["GB", undefined], ["-1", undefined], ["1XB", undefined], ["1e9", undefined], ["constructor", undefined], ["1constructor", undefined], ["999999TiB", undefined],
  ];
  for (const [text, bytes] of sizes) t.equal(partSizeOf(text), bytes, text);
  t.end();
});
