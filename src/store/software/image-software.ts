/** What is installed in a VM image, read out of its own file system: nothing is mounted, and only what is read is unpacked. */

import type { Lock } from "../../spec/lock.ts";
import { diskImageHead, diskImageOf } from "../disk-image.ts";
import { diskLookupOf, type ImageFile } from "../disks/disk-map.ts";
import { DiskReader } from "../disks/disk-reader.ts";
import { UnusableDisk } from "../disks/unusable-disk.ts";
import { part, type Volume } from "../disks/volume.ts";
import { filesystemKind } from "../filesystem/filesystem-kind.ts";
import { partitionsOf } from "../filesystem/partitions.ts";
import { filesystemSoftware, type FilesystemSoftware } from "./filesystem-software.ts";
import { fitsInLock, lockedPackage, oncePerPurl } from "./locked-package.ts";

/** `unknown`: why it is, as it goes on from "the packages of the VM image are unknown: ". The image is good all the same. */
export type ImageSoftware =
  | { readonly kind: "read"; readonly software: NonNullable<Lock["vmImage"]["software"]> }
  | { readonly kind: "unknown"; readonly why: string };

/** More of all its systems together have no room in a lock. */
const mostPackages = 20_000;

/** More places than these are not told of. */
const mostTold = 4;

/** The image's head has been judged and found usable. Throws only what the machine has to answer for. */
export function imageSoftware(file: ImageFile): ImageSoftware {
  try {
    return softwareOfDisk(file);
  } catch (error) {
    return unknown(reasonOf(error));
  }
}

function softwareOfDisk(file: ImageFile): ImageSoftware {
  const image = diskImageOf(file.read(0, diskImageHead), file.size);
  if (image.format === "other") return unknown(`it is ${image.what}`);
  const disk = new DiskReader(file, diskLookupOf(file, image));
  const partitions = partitionsOf(disk);
  if (partitions?.length === 0) return unknown("its partition table names nothing that lies within it");
  const places: readonly Place[] = partitions === undefined ? [{ name: "", volume: disk }] : partitions.map(({ number, start, size }) => ({ name: `partition ${number}: `, volume: part(disk, start, size) }));
  const read: FilesystemSoftware[] = [];
  const reasons: string[] = [];
  for (const { name, volume } of places) {
    if (packagesIn(read) > mostPackages) break;
    try {
      const found = softwareOfVolume(volume);
      if (typeof found === "string") reasons.push(`${name}${found}`);
      else read.push(found);
    } catch (error) {
      reasons.push(`${name}${reasonOf(error)}`);
    }
  }
  return read.length > 0 ? described(read) : unknown(`${reasons.slice(0, mostTold).join("; ")}${reasons.length > mostTold ? "; …" : ""}`);
}

interface Place {
  readonly name: string;
  readonly volume: Volume;
}

/** A text says why it is not known. */
function softwareOfVolume(volume: Volume): FilesystemSoftware | string {
  const kind = filesystemKind(volume);
  if (kind === undefined) return "no file system that is known";
  if (kind !== "ext") return `${kind}, of which no files are read (ext2, ext3 and ext4 are)`;
  return filesystemSoftware(volume);
}

/** Of several systems all: each is in the image. The first that says which it is gives the image its name. */
function described(read: readonly FilesystemSoftware[]): ImageSoftware {
  const count = packagesIn(read);
  if (count > mostPackages) return unknown(`its databases name ${count} packages, more than a lock has room for`);
  const packages = oncePerPurl(read.flatMap(({ packages: found, system }) => found.map((each) => lockedPackage(each, system))));
  // The longest of what is told of a package, and the least of what is asked for.
  const fitting = [packages, packages.map(({ supplier: _, ...each }) => each)].find(fitsInLock);
  if (fitting === undefined) return unknown(`its databases name ${packages.length} packages, more than a lock has room for`);
  const system = read.find((each) => each.system !== undefined)?.system;
  return { kind: "read", software: { from: "image", ...(system === undefined ? {} : { system }), packages: fitting } };
}

function packagesIn(read: readonly FilesystemSoftware[]): number {
  return read.reduce((sum, each) => sum + each.packages.length, 0);
}

function unknown(why: string): ImageSoftware {
  return { kind: "unknown", why };
}

/** A failure of the machine is passed on. What else may come of tables that make no sense is theirs, too. */
function reasonOf(error: unknown): string {
  if ((error as NodeJS.ErrnoException).syscall !== undefined) throw error;
  return error instanceof UnusableDisk ? error.message : `its tables make no sense (${error instanceof Error ? error.message : String(error)})`;
}
