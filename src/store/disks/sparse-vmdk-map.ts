/** A VMDK of kind monolithicSparse: header, grain directory, grain tables, grains as they are. */

import type { DiskMap, ImageFile, Piece } from "./disk-map.ts";
import { grainsOf, sectorBytes, sectorOfGrain, sparseHeader, type SparseHeader } from "./sparse-vmdk.ts";
import { UnusableDisk } from "./unusable-disk.ts";

/** Throws UnusableDisk on a header that makes no sense; on tables that make none, while they are read. */
export function sparseVmdkMap(file: ImageFile): DiskMap {
  const header = sparseHeader(file.read(0, sectorBytes));
  const { directory } = header;
  if (header.isCompressed || directory === undefined) throw new UnusableDisk("it says that it is monolithicSparse, and has compressed grains");
  return {
    virtualSize: header.capacity * sectorBytes,
    clusterSize: header.grainSectors * sectorBytes,
    pieces: () => pieces(file, header, directory),
    piecesIn: (from, end) => piecesIn(file, header, directory, from, end),
  };
}

function* pieces(file: ImageFile, header: SparseHeader, directory: number): Generator<Piece> {
  let taken = 0;
  for (const { index, sector } of grainsOf(file, header, directory)) {
    const piece = grainPiece(file, header, index, sector);
    taken += piece.size;
    // None may lie over another, so all of them together are no more than the file.
    if (taken > file.size) throw new UnusableDisk("its grains lie over one another");
    yield piece;
  }
}

function* piecesIn(file: ImageFile, header: SparseHeader, directory: number, from: number, end: number): Generator<Piece> {
  const grainBytes = header.grainSectors * sectorBytes;
  const last = Math.min(end, header.capacity * sectorBytes);
  for (let index = Math.floor(from / grainBytes); index * grainBytes < last; index += 1) {
    const sector = sectorOfGrain(file, index, directory);
    if (sector !== undefined) yield grainPiece(file, header, index, sector);
  }
}

function grainPiece(file: ImageFile, { grainSectors, capacity }: SparseHeader, index: number, sector: number): Piece {
  const at = index * grainSectors * sectorBytes;
  const size = Math.min(grainSectors * sectorBytes, capacity * sectorBytes - at);
  const offset = sector * sectorBytes;
  if (offset + size > file.size) throw new UnusableDisk(`a grain lies beyond the end of the file (sector ${sector})`);
  return { kind: "stored", at, size, offset, length: size, whole: size };
}
