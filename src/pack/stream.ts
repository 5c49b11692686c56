/**
 * The byte-range producer. Where every byte of an archive comes from is known before one is written, so its length is
 * known too, and any range of it can be made alone: streaming a download, resuming it and reading one file are one function.
 */

import type { Digest } from "../core/digest.ts";
import { EnvironmentError } from "../core/environment-error.ts";
import type { ArchiveEntry, BlobBody, FileBody } from "../core/file.ts";
import { sizeOf } from "../core/file.ts";
import { blockSize, encodeHeader, endSize, paddingOf } from "./tar.ts";
import type { Tree } from "./tree.ts";

export interface BundleLayout {
  /** Bytes of the whole. */
  readonly size: number;
  /** In order and without gaps: each begins where the one before it ends. */
  readonly segments: readonly Segment[];
}

export type Segment = { readonly start: number; readonly size: number; readonly kind: "bytes"; readonly bytes: Uint8Array } | BlobSegment;

export interface BlobSegment {
  readonly start: number;
  readonly size: number;
  readonly kind: "blob";
  readonly digest: Digest;
  /** Where in the blob it begins; 0 where left out. */
  readonly from?: number;
}

/** The edge's blobs. `read` gives the bytes from `start` up to, not including, `end`. */
export interface BlobReader {
  read(digest: Digest, start: number, end: number): AsyncIterable<Uint8Array>;
}

/** The tar of a tree. The archives in it are laid out flat, so that their blobs are read in place. */
export function layBundle(tree: Tree): BundleLayout {
  const laying = new Laying();
  for (const { path, mode, body } of tree.files) {
    laying.entry(path, mode, body, tree.mtime);
  }
  return laying.ended();
}

/** The tar that an archive body is, by itself. `mtime` is seconds since the Epoch; every entry has mode 0644. */
export function layArchive(entries: readonly ArchiveEntry[], mtime: number): BundleLayout {
  const laying = new Laying();
  for (const { path, body } of entries) laying.entry(path, 0o644, body, mtime);
  return laying.ended();
}

/** Bytes of the tar of these entries. */
export function archiveSize(entries: readonly ArchiveEntry[]): number {
  return entries.reduce((sum, { body }) => sum + blockSize + sizeOf(body) + paddingOf(sizeOf(body)), endSize);
}

/**
 * The bytes from `start` up to, not including, `end`. A blob that is shorter or longer than its layout says is an
 * EnvironmentError. Ends with the signal's reason when it is aborted.
 */
export async function* produce(
  layout: BundleLayout,
  blobs: BlobReader,
  start = 0,
  end = layout.size,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end > layout.size || start > end) {
    throw new Error(`no range of ${layout.size} bytes: ${start} to ${end}`);
  }
  for (let index = segmentAt(layout, start); start < end; index += 1) {
    signal?.throwIfAborted();
    const segment = layout.segments[index] as Segment;
    const from = start - segment.start;
    const to = Math.min(end - segment.start, segment.size);
    if (segment.kind === "bytes") yield segment.bytes.subarray(from, to);
    else yield* exactly(blobs, segment.digest, from + (segment.from ?? 0), to + (segment.from ?? 0), signal);
    start = segment.start + to;
  }
}

/** Index of the segment that holds the byte at `offset`; by halving, for a bundle may have thousands. */
function segmentAt({ segments }: BundleLayout, offset: number): number {
  let low = 0;
  let high = segments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((segments[middle] as Segment).start <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

async function* exactly(
  blobs: BlobReader,
  digest: Digest,
  start: number,
  end: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  let left = end - start;
  for await (const chunk of blobs.read(digest, start, end)) {
    signal?.throwIfAborted();
    left -= chunk.byteLength;
    if (left < 0) throw notTheBlob(digest, "longer");
    if (chunk.byteLength > 0) yield chunk;
  }
  if (left > 0) throw notTheBlob(digest, "shorter");
}

function notTheBlob(digest: Digest, than: string): EnvironmentError {
  return new EnvironmentError(`the store's blob ${digest} is ${than} than it must be`, {
    hint: "the store is damaged: cloudlet-bundle store check names every bad blob",
  });
}

/** Longest run of small segments that is kept as one chunk: few, large writes. Bytes. */
const runLimit = 1_048_576;

/** Segments as they are laid. Bytes that follow each other become one segment. */
class Laying {
  readonly #segments: Segment[] = [];
  #size = 0;
  #run: Uint8Array[] = [];
  #runSize = 0;

  entry(path: string, mode: number, body: FileBody, mtime: number): void {
    const size = sizeOf(body);
    this.bytes(encodeHeader({ path, mode, size, mtime }));
    const start = this.#size + this.#runSize;
    if (body.kind === "bytes") this.bytes(body.bytes);
    else if (body.kind === "blob") this.blob(body);
    else this.archive(body.entries, mtime);
    const laid = this.#size + this.#runSize - start;
    if (laid !== size) throw new Error(`${path}: ${laid} bytes were laid out, ${size} announced`);
    this.bytes(new Uint8Array(paddingOf(size)));
  }

  archive(entries: readonly ArchiveEntry[], mtime: number): void {
    for (const { path, body } of entries) this.entry(path, 0o644, body, mtime);
    this.end();
  }

  end(): void {
    this.bytes(new Uint8Array(endSize));
  }

  bytes(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    this.#run.push(bytes);
    this.#runSize += bytes.byteLength;
    if (this.#runSize >= runLimit) this.#endRun();
  }

  blob({ digest, size }: BlobBody): void {
    this.#endRun();
    if (size === 0) return;
    this.#segments.push({ start: this.#size, size, kind: "blob", digest });
    this.#size += size;
  }

  ended(): BundleLayout {
    this.end();
    this.#endRun();
    return { size: this.#size, segments: this.#segments };
  }

  #endRun(): void {
    if (this.#runSize === 0) return;
    const bytes = new Uint8Array(this.#runSize);
    let offset = 0;
    for (const each of this.#run) {
      bytes.set(each, offset);
      offset += each.byteLength;
    }
    this.#segments.push({ start: this.#size, size: bytes.byteLength, kind: "bytes", bytes });
    this.#size += bytes.byteLength;
    this.#run = [];
    this.#runSize = 0;
  }
}
