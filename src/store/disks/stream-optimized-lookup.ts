/** Where the grains of a streamOptimized VMDK are in its file: each is a zlib stream behind a marker with its sector and size. */

import type { DiskLookup, ImageFile, Piece } from "./disk-map.ts";
import { directedHeader, sectorBytes, sectorOfGrain } from "./sparse-vmdk.ts";
import { UnusableDisk } from "./unusable-disk.ts";

/** Before each grain: its first sector in 8 bytes, the size of the stream in 4. */
const markerBytes = 12;
/** RFC 1950: two bytes of header before the deflate stream, a sum of four behind it. */
const zlibHead = 2;
const zlibTail = 4;

/** Throws UnusableDisk where header and footer make no sense. */
export function streamOptimizedLookup(file: ImageFile): DiskLookup {
  const header = directedHeader(file);
  if (!header.isCompressed) throw new UnusableDisk("it says that it is streamOptimized, and has no compressed grains");
  const virtualSize = header.capacity * sectorBytes;
  const grainBytes = header.grainSectors * sectorBytes;
  return {
    virtualSize,
    *piecesIn(from, end) {
      const last = Math.min(end, virtualSize);
      for (let index = Math.floor(from / grainBytes); index * grainBytes < last; index += 1) {
        const sector = sectorOfGrain(file, index, header.directory);
        if (sector !== undefined) yield grainPiece(file, index * grainBytes, sector, grainBytes, virtualSize);
      }
    },
  };
}

function grainPiece(file: ImageFile, at: number, sector: number, grainBytes: number, virtualSize: number): Piece {
  const offset = sector * sectorBytes;
  const marker = file.read(offset, markerBytes);
  if (marker.byteLength < markerBytes) throw new UnusableDisk(`a grain lies beyond the end of the file (sector ${sector})`);
  if (marker.readBigUInt64LE(0) !== BigInt(at / sectorBytes)) throw new UnusableDisk(`a grain says that it is another (sector ${sector})`);
  const length = marker.readUInt32LE(8) - zlibHead - zlibTail;
  // What does not become smaller is stored, with a few bytes around it.
  if (length <= 0 || length > grainBytes + grainBytes / 8) throw new UnusableDisk(`a grain is of ${length} bytes (sector ${sector})`);
  const size = Math.min(grainBytes, virtualSize - at);
  return { kind: "deflate", at, size, offset: offset + markerBytes + zlibHead, length, whole: grainBytes };
}
