/** A qcow2 of version 2 or 3, by docs/interop/qcow2.txt of QEMU: header, L1 table, L2 tables. Snapshots in it are left aside. */

import type { DiskMap, ImageFile, Piece } from "./disk-map.ts";
import { UnusableDisk } from "./unusable-disk.ts";

/** QEMU's own limit (QCOW_MAX_L1_SIZE). Bytes. */
const l1Limit = 32 * 1024 * 1024;
/** QEMU's own limit (QCOW_MAX_REFTABLE_SIZE). Bytes. */
const refcountTableLimit = 8 * 1024 * 1024;
/** A bit for each cluster of the file: at 64 KiB enough for a file of 16 TiB, at 512 bytes for one of 128 GiB. Bytes. */
const claimsLimit = 32 * 1024 * 1024;
/** Of the L1 table, read at a time. Entries. */
const l1Step = 8_192;

/** L1 and L2 entries: bits 9 to 55 are the offset. */
const offsetBits = 0x00ff_ffff_ffff_fe00n;
/** Bits 1 to 8 and 56 to 61 of an entry are reserved and zero; so is bit 0 of an L1 entry, and of version 2. */
const reservedBits = 0x3f00_0000_0000_01fen;
const compressedBit = 1n << 62n;
/** Version 3: the cluster reads as zeros, whatever its offset. */
const zeroBit = 1n;

interface Header {
  readonly version: number;
  readonly clusterBits: number;
  readonly clusterSize: number;
  readonly virtualSize: number;
  readonly l1Entries: number;
  readonly l1Offset: number;
  readonly compression: "deflate" | "zstd";
  /** Extended L2 entries: each says of 32 parts of its cluster whether they are there. */
  readonly hasSubclusters: boolean;
}

/** Throws UnusableDisk on a header that makes no sense; on tables that make none, while they are read. */
export function qcow2Map(file: ImageFile): DiskMap {
  const header = readHeader(file);
  const { virtualSize, clusterSize } = header;
  return {
    virtualSize,
    clusterSize,
    pieces: () => {
      // Whole L2 tables, also where the disk ends within one.
      const perTable = clustersInTable(header) * clusterSize;
      const claims = new Claims(file, clusterSize, "each once");
      claims.take(0, clusterSize, "its header");
      claims.take(header.l1Offset, header.l1Entries * 8, "its L1 table");
      return merged(pieces(file, header, claims, 0, Math.ceil(virtualSize / perTable) * perTable));
    },
    piecesIn: (from, end) => merged(pieces(file, header, new Claims(file, clusterSize, "any"), from, Math.min(end, virtualSize))),
  };
}

function readHeader(file: ImageFile): Header {
  const bytes = file.read(0, 112);
  if (bytes.byteLength < 104) throw new UnusableDisk("its header is cut off");
  const version = bytes.readUInt32BE(4);
  const clusterBits = bytes.readUInt32BE(20);
  if (clusterBits < 9 || clusterBits > 21) throw new UnusableDisk(`its clusters are of 2^${clusterBits} bytes; 2^9 to 2^21 are known`);
  const clusterSize = 2 ** clusterBits;
  const virtualSize = safe(bytes.readBigUInt64BE(24), "its size");
  const incompatible = version >= 3 ? bytes.readBigUInt64BE(72) : 0n;
  const hasSubclusters = (incompatible & 16n) !== 0n;
  const header: Header = {
    version,
    clusterBits,
    clusterSize,
    virtualSize,
    l1Entries: bytes.readUInt32BE(36),
    l1Offset: safe(bytes.readBigUInt64BE(40), "the place of its L1 table"),
    compression: compressionOf(bytes, version, incompatible),
    hasSubclusters,
  };
  // A subcluster is never smaller than a sector.
  if (hasSubclusters && clusterBits < 14) throw new UnusableDisk(`it has subclusters in clusters of ${clusterSize} bytes`);
  checkTables(file, bytes, header);
  return header;
}

/** Version 3 with the incompatible feature 3 names its compression: 0 is deflate, 1 is zstd. */
function compressionOf(bytes: Buffer, version: number, incompatible: bigint): Header["compression"] {
  const headerLength = version >= 3 ? bytes.readUInt32BE(100) : 72;
  if (version >= 3 && headerLength < 104) throw new UnusableDisk(`its header says that it has ${headerLength} bytes`);
  const type = headerLength > 104 ? bytes.readUInt8(104) : 0;
  const isOther = (incompatible & 8n) !== 0n;
  if (type > 1 || isOther !== (type !== 0)) throw new UnusableDisk(`its compression is of kind ${type}; deflate and zstd are known`);
  return type === 1 ? "zstd" : "deflate";
}

/** The refcounts say nothing about what a guest sees; a header that places them outside of the file is damaged all the same. */
function checkTables(file: ImageFile, bytes: Buffer, header: Header): void {
  const { clusterSize, virtualSize, l1Entries, l1Offset } = header;
  if (header.version >= 3 && bytes.readUInt32BE(96) > 6) throw new UnusableDisk(`its refcounts are of 2^${bytes.readUInt32BE(96)} bits`);
  const refcounts = safe(bytes.readBigUInt64BE(48), "the place of its refcounts");
  const refcountBytes = bytes.readUInt32BE(56) * clusterSize;
  if (refcountBytes === 0 || refcountBytes > refcountTableLimit) throw new UnusableDisk(`its refcount table has ${refcountBytes} bytes`);
  if (l1Entries * 8 > l1Limit) throw new UnusableDisk(`its L1 table has ${l1Entries} entries`);
  const covered = l1Entries * clustersInTable(header) * clusterSize;
  if (covered < virtualSize) throw new UnusableDisk(`its L1 table covers ${covered} bytes of ${virtualSize}`);
  for (const [what, offset, length] of [
    ["L1 table", l1Offset, l1Entries * 8],
    ["refcount table", refcounts, refcountBytes],
  ] as const) {
    if (offset === 0 || offset % clusterSize !== 0) throw new UnusableDisk(`its ${what} begins at byte ${offset}, which no cluster does`);
    if (offset + length > file.size) throw new UnusableDisk(`its ${what} lies beyond the end of the file`);
  }
}

function clustersInTable({ clusterSize, hasSubclusters }: Header): number {
  return clusterSize / (hasSubclusters ? 16 : 8);
}

function* pieces(file: ImageFile, header: Header, claims: Claims, from: number, end: number): Generator<Piece> {
  const { clusterSize, hasSubclusters, l1Offset } = header;
  const entryBytes = hasSubclusters ? 16 : 8;
  const perTable = clustersInTable(header) * clusterSize;
  const tables = Math.ceil(end / perTable);
  for (let first = Math.floor(from / perTable); first < tables; first += l1Step) {
    const l1 = exactly(file, l1Offset + first * 8, Math.min(l1Step, tables - first) * 8, "its L1 table");
    for (let index = 0; index < l1.byteLength / 8; index += 1) {
      const entry = l1.readBigUInt64BE(index * 8);
      if ((entry & (reservedBits | compressedBit | zeroBit)) !== 0n) throw new UnusableDisk(`entry ${first + index} of its L1 table is ${hex(entry)}`);
      const offset = Number(entry & offsetBits);
      if (offset === 0) continue;
      claims.take(offset, clusterSize, "an L2 table");
      const start = (first + index) * perTable;
      const low = Math.max(0, Math.floor((from - start) / clusterSize));
      const high = Math.min(clustersInTable(header), Math.ceil((end - start) / clusterSize));
      const table = exactly(file, offset + low * entryBytes, (high - low) * entryBytes, "an L2 table");
      yield* piecesOfTable(table, start + low * clusterSize, file, header, claims);
    }
  }
}

function* piecesOfTable(table: Buffer, start: number, file: ImageFile, header: Header, claims: Claims): Generator<Piece> {
  const { clusterSize, virtualSize, hasSubclusters } = header;
  const entryBytes = hasSubclusters ? 16 : 8;
  for (let index = 0; index < table.byteLength / entryBytes; index += 1) {
    const at = start + index * clusterSize;
    if (at >= virtualSize) return;
    const entry = table.readBigUInt64BE(index * entryBytes);
    const parts = hasSubclusters ? table.readBigUInt64BE(index * entryBytes + 8) : undefined;
    if (entry === 0n && !parts) continue;
    const size = Math.min(clusterSize, virtualSize - at);
    if ((entry & compressedBit) !== 0n) {
      if (parts) throw new UnusableDisk(`a compressed cluster has subclusters (byte ${at})`);
      yield compressedPiece(entry, at, size, file, header, claims);
      continue;
    }
    const reserved = reservedBits | (header.version < 3 || hasSubclusters ? zeroBit : 0n);
    if ((entry & reserved) !== 0n) throw new UnusableDisk(`an entry of an L2 table is ${hex(entry)} (byte ${at})`);
    const offset = Number(entry & offsetBits);
    if (offset !== 0) claims.take(offset, clusterSize, "a cluster");
    if (parts !== undefined) yield* subclusters(parts, at, size, offset, clusterSize);
    else if (offset !== 0 && (entry & zeroBit) === 0n) yield { kind: "stored", at, size, offset, length: size, whole: size };
  }
}

/** Bits 0 to 31: the part is there. Bits 32 to 63: it reads as zeros. Neither: as nothing stands behind it, zeros too. */
function* subclusters(parts: bigint, at: number, size: number, offset: number, clusterSize: number): Generator<Piece> {
  const there = Number(parts & 0xffff_ffffn);
  const zeros = Number(parts >> 32n);
  if ((there & zeros) !== 0) throw new UnusableDisk(`a subcluster is there and zeros at once (byte ${at})`);
  if (there !== 0 && offset === 0) throw new UnusableDisk(`subclusters are there of a cluster that is not (byte ${at})`);
  const step = clusterSize / 32;
  for (let index = 0; index < 32 && index * step < size; index += 1) {
    if (((there >>> index) & 1) === 0) continue;
    const seen = Math.min(step, size - index * step);
    yield { kind: "stored", at: at + index * step, size: seen, offset: offset + index * step, length: seen, whole: seen };
  }
}

/** "Compressed Clusters Descriptor": the offset to the byte, then how many sectors follow the one that holds it. */
function compressedPiece(entry: bigint, at: number, size: number, file: ImageFile, header: Header, claims: Claims): Piece {
  const split = BigInt(62 - (header.clusterBits - 8));
  const offset = safe(entry & ((1n << split) - 1n), "the place of a compressed cluster");
  const sectors = Number((entry & (compressedBit - 1n)) >> split) + 1;
  // The last sector of a file need not be whole.
  const length = Math.min(sectors * 512 - (offset % 512), file.size - offset);
  if (offset === 0 || length <= 0) throw new UnusableDisk(`a compressed cluster lies beyond the end of the file (byte ${at})`);
  claims.takeCompressed(header.compression);
  return { kind: header.compression, at, size, offset, length, whole: header.clusterSize };
}

/**
 * Who has which cluster of the file. The active L1 table leads to each cluster once (snapshots have tables of their own), so
 * a second claim is damage, or a small file that unfolds without end.
 */
class Claims {
  readonly #file: ImageFile;
  readonly #clusterSize: number;
  readonly #taken: Uint8Array | undefined;
  #compressed = 0;

  /** `any`: only that they are clusters of the file. */
  constructor(file: ImageFile, clusterSize: number, how: "each once" | "any") {
    const bytes = how === "any" ? 0 : Math.ceil(file.size / clusterSize / 8);
    if (bytes > claimsLimit) throw new UnusableDisk(`its clusters of ${clusterSize} bytes are too small for a file of ${file.size} bytes`);
    this.#file = file;
    this.#clusterSize = clusterSize;
    this.#taken = how === "any" ? undefined : new Uint8Array(bytes);
  }

  take(offset: number, length: number, what: string): void {
    if (offset % this.#clusterSize !== 0) throw new UnusableDisk(`${what} begins at byte ${offset}, which no cluster does`);
    // Of the file's last cluster only what was written need be there.
    if (offset >= this.#file.size) throw new UnusableDisk(`${what} lies beyond the end of the file (byte ${offset})`);
    const taken = this.#taken;
    for (let at = offset; taken !== undefined && at < offset + length; at += this.#clusterSize) {
      const index = at / this.#clusterSize;
      const byte = index >>> 3;
      const bit = 1 << (index & 7);
      if (((taken[byte] ?? 0) & bit) !== 0) throw new UnusableDisk(`${what} is where another table or cluster is (byte ${at})`);
      taken[byte] = (taken[byte] ?? 0) | bit;
    }
  }

  /** Compressed clusters share clusters of the file, but none takes less than its compression comes to at best. */
  takeCompressed(compression: Header["compression"]): void {
    this.#compressed += Math.max(4, this.#clusterSize / bestRatio[compression]);
    if (this.#compressed > this.#file.size) throw new UnusableDisk("its compressed clusters are more than the file can hold");
  }
}

/** Deflate: 258 bytes in two bits (RFC 1951). Zstandard: a block of 128 KiB in four bytes (RFC 8878). */
const bestRatio = { deflate: 1_032, zstd: 32_768 };

/** Pieces that follow one another for the guest and in the file are one: fewer, longer reads. */
function* merged(all: Iterable<Piece>): Generator<Piece> {
  let last: Piece | undefined;
  for (const piece of all) {
    if (last?.kind === "stored" && piece.kind === "stored" && last.at + last.size === piece.at && last.offset + last.size === piece.offset) {
      const size = last.size + piece.size;
      last = { ...last, size, length: size, whole: size };
      continue;
    }
    if (last !== undefined) yield last;
    last = piece;
  }
  if (last !== undefined) yield last;
}

function exactly(file: ImageFile, offset: number, length: number, what: string): Buffer {
  const bytes = file.read(offset, length);
  if (bytes.byteLength !== length) throw new UnusableDisk(`${what} lies beyond the end of the file (byte ${offset})`);
  return bytes;
}

function safe(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new UnusableDisk(`${what} is ${value}`);
  return Number(value);
}

function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}
