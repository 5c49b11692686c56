/** Copies blobs of a folder into a bucket; each is hashed on its way, so a bad one on the disk never gets there. */

import type { Digest } from "../core/digest.ts";
import { EnvironmentError } from "../core/environment-error.ts";
import { BlobMismatch } from "./blob-store.ts";
import type { Blob } from "./blobs.ts";
import type { BlobReader } from "../pack/stream.ts";
import type { ObjectAddress } from "./object-address.ts";
import { openObjects } from "./object-store.ts";

export interface Pushed {
  readonly pushed: readonly Blob[];
  /** How many were in the bucket already. */
  readonly there: number;
}

/** Throws an EnvironmentError where the bucket can't be used, or a blob is not what its name says. What was copied stays. */
export async function pushBlobs(to: ObjectAddress, from: BlobReader, blobs: readonly Blob[], { progress, signal }: { readonly progress?: ((digest: Digest) => void) | undefined; readonly signal: AbortSignal }): Promise<Pushed> {
  const store = openObjects(to);
  const target = store.blobs("blobs");
  const pushed: Blob[] = [];
  try {
    await store.check();
    for (const { digest, size } of blobs) {
      progress?.(digest);
      if ((await target.stat(digest))?.size === size) continue;
      await target.put(until(signal, from.read(digest, 0, size)), { digest, size }).catch((error: unknown) => {
        if (!(error instanceof BlobMismatch)) throw error;
        throw new EnvironmentError(`the blob ${digest} on the disk is not what its name says`, { hint: "cloudlet-bundle store check", cause: error });
      });
      pushed.push({ digest, size });
    }
  } finally {
    store.close();
  }
  return { pushed, there: blobs.length - pushed.length };
}

async function* until(signal: AbortSignal, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of source) {
    signal.throwIfAborted();
    yield chunk;
  }
}
