/** A thread that hashes stretches, and copies them where that is asked: takes `{id, …stretch}`, gives `{id, digest}` or `{id, failed}`. */

import { parentPort } from "node:worker_threads";
import { digestOf, type Stretch } from "./hash-stretch.ts";

export interface HashWanted extends Stretch {
  readonly id: number;
}

export type HashMade = { readonly id: number; readonly digest: string } | { readonly id: number; readonly failed: Failure };

/** Of a system call. */
export interface Failure {
  readonly code: string | undefined;
  readonly message: string;
  readonly syscall: string | undefined;
}

parentPort?.on("message", (wanted: HashWanted) => {
  parentPort?.postMessage(made(wanted));
});

function made(wanted: HashWanted): HashMade {
  try {
    return { id: wanted.id, digest: digestOf(wanted) };
  } catch (error) {
    const { code, message, syscall } = error as NodeJS.ErrnoException;
    return { id: wanted.id, failed: { code, message, syscall } };
  }
}
