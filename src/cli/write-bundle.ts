/** Writes a laid-out bundle to a file: two buffers, one being read while the other is written. */

import type { FileHandle } from "node:fs/promises";
import type { BundleLayout, BlobReader } from "../pack/stream.ts";
import { produce } from "../pack/stream.ts";

/** Writes all of the bundle; `written` hears how many bytes are there. Memory does not depend on the size. */
export async function writeBundle(
  file: FileHandle,
  layout: BundleLayout,
  blobs: BlobReader,
  signal: AbortSignal,
  written: (bytes: number) => void,
): Promise<void> {
  await writePieces(file, produce(layout, blobs, 0, layout.size, signal), layout.size, written);
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
