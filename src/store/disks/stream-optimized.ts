/**
 * A streamOptimized VMDK in one pass, by VMware's Virtual Disk Format 1.1: header and descriptor, grains, after each 512 of
 * them their table, then the directory, the footer, and the end.
 */

import type { FramedGrains } from "./grains.ts";
import { grainBytes } from "./grains.ts";
import type { ImageFile } from "./disk-map.ts";
import { directedHeader, directoryAtEnd, entriesPerTable, grainsOf, sectorBytes } from "./sparse-vmdk.ts";
import { UnusableDisk } from "./unusable-disk.ts";

/** vSphere's largest virtual disk (Configuration Maximums); the format itself could say more. Bytes. */
export const capacityLimit = 62 * 1024 ** 4;
/** Tables say where grains are in 32 bits, in sectors: a file ends before 2 TiB. Sectors. */
const fileLimit = 0xffff_ffff;
/** As VMware's own tools lay it out: the descriptor behind the header, the first grain at 64 KiB. Sectors. */
const descriptorSectors = 20;
const overheadSectors = 128;
/** What is new in version 3 is the compression. */
const version = 3;
/** Newlines are tested, grains are compressed, markers are there. */
const flags = 0x3_0001;
const footerMarker = 3;
const directoryMarker = 2;
const tableMarker = 1;
const endMarker = 0;

export interface StreamOptimizedDisk {
  /** Bytes; whole grains. */
  readonly capacity: number;
  /** What the disk's content goes by: 8 hexadecimal digits. */
  readonly cid: string;
}

/** The bytes of the disk, as its grains come; `ended` hears how many bytes its grains hold. Throws UnusableDisk past a limit. */
export async function* streamOptimized(
  disk: StreamOptimizedDisk,
  grains: AsyncIterable<FramedGrains>,
  ended: (populated: number) => void,
): AsyncGenerator<Uint8Array> {
  const tables = Math.ceil(disk.capacity / grainBytes / entriesPerTable);
  const directory = Buffer.alloc(tables * 4);
  let sector = overheadSectors;
  let populated = 0;
  let table: { readonly index: number; readonly entries: Buffer } | undefined;
  const place = (sectors: number): number => {
    const at = sector;
    sector += sectors;
    if (sector > fileLimit) throw new UnusableDisk("as a VMDK its file would be larger than 2 TiB, and no table could say where its grains are");
    return at;
  };
  /** Its place is known when its marker has been written. */
  const closed = (): Uint8Array => {
    if (table === undefined) return new Uint8Array(0);
    const bytes = marked(tableMarker, table.entries);
    directory.writeUInt32LE(place(bytes.byteLength / sectorBytes) + 1, table.index * 4);
    table = undefined;
    return bytes;
  };
  yield head(disk);
  for await (const { bytes, indexes, sectors } of grains) {
    for (const [order, grain] of indexes.entries()) {
      const index = Math.floor(grain / entriesPerTable);
      // Windows are laid so that none holds grains of two tables.
      if (table !== undefined && table.index !== index) {
        if (order !== 0) throw new Error(`grain ${grain} is of another table than those it came with`);
        yield closed();
      }
      table ??= { index, entries: Buffer.alloc(entriesPerTable * 4) };
      table.entries.writeUInt32LE(place(sectors[order] as number), (grain % entriesPerTable) * 4);
      populated += grainBytes;
    }
    if (bytes.byteLength > 0) yield bytes;
  }
  yield closed();
  const directoryBytes = marked(directoryMarker, directory);
  const directorySector = place(directoryBytes.byteLength / sectorBytes) + 1;
  yield directoryBytes;
  yield marked(footerMarker, header(disk, BigInt(directorySector)));
  yield marked(endMarker, Buffer.alloc(0));
  ended(populated);
}

/** What of a disk that is one already a lock has to say. Throws UnusableDisk where its tables don't lead into its file. */
export function surveyStreamOptimized(file: ImageFile): { readonly capacity: number; readonly populated: number } {
  const header = directedHeader(file);
  let grains = 0;
  for (const _ of grainsOf(file, header, header.directory)) grains += 1;
  return { capacity: header.capacity * sectorBytes, populated: grains * header.grainSectors * sectorBytes };
}

/** A marker of metadata (how many sectors follow, size 0, its type), and what follows it. */
function marked(type: number, content: Buffer): Buffer {
  const sectors = Math.ceil(content.byteLength / sectorBytes);
  const bytes = Buffer.alloc((1 + sectors) * sectorBytes);
  bytes.writeBigUInt64LE(BigInt(sectors), 0);
  bytes.writeUInt32LE(type, 12);
  bytes.set(content, sectorBytes);
  return bytes;
}

function head(disk: StreamOptimizedDisk): Buffer {
  const bytes = Buffer.alloc(overheadSectors * sectorBytes);
  bytes.set(header(disk, directoryAtEnd));
  bytes.write(descriptor(disk), sectorBytes, "latin1");
  return bytes;
}

/** SparseExtentHeader, packed, little endian; sizes and places in sectors. */
function header({ capacity }: StreamOptimizedDisk, directory: bigint): Buffer {
  const bytes = Buffer.alloc(sectorBytes);
  bytes.write("KDMV", 0, "latin1");
  bytes.writeUInt32LE(version, 4);
  bytes.writeUInt32LE(flags, 8);
  bytes.writeBigUInt64LE(BigInt(capacity / sectorBytes), 12);
  bytes.writeBigUInt64LE(BigInt(grainBytes / sectorBytes), 20);
  bytes.writeBigUInt64LE(1n, 28);
  bytes.writeBigUInt64LE(BigInt(descriptorSectors), 36);
  bytes.writeUInt32LE(entriesPerTable, 44);
  bytes.writeBigUInt64LE(directory, 56);
  bytes.writeBigUInt64LE(BigInt(overheadSectors), 64);
  // What a transfer as text would have changed.
  bytes.write("\n \r\n", 73, "latin1");
  // Deflate.
  bytes.writeUInt16LE(1, 77);
  return bytes;
}

/** Heads and sectors are those of every large disk; the name is of no meaning inside of the file. */
function descriptor({ capacity, cid }: StreamOptimizedDisk): string {
  const sectors = capacity / sectorBytes;
  return `# Disk DescriptorFile
version=1
CID=${cid}
parentCID=ffffffff
createType="streamOptimized"

# Extent description
RW ${sectors} SPARSE "disk.vmdk"

# The Disk Data Base
#DDB

ddb.adapterType = "lsilogic"
ddb.geometry.cylinders = "${Math.min(65_535, Math.floor(sectors / (255 * 63)))}"
ddb.geometry.heads = "255"
ddb.geometry.sectors = "63"
ddb.virtualHWVersion = "4"
`;
}
