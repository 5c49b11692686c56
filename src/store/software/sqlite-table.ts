/** Reads one table of an SQLite database file, all rows, page by page and without any library: https://www.sqlite.org/fileformat.html. */

import type { DatabaseFile } from "./database-file.ts";

/** A column: NULL, a number, a text, or bytes. */
export type Cell = null | number | string | Uint8Array;

/** Most rows that are read of a table: no image has so many packages. */
const mostRows = 100_000;
/** What is wanted stands in the first columns; further ones are left out. */
const mostColumns = 4;
/** SQLite's own limit of a b-tree (BTCURSOR_MAX_DEPTH). Pages. */
const deepest = 20;

/**
 * The rows of the table, in the order of their row IDs; undefined where there is no such table. Throws, at once or while they are
 * gone through, where the file is not SQLite's.
 */
export function tableRows(file: DatabaseFile, table: string): Iterable<readonly Cell[]> | undefined {
  const head = file.read(0, 100);
  if (head.byteLength < 100 || new TextDecoder().decode(head.subarray(0, 15)) !== "SQLite format 3") throw new Error("no SQLite database");
  const database = { file, ...sizesOf(head), left: file.size };
  for (const [type, name, , root] of rowsBelow(database, 1)) {
    if (type === "table" && name === table && typeof root === "number") return rowsBelow(database, root);
  }
  return undefined;
}

interface Database {
  readonly file: DatabaseFile;
  readonly pageBytes: number;
  /** Of a page, without the reserved bytes at its end. */
  readonly usable: number;
  /** Bytes of cells that may still come: no two share a byte, so all together they are not larger than the file. */
  left: number;
}

/** Section 1.3: page size at 16, where 1 stands for 65,536; reserved bytes at 20. */
function sizesOf(head: Uint8Array): { readonly pageBytes: number; readonly usable: number } {
  const written = ((head[16] ?? 0) << 8) | (head[17] ?? 0);
  const pageBytes = written === 1 ? 65_536 : written;
  if (pageBytes < 512) throw new Error("a page size that SQLite has not");
  return { pageBytes, usable: pageBytes - (head[20] ?? 0) };
}

function pageOf({ file, pageBytes }: Database, number: number): DataView {
  const bytes = number < 1 ? new Uint8Array(0) : file.read((number - 1) * pageBytes, pageBytes);
  if (bytes.byteLength !== pageBytes) throw new Error("a page that is not there");
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Section 1.6: the leaves below a page of a table's b-tree, left to right. */
function* rowsBelow(database: Database, root: number): Generator<readonly Cell[]> {
  const seen = new Set<number>();
  let rows = 0;
  const visit = function* (number: number, depth: number): Generator<readonly Cell[]> {
    if (seen.has(number) || depth > deepest) throw new Error("a page is reached twice, or over too many others");
    seen.add(number);
    const page = pageOf(database, number);
    const header = number === 1 ? 100 : 0;
    const type = page.getUint8(header);
    const cells = page.getUint16(header + 3);
    if (type !== 0x05 && type !== 0x0d) throw new Error("a page that is no table's");
    const pointers = header + (type === 0x05 ? 12 : 8);
    for (let index = 0; index < cells; index += 1) {
      const cell = page.getUint16(pointers + 2 * index);
      if (type === 0x05) {
        yield* visit(page.getUint32(cell), depth + 1);
        continue;
      }
      rows += 1;
      if (rows > mostRows) throw new Error("too many rows");
      yield record(payload(database, page, cell));
    }
    if (type === 0x05) yield* visit(page.getUint32(header + 8), depth + 1);
  };
  yield* visit(root, 1);
}

/** Section 1.6, cell payload and overflow: what does not fit into the leaf goes on in a chain of pages. */
function payload(database: Database, page: DataView, cell: number): Uint8Array {
  const { usable } = database;
  const leaf = bytesOf(page);
  const [size, afterSize] = varint(leaf, cell);
  const [, at] = varint(leaf, afterSize);
  const most = usable - 35;
  const least = Math.floor(((usable - 12) * 32) / 255) - 23;
  const rest = least + ((size - least) % (usable - 4));
  const local = size <= most ? size : rest <= most ? rest : least;
  database.left -= size;
  if (database.left < 0) throw new Error("cells that are larger than the file");
  const bytes = new Uint8Array(size);
  bytes.set(leaf.subarray(at, at + local));
  let done = local;
  for (let next = done < size ? page.getUint32(at + local) : 0; done < size; ) {
    const chained = pageOf(database, next);
    const part = bytesOf(chained).subarray(4, 4 + Math.min(usable - 4, size - done));
    bytes.set(part, done);
    done += part.byteLength;
    next = chained.getUint32(0);
  }
  return bytes;
}

function bytesOf(page: DataView): Uint8Array {
  return new Uint8Array(page.buffer, page.byteOffset, page.byteLength);
}

/** Section 2.1: the header's serial types, then the values. */
function record(bytes: Uint8Array): readonly Cell[] {
  const [headerBytes, first] = varint(bytes, 0);
  const cells: Cell[] = [];
  let body = headerBytes;
  for (let at = first; at < headerBytes && cells.length < mostColumns; ) {
    const [type, next] = varint(bytes, at);
    at = next;
    const size = type >= 12 ? (type - 12) >> 1 : ([0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type] ?? 0);
    cells.push(cellOf(type, bytes.subarray(body, body + size)));
    body += size;
  }
  return cells;
}

function cellOf(type: number, bytes: Uint8Array): Cell {
  if (type === 0) return null;
  if (type === 8 || type === 9) return type - 8;
  if (type >= 12) return type % 2 === 0 ? bytes : new TextDecoder().decode(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (type === 7) return view.getFloat64(0);
  const unsigned = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  return (bytes[0] ?? 0) & 0x80 ? unsigned - 256 ** bytes.byteLength : unsigned;
}

/** Section 1.6: seven bits a byte, the most significant first; the ninth byte counts whole. The value, and where it ends. */
function varint(bytes: Uint8Array, at: number): readonly [number, number] {
  let value = 0;
  for (let index = 0; index < 9; index += 1) {
    const byte = bytes[at + index];
    if (byte === undefined) throw new Error("the file ends early");
    if (index === 8) return [value * 256 + byte, at + 9];
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + index + 1];
  }
  throw new Error("no varint");
}
