/** An ext2, ext3 or ext4 file system: its numbers, its blocks, its inodes. By the kernel's Documentation/filesystems/ext4. */

import { UnusableDisk } from "../disks/unusable-disk.ts";
import type { Volume } from "../disks/volume.ts";

/** Incompatible features: who does not know one of them can't read the file system. */
const incompatible = {
  fileType: 0x2,
  needsRecovery: 0x4,
  metaGroups: 0x10,
  extents: 0x40,
  is64Bit: 0x80,
  multiMountProtection: 0x100,
  flexGroups: 0x200,
  attributesInInodes: 0x400,
  checksumSeed: 0x2000,
  largeFolders: 0x4000,
  inlineData: 0x8000,
  encryption: 0x1_0000,
  caseFolding: 0x2_0000,
} as const;
const known = Object.values(incompatible).reduce((sum, bit) => sum | bit, 0);
/** A feature that may be read by who does not know it: copies of the superblock are in few groups only. */
const sparseSuper = 0x1;

/** Where the superblock is in the volume, and how long. Bytes. */
const superblockAt = 1_024;
const superblockBytes = 1_024;

export interface Inode {
  readonly number: number;
  readonly kind: "file" | "folder" | "link" | "other";
  /** Bytes. */
  readonly size: number;
  readonly flags: number;
  /** The 60 bytes that lead to its content, or are it. */
  readonly block: Buffer;
  /** All of it, with what is kept behind its fields. */
  readonly bytes: Buffer;
}

export interface Ext {
  /** Bytes. */
  readonly blockSize: number;
  /** Throws UnusableDisk where they are not the file system's. */
  blocks(first: number, count: number): Buffer;
  inode(number: number): Inode;
}

interface Numbers {
  readonly blockSize: number;
  readonly blockCount: number;
  readonly firstBlock: number;
  readonly blocksPerGroup: number;
  readonly inodeCount: number;
  readonly inodesPerGroup: number;
  readonly inodeSize: number;
  readonly descriptorSize: number;
  /** Blocks of descriptors that lie together behind the superblock; the others are in the groups that they describe. */
  readonly descriptorBlocks: number;
  readonly hasSparseSuper: boolean;
}

/** Throws UnusableDisk where it is none, or has what is not known. */
export function openExt(volume: Volume): Ext {
  const numbers = readSuperblock(volume);
  const { blockSize, blockCount, inodeCount, inodesPerGroup, inodeSize } = numbers;
  return {
    blockSize,
    blocks(first, count) {
      if (first < numbers.firstBlock || first + count > blockCount) throw new UnusableDisk(`its ext file system has no block ${first + count - 1}`);
      return volume.read(first * blockSize, count * blockSize);
    },
    inode(number) {
      if (number < 1 || number > inodeCount) throw new UnusableDisk(`its ext file system has no inode ${number}`);
      const table = inodeTable(volume, numbers, Math.floor((number - 1) / inodesPerGroup));
      return readInode(number, volume.read(table * blockSize + ((number - 1) % inodesPerGroup) * inodeSize, inodeSize));
    },
  };
}

function readSuperblock(volume: Volume): Numbers {
  const bytes = volume.read(superblockAt, superblockBytes);
  const features = bytes.readUInt32LE(0x60);
  if (bytes.readUInt16LE(0x38) !== 0xef53) throw new UnusableDisk("it has no superblock of ext");
  if ((features & ~known) !== 0) throw new UnusableDisk(`its ext file system has features that are not known (0x${((features & ~known) >>> 0).toString(16)})`);
  // What is in the journal alone is newer than what is read here.
  if ((features & incompatible.needsRecovery) !== 0) throw new UnusableDisk("its ext file system was not unmounted");
  const blockBits = 10 + bytes.readUInt32LE(0x18);
  if (blockBits > 16) throw new UnusableDisk(`its ext file system has blocks of 2^${blockBits} bytes`);
  const blockSize = 2 ** blockBits;
  const is64Bit = (features & incompatible.is64Bit) !== 0;
  const inodeSize = bytes.readUInt32LE(0x4c) === 0 ? 128 : bytes.readUInt16LE(0x58);
  const descriptorSize = is64Bit ? bytes.readUInt16LE(0xfe) : 32;
  const numbers: Numbers = {
    blockSize,
    blockCount: bytes.readUInt32LE(0x4) + (is64Bit ? bytes.readUInt32LE(0x150) * 2 ** 32 : 0),
    firstBlock: bytes.readUInt32LE(0x14),
    blocksPerGroup: bytes.readUInt32LE(0x20),
    inodeCount: bytes.readUInt32LE(0),
    inodesPerGroup: bytes.readUInt32LE(0x28),
    inodeSize,
    descriptorSize,
    descriptorBlocks: (features & incompatible.metaGroups) !== 0 ? bytes.readUInt32LE(0x104) : Infinity,
    hasSparseSuper: (bytes.readUInt32LE(0x64) & sparseSuper) !== 0,
  };
  if (!isPowerOfTwo(inodeSize) || inodeSize < 128 || inodeSize > blockSize) throw new UnusableDisk(`its ext file system has inodes of ${inodeSize} bytes`);
  if (!isPowerOfTwo(descriptorSize) || descriptorSize < (is64Bit ? 64 : 32) || descriptorSize > blockSize) throw new UnusableDisk(`its ext file system has group descriptors of ${descriptorSize} bytes`);
  if (numbers.blocksPerGroup === 0 || numbers.inodesPerGroup === 0) throw new UnusableDisk("its ext file system has groups of nothing");
  if (numbers.firstBlock > 1 || numbers.blockCount * blockSize > volume.size) throw new UnusableDisk("its ext file system is larger than what holds it");
  return numbers;
}

function isPowerOfTwo(value: number): boolean {
  return value > 0 && (value & (value - 1)) === 0;
}

/** The block at which the inodes of a group begin. */
function inodeTable(volume: Volume, numbers: Numbers, group: number): number {
  const { blockSize, blockCount, firstBlock, blocksPerGroup, descriptorSize, descriptorBlocks } = numbers;
  const perBlock = blockSize / descriptorSize;
  const index = Math.floor(group / perBlock);
  // With clusters, blocks of 1 KiB are counted from 0, and the superblock is in the second all the same.
  const together = Math.floor(superblockAt / blockSize) + 1 + index;
  const ofMetaGroup = index * perBlock;
  const inMetaGroup = firstBlock + ofMetaGroup * blocksPerGroup + (hasSuperblock(ofMetaGroup, numbers) ? 1 : 0);
  const block = index < descriptorBlocks || index === 0 ? together : inMetaGroup;
  if (block >= blockCount) throw new UnusableDisk(`its ext file system has no group ${group}`);
  const descriptor = volume.read(block * blockSize + (group % perBlock) * descriptorSize, descriptorSize);
  const table = descriptor.readUInt32LE(0x8) + (descriptorSize >= 64 ? descriptor.readUInt32LE(0x28) * 2 ** 32 : 0);
  if (table < firstBlock || table >= blockCount) throw new UnusableDisk(`its ext file system has no block ${table}`);
  return table;
}

/** Groups 0 and 1 and the powers of 3, 5 and 7. */
function hasSuperblock(group: number, { hasSparseSuper }: Numbers): boolean {
  if (!hasSparseSuper || group <= 1) return true;
  return [3, 5, 7].some((base) => {
    let power = base;
    while (power < group) power *= base;
    return power === group;
  });
}

function readInode(number: number, bytes: Buffer): Inode {
  const kind = ({ 0x8: "file", 0x4: "folder", 0xa: "link" } as const)[bytes.readUInt16LE(0) >>> 12] ?? "other";
  // Of a folder, the upper half was once the place of its access list.
  const size = bytes.readUInt32LE(0x4) + (kind === "file" ? bytes.readUInt32LE(0x6c) * 2 ** 32 : 0);
  return { number, kind, size, flags: bytes.readUInt32LE(0x20), block: bytes.subarray(0x28, 0x28 + 60), bytes };
}
