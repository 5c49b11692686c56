/** A bundle on disk, as its tar or as the folder it was unpacked into, for those who read it in places. */

import { lstat, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../core/digest.ts";
import type { BlobReader } from "../pack/stream.ts";
import { pathProblem } from "../pack/layout.ts";
import type { BundleSource, FolderEntry, Place } from "../seal/bundle-source.ts";
import { hashStretches } from "./hash-workers.ts";
import type { HashWatch } from "./hash-workers.ts";

/** Opens the tar or the folder at `path`. `watch` is for the hashing. */
export async function openBundle(path: string, watch: HashWatch = {}): Promise<BundleSource> {
  const found = await stat(path);
  const fileOf = (place: Place): string => (place.file === "" ? path : join(path, place.file));
  const reader = {
    read: (place: Place) => readPlace(fileOf(place), place),
    hash: (places: readonly Place[]) => hashStretches(places.map((place) => ({ path: fileOf(place), start: place.start, end: place.end })), watch),
  };
  return found.isDirectory()
    ? { kind: "folder", entries: await entriesOf(path), ...reader }
    : { kind: "archive", size: found.size, ...reader };
}

/** The files at these places by their digests, for those who have verified the bundle at `path`. */
export function placeReader(path: string, places: ReadonlyMap<Digest, Place | undefined>): BlobReader {
  return {
    async *read(digest, start, end) {
      const place = places.get(digest);
      if (place === undefined) throw new Error(`no place of ${digest}`);
      const file = await open(place.file === "" ? path : join(path, place.file), "r");
      try {
        for (let at = place.start + start; at < place.start + end; ) {
          const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(chunkBytes), 0, Math.min(chunkBytes, place.start + end - at), at);
          if (bytesRead === 0) return;
          at += bytesRead;
          yield buffer.subarray(0, bytesRead);
        }
      } finally {
        await file.close();
      }
    },
  };
}

/** Of one read: large enough that the calls don't count. */
const chunkBytes = 1_048_576;

async function readPlace(path: string, { start, end }: Place): Promise<Uint8Array> {
  const file = await open(path, "r");
  try {
    const bytes = new Uint8Array(end - start);
    let at = 0;
    while (at < bytes.byteLength) {
      const { bytesRead } = await file.read(bytes, at, bytes.byteLength - at, start + at);
      if (bytesRead === 0) break;
      at += bytesRead;
    }
    return bytes.subarray(0, at);
  } finally {
    await file.close();
  }
}

/**
 * Everything below the folder, links not followed: `readdir`'s own recursion would follow them. What has a name that no
 * bundle may hold is told and not looked into; such a name may be any bytes, so names are read as bytes.
 */
async function entriesOf(folder: string, below = ""): Promise<readonly FolderEntry[]> {
  const entries: FolderEntry[] = [];
  for (const found of await readdir(join(folder, below), { withFileTypes: true, encoding: "buffer" })) {
    const path = `${below}${below === "" ? "" : "/"}${found.name.toString("latin1")}`;
    if (pathProblem(path) !== undefined) {
      entries.push({ path, type: "other", mode: 0, size: 0 });
      continue;
    }
    const what = await statOf(join(folder, path));
    entries.push({ path, ...what });
    if (what.type === "folder") entries.push(...(await entriesOf(folder, path)));
  }
  return entries;
}

async function statOf(path: string): Promise<Omit<FolderEntry, "path">> {
  const found = await lstat(path);
  const type = found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
  return { type, mode: found.mode & 0o7777, size: found.size };
}
