/** What was made of which blob: small files beside the blobs, so that nobody converts a disk twice. Any of them may be lost. */

import { join } from "node:path";
import { isDigest, hexOf, type Digest } from "../core/digest.ts";
import { byCodeUnit, canonicalJson, type Json } from "../core/json.ts";
import type { LockedDisk } from "../spec/lock.ts";
import { aside } from "./aside.ts";
import type { Places } from "./places.ts";
import { ignoring, syncFolder, writeSynced, type StoreDisk } from "./store-disk.ts";

/** What was made by a converter of a source. Undefined where nothing was, or what was noted is not whole. */
export async function readConversion(files: StoreDisk, places: Places, source: Digest, converter: string): Promise<LockedDisk | undefined> {
  const text = await files.readFile(pathOf(places, source, converter), "utf8").catch((error: NodeJS.ErrnoException) => {
    ignoring("ENOENT")(error);
    return "";
  });
  return diskIn(text);
}

export async function writeConversion(files: StoreDisk, places: Places, source: Digest, converter: string, disk: LockedDisk): Promise<void> {
  await aside(files, places, async (folder) => {
    const note = join(folder, "conversion.json");
    await writeSynced(files, note, canonicalJson({ source, converter, disk: disk as unknown as Json }));
    await files.rename(note, pathOf(places, source, converter));
    await syncFolder(files, places.converted);
  });
}

/** Paths of notes that lead to no blob any more. */
export async function idleConversions(files: StoreDisk, places: Places): Promise<readonly string[]> {
  const found = [];
  for (const name of (await files.readdir(places.converted)).sort(byCodeUnit)) {
    const path = join(places.converted, name);
    const disk = diskIn(await files.readFile(path, "utf8").catch(() => ""));
    if (disk === undefined || (await files.stat(places.blob(disk.digest)).catch(() => undefined)) === undefined) found.push(path);
  }
  return found;
}

function pathOf(places: Places, source: Digest, converter: string): string {
  return join(places.converted, `${hexOf(source)}.${converter.replace(/[^0-9A-Za-z.-]+/g, "-")}.json`);
}

function diskIn(text: string): LockedDisk | undefined {
  try {
    const { disk } = JSON.parse(text) as { readonly disk?: Partial<LockedDisk> };
    const numbers = [disk?.size, disk?.capacity, disk?.populated];
    const isWhole = isDigest(String(disk?.digest)) && [disk?.sha512, disk?.sha1].every((each) => typeof each === "string") && numbers.every(Number.isSafeInteger);
    return isWhole ? (disk as LockedDisk) : undefined;
  } catch {
    return undefined;
  }
}
