/** What a compressed piece of a disk image comes to. */

import { inflateRawSync, zstdDecompressSync } from "node:zlib";
import type { Piece } from "./disk-map.ts";
import { UnusableDisk } from "./unusable-disk.ts";
import { zstdFrameBytes } from "./zstd-frame.ts";

/**
 * With the deflate stream, where it is one. Throws UnusableDisk where it does not come to exactly a cluster, or to what the guest
 * sees of it: QEMU ends the last grain of a VMDK with the disk.
 */
export function unpacked(packed: Buffer, piece: Piece): { readonly bytes: Buffer; readonly stream: Uint8Array | undefined } {
  const { kind, at, whole } = piece;
  try {
    if (kind === "zstd") {
      const bytes = zstdDecompressSync(packed.subarray(0, zstdFrameBytes(packed)), { maxOutputLength: whole });
      return { bytes: wholeCluster(bytes, piece), stream: undefined };
    }
    // A little more room than it takes, or zlib is asked once more after the end.
    const { buffer, engine } = inflateRawSync(packed, { maxOutputLength: whole, chunkSize: whole + 64, info: true }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return { bytes: wholeCluster(buffer, piece), stream: packed.subarray(0, engine.bytesWritten) };
  } catch (error) {
    if (error instanceof UnusableDisk) throw error;
    throw new UnusableDisk(`a compressed cluster is damaged (byte ${at}): ${error instanceof Error ? error.message : String(error)}`);
  }
}

function wholeCluster(bytes: Buffer, { at, size, whole }: Piece): Buffer {
  if (bytes.byteLength !== whole && bytes.byteLength !== size) throw new UnusableDisk(`a compressed cluster comes to ${bytes.byteLength} bytes, not to ${whole} (byte ${at})`);
  return bytes;
}
