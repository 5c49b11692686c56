/** What a guest sees of a disk image, as stretches of the image's file. Whatever no stretch covers is zeros. */

import type { DiskImage } from "../disk-image.ts";
import { qcow2Map } from "./qcow2-map.ts";
import { rawMap } from "./raw-map.ts";
import { sparseVmdkMap } from "./sparse-vmdk-map.ts";
import { streamOptimizedLookup } from "./stream-optimized-lookup.ts";

/** All numbers are in bytes. */
export interface Piece {
  /** `stored` as it is; the others by a compression, the whole cluster at once. */
  readonly kind: "stored" | "deflate" | "zstd";
  /** Where the guest sees it. */
  readonly at: number;
  /** How much the guest sees of it. */
  readonly size: number;
  /** Where it lies in the file. */
  readonly offset: number;
  /** How much of the file it may take; what is compressed may end before. */
  readonly length: number;
  /** What it comes to when it is unpacked: `size`, or more in the last cluster of a disk. */
  readonly whole: number;
}

/** Leads from places of the disk to the file. */
export interface DiskLookup {
  /** Of the disk that the guest sees; bytes. */
  readonly virtualSize: number;
  /**
   * Those that have something of the stretch in them, in the guest's order; of the tables only what leads there is read. Throws
   * UnusableDisk where that makes no sense. That two of a disk share a place in the file, it does not see.
   */
  piecesIn(from: number, end: number): Iterable<Piece>;
}

export interface DiskMap extends DiskLookup {
  /** No compressed piece crosses a multiple of this, a power of two; bytes. */
  readonly clusterSize: number;
  /** In the guest's order, none over another. Throws UnusableDisk where the image's tables make no sense. */
  pieces(): Iterable<Piece>;
}

/** A file of which any stretch can be read. */
export interface ImageFile {
  /** Bytes. */
  readonly size: number;
  /** Fewer bytes than asked for where the file ends. */
  read(offset: number, length: number): Buffer;
}

/**
 * The map of an image whose head has been judged by `diskImageOf` and found usable. Tables are read piece by piece, so
 * memory does not grow with the disk. Throws UnusableDisk where the header makes no sense.
 */
export function diskMapOf(file: ImageFile, format: Exclude<DiskImage["format"], "other">): DiskMap {
  switch (format) {
    case "raw":
      return rawMap(file);
    case "qcow2":
      return qcow2Map(file);
    case "vmdk":
      return sparseVmdkMap(file);
  }
}

/** The same for whoever only looks up places, of a streamOptimized VMDK too. */
export function diskLookupOf(file: ImageFile, image: Exclude<DiskImage, { readonly format: "other" }>): DiskLookup {
  return image.format === "vmdk" && image.kind === "streamOptimized" ? streamOptimizedLookup(file) : diskMapOf(file, image.format);
}
