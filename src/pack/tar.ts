/**
 * Headers of a tar: POSIX.1-2017 XCU pax, "ustar Interchange Format", regular files only. One entry has one possible
 * header, so reading is decoding and comparing. The bytes are those of tar-stream, which does not export its encoder.
 */

import { entrySizeDigits, mtimeLimit, octalSizeLimit, bundlePathLength } from "./limits.ts";

export const blockSize = 512;

/** Two blocks of zeros close an archive; we add no further padding. */
export const endSize = 2 * blockSize;

export interface TarEntry {
  readonly path: string;
  /** Permission bits. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
  /** Seconds since the Epoch. */
  readonly mtime: number;
}

/** The 512 bytes before an entry's body: owner 0/0 without names, checksum, nothing else. */
export function encodeHeader({ path, mode, size, mtime }: TarEntry): Uint8Array {
  const name = new TextEncoder().encode(path);
  if (name.length === 0 || name.length > bundlePathLength) throw new Error(`no name for ustar: ${JSON.stringify(path)}`);
  assertInteger(mode, 0o7777, path);
  assertInteger(mtime, mtimeLimit, path);
  assertInteger(size, 10 ** entrySizeDigits - 1, path);

  const block = new Uint8Array(blockSize);
  block.set(name, 0);
  putOctal(block, 100, 6, mode);
  putOctal(block, 108, 6, 0);
  putOctal(block, 116, 6, 0);
  if (size <= octalSizeLimit) putOctal(block, 124, 11, size);
  else putBase256(block, 124, size);
  putOctal(block, 136, 11, mtime);
  block[156] = asciiZero;
  putText(block, 257, "ustar\u000000");
  putOctal(block, 329, 6, 0);
  putOctal(block, 337, 6, 0);
  putOctal(block, 148, 6, checksumOf(block));
  return block;
}

/** Zeros that fill the last block of a body. */
export function paddingOf(size: number): number {
  return (blockSize - (size % blockSize)) % blockSize;
}

export type HeaderReading =
  | { readonly kind: "entry"; readonly entry: TarEntry }
  | { readonly kind: "end" }
  | { readonly kind: "wrong"; readonly problem: HeaderProblem; readonly message: string };

/** `type`: something else than a regular file. `header`: not the one header that such an entry has. */
export type HeaderProblem = "type" | "header";

/** Reads a header, accepting exactly what `encodeHeader` writes for some entry. `block` has 512 bytes. */
export function readHeader(block: Uint8Array): HeaderReading {
  if (block.length !== blockSize) throw new Error(`a header has ${blockSize} bytes, not ${block.length}`);
  if (block.every((byte) => byte === 0)) return { kind: "end" };
  const path = textAt(block, 0, 100);
  const shown = JSON.stringify(path);
  const type = block[156] ?? 0;
  if (type !== asciiZero && checksumFits(block)) {
    return { kind: "wrong", problem: "type", message: `${shown} is ${typeNames[String.fromCharCode(type)] ?? "of an unknown type"}, not a regular file` };
  }
  const mode = octalAt(block, 100, 6);
  const size = block[124] === 0x80 ? base256At(block, 124) : octalAt(block, 124, 11);
  const mtime = octalAt(block, 136, 11);
  if (!/^[\x21-\x7e]+$/.test(path) || mode === undefined || mode > 0o7777) return malformed(shown);
  if (size === undefined || mtime === undefined || mtime > mtimeLimit) return malformed(shown);
  const entry = { path, mode, size, mtime };
  return Buffer.compare(encodeHeader(entry), block) === 0 ? { kind: "entry", entry } : malformed(shown);
}

function malformed(shown: string): HeaderReading {
  return { kind: "wrong", problem: "header", message: `the header of ${shown} is not the one that this entry must have` };
}

const asciiZero = 0x30;

const typeNames: Readonly<Record<string, string>> = {
  "\0": "of the old type without a name",
  "1": "a hard link",
  "2": "a symbolic link",
  "3": "a character device",
  "4": "a block device",
  "5": "a folder",
  "6": "a pipe",
  "7": "of the reserved type 7",
  g: "a global extended header",
  x: "an extended header",
  K: "a GNU long link",
  L: "a GNU long name",
  S: "a GNU sparse file",
};

function assertInteger(value: number, limit: number, path: string): void {
  if (!Number.isInteger(value) || value < 0 || value > limit) throw new Error(`no number for the header of ${path}: ${value}`);
}

function putText(block: Uint8Array, offset: number, text: string): void {
  for (let index = 0; index < text.length; index += 1) block[offset + index] = text.charCodeAt(index);
}

/** Digits, a space, and (where the field is longer) NUL, as tar-stream writes them. POSIX allows space and NUL alike. */
function putOctal(block: Uint8Array, offset: number, digits: number, value: number): void {
  putText(block, offset, `${value.toString(8).padStart(digits, "0")} `);
}

/** GNU tar's form for large numbers: 0x80, then eleven bytes, the most significant first. */
function putBase256(block: Uint8Array, offset: number, value: number): void {
  block[offset] = 0x80;
  for (let index = 11, rest = value; index > 0; index -= 1, rest = Math.floor(rest / 256)) block[offset + index] = rest % 256;
}

/** The sum of all bytes, with spaces in the place of the checksum. */
function checksumOf(block: Uint8Array): number {
  return block.reduce((sum, byte, index) => sum + (index >= 148 && index < 156 ? 0x20 : byte), 0);
}

function checksumFits(block: Uint8Array): boolean {
  return octalAt(block, 148, 6) === checksumOf(block);
}

function textAt(block: Uint8Array, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return new TextDecoder("latin1").decode(end < 0 ? field : field.subarray(0, end));
}

function octalAt(block: Uint8Array, offset: number, digits: number): number | undefined {
  const text = new TextDecoder("latin1").decode(block.subarray(offset, offset + digits));
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : undefined;
}

function base256At(block: Uint8Array, offset: number): number | undefined {
  const value = block.subarray(offset + 1, offset + 12).reduce((sum, byte) => sum * 256 + byte, 0);
  return String(value).length <= entrySizeDigits && value > octalSizeLimit ? value : undefined;
}
