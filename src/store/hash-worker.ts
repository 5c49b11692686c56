/** A thread that hashes stretches, and copies them where that is asked: takes `{id, …stretch}`, gives `{id, digest}` or `{id, failed}`. */

import { parentPort } from "node:worker_threads";
import { digestOf, failureIn, type Failure, type Stretch, type Turn } from "./hash-stretch.ts";

export interface HashWanted extends Stretch {
  readonly id: number;
  /** One number that all threads of the same work share: 1 while one of them writes. */
  readonly writing: Int32Array;
}

export type HashMade = { readonly id: number; readonly digest: string } | { readonly id: number; readonly failed: Failure };

function turnOf(writing: Int32Array): Turn {
  return {
    take: () => {
      while (Atomics.compareExchange(writing, 0, 0, 1) !== 0) Atomics.wait(writing, 0, 1);
    },
    give: () => {
      Atomics.store(writing, 0, 0);
      Atomics.notify(writing, 0, 1);
    },
  };
}

parentPort?.on("message", (wanted: HashWanted) => {
  parentPort?.postMessage(made(wanted));
});

function made(wanted: HashWanted): HashMade {
  try {
    return { id: wanted.id, digest: digestOf(wanted, turnOf(wanted.writing)) };
  } catch (error) {
    return { id: wanted.id, failed: failureIn(error) };
  }
}
