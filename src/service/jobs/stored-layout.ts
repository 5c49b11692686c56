/**
 * A bundle as the service keeps it: never a tar, but where each byte of the tar comes from. Its small files lie in one blob, the
 * big ones in those that every other bundle of the release shares.
 */

import type { Digest } from "../../core/digest.ts";
import { hexOf, sha256 } from "../../core/digest.ts";
import type { Role } from "../../core/file.ts";
import { sizeOf } from "../../core/file.ts";
import { canonicalJson } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import { bodySha256 } from "../../pack/manifest.ts";
import { layBundle, type BlobReader, type BundleLayout } from "../../pack/stream.ts";
import { blockSize, paddingOf } from "../../pack/tar.ts";
import { bundleFileName, type Tree } from "../../pack/tree.ts";

export interface StoredLayout {
  readonly fileName: string;
  /** Bytes of the tar. */
  readonly size: number;
  /** The same for the same bytes, and for no others: a strong validator (RFC 9110 section 8.8.1). */
  readonly tag: string;
  /** The blob of the small files. */
  readonly drawn: Digest;
  readonly segments: readonly StoredSegment[];
  readonly files: readonly StoredFile[];
  /** Where in `drawn` the provenance in its signed envelope is. */
  readonly attestation: Stretch;
}

interface StoredSegment {
  readonly start: number;
  readonly size: number;
  readonly digest: Digest;
  readonly from: number;
}

export interface StoredFile {
  readonly path: string;
  readonly mode: string;
  readonly role: Role;
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  /** Of its first byte in the tar. */
  readonly start: number;
}

export interface Stretch {
  readonly from: number;
  readonly size: number;
}

/** The layout, and what the blob of the small files holds. */
export function storedLayout(sealed: Tree, attestation: string): { readonly layout: StoredLayout; readonly drawn: Uint8Array } {
  const laid = layBundle(sealed);
  const small = laid.segments.flatMap((segment) => (segment.kind === "bytes" ? [segment.bytes] : []));
  const drawn = Buffer.concat([...small, Buffer.from(attestation)]);
  const digest = sha256(drawn);
  let from = 0;
  const segments = laid.segments.map((segment): StoredSegment => {
    const { start, size } = segment;
    if (segment.kind === "blob") return { start, size, digest: segment.digest, from: segment.from ?? 0 };
    from += size;
    return { start, size, digest, from: from - size };
  });
  const smallSize = from;
  // What the tar's bytes follow from; the attestation is not among them.
  const tag = hexOf(sha256(canonicalJson({ small: sha256(drawn.subarray(0, smallSize)), segments: segments.map((each) => (each.digest === digest ? { ...each, digest: "" } : each)) } as unknown as JsonObject)));
  const stretch = { from: smallSize, size: drawn.byteLength - smallSize };
  return { layout: { fileName: bundleFileName(sealed.about), size: laid.size, tag, drawn: digest, segments, files: placed(sealed), attestation: stretch }, drawn };
}

function placed(sealed: Tree): readonly StoredFile[] {
  let at = 0;
  return sealed.files.map(({ path, mode, role, body }) => {
    const size = sizeOf(body);
    const start = at + blockSize;
    at = start + size + paddingOf(size);
    return { path, mode: mode === 0o755 ? "0755" : "0644", role, size, sha256: bodySha256(body), start };
  });
}

/** What `produce` takes. */
export function layoutOf({ size, segments }: StoredLayout): BundleLayout {
  return { size, segments: segments.map((segment) => ({ ...segment, kind: "blob" })) };
}

/** Reads the small files from one store and everything else from the other. */
export function readerOf({ drawn }: StoredLayout, stores: { readonly drawn: BlobReader; readonly blobs: BlobReader }): BlobReader {
  return { read: (digest, start, end) => (digest === drawn ? stores.drawn : stores.blobs).read(digest, start, end) };
}
