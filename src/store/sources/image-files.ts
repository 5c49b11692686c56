/** The files of a container image as they lie in a folder or in an archive; an archive is streamed, never unpacked. */

import { createReadStream } from "node:fs";
import { lstat, open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PassThrough, type Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import { extract, type Header } from "tar-stream";

export interface ImageFiles {
  /** A small file's bytes; undefined where there is none of that name, or it is no small file. */
  small(path: string): Promise<Uint8Array | undefined>;
  /** Gives each of these files once, in the order in which they come; the ones that are missing are left out. */
  each(
    paths: ReadonlySet<string>,
    take: (path: string, bytes: AsyncIterable<Uint8Array>) => Promise<void>,
  ): Promise<void>;
}

/** The archive can't be read as what it was said to be. */
export class NotAnArchive extends Error {
  override readonly name = "NotAnArchive";
}

/** Manifests, indexes and configs are held in memory; a bigger file is none of them. Bytes. */
const smallFile = 4 * 1024 * 1024;
/** All small files of an archive together. Bytes. */
const smallFiles = 64 * 1024 * 1024;
/** Entries of an archive; an image has at most 127 layers. */
const mostEntries = 20_000;
/** A tar's files together, uncompressed: beyond it, the archive is made to keep us busy. Bytes. */
const mostBytes = 256 * 1024 ** 3;

/** An OCI image layout in a folder. Names come from its own documents, so links are not followed. */
export function folderFiles(folder: string): ImageFiles {
  const fileAt = async (path: string): Promise<{ readonly path: string; readonly size: number } | undefined> => {
    if (!isInside(path)) return undefined;
    const found = await lstat(join(folder, path)).catch(() => undefined);
    return found?.isFile() ? { path: join(folder, path), size: found.size } : undefined;
  };
  return {
    async small(path) {
      const found = await fileAt(path);
      return found === undefined || found.size > smallFile ? undefined : readFile(found.path);
    },
    async each(paths, take) {
      for (const path of paths) {
        const found = await fileAt(path);
        if (found !== undefined) await take(path, createReadStream(found.path, { highWaterMark: 1_048_576 }));
      }
    },
  };
}

/** An archive: a tar, or a tar compressed with gzip or zstd. Throws NotAnArchive, at once or while it is read. */
export async function archiveFiles(path: string, signal: AbortSignal): Promise<ImageFiles> {
  const { small, links } = await survey(path, signal);
  return {
    small: async (name) => small.get(followed(links, name)),
    async each(paths, take) {
      // Two names may lead to one file; it is read for the first of them.
      const wanted = new Map([...paths].map((each) => [followed(links, each), each]));
      await walk(path, signal, async (header, bytes) => {
        const name = wanted.get(clean(header.name));
        if (name === undefined || header.type !== "file") return;
        wanted.delete(clean(header.name));
        await take(name, bytes);
      });
    },
  };
}

/** One pass: the small files' bytes, and where links lead. */
async function survey(
  path: string,
  signal: AbortSignal,
): Promise<{ readonly small: ReadonlyMap<string, Uint8Array>; readonly links: ReadonlyMap<string, string> }> {
  const small = new Map<string, Uint8Array>();
  const links = new Map<string, string>();
  const seen = new Set<string>();
  let room = smallFiles;
  let entries = 0;
  let size = 0;
  await walk(path, signal, async (header, bytes) => {
    const name = clean(header.name);
    if ((entries += 1) > mostEntries) throw new NotAnArchive(`it has more than ${mostEntries} entries`);
    if ((size += header.size ?? 0) > mostBytes) {
      throw new NotAnArchive(`its files come to more than ${mostBytes} bytes`);
    }
    if (header.type === "directory") return;
    if (!isInside(name)) throw new NotAnArchive(`it holds a path that leads out of it: ${JSON.stringify(header.name)}`);
    if (seen.has(name)) throw new NotAnArchive(`it holds ${JSON.stringify(name)} twice`);
    seen.add(name);
    if (header.type === "symlink" || header.type === "link") {
      links.set(name, linkTarget(name, header));
    } else if (header.type === "file" && (header.size ?? 0) <= smallFile) {
      const parts: Uint8Array[] = [];
      for await (const chunk of bytes) parts.push(Uint8Array.from(chunk));
      room -= header.size ?? 0;
      if (room < 0) throw new NotAnArchive(`its small files come to more than ${smallFiles} bytes`);
      small.set(name, Buffer.concat(parts));
    }
  });
  return { small, links };
}

/** `docker save` links a layer that another image of the archive has already; nothing may lead out of the archive. */
function linkTarget(name: string, header: Header): string {
  const to = header.linkname ?? "";
  const target = header.type === "symlink" ? join(name, "..", to) : clean(to);
  if (to.startsWith("/") || !isInside(target)) {
    throw new NotAnArchive(`it holds a link that leads out of it: ${JSON.stringify(name)}`);
  }
  return target;
}

function followed(links: ReadonlyMap<string, string>, name: string): string {
  let here = clean(name);
  for (let hops = 0; hops < 8; hops += 1) {
    const next = links.get(here);
    if (next === undefined) return here;
    here = next;
  }
  throw new NotAnArchive(`its link ${JSON.stringify(name)} leads nowhere`);
}

function clean(name: string): string {
  return name.replace(/^(\.\/)+/, "");
}

function isInside(path: string): boolean {
  return path !== "" && !path.startsWith("/") && !path.split("/").includes("..");
}

/** Calls `visit` for every entry, in order; what it does not read is skipped. */
async function walk(
  path: string,
  signal: AbortSignal,
  visit: (header: Header, bytes: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<void> {
  const tar = extract();
  const feeding = pipeline(await tarStream(path), tar as unknown as NodeJS.WritableStream, { signal }).then(
    () => undefined,
    (error: unknown) => error,
  );
  try {
    for await (const entry of tar) {
      await visit(entry.header, entry as unknown as AsyncIterable<Uint8Array>);
      entry.resume();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw asArchiveError(error);
  } finally {
    tar.destroy();
    await feeding;
  }
  signal.throwIfAborted();
  const failed = await feeding;
  if (failed !== undefined) throw asArchiveError(failed);
}

async function tarStream(path: string): Promise<Readable> {
  const head = await headOf(path);
  const file = createReadStream(path, { highWaterMark: 1_048_576 });
  switch (head) {
    case "gzip":
      return through(file, createGunzip());
    case "zstd":
      return through(file, createZstdDecompress());
    case "xz":
      file.destroy();
      throw new NotAnArchive("it is compressed with xz; unpack it first: xz -d");
    case "plain":
      return file;
  }
}

export type Compression = "plain" | "gzip" | "zstd" | "xz";

/** Bytes that `compressionOf` needs to see. */
export const compressionHead = 6;

/** By the first bytes: RFC 1952 2.3.1, RFC 8878 3.1.1, the .xz format 2.1.1.1. */
export function compressionOf(head: Uint8Array): Compression {
  const starts = (...bytes: readonly number[]): boolean => bytes.every((byte, index) => head[index] === byte);
  if (starts(0x1f, 0x8b)) return "gzip";
  if (starts(0x28, 0xb5, 0x2f, 0xfd)) return "zstd";
  if (starts(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return "xz";
  return "plain";
}

async function headOf(path: string): Promise<Compression> {
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(new Uint8Array(compressionHead), 0, compressionHead, 0);
    return compressionOf(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}

/** A stream that fails when either of the two does. */
function through(source: Readable, change: NodeJS.ReadWriteStream): Readable {
  const out = new PassThrough();
  pipeline(source, change, out).catch((error: Error) => out.destroy(error));
  return out;
}

function asArchiveError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof NotAnArchive) return error;
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const words = /tar header|invalid header|header exceeds|end of data|unexpected end|premature close/i;
  const isBroken = /^Z_|^ERR_.*ZSTD|^ZSTD/.test(code) || words.test(error.message);
  return isBroken ? new NotAnArchive(`it is damaged or cut off (${error.message})`) : error;
}
