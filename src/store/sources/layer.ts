/** A layer, compressed or not, into the store as what it is unpacked: its diff ID says which bytes these are. */

import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import { PassThrough, Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Digest } from "../../core/digest.ts";
import { BlobMismatch, type BlobStore } from "../blob-store.ts";
import { ImageProblem } from "./image.ts";
import { compressionHead, compressionOf } from "./image-files.ts";

/** A layer of more than this is a mistake or an attack: no image registry takes it. Bytes. */
export const layerLimit = 64 * 1024 ** 3;

/** What is unpacked at a time. Bytes. */
const pieceBytes = 262_144;

/** `digest` is of the bytes as they come, where it is known. Throws ImageProblem or BlobMismatch where it is another layer. */
export async function storeLayer(
  bytes: AsyncIterable<Uint8Array>,
  layer: { readonly diffId: Digest; readonly digest: Digest | undefined },
  into: { readonly store: BlobStore; readonly signal: AbortSignal },
): Promise<void> {
  const hash = createHash("sha256");
  const { head, all } = await peek(bytes);
  const compression = compressionOf(head);
  if (compression === "xz") throw packedWithXz();
  const counted = hashing(all, hash);
  const change = compression === "gzip" ? createGunzip : createZstdDecompress;
  const plain = compression === "plain" ? counted : unpacked(counted, change());
  await into.store.put(plain, { digest: layer.diffId, sizeLimit: layerLimit }, { signal: into.signal });
  const found: Digest = `sha256:${hash.digest("hex")}`;
  if (layer.digest !== undefined && found !== layer.digest) {
    throw new ImageProblem(
      "resolve/image-digest",
      `a layer's bytes are ${found}, its manifest says ${layer.digest}`,
      "the image is damaged: save it again",
    );
  }
}

/** A file of a layer whose bytes are known to be the right ones; it is left where it is. Throws as `storeLayer` does. */
export async function storeLayerFile(
  path: string,
  diffId: Digest,
  into: { readonly store: BlobStore; readonly signal: AbortSignal },
): Promise<void> {
  const file = await open(path, "r");
  // One piece of memory for all that is read: what is thrown away piece by piece stays until much of it has come together.
  const buffer = Buffer.allocUnsafeSlow(pieceBytes);
  try {
    const { bytesRead } = await file.read(buffer, 0, compressionHead, 0);
    const compression = compressionOf(buffer.subarray(0, bytesRead));
    if (compression === "xz") throw packedWithXz();
    if (compression === "plain") throw new BlobMismatch("digest", diffId, "a layer that is not compressed, of another digest");
    const plain = compression === "gzip" ? createGunzip({ chunkSize: pieceBytes }) : createZstdDecompress({ chunkSize: pieceBytes });
    const feeding = feed(file, buffer, plain).catch((error: Error) => void plain.destroy(error));
    try {
      await into.store.put(plain, { digest: diffId, sizeLimit: layerLimit }, { signal: into.signal });
    } finally {
      plain.destroy();
      await feeding;
    }
  } finally {
    await file.close();
  }
}

/** A stream calls back when it needs a piece no longer: only then the next one takes its place. */
async function feed(file: FileHandle, buffer: Buffer, into: Writable): Promise<void> {
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, at);
    if (bytesRead === 0) break;
    at += bytesRead;
    await new Promise<void>((resolve, reject) => {
      into.write(buffer.subarray(0, bytesRead), (error) => (error ? reject(error) : resolve()));
    });
  }
  into.end();
}

function packedWithXz(): ImageProblem {
  return new ImageProblem(
    "resolve/image-form",
    "one of its layers is compressed with xz, which no registry takes",
    "save or push the image again",
  );
}

/** The first bytes, enough to tell how they are compressed, and all of them. */
async function peek(
  bytes: AsyncIterable<Uint8Array>,
): Promise<{ readonly head: Uint8Array; readonly all: AsyncIterable<Uint8Array> }> {
  const iterator = bytes[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array();
  while (head.byteLength < compressionHead) {
    const next = await iterator.next();
    if (next.done) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield head;
    for (let next = await iterator.next(); !next.done; next = await iterator.next()) yield next.value;
  }
  return { head, all: all() };
}

async function* hashing(
  bytes: AsyncIterable<Uint8Array>,
  hash: ReturnType<typeof createHash>,
): AsyncGenerator<Uint8Array> {
  for await (const chunk of bytes) {
    hash.update(chunk);
    yield chunk;
  }
}

function unpacked(bytes: AsyncIterable<Uint8Array>, change: NodeJS.ReadWriteStream): AsyncIterable<Uint8Array> {
  const out = new PassThrough({ highWaterMark: 1_048_576 });
  pipeline(Readable.from(bytes), change, out).catch((error: Error) => out.destroy(error));
  return out;
}
