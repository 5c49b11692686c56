/** Blobs in a bucket: parts, ranges, what arrives changed, what is not what it should be, and little memory. */

import { createHash, randomBytes } from "node:crypto";
import { buffer } from "node:stream/consumers";
import t from "tap";
import type { Digest } from "../../../src/core/digest.ts";
import { openObjects } from "../../../src/store/object-store.ts";
import { startObjects } from "./object-double.ts";

const double = await startObjects();
const address = { bucket: double.bucket, prefix: "site", endpoint: double.url, region: "eu-test-1", credentials: { accessKeyId: double.accessKeyId, secretAccessKey: double.secretAccessKey } };
const store = openObjects(address);
const blobs = store.blobs("blobs");
t.teardown(async () => {
  store.close();
  await double.stop();
});

const digestOf = (bytes: Uint8Array): Digest => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

async function* pieces(bytes: Uint8Array, each = 1_000_003): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += each) yield bytes.subarray(at, at + each);
}

const large = randomBytes(27 * 1024 * 1024 + 5);
const digest = digestOf(large);

t.test("a large one goes in parts, and comes back in any range", async (t) => {
  t.equal(await blobs.stat(digest), undefined);
  await blobs.put(pieces(large), { digest, size: large.byteLength });
  t.equal(double.requests.part, 4);
  t.equal(double.uploads.size, 0);
  t.strictSame(await blobs.stat(digest), { digest, size: large.byteLength });
  for (const [start, end] of [[0, 1], [8_388_607, 8_388_610], [large.byteLength - 1, large.byteLength], [0, large.byteLength], [5, 5]] as const) {
    t.ok((await buffer(blobs.read(digest, start, end))).equals(large.subarray(start, end)), `${start} to ${end}`);
  }
  t.equal((await buffer(blobs.read(digest, large.byteLength - 3, large.byteLength + 9))).byteLength, 3, "it ends where the blob does");
  await blobs.put(pieces(large), { digest, size: large.byteLength });
  t.equal(double.requests.part, 4, "what is there is not sent again");
});

t.test("what is not what it should be never shows", async (t) => {
  const other = Buffer.from(large);
  other[other.byteLength - 1] = (other[other.byteLength - 1] ?? 0) ^ 1;
  const wanted = digestOf(other);
  const before = double.objects.size;
  await t.rejects(blobs.put(pieces(large), { digest: wanted, size: large.byteLength }), { name: "BlobMismatch", kind: "digest" });
  await t.rejects(blobs.put(pieces(other.subarray(1)), { digest: wanted, size: large.byteLength }), { name: "BlobMismatch", kind: "size" });
  await t.rejects(blobs.put(pieces(Buffer.concat([other, Buffer.from("x")])), { digest: wanted, size: large.byteLength }), { name: "BlobMismatch", kind: "too-big" });
  const small = randomBytes(100);
  await t.rejects(blobs.put(pieces(small), { digest: wanted, size: 100 }), { name: "BlobMismatch" });
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield* pieces(other.subarray(0, 12_000_000));
    throw new Error("the disk failed");
  }
  await t.rejects(blobs.put(broken(), { digest: wanted, size: large.byteLength }), /the disk failed/);
  t.equal(double.objects.size, before);
  t.equal(double.uploads.size, 0, "what was begun was given up");
  t.equal(await blobs.stat(wanted), undefined);
});

t.test("bytes that change on the way are refused, two at once are one, a page is not the list", async (t) => {
  const small = randomBytes(1_000);
  const wanted = { digest: digestOf(small), size: 1_000 };
  double.faults.push("corrupt");
  await t.rejects(blobs.put(pieces(small), wanted), { name: "EnvironmentError", comesBack: true, message: /SHA256Mismatch/ });
  t.equal(await blobs.stat(wanted.digest), undefined);
  await Promise.all([1, 2, 3].map(() => blobs.put(pieces(small), wanted)));
  t.ok((await buffer(blobs.read(wanted.digest, 0, 1_000))).equals(small));
  for (let index = 0; index < 12; index += 1) {
    const each = randomBytes(10 + index);
    await blobs.put(pieces(each), { digest: digestOf(each), size: each.byteLength });
  }
  t.equal((await blobs.list()).length, 14);
  t.strictSame(await store.blobs("drawn").list(), [], "each kind is by itself");
});

t.test("a bucket that is away, or refuses, is told by name; a blob that is gone is another matter", async (t) => {
  await t.rejects(buffer(blobs.read(digestOf(Buffer.from("nothing")), 0, 1)), { name: "EnvironmentError", message: /has no blob/ });
  const stranger = openObjects({ ...address, credentials: { ...address.credentials, secretAccessKey: "wrong" } });
  await t.rejects(stranger.check(), { name: "EnvironmentError", message: /SignatureDoesNotMatch/, hint: /credentials/ });
  stranger.close();
  await double.stop();
  await t.rejects(blobs.stat(digest), { name: "EnvironmentError", comesBack: true, message: /s3:\/\/bundles\/site/ });
  await double.start();
  t.ok(await blobs.stat(digest));
});

t.test("a reader that waits holds up the sender", async (t) => {
  const before = process.memoryUsage().arrayBuffers;
  const reading = blobs.read(digest, 0, large.byteLength)[Symbol.asyncIterator]();
  await reading.next();
  await new Promise((resolve) => setTimeout(resolve, 300));
  // The double holds the object in this process, once; what a reader has not asked for is in sockets.
  t.ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024);
  await reading.return?.(undefined);
});
