/** Digests of stored bytes. Hashing is a pure function of its bytes, so the pure folders may use it. */

import { createHash } from "node:crypto";

/** `sha256:` and 64 lower-case hexadecimal digits, as OCI descriptors write it. */
export type Digest = `sha256:${string}`;

export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}

/** The 64 digits alone, as sha256sum writes them. */
export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}
