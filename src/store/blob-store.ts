/**
 * Blobs by digest on disk. A blob is whole and right under its name, or not there: it is written aside, hashed while it
 * passes, synced, and renamed. Any number of processes may share a store.
 */

import { createHash } from "node:crypto";
import * as disk from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Digest } from "../core/digest.ts";
import { isDigest } from "../core/digest.ts";
import { EnvironmentError } from "../core/environment-error.ts";
import type { BlobReader } from "../pack/stream.ts";
import type { LockedDisk, LockedPieces } from "../spec/lock.ts";
import { aside } from "./aside.ts";
import { collect, type Collected } from "./collect.ts";
import { readConversion, writeConversion } from "./conversions.ts";
import { refuseFullDisk } from "./disk-space.ts";
import { takeLease } from "./leases.ts";
import { claimPartial, type PartialDownload } from "./partials.ts";
import { readPieces, writePieces } from "./piece-notes.ts";
import { blobFiles, notePath, placesIn, type Places } from "./places.ts";
import { ringOf, type Ring } from "./ring.ts";
import { syncFolder, writeAll, writeSynced, type StoreDisk } from "./store-disk.ts";

export interface StoredBlob {
  readonly digest: Digest;
  /** 128 hexadecimal digits. */
  readonly sha512: string;
  /** Bytes. */
  readonly size: number;
}

export interface Expectation {
  readonly digest?: Digest;
  readonly size?: number;
  /** Bytes; a longer source is refused while it arrives. */
  readonly sizeLimit?: number;
}

export interface Watch {
  /** Bytes that were written so far. */
  readonly progress?: (done: number) => void;
  readonly signal?: AbortSignal;
}

/** The source was not what was expected. Nothing was stored. */
export class BlobMismatch extends Error {
  override readonly name = "BlobMismatch";
  readonly kind: "digest" | "size" | "too-big";
  readonly expected: string;
  readonly found: string;

  constructor(kind: BlobMismatch["kind"], expected: string, found: string) {
    super(`${kind}: expected ${expected}, found ${found}`);
    this.kind = kind;
    this.expected = expected;
    this.found = found;
  }
}

export interface BlobStore extends BlobReader {
  readonly folder: string;
  /**
   * Stores what `source` gives, hashing it once. Throws BlobMismatch where it is not what was expected, EnvironmentError
   * where the disk fails or is full; then nothing of it is left.
   */
  put(source: AsyncIterable<Uint8Array>, expect?: Expectation, watch?: Watch): Promise<StoredBlob>;
  /** Takes a file of the store's own disk, without a copy, if it has that digest: then it is gone from its path. */
  adopt(path: string, digest: Digest, watch?: Watch): Promise<StoredBlob>;
  /** Undefined where the blob is not there. Marks it as in use for `collect`. */
  stat(digest: Digest): Promise<StoredBlob | undefined>;
  path(digest: Digest): string;
  /** The place of a download: what an earlier one of the same key brought is in it, unless somebody is at that just now. */
  claimPartial(key: string): Promise<PartialDownload>;
  /** What `converter` made of a blob, noted by whoever did; the blob that it names may be gone. */
  conversion(source: Digest, converter: string): Promise<LockedDisk | undefined>;
  noteConversion(source: Digest, converter: string, disk: LockedDisk): Promise<void>;
  /** Digests of the blob's pieces of `each` bytes, if somebody noted them. */
  pieces(digest: Digest, size: number, each: number): Promise<LockedPieces | undefined>;
  notePieces(digest: Digest, pieces: LockedPieces): Promise<void>;
  /** Throws an EnvironmentError where the disk can't hold so many bytes more. */
  refuseFullDisk(bytes: number): Promise<void>;
  /** Like `read`, several times as fast for big ranges: a chunk's memory is used again after the two chunks that follow it. */
  reusing(ring?: Ring): BlobReader;
  list(): Promise<readonly StoredBlob[]>;
  /** Hashes every blob again; gives the ones whose bytes are not what their name says. */
  check(progress?: (digest: Digest) => void): Promise<readonly Digest[]>;
  /**
   * Removes blobs that are not in `keep` and that nobody used since `before` (seconds since the Epoch), and leftovers. What
   * another process that is still there has asked for is left alone, whatever `before` says, and so is what is being written.
   */
  collect(keep: ReadonlySet<Digest>, before: number): Promise<Collected>;
}

/** Large enough that a disk is kept busy, small enough that three of them are no burden. */
const chunkBytes = 256 * 1024;

/**
 * Opens a store, making its folders where they are missing. Whoever gives `now` (milliseconds) uses its blobs: when each was
 * last asked for is noted, and no other process cleans one of those away as long as this one runs. `readBytes` is what is
 * given at a time, for whoever reads many at once.
 */
export async function openStore(
  folder: string,
  how: { readonly now?: () => number; readonly files?: StoreDisk; readonly readBytes?: number } = {},
): Promise<BlobStore> {
  const each = how.readBytes ?? chunkBytes;
  const files = how.files ?? disk;
  const places = placesIn(folder);
  const path = places.blob;
  for (const place of [places.blobs, places.aside, places.partial, places.converted, places.pieces, places.leases]) await files.mkdir(place, { recursive: true });
  if (how.now !== undefined) await takeLease(files, places.leases, how.now());
  const readInto = (digest: Digest, start: number, end: number, buffer: Ring): AsyncIterable<Uint8Array> =>
    readBlob(files, path(digest), digest, { start, end, buffer });
  const store: BlobStore = {
    folder,
    path,
    put: (source, expect = {}, watch = {}) => put(files, places, source, expect, watch),
    adopt: (from, digest, watch = {}) => adopt(files, places, from, digest, watch),
    stat: (digest) => statBlob(files, path(digest), digest, how.now),
    conversion: (source, converter) => readConversion(files, places, source, converter),
    noteConversion: (source, converter, made) => writeConversion(files, places, source, converter, made),
    pieces: (digest, size, each) => readPieces(files, places, digest, size, each),
    notePieces: (digest, pieces) => writePieces(files, places, digest, pieces),
    refuseFullDisk: (bytes) => refuseFullDisk(files.statfs, places.aside, bytes),
    claimPartial: (key) => claimPartial(files, places.partial, key, how.now?.()),
    read: (digest, start, end) => readInto(digest, start, end, (atMost) => Buffer.allocUnsafeSlow(Math.min(each, atMost))),
    reusing: (ring = ringOf(() => each)) => ({ read: (digest, start, end) => readInto(digest, start, end, ring) }),
    list: () => list(files, places),
    check: (progress) => check(store, progress),
    collect: (keep, before) => collect(files, places, keep, before * 1_000),
  };
  return store;
}

async function put(
  files: StoreDisk,
  places: Places,
  source: AsyncIterable<Uint8Array>,
  expect: Expectation,
  watch: Watch,
): Promise<StoredBlob> {
  if (expect.size !== undefined) await refuseFullDisk(files.statfs, places.aside, expect.size);
  return aside(files, places, async (folder) => {
    const file = join(folder, "blob");
    const blob = await writeHashed(files, file, source, expect, watch);
    await publish(files, places, folder, file, blob);
    return blob;
  });
}

async function adopt(files: StoreDisk, places: Places, from: string, digest: Digest, watch: Watch): Promise<StoredBlob> {
  return aside(files, places, async (folder) => {
    const { size } = await files.stat(from);
    const hashes = hashesOf();
    let done = 0;
    const handle = await files.open(from, "r");
    try {
      for await (const chunk of readFrom(handle, { start: 0, end: size, buffer: ringOf(() => chunkBytes) })) {
        watch.signal?.throwIfAborted();
        hashes.update(chunk);
        watch.progress?.((done += chunk.byteLength));
      }
      await handle.sync();
    } finally {
      await handle.close();
    }
    const blob = { ...hashes.digests(), size };
    if (blob.digest !== digest) throw new BlobMismatch("digest", digest, blob.digest);
    await publish(files, places, folder, from, blob);
    return blob;
  });
}

/** A blob that is there already gives way to the same bytes; whoever reads it reads on. */
async function publish(files: StoreDisk, places: Places, folder: string, file: string, blob: StoredBlob): Promise<void> {
  await files.chmod(file, 0o444);
  const path = places.blob(blob.digest);
  await files.mkdir(dirname(path), { recursive: true });
  // The second digest first: a blob under its name always has it.
  const note = join(folder, "sha512");
  await writeSynced(files, note, blob.sha512);
  await files.rename(note, notePath(path));
  await files.rename(file, path);
  await syncFolder(files, dirname(path));
}

async function writeHashed(
  files: StoreDisk,
  path: string,
  source: AsyncIterable<Uint8Array>,
  expect: Expectation,
  watch: Watch,
): Promise<StoredBlob> {
  const hashes = hashesOf();
  const limit = Math.min(expect.size ?? Infinity, expect.sizeLimit ?? Infinity);
  let size = 0;
  const file = await files.open(path, "wx", 0o644);
  try {
    for await (const chunk of source) {
      watch.signal?.throwIfAborted();
      if (size + chunk.byteLength > limit) {
        throw new BlobMismatch("too-big", `at most ${limit} bytes`, `at least ${size + chunk.byteLength}`);
      }
      const writing = writeAll(file, chunk);
      writing.catch(() => undefined);
      hashes.update(chunk);
      await writing;
      size += chunk.byteLength;
      watch.progress?.(size);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (expect.size !== undefined && size !== expect.size) throw new BlobMismatch("size", `${expect.size} bytes`, `${size} bytes`);
  const { digest, sha512 } = hashes.digests();
  if (expect.digest !== undefined && digest !== expect.digest) throw new BlobMismatch("digest", expect.digest, digest);
  return { digest, sha512, size };
}

interface Hashes {
  update(chunk: Uint8Array): void;
  digests(): { readonly digest: Digest; readonly sha512: string };
}

function hashesOf(): Hashes {
  const sha256 = createHash("sha256");
  const sha512 = createHash("sha512");
  return {
    update: (chunk) => {
      sha256.update(chunk);
      sha512.update(chunk);
    },
    digests: () => ({ digest: `sha256:${sha256.digest("hex")}`, sha512: sha512.digest("hex") }),
  };
}

async function statBlob(files: StoreDisk, path: string, digest: Digest, now?: () => number): Promise<StoredBlob | undefined> {
  try {
    const { size } = await files.stat(path);
    const sha512 = await files.readFile(notePath(path), "utf8");
    // Its age is what `collect` goes by. Whoever may not change it keeps the old one.
    if (now !== undefined) await files.utimes(path, now() / 1_000, now() / 1_000).catch(() => undefined);
    return { digest, sha512, size };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

interface Stretch {
  readonly start: number;
  readonly end: number;
  readonly buffer: Ring;
}

async function* readBlob(files: StoreDisk, path: string, digest: Digest, stretch: Stretch): AsyncGenerator<Uint8Array> {
  const file = await files.open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new EnvironmentError(`the store has no blob ${digest}`, { hint: "fetch it again: cloudlet-bundle lock" });
  });
  try {
    yield* readFrom(file, stretch);
  } finally {
    await file.close();
  }
}

/** The next chunk is read while the caller is busy with this one. Ends early where the file does. */
async function* readFrom(file: disk.FileHandle, { start, end, buffer }: Stretch): AsyncGenerator<Uint8Array> {
  let ahead: Promise<disk.FileReadResult<Buffer>> | undefined;
  const ask = (at: number): Promise<disk.FileReadResult<Buffer>> => {
    const into = buffer(end - at);
    const reading = file.read(into, 0, Math.min(into.byteLength, end - at), at);
    reading.catch(() => undefined);
    return reading;
  };
  try {
    for (let at = start; at < end; ) {
      const { bytesRead, buffer: chunk } = await (ahead ?? ask(at));
      if (bytesRead === 0) return;
      at += bytesRead;
      ahead = at < end ? ask(at) : undefined;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    await ahead?.catch(() => undefined);
  }
}

async function list(files: StoreDisk, places: Places): Promise<readonly StoredBlob[]> {
  const found: StoredBlob[] = [];
  for (const { path, digest } of await blobFiles(files, places)) {
    const blob = isDigest(digest) ? await statBlob(files, path, digest) : undefined;
    if (blob !== undefined) found.push(blob);
  }
  return found;
}

async function check(store: BlobStore, progress: ((digest: Digest) => void) | undefined): Promise<readonly Digest[]> {
  const bad: Digest[] = [];
  const reader = store.reusing();
  for (const blob of await store.list()) {
    progress?.(blob.digest);
    const hashes = hashesOf();
    for await (const chunk of reader.read(blob.digest, 0, blob.size)) hashes.update(chunk);
    const { digest, sha512 } = hashes.digests();
    if (digest !== blob.digest || sha512 !== blob.sha512) bad.push(blob.digest);
  }
  return bad;
}
