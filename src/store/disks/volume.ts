/** Bytes of a disk that can be read at any place: the disk itself, or one of its partitions. */

import { UnusableDisk } from "./unusable-disk.ts";

export interface Volume {
  /** Bytes. */
  readonly size: number;
  /** Exactly so many bytes. Throws UnusableDisk where it has not as many, or its image is damaged there. */
  read(at: number, length: number): Buffer;
}

/** A stretch of another volume, which has it whole. */
export function part(of: Volume, start: number, size: number): Volume {
  return {
    size,
    read(at, length) {
      if (!isWithin(at, length, size)) throw new UnusableDisk(`something lies beyond the end of a partition of ${size} bytes (byte ${at})`);
      return of.read(start + at, length);
    },
  };
}

export function isWithin(at: number, length: number, size: number): boolean {
  return Number.isSafeInteger(at) && Number.isSafeInteger(length) && at >= 0 && length >= 0 && at + length <= size;
}
