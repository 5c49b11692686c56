/** A bundle that comes through a pipe: read once, from front to back. The small files, which come first, are kept. */

import { createHash } from "node:crypto";
import { EnvironmentError } from "../core/environment-error.ts";
import { headBytes } from "../pack/limits.ts";
import type { ArchiveSource, Place } from "../seal/bundle-source.ts";

/** What lies further in is not gone back to, unless it is a small file. Bytes. */
const keptBytes = 32 * 1_048_576;

/** So far is looked ahead that the end is known before a header or the last block asks for it. Bytes. */
const lookAhead = 4_096;

/** Reading goes forward; behind the small files and the first 32 MiB, going back is an EnvironmentError. A chunk is done with when the next is asked for. */
export async function openStream(chunks: AsyncIterable<Uint8Array>): Promise<ArchiveSource> {
  const stream = new Forward(chunks[Symbol.asyncIterator]());
  await stream.reach(lookAhead);
  return {
    kind: "archive",
    get size() {
      return stream.size;
    },
    smallEnd: (offset) => stream.keepTo(offset),
    read: (place) => stream.read(place),
    async hash(places) {
      const digests = new Map<Place, string>();
      for (const place of [...places].sort((a, b) => a.start - b.start)) digests.set(place, await stream.hash(place));
      return places.map((place) => digests.get(place) as string);
    },
  };
}

interface Piece {
  readonly start: number;
  readonly bytes: Uint8Array;
}

class Forward {
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** Bytes 0 up to #keptTo, in pieces as they came. */
  readonly #kept: Piece[] = [];
  /** As many as the small files may have, until it is known how many they have. */
  #keptTo = headBytes;
  /** The last pieces, as far as they reach back to where the reader stands. */
  #recent: readonly Piece[] = [];
  /** Memory of pieces that were recent. */
  readonly #free: Uint8Array[] = [];
  /** What lies before is passed over: a blob that nobody reads is not held. */
  #wanted = 0;
  #arrived = 0;
  #ended = false;

  constructor(chunks: AsyncIterator<Uint8Array>) {
    this.#chunks = chunks;
  }

  /** Not known, and so without bound, until the end has come. */
  get size(): number {
    return this.#ended ? this.#arrived : Infinity;
  }

  keepTo(offset: number): void {
    this.#keptTo = Math.min(this.#keptTo, Math.max(offset, keptBytes));
  }

  async read({ start, end }: Place): Promise<Uint8Array> {
    const bytes = new Uint8Array(end - start);
    let length = 0;
    for await (const piece of this.#pieces(start, end)) {
      bytes.set(piece, length);
      length += piece.byteLength;
    }
    this.#wanted = end;
    await this.reach(end + lookAhead);
    return bytes.subarray(0, length);
  }

  async hash({ start, end }: Place): Promise<string> {
    const hash = createHash("sha256");
    for await (const piece of this.#pieces(start, end)) hash.update(piece);
    return hash.digest("hex");
  }

  /** Takes in until `offset` has arrived, or the end has. */
  async reach(offset: number): Promise<void> {
    while (this.#arrived < offset && !this.#ended) {
      const { value, done } = await this.#chunks.next();
      if (done === true) {
        this.#ended = true;
        return;
      }
      const start = this.#arrived;
      this.#arrived += value.byteLength;
      if (start < this.#keptTo) this.#kept.push({ start, bytes: new Uint8Array(value) });
      else if (this.#arrived > this.#wanted) this.#recent = [...this.#recent, { start, bytes: this.#copied(value) }];
    }
  }

  /** Each is good until the next is asked for. */
  async *#pieces(start: number, end: number): AsyncGenerator<Uint8Array> {
    for (let at = start; at < end; ) {
      this.#wanted = at;
      this.#forget(at);
      await this.reach(at + 1);
      if (at >= this.#arrived) return;
      const piece = pieceAt(this.#recent, at) ?? pieceAt(this.#kept, at);
      if (piece === undefined) {
        throw new EnvironmentError("standard input can't be gone back in", { hint: "write it into a file first, or unpack it: tar -xf -" });
      }
      const part = piece.bytes.subarray(at - piece.start, Math.min(piece.bytes.byteLength, end - piece.start));
      at += part.byteLength;
      yield part;
    }
  }

  #forget(before: number): void {
    const isPast = ({ start, bytes }: Piece): boolean => start + bytes.byteLength <= before;
    for (const { bytes } of this.#recent.filter(isPast)) this.#free.push(new Uint8Array(bytes.buffer));
    this.#recent = this.#recent.filter((piece) => !isPast(piece));
  }

  /** Gigabytes go through the same few pieces of memory. */
  #copied(chunk: Uint8Array): Uint8Array {
    const index = this.#free.findIndex((memory) => memory.byteLength >= chunk.byteLength);
    const [memory] = index < 0 ? [new Uint8Array(chunk.byteLength)] : this.#free.splice(index, 1);
    const bytes = (memory as Uint8Array).subarray(0, chunk.byteLength);
    bytes.set(chunk);
    return bytes;
  }
}

function pieceAt(pieces: readonly Piece[], at: number): Piece | undefined {
  let low = 0;
  let high = pieces.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((pieces[middle]?.start ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  const piece = pieces[low];
  return piece !== undefined && piece.start <= at && at < piece.start + piece.bytes.byteLength ? piece : undefined;
}
