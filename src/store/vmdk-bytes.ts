/** The bytes of a streamOptimized VMDK, made of a disk image in a file or of the payload's archive, in flat memory. */

import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import type { DiskImage } from "./disk-image.ts";
import type { Digest } from "../core/digest.ts";
import { hexOf } from "../core/digest.ts";
import { diskMapOf, type DiskMap, type ImageFile } from "./disks/disk-map.ts";
import { framedLimit, grainBytes, storedGrains, type FramedGrains, type Window } from "./disks/grains.ts";
import { capacityLimit, streamOptimized, type StreamOptimizedDisk } from "./disks/stream-optimized.ts";
import { UnusableDisk } from "./disks/unusable-disk.ts";
import { windowBytesOf, windowsOf } from "./disks/windows.ts";
import { packWindows } from "./grain-workers.ts";

export interface VmdkMaking {
  /** Of what it is made of; the disk's content ID is its first digits. */
  readonly source: Digest;
  /** Hears how much of the disk is done; bytes. */
  readonly progress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

export interface VmdkBytes {
  /** Bytes; whole grains. */
  readonly capacity: number;
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Bytes of the grains that are there; known when the bytes have been read. */
  readonly populated: () => number;
}

/**
 * A disk image, whose head has been judged, as a VMDK. Throws UnusableDisk, at once or while the bytes are read, where the
 * image is damaged or larger than a VMDK may be.
 */
export function vmdkOfImage(path: string, format: Exclude<DiskImage["format"], "other">, making: VmdkMaking): VmdkBytes {
  const virtualSize = withImage(path, (file) => diskMapOf(file, format).virtualSize);
  const capacity = capacityOf(virtualSize, grainBytes);
  const grains = async function* (): AsyncGenerator<FramedGrains> {
    const descriptor = openSync(path, "r");
    try {
      const map = diskMapOf(imageFile(descriptor), format);
      yield* packWindows(path, told(map, making), windowBytesOf(map), making.signal);
    } finally {
      closeSync(descriptor);
    }
  };
  return vmdkOf({ capacity, cid: contentId(making.source) }, grains());
}

/** An archive of `size` bytes as a VMDK without compression: layers are read once, and most of what is large in them is packed. */
export function vmdkOfArchive(chunks: AsyncIterable<Uint8Array>, size: number, making: VmdkMaking): VmdkBytes {
  // Whole MiB: some managers count a disk in nothing smaller.
  const capacity = capacityOf(size, bytesPerMiB);
  return vmdkOf({ capacity, cid: contentId(making.source) }, archiveGrains(chunks, size, making));
}

/** The most that `vmdkOfArchive` comes to. Bytes. */
export function archiveVmdkLimit(size: number): number {
  return framedLimit(Math.ceil(size / bytesPerMiB) * bytesPerMiB) + metadataLimit(size);
}

/** Tables, directory and all that comes once, for a disk of `size` bytes. Bytes. */
export function metadataLimit(size: number): number {
  return 256 * 1024 + Math.ceil(size / (512 * grainBytes)) * 2_564;
}

/** VMDKs have a content ID of 32 bits; the two highest say that there is none, and that it is not known. */
export function contentId(source: Digest): string {
  const id = hexOf(source).slice(0, 8);
  return id.startsWith("fffffff") ? `0${id.slice(1)}` : id;
}

/** Does something with an image's file. */
export function withImage<T>(path: string, work: (file: ImageFile) => T): T {
  const descriptor = openSync(path, "r");
  try {
    return work(imageFile(descriptor));
  } finally {
    closeSync(descriptor);
  }
}

const bytesPerMiB = 1_048_576;

function imageFile(descriptor: number): ImageFile {
  const { size } = fstatSync(descriptor);
  return {
    size,
    read: (offset, length) => {
      // A table may name any place, and the system takes no more than 2^63.
      if (offset >= size) return Buffer.alloc(0);
      const bytes = Buffer.alloc(length);
      let done = 0;
      while (done < length) {
        const count = readSync(descriptor, bytes, done, length - done, offset + done);
        if (count === 0) break;
        done += count;
      }
      return bytes.subarray(0, done);
    },
  };
}

function capacityOf(size: number, unit: number): number {
  if (size === 0) throw new UnusableDisk("it is a disk of no size");
  if (size > capacityLimit) throw new UnusableDisk(`it is a disk of ${size} bytes; vSphere takes ${capacityLimit}, 62 TiB, at most`);
  return Math.ceil(size / unit) * unit;
}

function vmdkOf(disk: StreamOptimizedDisk, grains: AsyncIterable<FramedGrains>): VmdkBytes {
  let populated: number | undefined;
  return {
    capacity: disk.capacity,
    bytes: streamOptimized(disk, grains, (bytes) => (populated = bytes)),
    populated: () => {
      if (populated === undefined) throw new Error("the VMDK has not been made yet");
      return populated;
    },
  };
}

function* told(map: DiskMap, { progress }: VmdkMaking): Generator<Window> {
  for (const window of windowsOf(map)) {
    yield window;
    progress(Math.min(window.at + window.size, map.virtualSize), map.virtualSize);
  }
}

async function* archiveGrains(chunks: AsyncIterable<Uint8Array>, size: number, { progress, signal }: VmdkMaking): AsyncGenerator<FramedGrains> {
  const window = Buffer.alloc(bytesPerMiB);
  const memory = new Uint8Array(framedLimit(bytesPerMiB));
  let filled = 0;
  let at = 0;
  const grains = (): FramedGrains => {
    window.fill(0, filled);
    const made = storedGrains(window, at / grainBytes, memory);
    at += bytesPerMiB;
    filled = 0;
    progress(Math.min(at, size), size);
    return made;
  };
  for await (const chunk of chunks) {
    for (let from = 0; from < chunk.byteLength; ) {
      signal.throwIfAborted();
      const count = Math.min(chunk.byteLength - from, bytesPerMiB - filled);
      window.set(chunk.subarray(from, from + count), filled);
      filled += count;
      from += count;
      if (filled === bytesPerMiB) yield grains();
    }
  }
  if (filled > 0) yield grains();
}
