/** A bundle on disk, as its tar or as the folder it was unpacked into, for those who read it in places. */

import { lstat, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../core/digest.ts";
import type { BlobReader } from "../pack/stream.ts";
import { pathProblem } from "../pack/layout.ts";
import type { FolderEntry, FolderSource, Place, Reader } from "../seal/bundle-source.ts";
import { openArchive, readPlace, type ArchiveOnDisk } from "./archive-file.ts";
import { hashStretches } from "./hash-workers.ts";
import type { HashWatch } from "./hash-workers.ts";
import { holdsParts, openParts } from "./part-files.ts";

/** Opens the tar, the folder, or the folder with all parts at `path`. `watch` is for the hashing. */
export async function openBundle(path: string, watch: HashWatch = {}): Promise<FolderSource | ArchiveOnDisk> {
  if (!(await stat(path)).isDirectory()) return openArchive(path, watch);
  if (await holdsParts(path)) return openParts(path, watch);
  const fileOf = (place: Place): string => join(path, place.file);
  return {
    kind: "folder",
    entries: await entriesOf(path),
    read: (place) => readPlace(fileOf(place), place),
    hash: (places) => hashStretches(places.map((place) => ({ from: [[{ path: fileOf(place), start: place.start, end: place.end }]] })), watch),
  };
}

/** The files at these places by their digests, for those who have verified the bundle. */
export function placeReader({ read }: Pick<Reader, "read">, places: ReadonlyMap<Digest, Place | undefined>): BlobReader {
  return {
    async *read(digest, start, end) {
      const place = places.get(digest);
      if (place === undefined) throw new Error(`no place of ${digest}`);
      for (let at = place.start + start; at < place.start + end; ) {
        const bytes = await read({ ...place, start: at, end: Math.min(at + chunkBytes, place.start + end) });
        if (bytes.byteLength === 0) return;
        at += bytes.byteLength;
        yield bytes;
      }
    },
  };
}

/** Of one read: large enough that the calls don't count. */
const chunkBytes = 1_048_576;

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
