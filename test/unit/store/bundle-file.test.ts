/** A bundle on disk: what is listed of a hostile folder, and hashing here and on threads. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { openArchive } from "../../../src/store/archive-file.ts";
import { openBundle } from "../../../src/store/bundle-file.ts";
import { hashStretches } from "../../../src/store/hash-workers.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet-bundle-file-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));

t.test("links are listed and not followed; names are bytes", async (t) => {
  const folder = join(work, "hostile");
  mkdirSync(join(folder, "site"), { recursive: true });
  writeFileSync(join(folder, "site/a"), "abc", { mode: 0o644 });
  symlinkSync("/usr", join(folder, "usr"));
  symlinkSync(".", join(folder, "loop"));
  mkdirSync(join(folder, ".hidden/below"), { recursive: true });
  execFileSync("sh", ["-c", String.raw`printf x >"$(printf 'a\377\nb')"`], { cwd: folder });
  const source = await openBundle(folder);
  t.equal(source.kind, "folder");
  const listed = source.kind === "folder" ? source.entries.map(({ path, type }) => `${type} ${path}`).sort() : [];
  t.strictSame(listed, ["file site/a", "folder site", "other .hidden", "other a\u00ff\nb", "other loop", "other usr"]);
  t.equal(Buffer.from(await source.read({ file: "site/a", start: 1, end: 3 })).toString(), "bc");
});

t.test("a tar is read in any places and any order, and at once, though headers and small files come many at a time", async (t) => {
  const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7 + (index >> 8)) % 251));
  const path = join(work, "some.tar");
  writeFileSync(path, bytes);
  const half = join(work, "half");
  writeFileSync(half, bytes.subarray(400_000, 700_000));
  const runs = [{ path, start: 0, end: 400_000 }, { path: half, start: 0, end: 300_000 }, { bytes: bytes.subarray(700_000, 700_100) }, { path, start: 700_100, end: 1_000_000 }];
  for (const source of [await openBundle(path), await openArchive(runs)]) {
    const places = Array.from({ length: 400 }, (_, index) => {
      const start = (index * 104_729) % 1_000_000;
      return { file: "", start, end: Math.min(1_000_000, start + ((index * index) % 3 === 0 ? index * 1_000 : index)) };
    });
    const all = await Promise.all(places.map((place) => source.read(place)));
    for (const place of places) all.push(await source.read(place));
    const wrong = all.filter((found, index) => !bytes.subarray(places[index % 400]?.start, places[index % 400]?.end).equals(found));
    t.equal(wrong.length, 0);
    const kept = await source.read({ file: "", start: 10, end: 20 });
    kept.fill(0);
    t.ok(bytes.subarray(10, 20).equals(await source.read({ file: "", start: 10, end: 20 })), "who reads may write into it");
    t.equal((await source.read({ file: "", start: 999_990, end: 1_000_100 })).byteLength, 10, "behind the end there is nothing");
  }
});

t.test("a stretch has the same digest here and on a thread", async (t) => {
  const path = join(work, "big");
  const bytes = Buffer.alloc(33 * 1024 * 1024, "thirteen long");
  writeFileSync(path, bytes);
  const ranges = [[0, bytes.byteLength], [1, 1_048_578], [7, 7], [bytes.byteLength - 1, bytes.byteLength]] as const;
  const wanted = ranges.map(([start, end]) => createHash("sha256").update(bytes.subarray(start, end)).digest("hex"));
  let heard = 0;
  const stretches = ranges.map(([start, end]) => ({ from: [[{ path, start, end }]] }));
  t.strictSame(await hashStretches(stretches, { hashed: (bytes) => (heard += bytes) }), wanted, "on threads");
  t.equal(heard, ranges.reduce((sum, [start, end]) => sum + end - start, 0));
  t.strictSame(await hashStretches(stretches.slice(1)), wanted.slice(1), "here");
  await t.rejects(hashStretches([{ from: [[{ path: `${path}x`, start: 0, end: 1 }]] }]), { name: "EnvironmentError", message: /can.t be read: ENOENT/ });
  const stop = new AbortController();
  const stopped = hashStretches([{ from: [[{ path: "/dev/zero", start: 0, end: 1e15 }]] }], { signal: stop.signal });
  setTimeout(() => stop.abort(new Error("stopped")), 100);
  await t.rejects(stopped, { message: "stopped" });
  await t.rejects(hashStretches(stretches, { signal: stop.signal }), { message: "stopped" }, "before it began");
  await t.rejects(hashStretches([{ from: [[{ path: `${path}x`, start: 0, end: 1e9 }]] }]), { name: "EnvironmentError" }, "on threads");
  t.strictSame(await hashStretches(stretches), wanted, "threads that were ended are not used again");
  t.strictSame(await Promise.all([hashStretches(stretches), hashStretches([...stretches].reverse())]), [wanted, [...wanted].reverse()], "and each works for one at a time");
});
