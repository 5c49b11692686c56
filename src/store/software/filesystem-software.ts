/** What is installed in one file system of a VM image: the databases of dpkg, apk and rpm at their places, links followed. */

import { byCodeUnit } from "../../core/json.ts";
import type { LockedSoftware } from "../../spec/lock.ts";
import { UnusableDisk } from "../disks/unusable-disk.ts";
import type { Volume } from "../disks/volume.ts";
import { contentOf, contentReader } from "../filesystem/ext-content.ts";
import { entriesIn, inodeAt } from "../filesystem/ext-paths.ts";
import { openExt, type Ext, type Inode } from "../filesystem/ext.ts";
import { databases } from "./databases.ts";
import { osReleasePaths, systemOf } from "./os-release.ts";
import type { FoundPackage } from "./package.ts";

export interface FilesystemSoftware {
  readonly system: LockedSoftware["system"];
  readonly packages: readonly FoundPackage[];
}

/** One file for each package lies here in distroless systems. */
const statusFolder = "var/lib/dpkg/status.d";
const paths = [
  "var/lib/dpkg/status",
  "lib/apk/db/installed",
  "usr/lib/apk/db/installed",
  ...["var/lib", "usr/lib/sysimage", "usr/share"].flatMap((folder) => ["rpmdb.sqlite", "Packages", "Packages.db"].map((name) => `${folder}/rpm/${name}`)),
];

/** As many as a lock may name. */
const mostNames = 20_000;
/** What is wrong with more files than these is not told. */
const mostProblems = 4;
/** Of all that lie in one folder. Bytes. */
const statusFilesLimit = 24 * 1024 * 1024;
/** Bytes. */
const osReleaseLimit = 262_144;

/** A text says why nothing is known of it. Throws UnusableDisk where the file system is damaged, or has what is not known. */
export function filesystemSoftware(volume: Volume): FilesystemSoftware | string {
  const ext = openExt(volume);
  const packages: FoundPackage[] = [];
  const problems: string[] = [];
  const seen = new Set<number>();
  let room = statusFilesLimit;
  for (const { path, inode } of candidates(ext)) {
    // Two paths may lead to one file.
    if (inode.kind !== "file" || seen.has(inode.number)) continue;
    seen.add(inode.number);
    const database = databases.find((each) => each.path.test(path));
    const isOneOfMany = path.startsWith(`${statusFolder}/`);
    const most = isOneOfMany ? room : (database?.most ?? 0);
    if (isOneOfMany) room -= Math.min(room, inode.size);
    if (database?.read === undefined) problems.push(`/${path} is of a form that is not read`);
    else if (inode.size > most) problems.push(`/${path} has ${inode.size} bytes, more than are read`);
    else if (!take(packages, () => database.read?.(contentReader(ext, inode)) ?? [])) problems.push(`/${path} is not readable`);
  }
  if (packages.length > 0) return { system: systemIn(ext), packages };
  const more = problems.length > mostProblems ? ", …" : "";
  return problems.length > 0 ? `${problems.slice(0, mostProblems).join(", ")}${more}` : "ext, without a package database that names any";
}

interface Candidate {
  readonly path: string;
  readonly inode: Inode;
}

function* candidates(ext: Ext): Generator<Candidate> {
  for (const path of paths) {
    const inode = inodeAt(ext, path);
    if (inode !== undefined) yield { path, inode };
  }
  const folder = inodeAt(ext, statusFolder);
  if (folder?.kind !== "folder") return;
  const entries = entriesIn(ext, folder, mostNames).map(({ name, number }) => ({ path: `${statusFolder}/${name}`, number }));
  for (const { path, number } of entries.sort((a, b) => byCodeUnit(a.path, b.path))) {
    if (databases.some((each) => each.path.test(path))) yield { path, inode: ext.inode(number) };
  }
}

/** Whether they could be read. What is wrong with the file system around them is passed on. */
function take(packages: FoundPackage[], read: () => readonly FoundPackage[]): boolean {
  try {
    const more = read();
    if (packages.length + more.length > mostNames) return false;
    packages.push(...more);
    return true;
  } catch (error) {
    if (error instanceof UnusableDisk || (error as NodeJS.ErrnoException).syscall !== undefined) throw error;
    return false;
  }
}

function systemIn(ext: Ext): LockedSoftware["system"] {
  const inode = osReleasePaths.map((path) => inodeAt(ext, path)).find((each) => each?.kind === "file");
  return inode === undefined || inode.size > osReleaseLimit ? undefined : systemOf(contentOf(ext, inode));
}
