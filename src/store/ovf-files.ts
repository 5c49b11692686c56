/** OVF packages on disk: an OVA, or a descriptor with its files beside it. */

import { open, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { OvfSource, Stretch } from "../ovf/package-source.ts";

export type OvfKind = "archive" | "folder";

export interface OvfWatch {
  /** Bytes read so far, of those of all files opened. */
  readonly read: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/**
 * By what is in the file: a tar (the magic of POSIX.1-2017 pax stands at byte 257) or XML. One named .ova or .ovf is meant to
 * be one, so that a damaged one is called by its name. Undefined for anything else.
 */
export async function ovfKind(path: string): Promise<OvfKind | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined || !found.isFile()) return undefined;
  const file = await open(path, "r");
  try {
    const { buffer } = await file.read(Buffer.alloc(512), 0, 512, 0);
    if (buffer.toString("latin1", 257, 262) === "ustar" || /\.ova$/i.test(path)) return "archive";
    if (/^(?:\u00ef\u00bb\u00bf)?\s*</.test(buffer.toString("latin1")) || /\.ovf$/i.test(path)) return "folder";
    return undefined;
  } finally {
    await file.close();
  }
}

export async function openOvf(path: string, kind: OvfKind, watch: OvfWatch): Promise<OvfSource> {
  const progress = { done: 0, total: 0 };
  const stretch = (file: string, size: number): Stretch => {
    progress.total += size;
    return { size, read: (start, end) => chunksOf(file, start, end, watch, progress) };
  };
  if (kind === "archive") return { kind, ...stretch(path, (await stat(path)).size) };
  return {
    kind,
    descriptor: basename(path),
    async file(name) {
      const beside = join(dirname(path), name);
      const found = await stat(beside).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== "ENOENT") throw error;
      });
      return found?.isFile() === true ? stretch(beside, found.size) : undefined;
    },
  };
}

/** Of one read: large enough that the calls don't count. */
const chunkBytes = 1_048_576;

async function* chunksOf(path: string, start: number, end: number, watch: OvfWatch, progress: { done: number; readonly total: number }): AsyncGenerator<Uint8Array> {
  const file = await open(path, "r");
  try {
    for (let at = start; at < end; ) {
      watch.signal.throwIfAborted();
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(Math.min(chunkBytes, end - at)), 0, Math.min(chunkBytes, end - at), at);
      if (bytesRead === 0) return;
      at += bytesRead;
      progress.done += bytesRead;
      watch.read(Math.min(progress.done, progress.total), progress.total);
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}
