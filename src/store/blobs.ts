/** What the service needs of a place that holds blobs by digest, whether that is a folder or a bucket. */

import type { Digest } from "../core/digest.ts";
import type { BlobReader } from "../pack/stream.ts";
import type { Ring } from "./ring.ts";

export interface Blob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

export interface Blobs extends BlobReader {
  /** Stores what `source` gives, which is hashed while it passes. Throws BlobMismatch where it is another; then nothing of it shows. */
  put(source: AsyncIterable<Uint8Array>, expect: Blob): Promise<Blob>;
  /** Undefined where the blob is not there. */
  stat(digest: Digest): Promise<Blob | undefined>;
  /** Like `read`; a chunk's memory may be used again after the two chunks that follow it. Several readers of one thing after another may share a ring. */
  reusing(ring?: Ring): BlobReader;
  list(): Promise<readonly Blob[]>;
}
