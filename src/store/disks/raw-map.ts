/** A raw image: the disk itself. */

import type { DiskMap, ImageFile, Piece } from "./disk-map.ts";

export function rawMap({ size }: ImageFile): DiskMap {
  const all: readonly Piece[] = [{ kind: "stored", at: 0, size, offset: 0, length: size, whole: size }];
  return { virtualSize: size, clusterSize: 512, pieces: () => all, piecesIn: () => all };
}
