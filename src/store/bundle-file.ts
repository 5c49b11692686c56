/** A bundle on disk, as its tar or as the folder it was unpacked into, for those who read it in places. */

import { lstat, open, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { BundleSource, FolderEntry, Place } from "../seal/bundle-source.ts";
import { hashStretches } from "./hash-workers.ts";

/** Opens the tar or the folder at `path`; `hashed` hears how many bytes have been hashed. */
export async function openBundle(path: string, hashed: (bytes: number) => void = () => undefined): Promise<BundleSource> {
  const found = await stat(path);
  const fileOf = (place: Place): string => (place.file === "" ? path : join(path, place.file));
  const reader = {
    read: (place: Place) => readPlace(fileOf(place), place),
    hash: (places: readonly Place[]) => hashStretches(places.map((place) => ({ path: fileOf(place), start: place.start, end: place.end })), hashed),
  };
  return found.isDirectory()
    ? { kind: "folder", entries: await entriesOf(path), ...reader }
    : { kind: "archive", size: found.size, ...reader };
}

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

async function entriesOf(folder: string): Promise<readonly FolderEntry[]> {
  const names = await readdir(folder, { recursive: true });
  return Promise.all(
    names.map(async (path): Promise<FolderEntry> => {
      const found = await lstat(join(folder, path));
      const type = found.isFile() ? "file" : found.isDirectory() ? "folder" : "other";
      return { path, type, mode: found.mode & 0o7777, size: found.size };
    }),
  );
}
