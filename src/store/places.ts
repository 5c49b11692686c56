/** Where things lie in a store's folder; docs/reference/store.md describes it. */

import { join } from "node:path";
import { hexOf, type Digest } from "../core/digest.ts";
import { byCodeUnit } from "../core/json.ts";
import type { StoreDisk } from "./store-disk.ts";

export interface Places {
  readonly blobs: string;
  readonly blob: (digest: Digest) => string;
  /** What is being written just now, in folders named after who writes. */
  readonly aside: string;
  readonly partial: string;
  /** Notes of what was made of which blob. */
  readonly converted: string;
  /** Notes of the digests of a blob's pieces. */
  readonly pieces: string;
  readonly leases: string;
}

export function placesIn(folder: string): Places {
  const blobs = join(folder, "blobs/sha256");
  return {
    blobs,
    blob: (digest) => join(blobs, hexOf(digest).slice(0, 2), hexOf(digest)),
    aside: join(folder, "tmp"),
    partial: join(folder, "partial"),
    converted: join(folder, "converted"),
    pieces: join(folder, "pieces"),
    leases: join(folder, "in-use"),
  };
}

const noteEnding = ".sha512";

/** Beside each blob: its SHA-512, in 128 hexadecimal digits. */
export function notePath(blob: string): string {
  return `${blob}${noteEnding}`;
}

/** Every blob and what lies beside it, in order. A path without `hasBlob` is a note that was left alone. */
export async function blobFiles(
  files: StoreDisk,
  places: Places,
): Promise<readonly { readonly path: string; readonly digest: string; readonly hasBlob: boolean }[]> {
  const found = [];
  for (const each of (await files.readdir(places.blobs)).sort(byCodeUnit)) {
    const folder = join(places.blobs, each);
    const names = new Set(await files.readdir(folder));
    const blobs = new Set([...names].map((name) => (name.endsWith(noteEnding) ? name.slice(0, -noteEnding.length) : name)));
    for (const name of [...blobs].sort(byCodeUnit)) {
      found.push({ path: join(folder, name), digest: `sha256:${name}`, hasBlob: names.has(name) });
    }
  }
  return found;
}
