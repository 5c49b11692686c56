/** Drawing bundles on a thread of its own, so that requests are answered meanwhile, and its memory can be bounded and given back. */

import { Worker } from "node:worker_threads";
import type { DrawingMade, DrawingWanted } from "./draw-worker.ts";

export interface Drawing {
  /** One after another. Throws where the thread fails, or the signal is aborted. */
  readonly draw: (wanted: DrawingWanted, signal: AbortSignal) => Promise<DrawingMade>;
  readonly close: () => Promise<void>;
}

/** A thread without work gives back what it holds. */
const idleMs = 60_000;

/** Twice of what the largest spec with 1,000 files takes; the default is a part of the machine's memory. */
const resourceLimits = { maxOldGenerationSizeMb: 256, maxYoungGenerationSizeMb: 16 };

export function drawingIn(packageFolder: string): Drawing {
  let thread: Worker | undefined;
  let idle: NodeJS.Timeout | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const end = async (): Promise<void> => {
    clearTimeout(idle);
    const ending = thread;
    thread = undefined;
    await ending?.terminate();
  };
  const one = async (wanted: DrawingWanted, signal: AbortSignal): Promise<DrawingMade> => {
    signal.throwIfAborted();
    clearTimeout(idle);
    thread ??= new Worker(workerUrl(), { workerData: { packageFolder }, resourceLimits });
    try {
      const made = await answerOf(thread, wanted, signal);
      // It holds nothing up: whoever waits for a drawing holds the process by what they wait for.
      thread.unref();
      idle = setTimeout(() => void end(), idleMs).unref();
      return made;
    } catch (error) {
      await end();
      throw error;
    }
  };
  return {
    draw: (wanted, signal) => {
      const mine = last.then(() => one(wanted, signal));
      last = mine.catch(() => undefined);
      return mine;
    },
    close: end,
  };
}

function answerOf(thread: Worker, wanted: DrawingWanted, signal: AbortSignal): Promise<DrawingMade> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      thread.off("message", made);
      thread.off("error", failed);
      thread.off("exit", ended);
      signal.removeEventListener("abort", stop);
    };
    const made = (answer: DrawingMade): void => {
      done();
      resolve(answer);
    };
    const failed = (error: Error): void => {
      done();
      reject(error);
    };
    const ended = (): void => failed(new Error("the thread that draws has ended"));
    const stop = (): void => failed(signal.reason as Error);
    thread.on("message", made);
    thread.on("error", failed);
    thread.on("exit", ended);
    signal.addEventListener("abort", stop);
    thread.ref();
    thread.postMessage(wanted);
  });
}

/** Beside this file in the checkout; beside the program in the package. */
function workerUrl(): URL {
  const here = import.meta.url;
  return here.endsWith(".ts") ? new URL("./draw-worker.ts", here) : new URL(here.includes("/parts/") ? "../draw-worker.js" : "./draw-worker.js", here);
}
