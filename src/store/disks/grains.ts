/** A stretch of a disk to the grains of a streamOptimized VMDK: read, unpacked where it is packed, packed, framed. */

import { readSync } from "node:fs";
import type { Piece } from "./disk-map.ts";
import { sectorBytes } from "./sparse-vmdk.ts";
import { unpacked } from "./unpacked.ts";
import { packedLimit, packInto, storeInto, wrapInto } from "./zlib-form.ts";

/** VMware's own tools read a streamOptimized disk in grains of 128 sectors only. Bytes. */
export const grainBytes = 65_536;
/** Before each grain: its first sector in 8 bytes, the size of what follows in 4. */
const markerBytes = 12;
const zeros = Buffer.alloc(grainBytes);

/** A stretch that begins and ends with a grain, and what of it is not zeros. */
export interface Window {
  /** Bytes. */
  readonly at: number;
  readonly size: number;
  readonly pieces: readonly Piece[];
}

/** Framed grains one after another, each on whole sectors. */
export interface FramedGrains {
  readonly bytes: Uint8Array;
  /** Which grains of the disk they are, ascending; all in one grain table. */
  readonly indexes: readonly number[];
  /** How many sectors each takes. */
  readonly sectors: readonly number[];
}

/** Room for the grains of a window, whatever is in them. */
export function framedLimit(windowBytes: number): number {
  return (windowBytes / grainBytes) * wholeSectors(markerBytes + packedLimit(grainBytes));
}

/** Packs the windows of one file, in memory that is used again for each. */
export class GrainPacker {
  readonly #file: number;
  #disk: Buffer = Buffer.alloc(0);

  /** `file` is an open file's number. */
  constructor(file: number) {
    this.#file = file;
  }

  /** Writes into `out`. Throws UnusableDisk where a piece is not in the file, or not what it should be. */
  pack(window: Window, out: Uint8Array): FramedGrains {
    if (this.#disk.byteLength < window.size) this.#disk = Buffer.alloc(window.size);
    const disk = this.#disk.subarray(0, window.size);
    disk.fill(0);
    const touched = new Set<number>();
    const streams = new Map<number, Uint8Array>();
    for (const piece of window.pieces) {
      const to = piece.at - window.at;
      const stream = this.#fill(disk.subarray(to, to + piece.size), piece);
      const first = Math.floor(to / grainBytes);
      if (stream !== undefined && piece.size === grainBytes) streams.set(first, stream);
      for (let grain = first; grain * grainBytes < to + piece.size; grain += 1) touched.add(grain);
    }
    return framed(disk, window.at / grainBytes, [...touched], out, (grain, bytes, place) => {
      const stream = streams.get(grain);
      if (stream !== undefined && stream.byteLength <= grainBytes) return wrapInto(place, stream, bytes);
      return packInto(place, bytes);
    });
  }

  /** Gives the deflate stream where the piece is one. */
  #fill(into: Buffer, piece: Piece): Uint8Array | undefined {
    if (piece.kind === "stored") {
      // Of the file's last cluster only what was written need be there; the rest is zeros.
      this.#read(into, piece.offset);
      return undefined;
    }
    const packed = Buffer.allocUnsafe(piece.length);
    const found = packed.subarray(0, this.#read(packed, piece.offset));
    const { bytes, stream } = unpacked(found, piece);
    into.set(bytes.subarray(0, piece.size));
    return stream;
  }

  #read(into: Buffer, offset: number): number {
    let done = 0;
    while (done < into.byteLength) {
      const count = readSync(this.#file, into, done, into.byteLength - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }
}

/** Grains of a window without compression, for what is read elsewhere; `first` is the number of its first grain. */
export function storedGrains(disk: Buffer, first: number, out: Uint8Array): FramedGrains {
  const all = Array.from({ length: disk.byteLength / grainBytes }, (_, index) => index);
  return framed(disk, first, all, out, (_, bytes, place) => storeInto(place, bytes));
}

function framed(
  disk: Buffer,
  first: number,
  touched: readonly number[],
  out: Uint8Array,
  pack: (grain: number, bytes: Uint8Array, place: Uint8Array) => number,
): FramedGrains {
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  const indexes: number[] = [];
  const sectors: number[] = [];
  let at = 0;
  for (const grain of touched) {
    const bytes = disk.subarray(grain * grainBytes, (grain + 1) * grainBytes);
    if (bytes.equals(zeros)) continue;
    const size = pack(grain, bytes, out.subarray(at + markerBytes));
    view.setBigUint64(at, BigInt(((first + grain) * grainBytes) / sectorBytes), true);
    view.setUint32(at + 8, size, true);
    const end = at + wholeSectors(markerBytes + size);
    out.fill(0, at + markerBytes + size, end);
    indexes.push(first + grain);
    sectors.push((end - at) / sectorBytes);
    at = end;
  }
  return { bytes: out.subarray(0, at), indexes, sectors };
}

function wholeSectors(bytes: number): number {
  return Math.ceil(bytes / sectorBytes) * sectorBytes;
}
