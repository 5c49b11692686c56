/** The bytes of a file, a folder or a link of ext: by extents, by block maps as ext2 and ext3 have them, or in the inode itself. */

import { UnusableDisk } from "../disks/unusable-disk.ts";
import type { Ext, Inode } from "./ext.ts";

const encrypted = 0x800;
const byExtents = 0x8_0000;
const inline = 0x1000_0000;

/** The kernel takes no deeper tree of extents (EXT4_MAX_EXTENT_DEPTH). */
const deepest = 5;
/** An extent of more blocks is one of so many fewer, and has not been written yet: it reads as zeros. */
const mostWritten = 32_768;

/** Read at a time, so that a large file is not in memory twice. Bytes. */
const windowBytes = 262_144;

/** Blocks of a file that follow one another on the disk too; what is in none is zeros. */
interface Run {
  readonly logical: number;
  readonly physical: number;
  readonly count: number;
}

/** All of it: whoever asks has looked at the size. Throws UnusableDisk. */
export function contentOf(ext: Ext, inode: Inode): Buffer {
  const short = contentOfInode(inode);
  if (short !== undefined) return short;
  const bytes = Buffer.alloc(inode.size);
  for (const run of runsOf(ext, inode)) copyRun(ext, run, bytes, 0);
  return bytes;
}

/**
 * Reads what is asked for, and more where that follows on what was read before, of which the last stretch is kept. Throws
 * UnusableDisk, at once or while it is read.
 */
export function contentReader(ext: Ext, inode: Inode): { readonly size: number; readonly read: (at: number, length: number) => Buffer } {
  const { size } = inode;
  const short = contentOfInode(inode);
  if (short !== undefined) return { size, read: (at, length) => short.subarray(at, at + length) };
  const runs = [...runsOf(ext, inode)];
  let start = 0;
  let window: Buffer = Buffer.alloc(0);
  return {
    size,
    read(at, length) {
      const end = Math.min(size, at + length);
      if (at >= end) return Buffer.alloc(0);
      if (at < start || end > start + window.byteLength) {
        const isNext = at === start + window.byteLength;
        start = Math.floor(at / ext.blockSize) * ext.blockSize;
        window = Buffer.alloc(Math.min(size - start, Math.max(end - start, isNext ? windowBytes : 0)));
        for (let index = firstRun(runs, start / ext.blockSize); index < runs.length; index += 1) {
          const run = runs[index];
          if (run === undefined || run.logical * ext.blockSize >= start + window.byteLength) break;
          copyRun(ext, run, window, start);
        }
      }
      return window.subarray(at - start, end - start);
    },
  };
}

/** Of the runs, the first that ends after the block. */
function firstRun(runs: readonly Run[], block: number): number {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const run = runs[middle];
    if (run !== undefined && run.logical + run.count <= block) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** What of the run lies in the stretch of the file that `bytes` is, which begins with a block at `start`. */
function copyRun(ext: Ext, { logical, physical, count }: Run, bytes: Buffer, start: number): void {
  const first = start / ext.blockSize;
  const end = Math.min(logical + count, first + Math.ceil(bytes.byteLength / ext.blockSize));
  const step = Math.max(1, Math.floor(windowBytes / ext.blockSize));
  for (let block = Math.max(logical, first); block < end; block += step) {
    ext.blocks(physical + block - logical, Math.min(step, end - block)).copy(bytes, (block - first) * ext.blockSize);
  }
}

/** Undefined where it is in blocks. */
function contentOfInode(inode: Inode): Buffer | undefined {
  const { flags, kind, size, block } = inode;
  if ((flags & encrypted) !== 0) throw new UnusableDisk("what is wanted of its ext file system is encrypted");
  if (isInline(inode)) return inlineContent(inode);
  // A short link has no block: it stands where their numbers would.
  return kind === "link" && size < block.byteLength && (flags & byExtents) === 0 ? block.subarray(0, size) : undefined;
}

function runsOf(ext: Ext, { size, flags, block }: Inode): Iterable<Run> {
  const blocks = Math.ceil(size / ext.blockSize);
  return merged((flags & byExtents) !== 0 ? extentRuns(ext, block, blocks) : mappedRuns(ext, block, blocks));
}

export function isInline({ flags }: Inode): boolean {
  return (flags & inline) !== 0;
}

/** Ascending: each node has something that the one before it had not, so there are no more of them than blocks. */
function* extentRuns(ext: Ext, root: Buffer, blocks: number): Generator<Run> {
  let next = 0;
  const visit = function* (node: Buffer, depth: number | undefined): Generator<Run> {
    const entries = node.readUInt16LE(2);
    const levels = node.readUInt16LE(6);
    const isSound = node.readUInt16LE(0) === 0xf30a && entries <= (node.byteLength - 12) / 12 && levels === (depth ?? levels) && levels <= deepest;
    if (!isSound || (entries === 0 && depth !== undefined)) throw new UnusableDisk("its ext file system has a tree of extents that makes no sense");
    for (let index = 0; index < entries && next < blocks; index += 1) {
      const at = 12 + 12 * index;
      const logical = node.readUInt32LE(at);
      if (logical < next) throw new UnusableDisk("its ext file system has extents that lie over one another");
      if (logical >= blocks) return;
      if (levels > 0) {
        const child = node.readUInt32LE(at + 4) + node.readUInt16LE(at + 8) * 2 ** 32;
        yield* visit(ext.blocks(child, 1), levels - 1);
        continue;
      }
      const length = node.readUInt16LE(at + 4);
      const count = length > mostWritten ? length - mostWritten : length;
      if (count === 0) throw new UnusableDisk("its ext file system has an extent of nothing");
      if (length <= mostWritten) yield { logical, physical: node.readUInt32LE(at + 8) + node.readUInt16LE(at + 6) * 2 ** 32, count };
      next = logical + count;
    }
  };
  yield* visit(root, undefined);
}

/** Twelve blocks, then three that hold the numbers of blocks: at once, over one more, over two more. */
function* mappedRuns(ext: Ext, root: Buffer, blocks: number): Generator<Run> {
  const perBlock = ext.blockSize / 4;
  let logical = 0;
  const visit = function* (physical: number, level: number): Generator<Run> {
    if (physical === 0 || level === 0) {
      if (physical !== 0) yield { logical, physical, count: 1 };
      logical += perBlock ** level;
      return;
    }
    const table = ext.blocks(physical, 1);
    for (let index = 0; index < perBlock && logical < blocks; index += 1) yield* visit(table.readUInt32LE(index * 4), level - 1);
  };
  for (let index = 0; index < 15 && logical < blocks; index += 1) yield* visit(root.readUInt32LE(index * 4), Math.max(0, index - 11));
}

/** Runs that go on where the one before ends are one: fewer, longer reads. */
function* merged(runs: Iterable<Run>): Generator<Run> {
  let last: Run | undefined;
  for (const run of runs) {
    if (last !== undefined && last.logical + last.count === run.logical && last.physical + last.count === run.physical) {
      last = { ...last, count: last.count + run.count };
      continue;
    }
    if (last !== undefined) yield last;
    last = run;
  }
  if (last !== undefined) yield last;
}

/** The 60 bytes, and what has no room there as the extended attribute `system.data` behind the inode's fields. */
function inlineContent({ size, block, bytes }: Inode): Buffer {
  const all = size <= block.byteLength ? block : Buffer.concat([block, systemData(bytes)]);
  if (size > all.byteLength) throw new UnusableDisk("its ext file system has an inode that holds less than it says");
  return all.subarray(0, size);
}

/** Attribute names of the name space `system` have this number before them. */
const systemIndex = 7;

function systemData(inode: Buffer): Buffer {
  const head = inode.byteLength < 132 ? inode.byteLength : 128 + inode.readUInt16LE(128);
  if (head + 4 > inode.byteLength || inode.readUInt32LE(head) !== 0xea02_0000) return Buffer.alloc(0);
  const first = head + 4;
  for (let at = first; at + 16 <= inode.byteLength && inode.readUInt32LE(at) !== 0; ) {
    const nameLength = inode.readUInt8(at);
    const name = inode.toString("latin1", at + 16, at + 16 + nameLength);
    if (inode.readUInt8(at + 1) === systemIndex && name === "data") {
      const value = first + inode.readUInt16LE(at + 2);
      return inode.subarray(value, value + inode.readUInt32LE(at + 8));
    }
    at += 16 + Math.ceil(nameLength / 4) * 4;
  }
  return Buffer.alloc(0);
}
