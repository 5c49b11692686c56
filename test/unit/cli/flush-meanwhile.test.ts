/** Syncing while it is copied: as often as there is something, one at a time, and a disk that fails is told. */

import type { FileHandle } from "node:fs/promises";
import t from "tap";
import { flushMeanwhile } from "../../../src/cli/flush-meanwhile.ts";

const mebibyte = 1_048_576;

function disk(answers: (() => Promise<void>)[]): { readonly file: FileHandle; readonly syncs: () => number } {
  let syncs = 0;
  const datasync = (): Promise<void> => (answers[syncs++] ?? (() => Promise.resolve()))();
  return { file: { datasync } as unknown as FileHandle, syncs: () => syncs };
}

t.test("each 128 MiB, and never two at once", async (t) => {
  const slow = Promise.withResolvers<void>();
  const { file, syncs } = disk([() => slow.promise]);
  let heard = 0;
  const result = await flushMeanwhile(file, { hashed: (bytes) => (heard += bytes) }, async ({ hashed }) => {
    for (let count = 0; count < 20; count += 1) hashed?.(64 * mebibyte);
    t.equal(syncs(), 1);
    slow.resolve();
    await new Promise(setImmediate);
    hashed?.(mebibyte);
    t.equal(syncs(), 2);
    return "copied";
  });
  t.strictSame([result, heard, syncs()], ["copied", 1_281 * mebibyte, 2]);
});

t.test("what the disk says is told once the copy has ended, also where that went well", async (t) => {
  const failed = Object.assign(new Error("EIO"), { code: "EIO", syscall: "fdatasync" });
  const { file } = disk([() => Promise.reject(failed)]);
  await t.rejects(flushMeanwhile(file, {}, async ({ hashed }) => hashed?.(200 * mebibyte)), { code: "EIO" });
  const late = Promise.withResolvers<void>();
  const ended = flushMeanwhile(disk([() => late.promise]).file, {}, async ({ hashed }) => hashed?.(200 * mebibyte));
  late.reject(failed);
  await t.rejects(ended, { code: "EIO" });
});

t.test("a copy that fails is waited for by nobody but its own sync", async (t) => {
  const { file, syncs } = disk([]);
  const copy = flushMeanwhile(file, {}, async ({ hashed }) => {
    hashed?.(200 * mebibyte);
    throw new Error("stopped");
  });
  await t.rejects(copy, { message: "stopped" });
  t.equal(syncs(), 1);
});
