/** A package that was found, as a lock names it: by package URL, with what it states of itself. */

import { byCodeUnit, canonicalJson, type Json } from "../../core/json.ts";
import { purlText } from "../../core/purl.ts";
import type { LockedPackage } from "../../spec/lock.ts";
import type { FoundPackage } from "./package.ts";

/**
 * Bytes of all packages of a container or a VM image together: a lock is read as one document of at most a MiB, and names
 * up to three containers and an image.
 */
const packagesLength = 240_000;

/** The lock's schema takes no longer one; the longest of Debian's has 150 characters. */
const purlLength = 500;

export function lockedPackage(found: FoundPackage, system: { readonly id: string; readonly version?: string } | undefined): LockedPackage {
  const licence = plain(found.licence);
  const supplier = plain(found.supplier)?.slice(0, 200).trim();
  const [, epoch, version = found.version] = found.type === "rpm" ? (/^(?:(\d+):)?(.*)$/.exec(found.version) ?? []) : [];
  const purl = purlText({
    type: found.type,
    namespace: system?.id ?? { apk: "alpine", deb: "debian", rpm: "unknown" }[found.type],
    name: found.name,
    version,
    qualifiers: {
      arch: found.architecture,
      distro: system === undefined ? "" : `${system.id}${system.version === undefined ? "" : `-${system.version}`}`,
      ...(epoch === undefined ? {} : { epoch }),
      ...(found.source === undefined ? {} : { upstream: found.source }),
    },
  });
  return { purl, ...(licence === undefined ? {} : { licence }), ...(supplier === undefined ? {} : { supplier }) };
}

/** In order, each once. */
export function oncePerPurl<T extends LockedPackage>(packages: readonly T[]): readonly T[] {
  return [...new Map(packages.map((each) => [each.purl, each])).values()].sort((a, b) => byCodeUnit(a.purl, b.purl));
}

/** Whether a lock has room for them; the list stands up to four levels deep in it. */
export function fitsInLock(packages: readonly LockedPackage[]): boolean {
  const text = canonicalJson(packages as unknown as Json);
  return Buffer.byteLength(text) + 8 * text.split("\n").length <= packagesLength && packages.every((each) => each.purl.length <= purlLength);
}

/** Text of strangers, fit for a document: one line; undefined where nothing is left, or more than a statement can be. */
function plain(text: string | undefined): string | undefined {
  const kept = text
    ?.replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff\ufffd-\uffff]|[\ud800-\udfff]/g, " ")
    .replace(/\s+/g, " ")
    .trim();
  return kept === undefined || kept === "" || kept.length > 1_000 || /@@CLOUDLET-SECRET:|-----BEGIN/.test(kept) ? undefined : kept;
}
