/** What a grain is packed in: a zlib stream (RFC 1950), by means whose bytes depend on neither Node nor the processor. */

import { deflateInto } from "./deflate.ts";

/** The largest prime below 2^16. */
const base = 65_521;
/** So many bytes can be summed up before a sum passes 2^32. */
const stretch = 5_552;
/** A stored block says its length in 16 bits (RFC 1951 3.2.4). Bytes. */
const storedLimit = 65_535;
/** Deflate with a window of 32 KiB, which takes streams of smaller windows too; the second byte makes a multiple of 31. */
const anyWindow = [0x78, 0x9c];
/** Before and after the deflate stream. Bytes. */
const headBytes = 2;
const tailBytes = 4;

/** RFC 1950 section 8. */
export function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let at = 0; at < bytes.byteLength; ) {
    const end = Math.min(at + stretch, bytes.byteLength);
    for (; at < end; at += 1) {
      a = (a + (bytes[at] as number)) | 0;
      b = (b + a) | 0;
    }
    a = (a >>> 0) % base;
    b = (b >>> 0) % base;
  }
  return ((b << 16) | a) >>> 0;
}

/** Compressed, or stored where that is no longer. Gives how many bytes it wrote to `out`. */
export function packInto(out: Uint8Array, bytes: Uint8Array): number {
  const size = deflateInto(out.subarray(headBytes), bytes, bytes.byteLength);
  if (size === undefined) return storeInto(out, bytes);
  out.set(anyWindow);
  return writeSum(out, headBytes + size, bytes);
}

/** Without compression: what is packed already does not become smaller. Gives how many bytes it wrote to `out`. */
export function storeInto(out: Uint8Array, bytes: Uint8Array): number {
  let to = headBytes;
  out.set([0x78, 0x01]);
  for (let at = 0; at < bytes.byteLength; ) {
    const size = Math.min(storedLimit, bytes.byteLength - at);
    const isLast = at + size === bytes.byteLength;
    out.set([Number(isLast), size & 0xff, size >>> 8, ~size & 0xff, (~size >>> 8) & 0xff], to);
    out.set(bytes.subarray(at, at + size), to + 5);
    to += 5 + size;
    at += size;
  }
  return writeSum(out, to, bytes);
}

/** Around a deflate stream as it is; `bytes` is what it unpacks to. Gives how many bytes it wrote to `out`. */
export function wrapInto(out: Uint8Array, stream: Uint8Array, bytes: Uint8Array): number {
  out.set(anyWindow);
  out.set(stream, headBytes);
  return writeSum(out, headBytes + stream.byteLength, bytes);
}

/** The most that any of these writes for so many bytes. */
export function packedLimit(bytes: number): number {
  return headBytes + bytes + 5 * Math.ceil(bytes / storedLimit) + tailBytes;
}

function writeSum(out: Uint8Array, at: number, bytes: Uint8Array): number {
  new DataView(out.buffer, out.byteOffset).setUint32(at, adler32(bytes));
  return at + tailBytes;
}
