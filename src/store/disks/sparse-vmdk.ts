/** The header of a sparse extent, by VMware's Virtual Disk Format 1.1: the numbers that lead to its grains. In sectors. */

import type { ImageFile } from "./disk-map.ts";
import { UnusableDisk } from "./unusable-disk.ts";

export const sectorBytes = 512;
/** "512 for all VMware products". Entries. */
export const entriesPerTable = 512;
/** In the header of a file that was written in one pass: its footer says where the grain directory is. */
export const directoryAtEnd = 0xffff_ffff_ffff_ffffn;

/** Flags: bit 1 says that the redundant directory is the one to use, bit 16 that grains are compressed. */
const useRedundant = 2;
const isCompressed = 0x1_0000;

export interface SparseHeader {
  readonly capacity: number;
  readonly grainSectors: number;
  /** Of the directory that is to be used; undefined where it is said at the end of the file. */
  readonly directory: number | undefined;
  readonly isCompressed: boolean;
}

/** Throws UnusableDisk on a header that makes no sense. */
export function sparseHeader(bytes: Buffer): SparseHeader {
  if (bytes.byteLength < sectorBytes || bytes.toString("latin1", 0, 4) !== "KDMV") throw new UnusableDisk("a header of it is cut off or damaged");
  const flags = bytes.readUInt32LE(8);
  const capacity = bytes.readBigUInt64LE(12);
  const grain = bytes.readBigUInt64LE(20);
  // "A power of two, greater than 8" by the text, 8 by those who write them; QEMU reads up to 2 MiB.
  if (grain < 8n || grain > 4_096n || (grain & (grain - 1n)) !== 0n) throw new UnusableDisk(`its grains are of ${grain} sectors`);
  const entries = bytes.readUInt32LE(44);
  if (entries !== entriesPerTable) throw new UnusableDisk(`its grain tables have ${entries} entries; ${entriesPerTable} are known`);
  if (capacity === 0n || capacity * 512n > BigInt(Number.MAX_SAFE_INTEGER)) throw new UnusableDisk(`its capacity is ${capacity} sectors`);
  const directory = bytes.readBigUInt64LE((flags & useRedundant) === 0 ? 56 : 48);
  return {
    capacity: Number(capacity),
    grainSectors: Number(grain),
    directory: directory === directoryAtEnd ? undefined : Number(directory),
    isCompressed: (flags & isCompressed) !== 0,
  };
}

/** The header that leads to the directory: of a file that was written in one pass, the footer. Throws UnusableDisk. */
export function directedHeader(file: ImageFile): SparseHeader & { readonly directory: number } {
  let found = sparseHeader(file.read(0, sectorBytes));
  if (found.directory === undefined) {
    // The last two sectors are the footer and the end-of-stream marker.
    const footer = sparseHeader(file.read(Math.max(0, file.size - 2 * sectorBytes), sectorBytes));
    if (footer.capacity !== found.capacity || footer.grainSectors !== found.grainSectors) throw new UnusableDisk("its footer is of another disk than its header");
    found = footer;
  }
  const { directory } = found;
  if (directory === undefined) throw new UnusableDisk("neither its header nor its footer says where its grain directory is");
  return { ...found, directory };
}

/** Of the directory, read at a time. Entries. */
const directoryStep = 8_192;

/** Every grain that is there, in the guest's order: its number, and its sector in the file. Throws UnusableDisk. */
export function* grainsOf(file: ImageFile, { capacity, grainSectors }: SparseHeader, directory: number): Generator<{ readonly index: number; readonly sector: number }> {
  const grains = Math.ceil(capacity / grainSectors);
  const tables = Math.ceil(grains / entriesPerTable);
  let taken = 0;
  for (let first = 0; first < tables; first += directoryStep) {
    const entries = table(file, directory * sectorBytes + first * 4, Math.min(directoryStep, tables - first), "its grain directory");
    for (let index = 0; index < entries.byteLength / 4; index += 1) {
      const sector = entries.readUInt32LE(index * 4);
      if (sector === 0) continue;
      const base = (first + index) * entriesPerTable;
      const count = Math.min(entriesPerTable, grains - base);
      const grainTable = table(file, sector * sectorBytes, count, "a grain table");
      for (let grain = 0; grain < count; grain += 1) {
        const at = grainTable.readUInt32LE(grain * 4);
        // 1 is a grain of zeros (flag 2 of the header).
        if (at <= 1) continue;
        if (at * sectorBytes >= file.size) throw new UnusableDisk(`a grain lies beyond the end of the file (sector ${at})`);
        taken += 1;
        yield { index: base + grain, sector: at };
      }
      // A grain takes a sector at least: if there are more, some lie over one another, and a small file unfolds without end.
      if (taken * sectorBytes > file.size) throw new UnusableDisk("its grains are more than the file can hold");
    }
  }
}

/** The sector of one grain; undefined where it is zeros. Throws UnusableDisk. */
export function sectorOfGrain(file: ImageFile, index: number, directory: number): number | undefined {
  const entry = Math.floor(index / entriesPerTable);
  const sector = table(file, directory * sectorBytes + entry * 4, 1, "its grain directory").readUInt32LE(0);
  if (sector === 0) return undefined;
  const at = table(file, sector * sectorBytes + (index % entriesPerTable) * 4, 1, "a grain table").readUInt32LE(0);
  if (at * sectorBytes >= file.size) throw new UnusableDisk(`a grain lies beyond the end of the file (sector ${at})`);
  return at <= 1 ? undefined : at;
}

function table(file: ImageFile, offset: number, entries: number, what: string): Buffer {
  const bytes = offset === 0 ? Buffer.alloc(0) : file.read(offset, entries * 4);
  if (bytes.byteLength !== entries * 4) throw new UnusableDisk(`${what} lies beyond the end of the file (byte ${offset})`);
  return bytes;
}
