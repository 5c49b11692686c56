/** RPM's package database: the headers in rpmdb.sqlite (RPM 4.16 and later). */

import type { DatabaseFile } from "./database-file.ts";
import { atMost, type FoundPackage } from "./package.ts";
import { tableRows } from "./sqlite-table.ts";

/** Tags of an RPM header: rpm's include/rpm/rpmtag.h. */
const tags = { name: 1000, version: 1001, release: 1002, epoch: 1003, vendor: 1011, licence: 1014, architecture: 1022, sourceRpm: 1044 } as const;

/** What a package states of itself is shorter; what is longer is cut. Bytes. */
const textBytes = 4_096;

/** The packages that are installed; the keys that RPM keeps as `gpg-pubkey` are none. Throws where the file is not readable. */
export function rpmPackages(database: DatabaseFile): readonly FoundPackage[] {
  return atMost(packages(database));
}

function* packages(database: DatabaseFile): Generator<FoundPackage> {
  const rows = tableRows(database, "Packages");
  if (rows === undefined) throw new Error("there is no table of packages");
  for (const [, blob] of rows) {
    if (!(blob instanceof Uint8Array)) throw new Error("a package without a header");
    const header = headerOf(blob);
    const name = header.get(tags.name);
    const version = header.get(tags.version);
    if (!name || !version || name === "gpg-pubkey") continue;
    const epoch = header.get(tags.epoch);
    const source = /^(.+)-[^-]+-[^-]+\.(no)?src\.rpm$/.exec(header.get(tags.sourceRpm) ?? "")?.[1];
    const licence = header.get(tags.licence);
    const supplier = header.get(tags.vendor);
    yield {
      type: "rpm",
      name,
      version: `${epoch === undefined || epoch === "0" ? "" : `${epoch}:`}${version}-${header.get(tags.release) ?? ""}`,
      architecture: header.get(tags.architecture) ?? "",
      ...(source === undefined || source === name ? {} : { source }),
      ...(licence === undefined ? {} : { licence }),
      ...(supplier === undefined || supplier === "(none)" ? {} : { supplier }),
    };
  }
}

/**
 * RPM V4 package format, "Header Structure", without the lead-in: number of index entries, bytes of the store, the entries
 * (tag, type, offset, count), the store. Texts and 32-bit integers, the first of each.
 */
function headerOf(blob: Uint8Array): ReadonlyMap<number, string> {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const entries = view.getUint32(0);
  const store = 8 + 16 * entries;
  const wanted = new Set<number>(Object.values(tags));
  const found = new Map<number, string>();
  for (let index = 0; index < entries; index += 1) {
    const entry = 8 + 16 * index;
    const tag = view.getUint32(entry);
    const type = view.getUint32(entry + 4);
    const at = store + view.getUint32(entry + 8);
    // Each once: a header may say the same of itself a million times.
    if (!wanted.has(tag) || found.has(tag)) continue;
    if (type === 4) found.set(tag, String(view.getUint32(at)));
    if (type === 6 || type === 8 || type === 9) found.set(tag, textAt(blob, at));
  }
  return found;
}

function textAt(blob: Uint8Array, at: number): string {
  const end = blob.indexOf(0, at);
  return new TextDecoder().decode(blob.subarray(at, Math.min(end < 0 ? blob.byteLength : end, at + textBytes)));
}
