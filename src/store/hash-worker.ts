/** A thread that hashes stretches of files: takes `{id, path, start, end}`, gives `{id, digest}` or `{id, failed}`. */

import { parentPort } from "node:worker_threads";
import { digestOf } from "./hash-stretch.ts";

export interface HashWanted {
  readonly id: number;
  readonly path: string;
  /** Bytes from `start` up to, not including, `end`. */
  readonly start: number;
  readonly end: number;
}

export type HashMade = { readonly id: number; readonly digest: string } | { readonly id: number; readonly failed: { readonly code: string | undefined; readonly message: string } };

parentPort?.on("message", (wanted: HashWanted) => {
  parentPort?.postMessage(made(wanted));
});

function made({ id, path, start, end }: HashWanted): HashMade {
  try {
    return { id, digest: digestOf(path, start, end) };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { id, failed: { code, message } };
  }
}
