/** Windows of a disk image to framed grains, in their order, on the cores of the machine. */

import { closeSync, openSync } from "node:fs";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { EnvironmentError } from "../core/environment-error.ts";
import { framedLimit, GrainPacker, type FramedGrains, type Window } from "./disks/grains.ts";
import { UnusableDisk } from "./disks/unusable-disk.ts";
import type { GrainsMade, GrainsWanted } from "./grain-worker.ts";

/** Less than this is packed before a thread has started. Bytes. */
const worthThreads = 8 * 1024 * 1024;
/** A thread and its windows take some 25 MiB, and the whole of a command has 160. */
const mostThreads = 2;
/** One that a thread is at, and one that waits for it. */
const windowsEach = 2;

/**
 * The grains of each window; the memory of one is used again when the next is asked for. Throws UnusableDisk where the image
 * is at fault, EnvironmentError where the machine is, the signal's reason when it is aborted.
 */
export async function* packWindows(path: string, windows: Iterable<Window>, windowBytes: number, signal: AbortSignal): AsyncGenerator<FramedGrains> {
  const all = windows[Symbol.iterator]();
  const first: Window[] = [];
  for (let size = 0; size < worthThreads; ) {
    const { value, done } = all.next();
    if (done === true) return yield* packHere(path, first, windowBytes);
    first.push(value);
    size += value.pieces.reduce((sum, piece) => sum + piece.size, 0);
  }
  yield* packOnThreads(path, chained(first, all), windowBytes, signal);
}

function* packHere(path: string, windows: readonly Window[], windowBytes: number): Generator<FramedGrains> {
  const file = openSync(path, "r");
  try {
    const packer = new GrainPacker(file);
    const memory = new Uint8Array(framedLimit(windowBytes));
    for (const window of windows) yield packer.pack(window, memory);
  } finally {
    closeSync(file);
  }
}

async function* packOnThreads(path: string, windows: Iterator<Window>, windowBytes: number, signal: AbortSignal): AsyncGenerator<FramedGrains> {
  const threads = Array.from({ length: Math.min(availableParallelism(), mostThreads) }, () => new PackingThread(path));
  const free = Array.from({ length: threads.length * windowsEach }, () => new ArrayBuffer(framedLimit(windowBytes)));
  const underWay: Promise<GrainsMade>[] = [];
  const stop = (): void => {
    for (const thread of threads) thread.fail(signal.reason);
  };
  signal.addEventListener("abort", stop);
  try {
    signal.throwIfAborted();
    for (let id = 0, isDone = false; !isDone || underWay.length > 0; ) {
      while (!isDone && free.length > 0) {
        const next = windows.next();
        isDone = next.done === true;
        if (next.done === true) break;
        const thread = threads[id % threads.length] as PackingThread;
        underWay.push(thread.pack({ id, window: next.value, memory: free.pop() as ArrayBuffer }));
        id += 1;
      }
      const oldest = underWay.shift();
      if (oldest === undefined) break;
      const { memory, made } = await oldest;
      if ("failed" in made) throw made.isDisk ? new UnusableDisk(made.failed) : new EnvironmentError(`${path} can't be read: ${made.failed}`);
      yield { bytes: new Uint8Array(memory, 0, made.size), indexes: made.indexes, sectors: made.sectors };
      free.push(memory);
    }
  } finally {
    signal.removeEventListener("abort", stop);
    await Promise.all(threads.map((thread) => thread.end()));
  }
}

class PackingThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, PromiseWithResolvers<GrainsMade>>();
  #failure: { readonly reason: unknown } | undefined;

  constructor(path: string) {
    this.#worker = new Worker(workerUrl(), { workerData: path });
    this.#worker.on("message", (made: GrainsMade) => {
      this.#waiting.get(made.id)?.resolve(made);
      this.#waiting.delete(made.id);
    });
    this.#worker.on("error", (error) => this.fail(error));
  }

  pack(wanted: GrainsWanted): Promise<GrainsMade> {
    const waiting = Promise.withResolvers<GrainsMade>();
    // Whoever stopped asking does not want to hear of it.
    waiting.promise.catch(() => undefined);
    this.#waiting.set(wanted.id, waiting);
    if (this.#failure === undefined) this.#worker.postMessage(wanted, [wanted.memory]);
    else this.fail(this.#failure.reason);
    return waiting.promise;
  }

  /** Whatever is asked of the thread, now and later, ends with this. */
  fail(reason: unknown): void {
    this.#failure ??= { reason };
    for (const each of this.#waiting.values()) each.reject(this.#failure.reason);
    this.#waiting.clear();
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}

function* chained(first: readonly Window[], rest: Iterator<Window>): Generator<Window> {
  yield* first;
  for (let next = rest.next(); next.done !== true; next = rest.next()) yield next.value;
}

/** Beside this file in the checkout; beside the program in the package. */
function workerUrl(): URL {
  const here = import.meta.url;
  return here.endsWith(".ts") ? new URL("./grain-worker.ts", here) : new URL(here.includes("/parts/") ? "../grain-worker.js" : "./grain-worker.js", here);
}
