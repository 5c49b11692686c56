/** Where a Zstandard frame ends: a cluster of a qcow2 is followed by whatever, which no decoder may take for a second frame. */

import { UnusableDisk } from "./unusable-disk.ts";

/** RFC 8878 3.1.1: bytes of the frame that `bytes` begins with. Throws UnusableDisk where it is none, or is cut off. */
export function zstdFrameBytes(bytes: Buffer): number {
  if (bytes.byteLength < 6 || bytes.readUInt32LE(0) !== 0xfd2fb528) throw new UnusableDisk("a compressed cluster is no Zstandard frame");
  const descriptor = bytes.readUInt8(4);
  const isSingle = (descriptor & 0x20) !== 0;
  const contentBytes = [isSingle ? 1 : 0, 2, 4, 8][descriptor >>> 6] ?? 0;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  let at = 5 + (isSingle ? 0 : 1) + dictionaryBytes + contentBytes;
  for (let isLast = false; !isLast; ) {
    if (at + 3 > bytes.byteLength) throw new UnusableDisk("a compressed cluster is cut off");
    const header = bytes.readUIntLE(at, 3);
    isLast = (header & 1) !== 0;
    // A block of one repeated byte has that byte only.
    at += 3 + (((header >>> 1) & 3) === 1 ? 1 : header >>> 3);
  }
  at += (descriptor & 4) !== 0 ? 4 : 0;
  if (at > bytes.byteLength) throw new UnusableDisk("a compressed cluster is cut off");
  return at;
}
