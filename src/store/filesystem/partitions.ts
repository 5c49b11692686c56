/** What a disk is parted into: by a GUID partition table (UEFI 2.10, 5.3), or by an MBR with its chain of logical partitions. */

import { crc32 } from "node:zlib";
import { UnusableDisk } from "../disks/unusable-disk.ts";
import { isWithin, type Volume } from "../disks/volume.ts";

export interface Partition {
  /** As Linux counts them. */
  readonly number: number;
  /** Bytes. */
  readonly start: number;
  readonly size: number;
}

const mbrSector = 512;
/** The second is of disks whose sectors have 4 KiB. */
const sectorSizes = [512, 4_096];
/** A table has 128 entries as a rule. Bytes. */
const gptTableLimit = 128 * 1_024;
/** Linux looks for no more (MAX_PARTITIONS of its ebr reader is 256). */
const mostLogical = 124;
/** Partition types of an MBR: extended ones, which hold logical ones, and the one that says that there is a GPT. */
const extendedTypes = [0x05, 0x0f, 0x85];
const gptType = 0xee;

/**
 * In order of their numbers, none over another. Undefined where there is no partition table. Throws UnusableDisk where there is one
 * that makes no sense.
 */
export function partitionsOf(disk: Volume): readonly Partition[] | undefined {
  const apart: Partition[] = [];
  const all = tabled(disk);
  for (const each of all ?? []) if (apart.every((other) => each.start + each.size <= other.start || other.start + other.size <= each.start)) apart.push(each);
  return all === undefined ? undefined : apart;
}

function tabled(disk: Volume): readonly Partition[] | undefined {
  for (const sector of sectorSizes) {
    const headers = [sector, disk.size - sector].flatMap((at) => gptHeader(disk, at, sector) ?? []);
    // The table at the end is the one to use where the first is damaged.
    for (const header of headers) {
      const entries = gptEntries(disk, header);
      if (entries !== undefined) return entries;
    }
    if (headers.length > 0) throw new UnusableDisk("its GUID partition table is damaged");
  }
  return mbrPartitions(disk);
}

interface GptHeader {
  readonly sector: number;
  /** Bytes. */
  readonly table: number;
  readonly entries: number;
  readonly entryBytes: number;
  readonly tableCrc: number;
}

function gptHeader(disk: Volume, at: number, sector: number): GptHeader | undefined {
  if (!isWithin(at, sector, disk.size)) return undefined;
  const bytes = disk.read(at, sector);
  const length = bytes.readUInt32LE(12);
  if (bytes.toString("latin1", 0, 8) !== "EFI PART" || length < 92 || length > sector) return undefined;
  const crc = bytes.readUInt32LE(16);
  bytes.writeUInt32LE(0, 16);
  if (crc32(bytes.subarray(0, length)) !== crc) return undefined;
  const table = Number(bytes.readBigUInt64LE(72)) * sector;
  return { sector, table, entries: bytes.readUInt32LE(80), entryBytes: bytes.readUInt32LE(84), tableCrc: bytes.readUInt32LE(88) };
}

/** Undefined where the table is not what its header says. */
function gptEntries(disk: Volume, { sector, table, entries, entryBytes, tableCrc }: GptHeader): readonly Partition[] | undefined {
  const length = entries * entryBytes;
  if (entryBytes < 128 || entryBytes % 8 !== 0 || length > gptTableLimit || !isWithin(table, length, disk.size)) return undefined;
  const bytes = disk.read(table, length);
  if (crc32(bytes) !== tableCrc) return undefined;
  return Array.from({ length: entries }, (_, index) => bytes.subarray(index * entryBytes, (index + 1) * entryBytes)).flatMap((entry, index) => {
    const isUsed = entry.subarray(0, 16).some((byte) => byte !== 0);
    const start = Number(entry.readBigUInt64LE(32)) * sector;
    const size = Number(entry.readBigUInt64LE(40)) * sector + sector - start;
    return isUsed && size > 0 && isWithin(start, size, disk.size) ? [{ number: index + 1, start, size }] : [];
  });
}

interface MbrEntry {
  readonly type: number;
  readonly start: number;
  readonly size: number;
}

/** Undefined where the first sector is none, but perhaps a boot sector: those have the same last two bytes. */
function mbrPartitions(disk: Volume): readonly Partition[] | undefined {
  const entries = entriesOfSector(disk, 0);
  if (entries === undefined || entries.every((entry) => entry.type === 0)) return undefined;
  if (entries.some((entry) => entry.type === gptType)) throw new UnusableDisk("its GUID partition table is damaged");
  const primary = entries.flatMap(({ type, start, size }, index) => (type === 0 || extendedTypes.includes(type) ? [] : [{ number: index + 1, start, size }]));
  const extended = entries.find(({ type }) => extendedTypes.includes(type));
  const all = extended === undefined ? primary : [...primary, ...logicalPartitions(disk, extended.start)];
  const within = all.filter(({ start, size }) => start > 0 && size > 0 && isWithin(start, size, disk.size));
  return within.length === 0 ? undefined : within;
}

/** Each has a table of its own: what it holds, from that table on, and where the next one is, from the extended one on. */
function logicalPartitions(disk: Volume, extended: number): readonly Partition[] {
  const found: Partition[] = [];
  const seen = new Set<number>();
  for (let at = extended; found.length < mostLogical && !seen.has(at); ) {
    seen.add(at);
    const [own, link] = entriesOfSector(disk, at) ?? [];
    if (own !== undefined && own.type !== 0) found.push({ number: found.length + 5, start: at + own.start, size: own.size });
    if (link === undefined || !extendedTypes.includes(link.type)) break;
    at = extended + link.start;
  }
  return found;
}

function entriesOfSector(disk: Volume, at: number): readonly MbrEntry[] | undefined {
  if (!isWithin(at, mbrSector, disk.size)) return undefined;
  const bytes = disk.read(at, mbrSector);
  if (bytes.readUInt16LE(510) !== 0xaa55) return undefined;
  const entries = [0, 1, 2, 3].map((index) => bytes.subarray(446 + 16 * index, 462 + 16 * index));
  if (entries.some((entry) => (entry.readUInt8(0) & 0x7f) !== 0)) return undefined;
  return entries.map((entry) => ({ type: entry.readUInt8(4), start: entry.readUInt32LE(8) * mbrSector, size: entry.readUInt32LE(12) * mbrSector }));
}
