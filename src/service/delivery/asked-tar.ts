/** The tar as the courier has it: asked for piece by piece of the service, which has it in blobs. */

import { EnvironmentError } from "../../core/environment-error.ts";
import type { TarSource } from "../../deliver/tar-source.ts";
import { readBytes, type FromCourier, type ToCourier } from "./courier-messages.ts";

export interface AskedTar extends TarSource {
  readonly take: (answer: Extract<ToCourier, { type: "bytes" }>) => void;
}

/** Of what was read so much is handed on at a time: a channel takes little more at once. */
const pieceBytes = 131_072;

export function askedTar(size: number, tell: (message: FromCourier) => void): AskedTar {
  const waiting = new Map<number, (bytes: Uint8Array | undefined) => void>();
  let last = 0;
  const ask = (from: number, to: number): Promise<Uint8Array | undefined> =>
    new Promise((resolve) => {
      last += 1;
      waiting.set(last, resolve);
      tell({ type: "read", number: last, from, to });
    });
  return {
    size,
    async *read(from, to) {
      const next = (at: number): Promise<Uint8Array | undefined> | undefined => (at < to ? ask(at, Math.min(to, at + readBytes)) : undefined);
      // One is read while the one before it is on its way.
      for (let at = from, coming = next(at); coming !== undefined; ) {
        const bytes = await coming;
        if (bytes === undefined) throw new EnvironmentError("the service's own copy of the bundle can't be read; its log has more");
        at += bytes.byteLength;
        coming = next(at);
        for (let start = 0; start < bytes.byteLength; start += pieceBytes) yield bytes.subarray(start, start + pieceBytes);
      }
    },
    // Blobs are named by their digests, and are never changed.
    check: () => Promise.resolve(),
    take: ({ number, bytes }) => {
      waiting.get(number)?.(bytes);
      waiting.delete(number);
    },
  };
}
