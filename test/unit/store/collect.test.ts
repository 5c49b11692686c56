/** Cleaning a store: what nobody needs goes, what somebody is at stays, whoever that is. */

import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Digest } from "../../../src/core/digest.ts";
import { openStore, type BlobStore, type StoredBlob } from "../../../src/store/blob-store.ts";
import { lifeOf, ownName } from "../../../src/store/owners.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-collect-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
/** Later than everything. Seconds. */
const always = 4_000_000_000;
const dead = `${ownName().slice(0, 8)}.4194305.1`;
const elsewhere = "00000000.1.1";

function putOne(store: BlobStore): Promise<StoredBlob> {
  return store.put((async function* () {
    yield randomBytes(10);
  })());
}

function age(path: string, seconds = 1_000): void {
  utimesSync(path, seconds, seconds);
}

/** Another process that does this with the store in `place`, says "ready", and stays. */
async function user(place: string, work: string): Promise<ChildProcess> {
  const program = `
    import { openStore } from ${JSON.stringify(join(import.meta.dirname, "../../../src/store/blob-store.ts"))};
    const store = await openStore(${JSON.stringify(place)}, { now: Date.now });
    ${work}
    setInterval(() => {}, 1_000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], { stdio: ["pipe", "pipe", "inherit"] });
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  t.teardown(() => child.kill("SIGKILL"));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("close", resolve));
}

t.test("who is alive", (t) => {
  t.equal(lifeOf(`put-${ownName()}-abc`), "alive");
  t.equal(lifeOf(`put-${dead}-abc`), "dead");
  t.equal(lifeOf(ownName().replace(/\d+$/, "7")), "dead", "the number was given out again");
  t.equal(lifeOf(elsewhere), "unknown");
  t.equal(lifeOf("something else"), "unknown");
  t.end();
});

t.test("what is named and what was used of late stays", async (t) => {
  let now = 1_800_000_000_000;
  const store = await openStore(join(folder, "a"), { now: () => now });
  const [kept, used, old] = [await putOne(store), await putOne(store), await putOne(store)];
  for (const blob of [kept, used, old]) age(store.path(blob.digest));
  now = 2_000_000_000_000;
  await store.stat(used.digest);
  const { removed, leftovers } = await store.collect(new Set([kept.digest]), 1_900_000_000);
  t.strictSame(removed, [old]);
  t.equal(leftovers, 0);
  t.strictSame((await store.list()).map((blob) => blob.digest).sort(), [kept.digest, used.digest].sort());
});

t.test("what a process that is still there has asked for stays; when it is gone, it goes", async (t) => {
  const place = join(folder, "b");
  const store = await openStore(place);
  const [used, other] = [await putOne(store), await putOne(store)];
  for (const blob of [used, other]) age(store.path(blob.digest));
  const child = await user(place, `await store.stat(${JSON.stringify(used.digest)}); process.stdout.write("ready");`);
  t.strictSame((await store.collect(new Set<Digest>(), always)).removed, [other]);
  await end(child);
  t.strictSame((await store.collect(new Set<Digest>(), always)).removed, [used]);
});

t.test("what is being written stays; what the dead were writing goes", async (t) => {
  const place = join(folder, "c");
  const store = await openStore(place);
  const work = `
    async function* slow() { yield new Uint8Array(10); process.stdout.write("ready"); await new Promise((go) => process.stdin.once("data", go)); }
    await store.put(slow()); process.stdout.write("stored");`;
  const child = await user(place, work);
  mkdirSync(join(place, `tmp/put-${dead}-a`));
  mkdirSync(join(place, `tmp/put-${elsewhere}-a`));
  t.equal((await store.collect(new Set<Digest>(), 1_000)).leftovers, 1, "of another machine nothing is known, so it stays");
  t.equal((await store.collect(new Set<Digest>(), always)).leftovers, 1, "until it is old");
  t.equal(readdirSync(join(place, "tmp")).length, 1);
  child.stdin?.write("go");
  await new Promise((resolve) => child.stdout?.once("data", resolve));
  t.equal((await store.list()).length, 1, "the writer did not notice");
  await end(child);
});

t.test("downloads stay while somebody could go on with them", async (t) => {
  const store = await openStore(join(folder, "d"), { now: () => 1_900_000_000_000 });
  const running = await store.claimPartial("running");
  writeFileSync(running.bytes, "x");
  const waiting = await store.claimPartial("waiting");
  writeFileSync(waiting.bytes, "x");
  await waiting.release();
  t.equal((await store.collect(new Set<Digest>(), 1_000)).leftovers, 0, "both are young");
  t.equal((await store.collect(new Set<Digest>(), always)).leftovers, 1);
  t.ok(existsSync(running.bytes));
});

t.test("halves that a power cut left go", async (t) => {
  const store = await openStore(join(folder, "e"));
  const [withoutNote, withoutBlob] = [await putOne(store), await putOne(store)];
  rmSync(`${store.path(withoutNote.digest)}.sha512`);
  rmSync(store.path(withoutBlob.digest));
  t.strictSame(await store.list(), []);
  t.strictSame(await store.collect(new Set<Digest>(), always), { removed: [], leftovers: 2 });
  t.notOk(existsSync(store.path(withoutNote.digest)));
  t.notOk(existsSync(`${store.path(withoutBlob.digest)}.sha512`));
});

t.test("leases of the dead are swept by whoever comes next", async (t) => {
  const store = await openStore(join(folder, "f"));
  writeFileSync(join(store.folder, "in-use", dead), "");
  await openStore(store.folder, { now: Date.now });
  t.strictSame(readdirSync(join(store.folder, "in-use")), [ownName()]);
});
