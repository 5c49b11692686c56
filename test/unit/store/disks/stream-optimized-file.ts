/** A reader of streamOptimized VMDKs that shares nothing with their writer: marker by marker, then the tables against them. */

import { inflateSync } from "node:zlib";

export interface ReadDisk {
  readonly descriptor: string;
  readonly content: Buffer;
  readonly grains: number;
  readonly header: Buffer;
}

/** Throws where anything is not as VMware's Virtual Disk Format 1.1 says. */
export function readStreamOptimized(file: Buffer): ReadDisk {
  const header = file.subarray(0, 512);
  const capacity = Number(header.readBigUInt64LE(12)) * 512;
  check(header.toString("latin1", 0, 4) === "KDMV" && header.readUInt32LE(4) === 3 && header.readUInt32LE(8) === 0x30001, "header");
  check(header.readBigUInt64LE(56) === 0xffff_ffff_ffff_ffffn && header.readUInt16LE(77) === 1, "directory at end, deflate");
  const content = Buffer.alloc(capacity);
  const sectorOf = new Map<number, number>();
  const tableOf = new Map<number, number>();
  let directory: number | undefined;
  let footer: Buffer | undefined;
  let last = -1;
  let at = Number(header.readBigUInt64LE(64)) * 512;
  for (let isEnd = false; !isEnd; ) {
    const value = Number(file.readBigUInt64LE(at));
    const size = file.readUInt32LE(at + 8);
    if (size > 0) {
      check(value % 128 === 0 && value > last, `grains ascend: ${value}`);
      const bytes = inflateSync(file.subarray(at + 12, at + 12 + size));
      check(bytes.byteLength === 65_536 && value * 512 + 65_536 <= capacity, "a whole grain inside of the disk");
      check(bytes.some((byte) => byte !== 0), "no grain of zeros");
      content.set(bytes, value * 512);
      sectorOf.set(value / 128, at / 512);
      last = value;
      at += Math.ceil((12 + size) / 512) * 512;
      continue;
    }
    const type = file.readUInt32LE(at + 12);
    const body = file.subarray(at + 512, at + 512 + value * 512);
    if (type === 1) tableOf.set(Math.floor(last / 128 / 512), at / 512 + 1);
    else if (type === 2) directory = at / 512 + 1;
    else if (type === 3) footer = body;
    else isEnd = true;
    at += 512 * (1 + value);
  }
  check(at === file.byteLength, "the end is the end");
  check(footer !== undefined && directory !== undefined, "there are footer and directory");
  const asHeader = Buffer.from(footer as Buffer);
  check(asHeader.readBigUInt64LE(56) === BigInt(directory as number), "the footer knows the directory");
  asHeader.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, 56);
  check(asHeader.equals(header), "else it is the header");
  for (let table = 0; table < Math.ceil(capacity / 65_536 / 512); table += 1) {
    const sector = file.readUInt32LE((directory as number) * 512 + table * 4);
    check(sector === (tableOf.get(table) ?? 0), `table ${table}`);
    for (let grain = 0; sector !== 0 && grain < 512; grain += 1) {
      check(file.readUInt32LE(sector * 512 + grain * 4) === (sectorOf.get(table * 512 + grain) ?? 0), `grain ${grain} of table ${table}`);
    }
  }
  const descriptor = file.toString("latin1", 512, 512 + 20 * 512).replace(/\0+$/, "");
  return { descriptor, content, grains: sectorOf.size, header };
}

function check(is: boolean, what: string): void {
  if (!is) throw new Error(`not so: ${what}`);
}
