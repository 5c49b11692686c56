/** Bytes that the kernel copies by itself are those that reading and writing would have given. */

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { digestOf } from "../../../src/store/hash-stretch.ts";
import { copyInKernel } from "../../../src/store/kernel-copy.ts";

const MiB = 1024 * 1024;

t.test("from anywhere in one file to anywhere in another", async (t) => {
  const { source, bytes, target } = files(t, 40 * MiB);
  for (const [from, to, count] of [[0, 0, 40 * MiB], [512, 0, 20 * MiB], [1, 4_095, 33 * MiB + 7]] as const) {
    const { fd, read } = target();
    const copied = copyInKernel({ fd: source, at: from }, { fd, at: to }, count);
    t.equal(copied, count, "all of it was copied");
    t.ok(read().subarray(to).equals(bytes.subarray(from, from + count)), `${count} bytes from ${from} to ${to}`);
  }
});

t.test("what ends early, and what can't be copied, is left to the caller", async (t) => {
  const { source, target } = files(t, 8 * MiB);
  const { fd } = target();
  t.equal(copyInKernel({ fd: source, at: 2 * MiB }, { fd, at: 0 }, 10 * MiB), 6 * MiB, "as much as there is");
  t.equal(copyInKernel({ fd: source, at: 0 }, { fd: source, at: 4 * MiB }, 5 * MiB), 0, "a file that is open for reading only");
  t.equal(copyInKernel({ fd: source, at: 0 }, { fd: 1_000_000, at: 0 }, 5 * MiB), 0, "no file at all");
  t.equal(copyInKernel({ fd: source, at: 0 }, { fd, at: 0 }, 1_000), 0, "less than is worth it");
});

t.test("a stretch of files, bytes and zeros is one to whoever copies it", async (t) => {
  const { path, bytes, target } = files(t, 12 * MiB);
  const { fd, read } = target();
  const text = Buffer.from("in between");
  const from = [{ path, start: 3, end: 6 * MiB }, { path, start: 6 * MiB, end: 12 * MiB }, { bytes: text }, { path, start: 0, end: 5 * MiB }, { zeros: 9 }];
  t.equal(digestOf({ from: [from], to: { fd, at: 512 }, isUnhashed: true }), "", "nobody looked at it");
  const wanted = Buffer.concat([bytes.subarray(3), text, bytes.subarray(0, 5 * MiB), Buffer.alloc(9)]);
  t.ok(read().subarray(512).equals(wanted));
  t.throws(() => digestOf({ from: [[{ path, start: 0, end: 13 * MiB }]], to: { fd, at: 0 }, isUnhashed: true }), /ends early/, "and a file that is shorter than it was is an error");
});

interface Target {
  readonly fd: number;
  readonly read: () => Buffer;
}

function files(t: Test, size: number): { readonly path: string; readonly source: number; readonly bytes: Buffer; readonly target: () => Target } {
  const folder = mkdtempSync(join(tmpdir(), "cloudlet-copy-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "source");
  const bytes = Buffer.from(Uint32Array.from({ length: size / 4 }, (_, index) => Math.imul(index, 2_654_435_761)).buffer);
  writeFileSync(path, bytes);
  const opened = (name: string, flags: string): number => {
    const fd = openSync(name, flags);
    t.teardown(() => closeSync(fd));
    return fd;
  };
  let count = 0;
  const target = (): Target => {
    const name = join(folder, `target-${(count += 1)}`);
    return { fd: opened(name, "w"), read: () => readFileSync(name) };
  };
  return { path, source: opened(path, "r"), bytes, target };
}
