/** SHA-256 of a stretch of a file, in constant memory. */

import { createHash } from "node:crypto";
import { closeSync, openSync, readSync } from "node:fs";

/** Large enough that the calls do not count. Bytes. */
const chunkSize = 1_048_576;

/**
 * 64 hexadecimal digits of the bytes from `start` up to, not including, `end`. A file that ends early has another digest
 * than the one that is expected; that is answer enough. Reading blocks the thread, which has nothing else to do.
 */
export function digestOf(path: string, start: number, end: number): string {
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafeSlow(Math.min(chunkSize, end - start));
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
