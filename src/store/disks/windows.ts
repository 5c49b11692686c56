/** The pieces of a disk, parted into stretches that are packed each by itself. */

import type { DiskMap, Piece } from "./disk-map.ts";
import type { Window } from "./grains.ts";

/** Enough for a thread to be busy with, and no burden to hold a few of. Bytes. */
const windowBytes = 1_048_576;

/** All windows of a disk are of this size; a cluster is always in one of them. Bytes. */
export function windowBytesOf({ clusterSize }: DiskMap): number {
  return Math.max(windowBytes, clusterSize);
}

/** Windows in which something is, in order. */
export function* windowsOf(map: DiskMap): Generator<Window> {
  const size = windowBytesOf(map);
  let at = 0;
  let pieces: Piece[] = [];
  for (const piece of map.pieces()) {
    for (let from = piece.at; from < piece.at + piece.size; ) {
      const window = Math.floor(from / size) * size;
      if (window !== at) {
        if (pieces.length > 0) yield { at, size, pieces };
        at = window;
        pieces = [];
      }
      const end = Math.min(window + size, piece.at + piece.size);
      pieces.push(piece.kind === "stored" ? part(piece, from, end) : piece);
      from = end;
    }
  }
  if (pieces.length > 0) yield { at, size, pieces };
}

function part(piece: Piece, from: number, end: number): Piece {
  const size = end - from;
  return { ...piece, at: from, size, offset: piece.offset + from - piece.at, length: size, whole: size };
}
