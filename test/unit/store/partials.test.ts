/** Downloads that have not arrived whole: one owner each, and whoever comes next goes on with the best that is free. */

import { mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import * as disk from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import t from "tap";
import { ownName } from "../../../src/store/owners.ts";
import { claimPartial, type PartialDownload } from "../../../src/store/partials.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-partials-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const now = Date.now();
const claim = (key: string): Promise<PartialDownload> => claimPartial(disk, folder, key, now);
const dead = `${ownName().slice(0, 8)}.4194305.1`;

/** As if this had been claimed by `owner`. */
function giveTo(partial: PartialDownload, owner: string): string {
  const from = dirname(partial.bytes);
  const to = from.replace(ownName(), owner);
  renameSync(from, to);
  return join(to, basename(partial.bytes));
}

t.test("what was released is gone on with, by one", async (t) => {
  const first = await claim("a");
  writeFileSync(first.bytes, "half");
  writeFileSync(first.note, "of it");
  t.notOk((await disk.readdir(dirname((await claim("a")).bytes))).length, "not before it is released");
  await first.release();
  const [one, other] = await Promise.all([claim("a"), claim("a")]);
  const found = [one, other].map((each) => readdirSync(dirname(each.bytes)).length).sort();
  t.strictSame(found, [0, 2]);
  const got = readdirSync(dirname(one.bytes)).length > 0 ? one : other;
  t.equal(readFileSync(got.bytes, "utf8") + readFileSync(got.note, "utf8"), "halfof it");
});

t.test("the most advanced first, and no other key's", async (t) => {
  for (const text of ["1", "333", "22"]) {
    const partial = await claimPartial(disk, folder, `of another ${text}`, now);
    writeFileSync(partial.bytes, text);
    renameSync(dirname(partial.bytes), dirname((await claim("b")).bytes));
  }
  const owned = readdirSync(folder).filter((name) => name.includes(ownName()));
  for (const name of owned) renameSync(join(folder, name), join(folder, name.replace(ownName(), dead)));
  t.equal(readFileSync((await claim("b")).bytes, "utf8"), "333");
  t.equal(readFileSync((await claim("b")).bytes, "utf8"), "22");
});

t.test("of an owner nothing is known about, only what is old is taken", async (t) => {
  const partial = await claim("c");
  writeFileSync(partial.bytes, "half");
  const bytes = giveTo(partial, "00000000.1.1");
  t.strictSame(readdirSync(dirname((await claim("c")).bytes)), []);
  utimesSync(bytes, now / 1_000 - 3_600, now / 1_000 - 3_600);
  t.strictSame(readdirSync(dirname((await claimPartial(disk, folder, "c", undefined)).bytes)), [], "without a clock nothing is old");
  t.strictSame(readdirSync(dirname((await claim("c")).bytes)), ["bytes"]);
});

t.test("what was made read-only on the way into the store can be gone on with", async (t) => {
  const partial = await claim("d");
  writeFileSync(partial.bytes, "half", { mode: 0o444 });
  giveTo(partial, dead);
  const next = await claim("d");
  t.equal((await disk.stat(next.bytes)).mode & 0o777, 0o644);
});

t.test("where nothing has arrived, nothing is left", async (t) => {
  const before = readdirSync(folder).length;
  await (await claim("e")).release();
  t.equal(readdirSync(folder).length, before);
});
