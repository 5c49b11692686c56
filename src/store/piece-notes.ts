/** The digests of a blob's pieces, noted once: no second lock has to read the gigabytes again. Any note may be lost. */

import { join } from "node:path";
import { hexOf, isDigest, type Digest } from "../core/digest.ts";
import { byCodeUnit, canonicalJson } from "../core/json.ts";
import type { LockedPieces } from "../spec/lock.ts";
import { aside } from "./aside.ts";
import type { Places } from "./places.ts";
import { ignoring, syncFolder, writeSynced, type StoreDisk } from "./store-disk.ts";

/** Pieces of `each` bytes of a blob of `size`. Undefined where nobody noted them, or the note is not whole. */
export async function readPieces(files: StoreDisk, places: Places, digest: Digest, size: number, each: number): Promise<LockedPieces | undefined> {
  const text = await files.readFile(pathOf(places, digest, each), "utf8").catch((error: NodeJS.ErrnoException) => {
    ignoring("ENOENT")(error);
    return "";
  });
  try {
    const sha256 = (JSON.parse(text) as { readonly sha256?: readonly unknown[] }).sha256 ?? [];
    const isWhole = sha256.length === Math.ceil(size / each) && sha256.every((digits) => /^[0-9a-f]{64}$/.test(String(digits)));
    return isWhole ? { size: each, sha256: sha256 as readonly string[] } : undefined;
  } catch {
    return undefined;
  }
}

export async function writePieces(files: StoreDisk, places: Places, digest: Digest, { size, sha256 }: LockedPieces): Promise<void> {
  await aside(files, places, async (folder) => {
    const note = join(folder, "pieces.json");
    await writeSynced(files, note, canonicalJson({ sha256 }));
    await files.rename(note, pathOf(places, digest, size));
    await syncFolder(files, places.pieces);
  });
}

/** Paths of notes whose blob is gone. */
export async function idlePieces(files: StoreDisk, places: Places): Promise<readonly string[]> {
  const found = [];
  for (const name of (await files.readdir(places.pieces)).sort(byCodeUnit)) {
    const digest = `sha256:${name.split(".")[0] ?? ""}`;
    const blob = isDigest(digest) ? await files.stat(places.blob(digest)).catch(() => undefined) : undefined;
    if (blob === undefined) found.push(join(places.pieces, name));
  }
  return found;
}

function pathOf(places: Places, digest: Digest, each: number): string {
  return join(places.pieces, `${hexOf(digest)}.${each}.json`);
}
