/** Any stretch of the disk that a guest sees, out of its image's file. Only what is read is unpacked. */

import { isWithin, type Volume } from "./volume.ts";
import type { DiskLookup, ImageFile, Piece } from "./disk-map.ts";
import { UnusableDisk } from "./unusable-disk.ts";
import { unpacked } from "./unpacked.ts";

/** Unpacked clusters that are kept, for what is read next lies near as a rule. Bytes. */
const keptLimit = 8 * 1024 * 1024;

/**
 * Of one disk, all that is read and unpacked, where the largest file that is wanted has 96 MiB, perhaps in pieces all over the
 * disk: tables that lead in circles end here. Bytes.
 */
const readLimit = 512 * 1024 * 1024;

/** What a read costs, however short it is. Bytes. */
const leastRead = 4_096;

export class DiskReader implements Volume {
  readonly #file: ImageFile;
  readonly #lookup: DiskLookup;
  /** By their place in the file; the one that was used last is the last. */
  readonly #kept = new Map<number, Buffer>();
  #keptBytes = 0;
  #readBytes = 0;

  constructor(file: ImageFile, lookup: DiskLookup) {
    this.#file = file;
    this.#lookup = lookup;
  }

  get size(): number {
    return this.#lookup.virtualSize;
  }

  read(at: number, length: number): Buffer {
    if (!isWithin(at, length, this.size)) throw new UnusableDisk(`something lies beyond the end of a disk of ${this.size} bytes (byte ${at})`);
    this.#spend(Math.max(leastRead, length));
    const bytes = Buffer.alloc(length);
    for (const piece of this.#lookup.piecesIn(at, at + length)) {
      const from = Math.max(at, piece.at);
      const end = Math.min(at + length, piece.at + piece.size);
      if (from < end) this.#fill(bytes.subarray(from - at, end - at), piece, from - piece.at);
    }
    return bytes;
  }

  #fill(into: Buffer, piece: Piece, skipped: number): void {
    // Of the file's last cluster only what was written need be there; the rest is zeros.
    if (piece.kind === "stored") this.#file.read(piece.offset + skipped, into.byteLength).copy(into);
    else this.#unpacked(piece).copy(into, 0, skipped, skipped + into.byteLength);
  }

  #unpacked(piece: Piece): Buffer {
    const kept = this.#kept.get(piece.offset);
    if (kept !== undefined) {
      this.#kept.delete(piece.offset);
      this.#kept.set(piece.offset, kept);
      return kept;
    }
    this.#spend(piece.whole);
    const { bytes } = unpacked(this.#file.read(piece.offset, piece.length), piece);
    this.#kept.set(piece.offset, bytes);
    this.#keptBytes += bytes.byteLength;
    for (const [offset, oldest] of this.#kept) {
      if (this.#keptBytes <= keptLimit) break;
      this.#kept.delete(offset);
      this.#keptBytes -= oldest.byteLength;
    }
    return bytes;
  }

  #spend(bytes: number): void {
    this.#readBytes += bytes;
    if (this.#readBytes > readLimit) throw new UnusableDisk(`more than ${readLimit} bytes of it would have to be read`);
  }
}
