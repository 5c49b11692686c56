/** A thread that hashes stretches of files: takes `{id, path, start, end}`, gives `{id, digest}` or `{id, failed}`. */

import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";
import { parentPort } from "node:worker_threads";

export interface HashWanted {
  readonly id: number;
  readonly path: string;
  /** Bytes from `start` up to, not including, `end`. */
  readonly start: number;
  readonly end: number;
}

export type HashMade = { readonly id: number; readonly digest: string } | { readonly id: number; readonly failed: { readonly code: string | undefined; readonly message: string } };

/** Reading blocks this thread and no other, so the plain calls are the fastest. */
const buffer = Buffer.allocUnsafeSlow(1_048_576);

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

/** A file that ends early has another digest than the one that is expected; that is answer enough. */
function digestOf(path: string, start: number, end: number): string {
  const hash = createHash("sha256");
  const file = openSync(path, "r");
  try {
    for (let at = start; at < end; ) {
      const count = readSync(file, buffer, 0, Math.min(buffer.byteLength, end - at), at);
      if (count === 0) break;
      hash.update(buffer.subarray(0, count));
      at += count;
    }
  } finally {
    closeSync(file);
  }
  return hash.digest("hex");
}
