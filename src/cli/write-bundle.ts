/** Writes a bundle to a new file: out of a store, or from wherever its bytes come. */

import type { FileHandle } from "node:fs/promises";
import type { BlobSegment, BundleLayout } from "../pack/stream.ts";
import type { BlobStore } from "../store/blob-store.ts";
import type { Stretch } from "../store/hash-stretch.ts";
import { hashStretches, type HashWatch } from "../store/hash-workers.ts";
import { flushMeanwhile } from "./flush-meanwhile.ts";
import { writeAt } from "./write-aside.ts";

/** So much of a blob is copied at a time. Bytes. */
const step = 16_777_216;

/**
 * Writes all of a bundle; `watch` hears of the bytes that are there. A blob is copied as the store has it: it was hashed when it
 * came in, and `verify` and `install.sh` look at each byte again. Memory does not depend on the size. Throws an EnvironmentError
 * where a blob can't be read, the system's own error where the disk is full.
 */
export async function writeBundle(file: FileHandle, { segments }: BundleLayout, store: Pick<BlobStore, "path">, watch: HashWatch): Promise<void> {
  const stretches: Stretch[] = [];
  for (const segment of segments) {
    if (segment.kind === "bytes") await writeAt(file, segment.bytes, segment.start);
    else stretches.push(...stretchesOf(segment, store.path(segment.digest), file.fd));
  }
  await flushMeanwhile(file, watch, (watch) => hashStretches(stretches, watch));
}

function stretchesOf({ start, size, from = 0 }: BlobSegment, path: string, fd: number): readonly Stretch[] {
  return Array.from({ length: Math.ceil(size / step) }, (_, index) => {
    const at = index * step;
    return { from: [[{ path, start: from + at, end: from + Math.min(size, at + step) }]], to: { fd, at: start + at }, isUnhashed: true };
  });
}

/** Writes the pieces, which must come to `size` bytes. */
export async function writePieces(file: FileHandle, pieces: AsyncIterable<Uint8Array>, size: number, written: (bytes: number) => void): Promise<void> {
  let done = 0;
  let pending: Promise<unknown> = Promise.resolve();
  for await (const chunk of pieces) {
    await pending;
    pending = writeAll(file, chunk);
    // Whoever awaits next hears of a failure; until then it must not count as unhandled.
    pending.catch(() => undefined);
    done += chunk.byteLength;
    written(done);
  }
  await pending;
  if (done !== size) throw new Error(`the bundle has ${done} bytes, ${size} were laid out`);
}

/** write(2) may take less than it was given. */
async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) {
    const { bytesWritten } = await file.write(chunk, at, chunk.byteLength - at, null);
    at += bytesWritten;
  }
}
