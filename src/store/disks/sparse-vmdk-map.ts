/** A VMDK of kind monolithicSparse: header, grain directory, grain tables, grains as they are. */

import type { DiskMap, ImageFile, Piece } from "./disk-map.ts";
import { grainsOf, sectorBytes, sparseHeader, type SparseHeader } from "./sparse-vmdk.ts";
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
  };
}

function* pieces(file: ImageFile, header: SparseHeader, directory: number): Generator<Piece> {
  const grainBytes = header.grainSectors * sectorBytes;
  let taken = 0;
  for (const { index, sector } of grainsOf(file, header, directory)) {
    const at = index * grainBytes;
    const size = Math.min(grainBytes, header.capacity * sectorBytes - at);
    const offset = sector * sectorBytes;
    if (offset + size > file.size) throw new UnusableDisk(`a grain lies beyond the end of the file (sector ${sector})`);
    taken += size;
    // None may lie over another, so all of them together are no more than the file.
    if (taken > file.size) throw new UnusableDisk("its grains lie over one another");
    yield { kind: "stored", at, size, offset, length: size, whole: size };
  }
}
