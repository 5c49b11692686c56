/** The file of a package database: in memory, or somewhere in an image, of which no more is held than is looked at. */

export interface DatabaseFile {
  /** Bytes. */
  readonly size: number;
  /** Fewer bytes where the file ends. */
  read(at: number, length: number): Uint8Array;
}

export function inMemory(bytes: Uint8Array): DatabaseFile {
  return { size: bytes.byteLength, read: (at, length) => bytes.subarray(at, at + length) };
}
