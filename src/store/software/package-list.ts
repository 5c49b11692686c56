/** The list of packages that came with a VM image: lines of name and version, or a database of dpkg or apk. */

import { open } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { sha256 } from "../../core/digest.ts";
import type { Issue, Outcome } from "../../core/issue.ts";
import type { Lock } from "../../spec/lock.ts";
import type { Release } from "../../spec/release.ts";
import { apkPackages } from "./apk.ts";
import { inMemory } from "./database-file.ts";
import { dpkgPackages } from "./dpkg.ts";
import { fitsInLock, lockedPackage, oncePerPurl } from "./locked-package.ts";
import type { FoundPackage } from "./package.ts";

type Wanted = NonNullable<Release["vmImage"]["packageList"]>;

/** A list of a whole distribution has some 100 KiB, a database some 2 MiB. Bytes. */
const listLimit = 16 * 1024 * 1024;

/** Undefined where the release names no list. Issues: resolve/package-list. */
export async function readPackageList(wanted: Wanted | undefined, folder: string): Promise<Outcome<Lock["vmImage"]["software"]>> {
  if (wanted === undefined) return { ok: true, value: undefined, issues: [] };
  const path = isAbsolute(wanted.source) ? wanted.source : join(folder, wanted.source);
  const bytes = await bytesOf(path);
  if (bytes === undefined) return refused("source", `there is no file ${path} of at most ${listLimit} bytes`, "paths are relative to the release file");
  const digest = sha256(bytes);
  if (digest !== wanted.digest) return refused("digest", `${path} is ${digest}, the release says ${wanted.digest}`, "give the right list, or correct the digest");
  const packages = oncePerPurl(packagesIn(bytes, wanted.type).map((each) => lockedPackage(each, wanted.system)));
  if (packages.length === 0) return refused("source", `${path} names no package`, "give lines of name and version, or the database of dpkg or apk");
  if (!fitsInLock(packages)) return refused("source", `${path} names ${packages.length} packages, more than a lock has room for`, "leave the list out");
  return { ok: true, value: { system: wanted.system, packages }, issues: [] };
}

function refused(key: "source" | "digest", message: string, hint: string): { readonly ok: false; readonly issues: readonly Issue[] } {
  return { ok: false, issues: [{ code: "resolve/package-list", severity: "error", pointer: `/vmImage/packageList/${key}`, message, hint }] };
}

async function bytesOf(path: string): Promise<Uint8Array | undefined> {
  const file = await open(path, "r").catch(() => undefined);
  try {
    const about = await file?.stat();
    return about?.isFile() === true && about.size <= listLimit ? await file?.readFile() : undefined;
  } finally {
    await file?.close();
  }
}

function packagesIn(bytes: Uint8Array, type: Wanted["type"]): readonly FoundPackage[] {
  const text = new TextDecoder().decode(bytes);
  if (type === "deb" && /^Package: /m.test(text)) return dpkgPackages(inMemory(bytes));
  if (type === "apk" && /^P:/m.test(text)) return apkPackages(inMemory(bytes));
  return text.split("\n").flatMap((line): readonly FoundPackage[] => {
    const [, name, architecture = "", version] = /^([^\s:]+)(?::(\S+))?[ \t]+(\S+)$/.exec(line.trim()) ?? [];
    return name === undefined || version === undefined ? [] : [{ type, name, version, architecture }];
  });
}
