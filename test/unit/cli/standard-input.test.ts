/** `inspect -`: gigabytes go through a pipe in little memory, and a small file is there without them. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { encodeHeader, endSize, paddingOf } from "../../../src/pack/tar.ts";

const cli = join(import.meta.dirname, "../../../src/cli/start.ts");
const mebibyte = 1_048_576;
const blobMiB = 1_024;
const note = Buffer.from("a small file\n");
const small = Buffer.concat([
  encodeHeader({ path: "a.txt", mode: 0o644, size: note.byteLength, mtime: 0 }),
  note,
  Buffer.alloc(paddingOf(note.byteLength)),
  encodeHeader({ path: "blobs/b", mode: 0o644, size: blobMiB * mebibyte, mtime: 0 }),
]);

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** MiB of the blob that the command took. */
  readonly taken: number;
  /** Highest resident memory that was seen, MiB. */
  readonly peak: number;
}

/** The bundle through a pipe, as long as somebody reads it. */
async function inspect(...words: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [cli, "inspect", "-", ...words], { stdio: "pipe" });
  const ended = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk: Buffer) => (ended.stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (ended.stderr += chunk.toString()));
  // Who no longer reads closes the pipe: the producer learns it as EPIPE.
  const closed = Promise.race([once(child.stdin, "close"), once(child, "close")]).catch(() => undefined);
  child.stdin.on("error", () => undefined);
  const status = once(child, "close") as Promise<[number | null]>;
  child.stdin.write(small);
  const zeros = Buffer.alloc(mebibyte);
  let taken = 0;
  let peak = 0;
  for (; taken < blobMiB && child.stdin.writable; taken += 1) {
    if (!child.stdin.write(zeros)) await Promise.race([once(child.stdin, "drain").catch(() => undefined), closed]);
    peak = Math.max(peak, Number(/^VmHWM:\s+(\d+) kB/m.exec(memoryOf(child.pid))?.[1] ?? 0) / 1_024);
  }
  child.stdin.end(Buffer.alloc(endSize));
  return { ...ended, status: (await status)[0], ...ended, taken, peak };
}

function memoryOf(pid: number | undefined): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}

t.setTimeout(120_000);

t.test("a small file: the blob behind it is not waited for", async (t) => {
  const { status, stdout, stderr, taken } = await inspect("a.txt");
  t.match({ status, stdout, stderr }, { status: 0, stdout: "a small file\n", stderr: "" });
  t.ok(taken < 16, `${taken} MiB were taken`);
});

t.test("the list: all of it goes through, and is not held", async (t) => {
  const { status, stdout, stderr, taken, peak } = await inspect();
  t.match({ status, stderr, taken }, { status: 0, stderr: "", taken: blobMiB });
  t.match(stdout, /^0644 +1073741824 +unlisted +blobs\/b$/m);
  t.ok(peak > 0 && peak <= 160, `${peak} MiB at most`);
});
