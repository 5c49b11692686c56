/** Paths of an ext file system: folders read from end to end, whether they are indexed or not, and links followed. */

import { UnusableDisk } from "../disks/unusable-disk.ts";
import { contentOf, isInline } from "./ext-content.ts";
import type { Ext, Inode } from "./ext.ts";

/** The inode of the folder `/`. */
const rootNumber = 2;
/** Folders of whole distributions have some 100 KiB. Bytes. */
const folderLimit = 1024 * 1024;
/** POSIX PATH_MAX. Bytes. */
const targetLimit = 4_096;
/** The kernel follows no more links on one path (MAXSYMLINKS). */
const mostLinks = 40;
/** Names of one path, with those of its links, that are gone through at most. */
const mostSteps = 500;

/** What lies at the path, links followed within the file system; undefined where nothing does, or links lead on and on. Throws UnusableDisk. */
export function inodeAt(ext: Ext, path: string): Inode | undefined {
  const root = ext.inode(rootNumber);
  let trail: Inode[] = [root];
  const names = path.split("/").reverse();
  let links = 0;
  for (let steps = 0; names.length > 0; steps += 1) {
    if (steps > mostSteps) return undefined;
    const name = names.pop() ?? "";
    const here = trail.at(-1) ?? root;
    if (here.kind !== "folder") return undefined;
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (trail.length > 1) trail.pop();
      continue;
    }
    const number = numberIn(ext, here, name);
    if (number === undefined) return undefined;
    const inode = ext.inode(number);
    if (inode.kind !== "link") {
      trail.push(inode);
      continue;
    }
    links += 1;
    if (links > mostLinks || inode.size > targetLimit) return undefined;
    const target = contentOf(ext, inode).toString("utf8");
    if (target.startsWith("/")) trail = [root];
    names.push(...target.split("/").reverse());
  }
  return trail.at(-1);
}

export interface Entry {
  readonly number: number;
  readonly name: string;
}

/** What is in a folder, in the order in which it lies there. Throws UnusableDisk, also where there is more than that. */
export function entriesIn(ext: Ext, folder: Inode, most: number): readonly Entry[] {
  const entries: Entry[] = [];
  for (const entry of entriesOf(ext, folder, undefined)) {
    if (entries.push(entry) > most) throw new UnusableDisk(`its ext file system has a folder with more than ${most} names`);
  }
  return entries;
}

function numberIn(ext: Ext, folder: Inode, name: string): number | undefined {
  for (const { number } of entriesOf(ext, folder, Buffer.from(name, "utf8"))) return number;
  return undefined;
}

/** What the index of a folder is made of looks like entries of nothing, so that it can be passed over. */
function* entriesOf(ext: Ext, folder: Inode, wanted: Buffer | undefined): Generator<Entry> {
  if (folder.size > folderLimit) throw new UnusableDisk(`its ext file system has a folder of ${folder.size} bytes`);
  const bytes = contentOf(ext, folder);
  if (isInline(folder)) {
    // First the number of the folder above; then what is in the inode's 60 bytes, and what is behind them.
    yield* entriesOfStretch(bytes.subarray(4, 60), ext.blockSize, wanted);
    yield* entriesOfStretch(bytes.subarray(60), ext.blockSize, wanted);
    return;
  }
  if (bytes.byteLength % ext.blockSize !== 0) throw new UnusableDisk("its ext file system has a folder that is cut off");
  for (let at = 0; at < bytes.byteLength; at += ext.blockSize) yield* entriesOfStretch(bytes.subarray(at, at + ext.blockSize), ext.blockSize, wanted);
}

function* entriesOfStretch(bytes: Buffer, blockSize: number, wanted: Buffer | undefined): Generator<Entry> {
  for (let at = 0; at + 8 <= bytes.byteLength; ) {
    const number = bytes.readUInt32LE(at);
    const length = entryLength(bytes.readUInt16LE(at + 4), blockSize);
    const nameLength = bytes.readUInt8(at + 6);
    if (length < 8 + nameLength || length < 12 || length % 4 !== 0 || at + length > bytes.byteLength) throw new UnusableDisk("its ext file system has a folder whose entries make no sense");
    const end = at + 8 + nameLength;
    const isWanted = wanted === undefined || (wanted.byteLength === nameLength && wanted.equals(bytes.subarray(at + 8, end)));
    if (number !== 0 && nameLength > 0 && isWanted) yield { number, name: bytes.toString("utf8", at + 8, end) };
    at += length;
  }
}

/** 16 bits, which are too few for a block of 64 KiB. */
function entryLength(written: number, blockSize: number): number {
  return blockSize === 65_536 && (written === 0 || written === 65_535) ? 65_536 : written;
}
