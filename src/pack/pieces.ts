/**
 * evidence/pieces.txt: the digests of stretches of each big file. It is signed like every other file, so whoever has it can
 * prove a stretch without the rest of the file, and without the key: that is what a part of a bundle needs.
 */

import type { LockedPieces } from "../spec/lock.ts";
import { isBlobPath } from "./layout.ts";
import { piecesTextBytes } from "./limits.ts";
import { blockSize } from "./tar.ts";

export interface Piece {
  readonly path: string;
  /** Bytes of the file from `start` up to, not including, `end`. */
  readonly start: number;
  readonly end: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

/** Of one file. */
export function piecesOf(path: string, size: number, { size: each, sha256 }: LockedPieces): readonly Piece[] {
  return sha256.map((digest, index) => ({ path, start: index * each, end: Math.min(size, (index + 1) * each), sha256: digest }));
}

/** A line for each: the digest, two spaces, path, start and end. */
export function piecesText(pieces: readonly Piece[]): string {
  return pieces.map(({ path, start, end, sha256 }) => `${sha256}  ${path} ${start} ${end}\n`).join("");
}

/**
 * The pieces, where the text is what `piecesText` writes for exactly these files, in this order, each from its first byte
 * to its last in whole blocks; or what is wrong with it.
 */
export function parsePieces(bytes: Uint8Array, files: readonly { readonly path: string; readonly size: number }[]): readonly Piece[] | { readonly wrong: string } {
  if (bytes.byteLength > piecesTextBytes) return { wrong: `has more than ${piecesTextBytes} bytes` };
  const text = new TextDecoder("latin1").decode(bytes);
  const pieces: Piece[] = [];
  for (const line of text.split("\n").slice(0, -1)) {
    const [, sha256 = "", path = "", start = "", end = ""] = line.match(/^([0-9a-f]{64}) {2}([^ ]+) (0|[1-9]\d{0,14}) ([1-9]\d{0,14})$/) ?? [];
    pieces.push({ path, start: Number(start), end: Number(end), sha256 });
  }
  if (piecesText(pieces) !== text || pieces.length === 0) return { wrong: "is not written in its one form" };
  const wanted = files.filter((file) => isBlobPath(file.path) && file.size > 0);
  let at = 0;
  for (const { path, size } of wanted) {
    for (let next = 0; next < size; at += 1) {
      const piece = pieces[at];
      if (piece?.path !== path || piece.start !== next || piece.end <= next || piece.end > size) return { wrong: `does not go through ${path} from its first byte to its last` };
      if (piece.end < size && piece.end % blockSize !== 0) return { wrong: `has a piece of ${path} that is no whole number of blocks` };
      next = piece.end;
    }
  }
  return at === pieces.length ? pieces : { wrong: "tells of a file that is not there" };
}
