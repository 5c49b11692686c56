/** Disk images made by hand: what their builders want to be wrong is wrong. */

import { deflateRawSync, zstdCompressSync } from "node:zlib";

export type Cluster =
  | { readonly kind: "data" | "deflate" | "zstd"; readonly bytes: Buffer }
  | { readonly kind: "zeros" }
  /** Extended L2 entries: which of the 32 parts are there, which read as zeros. */
  | { readonly kind: "parts"; readonly bytes: Buffer; readonly there: number; readonly zeros: number };

export interface Qcow2 {
  readonly version?: 2 | 3;
  readonly clusterBits?: number;
  readonly virtualSize: number;
  /** By their number. */
  readonly clusters: ReadonlyMap<number, Cluster>;
  readonly hasSubclusters?: boolean;
  readonly compression?: "deflate" | "zstd";
}

/** Header, a refcount table that says nothing, L1 table, L2 tables, clusters. */
export function qcow2File(image: Qcow2): Buffer {
  const { version = 3, clusterBits = 16, virtualSize, clusters, hasSubclusters = false, compression = "deflate" } = image;
  const size = 2 ** clusterBits;
  const entryBytes = hasSubclusters ? 16 : 8;
  const perTable = size / entryBytes;
  const tables = Math.max(1, Math.ceil(virtualSize / size / perTable));
  const l1Clusters = Math.ceil((tables * 8) / size);
  const file: Buffer[] = [Buffer.alloc(size), Buffer.alloc(size), Buffer.alloc(l1Clusters * size)];
  const [head, , l1] = file as [Buffer, Buffer, Buffer];
  let end = (2 + l1Clusters) * size;
  const append = (bytes: Buffer): number => {
    const at = end;
    file.push(bytes);
    end += bytes.byteLength;
    return at;
  };
  const padded = (bytes: Buffer): Buffer => Buffer.concat([bytes, Buffer.alloc((size - (bytes.byteLength % size)) % size)]);
  const l2 = new Map<number, Buffer>();
  for (const [number, cluster] of clusters) {
    const index = Math.floor(number / perTable);
    if (!l2.has(index)) {
      const table = Buffer.alloc(size);
      l2.set(index, table);
      l1.writeBigUInt64BE((1n << 63n) | BigInt(append(table)), index * 8);
    }
    const at = (number % perTable) * entryBytes;
    const table = l2.get(index) as Buffer;
    switch (cluster.kind) {
      case "zeros":
        table.writeBigUInt64BE(1n, at);
        break;
      case "data":
        table.writeBigUInt64BE((1n << 63n) | BigInt(append(padded(cluster.bytes))), at);
        if (hasSubclusters) table.writeBigUInt64BE(0xffff_ffffn, at + 8);
        break;
      case "parts":
        table.writeBigUInt64BE((1n << 63n) | BigInt(append(padded(cluster.bytes))), at);
        table.writeBigUInt64BE((BigInt(cluster.zeros) << 32n) | BigInt(cluster.there), at + 8);
        break;
      default: {
        const packed = cluster.kind === "zstd" ? zstdCompressSync(cluster.bytes) : deflateRawSync(cluster.bytes, { windowBits: 12 });
        // Not at the begin of a sector, and something else behind it.
        const place = append(padded(Buffer.concat([Buffer.alloc(100, 0xee), packed, Buffer.alloc(700, 0xee)]))) + 100;
        const sectors = Math.floor((place + packed.byteLength - 1) / 512) - Math.floor(place / 512);
        table.writeBigUInt64BE((1n << 62n) | (BigInt(sectors) << BigInt(62 - (clusterBits - 8))) | BigInt(place), at);
      }
    }
  }
  head.write("QFI\xfb", 0, "latin1");
  head.writeUInt32BE(version, 4);
  head.writeUInt32BE(clusterBits, 20);
  head.writeBigUInt64BE(BigInt(virtualSize), 24);
  head.writeUInt32BE(tables, 36);
  head.writeBigUInt64BE(BigInt(2 * size), 40);
  head.writeBigUInt64BE(BigInt(size), 48);
  head.writeUInt32BE(1, 56);
  if (version === 3) {
    head.writeBigUInt64BE((hasSubclusters ? 16n : 0n) | (compression === "zstd" ? 8n : 0n), 72);
    head.writeUInt32BE(4, 96);
    head.writeUInt32BE(112, 100);
    head.writeUInt8(compression === "zstd" ? 1 : 0, 104);
  }
  return Buffer.concat(file);
}

/** A VMDK of kind monolithicSparse with these grains of 64 KiB; they may be shorter. */
export function sparseVmdk(capacity: number, grains: ReadonlyMap<number, Buffer>): Buffer {
  const sectors = capacity / 512;
  const tables = Math.ceil(sectors / 128 / 512);
  const head = Buffer.alloc(64 * 1024);
  head.write("KDMV", 0, "latin1");
  head.writeUInt32LE(1, 4);
  head.writeUInt32LE(1, 8);
  head.writeBigUInt64LE(BigInt(sectors), 12);
  head.writeBigUInt64LE(128n, 20);
  head.writeBigUInt64LE(1n, 28);
  head.writeBigUInt64LE(20n, 36);
  head.writeUInt32LE(512, 44);
  head.writeBigUInt64LE(21n, 56);
  head.write("\n \r\n", 73, "latin1");
  head.write(`# Disk DescriptorFile\nversion=1\nCID=12345678\nparentCID=ffffffff\ncreateType="monolithicSparse"\nRW ${sectors} SPARSE "x.vmdk"\n`, 512);
  const all = Array.from({ length: tables }, () => Buffer.alloc(2_048));
  const data: Buffer[] = [];
  const firstGrain = 128 + tables * 4;
  for (const [index, bytes] of grains) {
    all[Math.floor(index / 512)]?.writeUInt32LE(firstGrain + data.length * 128, (index % 512) * 4);
    data.push(Buffer.concat([bytes, Buffer.alloc(65_536 - bytes.byteLength)]));
  }
  for (let index = 0; index < tables; index += 1) head.writeUInt32LE(128 + index * 4, 21 * 512 + index * 4);
  return Buffer.concat([head, ...all, ...data]);
}
