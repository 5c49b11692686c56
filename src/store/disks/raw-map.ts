/** A raw image: the disk itself. */

import type { DiskMap, ImageFile } from "./disk-map.ts";

export function rawMap({ size }: ImageFile): DiskMap {
  return {
    virtualSize: size,
    clusterSize: 512,
    pieces: () => [{ kind: "stored", at: 0, size, offset: 0, length: size, whole: size }],
  };
}
