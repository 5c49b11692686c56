/** SHA-256 of many stretches of files at once: on as many threads as the machine has cores; on one where they are but copied. */

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { EnvironmentError } from "../core/environment-error.ts";
import { digestOf, failureIn, lengthOf, type Failure, type Stretch } from "./hash-stretch.ts";
import type { HashMade, HashWanted } from "./hash-worker.ts";

/** Less than this is hashed before a thread has started. Bytes. */
const worthThreads = 32 * 1024 * 1024;

export interface HashWatch {
  /** Hears how many bytes each stretch had that is done. */
  readonly hashed?: (bytes: number) => void;
  /** Ends the work with its reason. */
  readonly signal?: AbortSignal;
}

/** Digests of the stretches in their order, 64 hexadecimal digits each. Throws an EnvironmentError where a file can't be read; what a write throws stays as it is. */
export async function hashStretches(stretches: readonly Stretch[], watch: HashWatch = {}): Promise<readonly string[]> {
  const { hashed = () => undefined, signal } = watch;
  signal?.throwIfAborted();
  const total = stretches.reduce((sum, stretch) => sum + sizeOf(stretch), 0);
  return total < worthThreads ? hashHere(stretches, hashed) : hashOnThreads(stretches, hashed, signal);
}

function hashHere(stretches: readonly Stretch[], hashed: (bytes: number) => void): readonly string[] {
  return stretches.map((stretch) => {
    try {
      const digest = digestOf(stretch);
      hashed(sizeOf(stretch));
      return digest;
    } catch (error) {
      throw failureOf(failureIn(error), stretch);
    }
  });
}

/** The largest first, so that no thread is left with one when the others are done. */
async function hashOnThreads(
  stretches: readonly Stretch[],
  hashed: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const digests = Array.from({ length: stretches.length }, () => "");
  // For each work one of its own: a thread that is ended while it writes never gives its turn back.
  const writing = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const queue = stretches.map((stretch, id) => ({ ...stretch, id, writing })).sort((a, b) => sizeOf(b) - sizeOf(a) || a.id - b.id);
  const count = Math.min(isCopying(stretches) ? 1 : availableParallelism(), queue.length);
  const workers = Array.from({ length: count }, takeWorker);
  let isDone = false;
  const stopped = Promise.withResolvers<never>();
  const stop = (): void => stopped.reject(signal?.reason);
  signal?.addEventListener("abort", stop);
  try {
    const working = Promise.all(workers.map((worker) => work(worker, queue, digests, stretches, hashed)));
    await Promise.race([working, stopped.promise]);
    isDone = true;
  } finally {
    signal?.removeEventListener("abort", stop);
    await Promise.all(workers.map((worker) => (isDone ? keepWorker(worker) : worker.terminate())));
  }
  return digests;
}

/** The kernel lets one at a time into a file, and another thread has ten megabytes. */
function isCopying(stretches: readonly Stretch[]): boolean {
  return stretches.every(({ from, isUnhashed }) => isUnhashed === true && from.length === 1);
}

/** Threads that wait for the next work: to start one takes as long as to hash 100 MiB. They keep no process from ending. */
const waiting: Worker[] = [];

function takeWorker(): Worker {
  const worker = waiting.pop() ?? new Worker(workerUrl());
  worker.ref();
  return worker;
}

function keepWorker(worker: Worker): void {
  worker.removeAllListeners("message").removeAllListeners("error").unref();
  waiting.push(worker);
}

function work(worker: Worker, queue: HashWanted[], digests: string[], stretches: readonly Stretch[], hashed: (bytes: number) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = (): void => {
      const wanted = queue.shift();
      if (wanted === undefined) resolve();
      else worker.postMessage(wanted);
    };
    worker.on("error", reject);
    worker.on("message", (made: HashMade) => {
      const stretch = stretches[made.id];
      if ("failed" in made) {
        reject(failureOf(made.failed, stretch));
        return;
      }
      digests[made.id] = made.digest;
      hashed(stretch === undefined ? 0 : sizeOf(stretch));
      next();
    });
    next();
  });
}

function sizeOf({ from }: Stretch): number {
  return lengthOf(from[0] ?? []);
}

/** A write that failed stays the error of the system that it is, for the command line has words for each; it knows the file. */
function failureOf({ code, message, syscall }: Failure, stretch: Stretch | undefined): Error {
  if (syscall === "write") return Object.assign(new Error(message), { code, syscall });
  const named = stretch?.from.flat().find((run) => "path" in run);
  return new EnvironmentError(`${named?.path ?? ""} can't be read: ${message}`);
}

/** Beside this file in the checkout; beside the program in the package. */
function workerUrl(): URL {
  const here = import.meta.url;
  return here.endsWith(".ts") ? new URL("./hash-worker.ts", here) : new URL(here.includes("/parts/") ? "../hash-worker.js" : "./hash-worker.js", here);
}
