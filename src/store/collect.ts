/** Takes out of a store what nobody needs any more, while others may be using it. */

import { join } from "node:path";
import type { Digest } from "../core/digest.ts";
import { isDigest } from "../core/digest.ts";
import type { StoredBlob } from "./blob-store.ts";
import { idleConversions } from "./conversions.ts";
import { leasedSince } from "./leases.ts";
import { lifeOf } from "./owners.ts";
import { idlePieces } from "./piece-notes.ts";
import { blobFiles, notePath, type Places } from "./places.ts";
import type { StoreDisk } from "./store-disk.ts";

export interface Collected {
  readonly removed: readonly StoredBlob[];
  /** How many downloads, pieces and notes were removed that nobody was at, or that lead nowhere. */
  readonly leftovers: number;
}

/** `before` is in milliseconds. */
export async function collect(
  files: StoreDisk,
  places: Places,
  keep: ReadonlySet<Digest>,
  before: number,
): Promise<Collected> {
  const since = await leasedSince(files, places.leases, before);
  const isIdle = async (path: string): Promise<boolean> => {
    const used = (await files.stat(path).catch(() => undefined))?.mtimeMs ?? Infinity;
    return used <= before && used < since;
  };
  const removed: StoredBlob[] = [];
  let leftovers = 0;
  for (const { path, digest, hasBlob } of await blobFiles(files, places)) {
    if (!isDigest(digest) || keep.has(digest)) continue;
    if (!(await isIdle(hasBlob ? path : notePath(path)))) continue;
    const { size } = hasBlob ? await files.stat(path) : { size: 0 };
    const sha512 = await files.readFile(notePath(path), "utf8").catch(() => undefined);
    // The blob first: a note without one is a leftover that the next put replaces.
    await files.rm(path, { force: true });
    await files.rm(notePath(path), { force: true });
    if (hasBlob && sha512 !== undefined) removed.push({ digest, sha512, size });
    else leftovers += 1;
  }
  // The notes last: some of their blobs have just gone.
  for (const path of [...(await asideOf(files, places, before)), ...(await partialsOf(files, places, before)), ...(await idleConversions(files, places)), ...(await idlePieces(files, places))]) {
    await files.rm(path, { recursive: true, force: true });
    leftovers += 1;
  }
  return { removed, leftovers };
}

/** What a dead process was writing is of no use to anybody. */
async function asideOf(files: StoreDisk, places: Places, before: number): Promise<readonly string[]> {
  const found = [];
  for (const name of await files.readdir(places.aside)) {
    const life = lifeOf(name);
    const path = join(places.aside, name);
    if (life === "dead" || (life === "unknown" && (await newest(files, path)) <= before)) found.push(path);
  }
  return found;
}

/** A download that somebody could go on with stays until it is old. */
async function partialsOf(files: StoreDisk, places: Places, before: number): Promise<readonly string[]> {
  const found = [];
  for (const name of await files.readdir(places.partial)) {
    const path = join(places.partial, name);
    if (lifeOf(name) !== "alive" && (await newest(files, path)) <= before) found.push(path);
  }
  return found;
}

/** When a folder or a file in it was last written to. Milliseconds. */
async function newest(files: StoreDisk, folder: string): Promise<number> {
  let last = (await files.stat(folder).catch(() => undefined))?.mtimeMs ?? -Infinity;
  for (const name of await files.readdir(folder).catch(() => [])) {
    last = Math.max(last, (await files.stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? -Infinity);
  }
  return last;
}
