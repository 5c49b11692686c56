/** SHA-256 of a stretch, in constant memory; it may lie in several files, be the XOR of others, and be copied on the way. */

import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, writeSync } from "node:fs";
import { copyInKernel, type Place } from "./kernel-copy.ts";

/** Large enough that the calls do not count, small enough that what was read is still near when it is hashed and written. Bytes. */
const chunkSize = 262_144;

/** Bytes from `start` up to, not including, `end`, of a file; bytes that are at hand; or so many zeros. */
export type Run = { readonly path: string; readonly start: number; readonly end: number } | { readonly bytes: Uint8Array } | { readonly zeros: number };

export interface Stretch {
  /** Runs that follow each other. Of several lists, all as long as the first, the XOR is meant. */
  readonly from: readonly (readonly Run[])[];
  /** Where a copy of it goes: a file that is open for writing, and where in it. What was hashed is what was written. */
  readonly to?: Place;
  /** Copied without being hashed, for who proves the copy later. */
  readonly isUnhashed?: boolean;
}

/** Threads that copy take turns at writing: the kernel lets one at a time into a file, and the others would wait spinning. */
export interface Turn {
  readonly take: () => void;
  readonly give: () => void;
}

/** What a thread can tell another of an error. */
export interface Failure {
  readonly code: string | undefined;
  readonly message: string;
  /** Where it was a system call. */
  readonly syscall: string | undefined;
}

export function failureIn(error: unknown): Failure {
  const { code, message, syscall } = error as NodeJS.ErrnoException;
  return { code, message, syscall };
}

const alone: Turn = { take: () => undefined, give: () => undefined };

export function lengthOf(runs: readonly Run[]): number {
  return runs.reduce((sum, run) => sum + ("zeros" in run ? run.zeros : "bytes" in run ? run.bytes.byteLength : run.end - run.start), 0);
}

/**
 * 64 hexadecimal digits; nothing of what isn't hashed. A file that ends early has another digest than the one that is expected, and
 * that is answer enough; where there is none, it is an error.
 * Reading blocks the thread, which has nothing else to do.
 */
export function digestOf({ from, to, isUnhashed = false }: Stretch, turn: Turn = alone): string {
  const [first = [], ...others] = from;
  const hash = isUnhashed ? undefined : createHash("sha256");
  const buffer = (chunk ??= Buffer.allocUnsafeSlow(chunkSize));
  const main = new Cursor(first);
  const rest = others.map((runs) => new Cursor(runs));
  let at = to?.at ?? 0;
  try {
    // What no one looks at needs not come by here.
    if (isUnhashed && to !== undefined && others.length === 0) at += inTurn(turn, () => main.copyInKernel(to));
    for (;;) {
      const count = main.read(buffer);
      for (const each of rest) {
        otherChunk ??= Buffer.allocUnsafeSlow(chunkSize);
        xorInto(buffer, otherChunk, each.read(otherChunk.subarray(0, count)));
      }
      hash?.update(buffer.subarray(0, count));
      if (to !== undefined) inTurn(turn, () => writeWhole({ fd: to.fd, at }, buffer.subarray(0, count)));
      at += count;
      if (count < buffer.byteLength || count === 0) break;
    }
  } finally {
    for (const each of [main, ...rest]) each.close();
  }
  if (hash === undefined && at - (to?.at ?? 0) !== lengthOf(first)) throw new Error("it ends early");
  return hash?.digest("hex") ?? "";
}

function inTurn<T>(turn: Turn, write: () => T): T {
  turn.take();
  try {
    return write();
  } finally {
    turn.give();
  }
}

/** write(2) may take less than it was given. */
function writeWhole({ fd, at }: Place, bytes: Buffer): void {
  for (let done = 0; done < bytes.byteLength; ) done += writeSync(fd, bytes, done, bytes.byteLength - done, at + done);
}

/** One of each for all stretches of a thread: a new one for each would be garbage of the megabytes. */
let chunk: Buffer | undefined;
let otherChunk: Buffer | undefined;

function xorInto(target: Buffer, source: Buffer, size: number): void {
  const words = size >>> 3;
  const [a, b] = [new BigUint64Array(target.buffer, target.byteOffset, words), new BigUint64Array(source.buffer, source.byteOffset, words)];
  for (let index = 0; index < words; index += 1) a[index] = (a[index] as bigint) ^ (b[index] as bigint);
  for (let index = words * 8; index < size; index += 1) target[index] = (target[index] as number) ^ (source[index] as number);
}

/** Reads runs one after another; each file is open only while it is read. */
class Cursor {
  readonly #runs: readonly Run[];
  #index = 0;
  #at = 0;
  #file: number | undefined;

  constructor(runs: readonly Run[]) {
    this.#runs = runs;
  }

  /** Fills `buffer`, or as much of it as there is. */
  read(buffer: Buffer): number {
    let filled = 0;
    while (filled < buffer.byteLength) {
      const run = this.#runs[this.#index];
      if (run === undefined) break;
      const count = this.#readRun(run, buffer.subarray(filled));
      filled += count;
      this.#at += count;
      if (count === 0) this.#next();
    }
    return filled;
  }

  /** Goes on as far as the kernel copies by itself: to the end, or to what is no file. Bytes. */
  copyInKernel({ fd, at }: Place): number {
    let copied = 0;
    for (;;) {
      const run = this.#runs[this.#index];
      if (run === undefined || !("path" in run)) return copied;
      const wanted = run.end - run.start - this.#at;
      this.#file ??= openSync(run.path, "r");
      const count = copyInKernel({ fd: this.#file, at: run.start + this.#at }, { fd, at: at + copied }, wanted);
      copied += count;
      this.#at += count;
      if (count < wanted) return copied;
      this.#next();
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #readRun(run: Run, into: Buffer): number {
    const count = Math.min(into.byteLength, lengthOf([run]) - this.#at);
    if (count === 0) return 0;
    if ("zeros" in run) into.fill(0, 0, count);
    else if ("bytes" in run) into.set(run.bytes.subarray(this.#at, this.#at + count));
    else {
      this.#file ??= openSync(run.path, "r");
      return readSync(this.#file, into, 0, count, run.start + this.#at);
    }
    return count;
  }

  #next(): void {
    this.close();
    this.#index += 1;
    this.#at = 0;
  }
}
