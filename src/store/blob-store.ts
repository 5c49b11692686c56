/**
 * Blobs by digest on disk. A blob is whole and right under its name, or not there: it is written aside, hashed while it
 * passes, synced, and linked. Any number of processes may share a store.
 */

import { createHash } from "node:crypto";
import * as disk from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Digest } from "../core/digest.ts";
import { hexOf, isDigest } from "../core/digest.ts";
import { EnvironmentError } from "../core/environment-error.ts";
import { byCodeUnit } from "../core/json.ts";
import type { BlobReader } from "../pack/stream.ts";

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

/** What the store needs of the file system; tests give one that fails at the n-th call. */
export type StoreDisk = Pick<typeof disk, "open" | "link" | "unlink" | "rename" | "mkdir" | "mkdtemp" | "rm" | "stat" | "statfs" | "readdir" | "readFile" | "utimes" | "chmod">;

export interface BlobStore extends BlobReader {
  readonly folder: string;
  /**
   * Stores what `source` gives, hashing it once. Throws BlobMismatch where it is not what was expected, EnvironmentError
   * where the disk fails or is full; then nothing of it is left.
   */
  put(source: AsyncIterable<Uint8Array>, expect?: Expectation, watch?: Watch): Promise<StoredBlob>;
  /** Undefined where the blob is not there. Marks it as in use for `collect`. */
  stat(digest: Digest): Promise<StoredBlob | undefined>;
  path(digest: Digest): string;
  /** A file for the part of a download that has arrived; the same key names the same file in every process. */
  partialPath(key: string): string;
  /** Like `read`, several times as fast for big ranges: a chunk's memory is used again after the two chunks that follow it. */
  reusing(): BlobReader;
  list(): Promise<readonly StoredBlob[]>;
  /** Hashes every blob again; gives the ones whose bytes are not what their name says. */
  check(progress?: (digest: Digest) => void): Promise<readonly Digest[]>;
  /** Removes blobs that are not in `keep` and that nobody used since `before` (seconds since the Epoch), and stale leftovers. */
  collect(keep: ReadonlySet<Digest>, before: number): Promise<{ readonly removed: readonly StoredBlob[]; readonly leftovers: number }>;
}

/** Large enough that a disk is kept busy, small enough that three of them are no burden. */
const chunkBytes = 4 * 1024 * 1024;
/** A store keeps this much of the disk free when it takes a blob whose size is known. */
const reserveBytes = 16 * 1024 * 1024;

/** Opens a store, making its folders where they are missing. `now` (milliseconds) lets it note when a blob was last used. */
export async function openStore(folder: string, how: { readonly now?: () => number; readonly files?: StoreDisk } = {}): Promise<BlobStore> {
  const files = how.files ?? disk;
  const blobs = join(folder, "blobs/sha256");
  const aside = join(folder, "tmp");
  const partial = join(folder, "partial");
  for (const each of [blobs, aside, partial]) await files.mkdir(each, { recursive: true });
  const path = (digest: Digest): string => join(blobs, hexOf(digest).slice(0, 2), hexOf(digest));
  const store: BlobStore = {
    folder,
    path,
    partialPath: (key) => join(partial, createHash("sha256").update(key).digest("hex")),
    put: (source, expect = {}, watch = {}) => put(files, { aside, path }, source, expect, watch),
    stat: (digest) => statBlob(files, path(digest), digest, how.now),
    read: (digest, start, end) => read(files, path(digest), digest, start, end, () => Buffer.allocUnsafeSlow(chunkBytes)),
    reusing: () => {
      const ring = [1, 2, 3].map(() => Buffer.allocUnsafeSlow(chunkBytes));
      let turn = 0;
      const next = (): Buffer => ring[(turn = (turn + 1) % ring.length)] as Buffer;
      return { read: (digest, start, end) => read(files, path(digest), digest, start, end, next) };
    },
    list: () => list(files, blobs),
    check: (progress) => check(store, progress),
    collect: (keep, before) => collect(files, { store, aside, partial }, keep, before),
  };
  return store;
}

interface Places {
  readonly aside: string;
  readonly path: (digest: Digest) => string;
}

async function put(files: StoreDisk, places: Places, source: AsyncIterable<Uint8Array>, expect: Expectation, watch: Watch): Promise<StoredBlob> {
  if (expect.size !== undefined) await refuseFullDisk(files, places.aside, expect.size);
  const folder = await files.mkdtemp(join(places.aside, "put-")).catch(diskFailed);
  const file = join(folder, "blob");
  try {
    const blob = await writeHashed(files, file, source, expect, watch);
    await files.chmod(file, 0o444);
    const path = places.path(blob.digest);
    await files.mkdir(dirname(path), { recursive: true });
    // The second digest first: a blob under its name always has it.
    const note = join(folder, "sha512");
    await writeSynced(files, note, blob.sha512);
    await files.rename(note, `${path}.sha512`);
    await files.link(file, path).catch(ignoring("EEXIST"));
    await syncFolder(files, dirname(path));
    return blob;
  } catch (error) {
    throw await asEnvironment(error, files, places.aside);
  } finally {
    await files.rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function writeHashed(files: StoreDisk, path: string, source: AsyncIterable<Uint8Array>, expect: Expectation, watch: Watch): Promise<StoredBlob> {
  const sha256 = createHash("sha256");
  const sha512 = createHash("sha512");
  const limit = Math.min(expect.size ?? Infinity, expect.sizeLimit ?? Infinity);
  let size = 0;
  const file = await files.open(path, "wx", 0o644);
  try {
    for await (const chunk of source) {
      watch.signal?.throwIfAborted();
      if (size + chunk.byteLength > limit) throw new BlobMismatch("too-big", `at most ${limit} bytes`, `at least ${size + chunk.byteLength}`);
      const writing = writeAll(file, chunk);
      writing.catch(() => undefined);
      sha256.update(chunk);
      sha512.update(chunk);
      await writing;
      size += chunk.byteLength;
      watch.progress?.(size);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  if (expect.size !== undefined && size !== expect.size) throw new BlobMismatch("size", `${expect.size} bytes`, `${size} bytes`);
  const digest: Digest = `sha256:${sha256.digest("hex")}`;
  if (expect.digest !== undefined && digest !== expect.digest) throw new BlobMismatch("digest", expect.digest, digest);
  return { digest, sha512: sha512.digest("hex"), size };
}

/** write(2) may take less than it was given. */
async function writeAll(file: disk.FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) {
    const { bytesWritten } = await file.write(chunk, at, chunk.byteLength - at, null);
    at += bytesWritten;
  }
}

async function writeSynced(files: StoreDisk, path: string, text: string): Promise<void> {
  const file = await files.open(path, "wx", 0o444);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFolder(files: StoreDisk, folder: string): Promise<void> {
  const handle = await files.open(folder, "r");
  // Some network file systems can't sync a folder; the files in it are safe.
  await handle.sync().catch(ignoring("EINVAL")).finally(() => handle.close());
}

async function statBlob(files: StoreDisk, path: string, digest: Digest, now?: () => number): Promise<StoredBlob | undefined> {
  try {
    const { size } = await files.stat(path);
    const sha512 = await files.readFile(`${path}.sha512`, "utf8");
    // Its age is what `collect` goes by. Whoever may not change it keeps the old one.
    if (now !== undefined) await files.utimes(path, now() / 1_000, now() / 1_000).catch(() => undefined);
    return { digest, sha512, size };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

async function* read(files: StoreDisk, path: string, digest: Digest, start: number, end: number, buffer: () => Buffer): AsyncGenerator<Uint8Array> {
  const file = await files.open(path, "r").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    throw new EnvironmentError(`the store has no blob ${digest}`, { hint: "fetch it again: cloudlet-bundle lock" });
  });
  // The next chunk is read while the caller is busy with this one.
  let ahead: Promise<disk.FileReadResult<Buffer>> | undefined;
  const ask = (at: number): Promise<disk.FileReadResult<Buffer>> => {
    const reading = file.read(buffer(), 0, Math.min(chunkBytes, end - at), at);
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
    await file.close();
  }
}

async function list(files: StoreDisk, blobs: string): Promise<readonly StoredBlob[]> {
  const found: StoredBlob[] = [];
  for (const folder of (await files.readdir(blobs)).sort(byCodeUnit)) {
    for (const name of (await files.readdir(join(blobs, folder))).sort(byCodeUnit)) {
      const digest = `sha256:${name}`;
      const blob = isDigest(digest) ? await statBlob(files, join(blobs, folder, name), digest) : undefined;
      if (blob !== undefined) found.push(blob);
    }
  }
  return found;
}

async function check(store: BlobStore, progress: ((digest: Digest) => void) | undefined): Promise<readonly Digest[]> {
  const bad: Digest[] = [];
  const reader = store.reusing();
  for (const blob of await store.list()) {
    progress?.(blob.digest);
    const sha256 = createHash("sha256");
    const sha512 = createHash("sha512");
    for await (const chunk of reader.read(blob.digest, 0, blob.size)) {
      sha256.update(chunk);
      sha512.update(chunk);
    }
    if (`sha256:${sha256.digest("hex")}` !== blob.digest || sha512.digest("hex") !== blob.sha512) bad.push(blob.digest);
  }
  return bad;
}

async function collect(
  files: StoreDisk,
  places: { readonly store: BlobStore; readonly aside: string; readonly partial: string },
  keep: ReadonlySet<Digest>,
  before: number,
): Promise<{ readonly removed: readonly StoredBlob[]; readonly leftovers: number }> {
  const old = async (path: string): Promise<boolean> => {
    const found = await files.stat(path).catch(() => undefined);
    return found !== undefined && found.mtimeMs <= before * 1_000;
  };
  const removed: StoredBlob[] = [];
  for (const blob of await places.store.list()) {
    const path = places.store.path(blob.digest);
    if (keep.has(blob.digest) || !(await old(path))) continue;
    // The blob first: without it, its second digest is a leftover that the next put replaces.
    await files.unlink(path);
    await files.rm(`${path}.sha512`, { force: true });
    removed.push(blob);
  }
  let leftovers = 0;
  for (const folder of [places.aside, places.partial]) {
    for (const name of await files.readdir(folder)) {
      if (!(await old(join(folder, name)))) continue;
      await files.rm(join(folder, name), { recursive: true, force: true });
      leftovers += 1;
    }
  }
  return { removed, leftovers };
}

async function refuseFullDisk(files: StoreDisk, folder: string, size: number): Promise<void> {
  const { bavail, bsize } = await files.statfs(folder);
  if (bavail * bsize < size + reserveBytes) throw diskFull(folder, bavail * bsize, size);
}

function diskFull(folder: string, free: number, needed?: number): EnvironmentError {
  const needs = needed === undefined ? "" : `, ${needed} are needed`;
  return new EnvironmentError(`the disk of the blob store is full: ${free} bytes are free${needs} (${folder})`, {
    hint: "make room (cloudlet-bundle store clean), or use another --store",
  });
}

async function asEnvironment(error: unknown, files: StoreDisk, folder: string): Promise<unknown> {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  const { bavail, bsize } = await files.statfs(folder);
  return diskFull(folder, bavail * bsize);
}

function diskFailed(error: NodeJS.ErrnoException): never {
  if (error.code === "ENOSPC" || error.code === "EDQUOT") throw diskFull(error.path ?? "", 0);
  throw error;
}

function ignoring(code: string): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (error.code !== code) throw error;
  };
}
