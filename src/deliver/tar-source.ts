/** A bundle's tar, as far as it has to be known to be sent: its size, and any stretch of its bytes. */

import { createHash } from "node:crypto";

export interface TarSource {
  readonly size: number;
  /** The bytes from `from` up to, not including, `to`; each piece in memory of its own, for the last one may still wait for its turn in the line. */
  readonly read: (from: number, to: number) => AsyncIterable<Uint8Array>;
  /** Throws an EnvironmentError where it is not the one any more that was verified. */
  readonly check: () => Promise<void>;
}

/** SHA-256 of a stretch of the tar here, hexadecimal. */
export async function digestOf(source: TarSource, from: number, to: number, signal: AbortSignal, read: (at: number) => void = () => undefined): Promise<string> {
  const hash = createHash("sha256");
  let at = from;
  for await (const piece of source.read(from, to)) {
    signal.throwIfAborted();
    hash.update(piece);
    read((at += piece.byteLength));
  }
  return hash.digest("hex");
}
