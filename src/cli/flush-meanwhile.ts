/** What was written goes to the disk while the rest is copied, so that the sync at the end has little left to wait for. */

import type { FileHandle } from "node:fs/promises";
import type { HashWatch } from "../store/hash-workers.ts";

/** So much is written before the disk is asked again: a command that is stopped waits for no more than that. Bytes. */
const flushedBytes = 134_217_728;

/** Lets `copy` write into the file and tell the watch of it. Rejects where the disk fails, for no later sync would tell it again. */
export async function flushMeanwhile<T>(file: FileHandle, watch: HashWatch, copy: (watch: HashWatch) => Promise<T>): Promise<T> {
  let written = 0;
  let flushing: Promise<void> | undefined;
  let failure: { readonly error: unknown } | undefined;
  const flush = (): void => {
    written = 0;
    flushing = file
      .datasync()
      .catch((error: unknown) => void (failure ??= { error }))
      .finally(() => (flushing = undefined));
  };
  const hashed = (bytes: number): void => {
    watch.hashed?.(bytes);
    written += bytes;
    if (written >= flushedBytes && flushing === undefined) flush();
  };
  const result = await copy({ ...watch, hashed }).finally(() => flushing);
  if (failure !== undefined) throw failure.error;
  return result;
}
