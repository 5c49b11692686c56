/** The digests of a file's pieces, for the lock: in the pass that is made over it anyway, or on several threads at once. */

import { createHash } from "node:crypto";
import type { LockedPieces } from "../spec/lock.ts";
import { hashStretches } from "./hash-workers.ts";

/** Takes the bytes as they pass. */
export class PieceDigests {
  readonly #size: number;
  readonly #digests: string[] = [];
  #hash = createHash("sha256");
  #held = 0;

  /** `size`: bytes of a piece. */
  constructor(size: number) {
    this.#size = size;
  }

  update(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.byteLength; ) {
      const part = chunk.subarray(at, at + this.#size - this.#held);
      this.#hash.update(part);
      this.#held += part.byteLength;
      at += part.byteLength;
      if (this.#held === this.#size) this.#end();
    }
  }

  ended(): LockedPieces {
    if (this.#held > 0) this.#end();
    return { size: this.#size, sha256: this.#digests };
  }

  #end(): void {
    this.#digests.push(this.#hash.digest("hex"));
    this.#hash = createHash("sha256");
    this.#held = 0;
  }
}

/** Of a file of `size` bytes; `done` hears how many are hashed. */
export async function piecesOfFile(
  path: string,
  size: number,
  pieceSize: number,
  watch: { readonly done: (bytes: number) => void; readonly signal: AbortSignal },
): Promise<LockedPieces> {
  const starts = Array.from({ length: Math.ceil(size / pieceSize) }, (_, index) => index * pieceSize);
  let done = 0;
  const sha256 = await hashStretches(
    starts.map((start) => ({ from: [[{ path, start, end: Math.min(size, start + pieceSize) }]] })),
    { hashed: (bytes) => watch.done((done += bytes)), signal: watch.signal },
  );
  return { size: pieceSize, sha256 };
}
