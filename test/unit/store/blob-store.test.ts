/** The blob store: whole or not there, for one process and for many, and clean afterwards. */

import { createHash, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Digest } from "../../../src/core/digest.ts";
import { openStore, type BlobStore } from "../../../src/store/blob-store.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-store-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

async function* chunks(bytes: Uint8Array, size = 70_000): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size);
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of source) parts.push(Buffer.from(chunk));
  return Buffer.concat(parts);
}

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

const aside = (store: BlobStore): readonly string[] => readdirSync(join(store.folder, "tmp"));

t.test("what is put can be read, whole and in part, and is read-only", async (t) => {
  const store = await openStore(join(folder, "a"));
  const bytes = randomBytes(9_000_001);
  const blob = await store.put(chunks(bytes), { digest: digestOf(bytes), size: bytes.byteLength });
  t.strictSame(blob, { digest: digestOf(bytes), sha512: createHash("sha512").update(bytes).digest("hex"), size: 9_000_001 });
  t.strictSame(await store.stat(blob.digest), blob);
  t.ok((await all(store.read(blob.digest, 0, blob.size))).equals(bytes));
  t.ok((await all(store.read(blob.digest, 4_194_000, 4_195_000))).equals(bytes.subarray(4_194_000, 4_195_000)));
  t.ok((await all(store.reusing().read(blob.digest, 1, blob.size))).equals(bytes.subarray(1)));
  t.equal((await all(store.read(blob.digest, 5, 5))).byteLength, 0);
  t.equal(statSync(store.path(blob.digest)).mode & 0o777, 0o444);
  t.strictSame(aside(store), []);
});

t.test("putting the same blob again, also at the same time, changes nothing", async (t) => {
  const store = await openStore(join(folder, "b"));
  const bytes = randomBytes(300_000);
  const puts = await Promise.all(Array.from({ length: 8 }, () => store.put(chunks(bytes))));
  t.equal(new Set(puts.map((each) => each.digest)).size, 1);
  t.equal((await store.list()).length, 1);
  t.strictSame(await store.check(), []);
  t.strictSame(aside(store), []);
});

t.test("a source that is not what was expected leaves nothing", async (t) => {
  const store = await openStore(join(folder, "c"));
  const bytes = randomBytes(200_000);
  const other = digestOf(randomBytes(3));
  for (const [expect, kind] of [
    [{ digest: other }, "digest"],
    [{ size: 200_001 }, "size"],
    [{ size: 199_999 }, "too-big"],
    [{ sizeLimit: 100_000 }, "too-big"],
  ] as const) {
    await t.rejects(store.put(chunks(bytes), expect), { name: "BlobMismatch", kind });
  }
  await t.rejects(store.put(failing(bytes)), { message: "the line was cut" });
  const stop = new AbortController();
  stop.abort(new Error("stopped"));
  await t.rejects(store.put(chunks(bytes), {}, { signal: stop.signal }), { message: "stopped" });
  t.strictSame(await store.list(), []);
  t.strictSame(aside(store), []);
});

async function* failing(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes.subarray(0, 1_000);
  throw new Error("the line was cut");
}

t.test("a blob that is not there is said by its digest", async (t) => {
  const store = await openStore(join(folder, "d"));
  const digest = digestOf(new Uint8Array(1));
  t.equal(await store.stat(digest), undefined);
  await t.rejects(all(store.read(digest, 0, 1)), { name: "EnvironmentError", message: `the store has no blob ${digest}` });
});

t.test("a size that the disk can't hold is refused before the first byte", async (t) => {
  const store = await openStore(join(folder, "e"));
  let asked = false;
  async function* never(): AsyncGenerator<Uint8Array> {
    asked = true;
    yield new Uint8Array(1);
  }
  await t.rejects(store.put(never(), { size: 2 ** 52 }), { name: "EnvironmentError", message: /are needed/ });
  t.notOk(asked);
});

t.test("check names the blob with a flipped bit, and no other", async (t) => {
  const store = await openStore(join(folder, "f"));
  const good = await store.put(chunks(randomBytes(100_000)));
  const bad = await store.put(chunks(randomBytes(100_000)));
  const path = store.path(bad.digest);
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(50_000) ^ 1, 50_000);
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
  t.strictSame(await store.check(), [bad.digest]);
  t.not(good.digest, bad.digest);
});

t.test("a bad blob gives way to the good one that is put", async (t) => {
  const store = await openStore(join(folder, "g"));
  const bytes = randomBytes(1_000);
  const blob = await store.put(chunks(bytes));
  chmodSync(store.path(blob.digest), 0o644);
  writeFileSync(store.path(blob.digest), "bad");
  await store.put(chunks(bytes));
  t.strictSame(await store.check(), []);
  t.strictSame(await store.stat(blob.digest), blob);
});

t.test("a file of the same disk is adopted: moved, not copied, and only if it is the right one", async (t) => {
  const store = await openStore(join(folder, "h"));
  const bytes = randomBytes(9_000_001);
  const path = join(folder, "arrived");
  writeFileSync(path, bytes);
  const { ino } = statSync(path);
  await t.rejects(store.adopt(path, digestOf(randomBytes(3))), { name: "BlobMismatch", kind: "digest", found: digestOf(bytes) });
  t.ok(existsSync(path), "the wrong file stays where it was");
  let seen = 0;
  const blob = await store.adopt(path, digestOf(bytes), { progress: (done) => (seen = done) });
  t.strictSame(blob, { digest: digestOf(bytes), sha512: createHash("sha512").update(bytes).digest("hex"), size: 9_000_001 });
  t.equal(seen, blob.size);
  t.notOk(existsSync(path));
  const stored = statSync(store.path(blob.digest));
  t.equal(stored.ino, ino);
  t.equal(stored.mode & 0o777, 0o444);
  t.strictSame(await store.stat(blob.digest), blob);
  t.strictSame(aside(store), []);
});
