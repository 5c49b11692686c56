/** Container images from archives and layouts into the store: every layer uncompressed, every digest checked. */

import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createZstdDecompress } from "node:zlib";
import type { Digest } from "../../core/digest.ts";
import { isDigest, sha256 } from "../../core/digest.ts";
import type { Issue, Outcome } from "../../core/issue.ts";
import { below } from "../../core/pointer.ts";
import { BlobMismatch } from "../blob-store.ts";
import { dockerImage } from "./docker-archive.ts";
import { ImageProblem, parseJson, type ContainerWanted, type ImageFound } from "./image.ts";
import { archiveFiles, compressionHead, compressionOf, folderFiles, NotAnArchive, type ImageFiles } from "./image-files.ts";
import { ociImage } from "./oci-layout.ts";

export interface ContainerRead {
  readonly architecture: string;
  readonly config: { readonly digest: Digest; readonly size: number };
  readonly layers: readonly { readonly digest: Digest; readonly size: number }[];
}

/** A layer of more than this is a mistake or an attack: no image registry takes it. Bytes. */
const layerLimit = 64 * 1024 ** 3;

/** Puts an image's config and layers into the store. Issues where the image is not what the release says. */
export async function readContainer(wanted: ContainerWanted): Promise<Outcome<ContainerRead>> {
  const [form = "", ...rest] = wanted.source.split(":");
  const path = rest.join(":");
  const place = isAbsolute(path) ? path : join(wanted.folder, path);
  try {
    const found = await stat(place).catch(() => undefined);
    if (found === undefined) {
      throw new ImageProblem("resolve/image-missing", `there is no ${place}`, "paths are relative to the release file");
    }
    if (form === "oci" ? !found.isDirectory() : !found.isFile()) {
      const is = found.isDirectory() ? "a folder" : found.isFile() ? "a file" : "neither a file nor a folder";
      throw new ImageProblem(
        "resolve/image-form",
        `${place} is ${is}`,
        "oci: names a folder, oci-archive: and docker-archive: name a file",
      );
    }
    const files = form === "oci" ? folderFiles(place) : await archiveFiles(place, wanted.signal);
    const image = form === "docker-archive" ? await dockerImage(files, wanted) : await ociImage(files, wanted);
    return { ok: true, value: await store(files, image, wanted), issues: [] };
  } catch (error) {
    const issue = issueOf(error, wanted, place);
    if (issue === undefined) throw error;
    return { ok: false, issues: [issue] };
  }
}

async function store(files: ImageFiles, image: ImageFound, wanted: ContainerWanted): Promise<ContainerRead> {
  const { architecture, diffIds } = readConfig(image.config, wanted);
  if (diffIds.length !== image.layers.length) {
    throw new ImageProblem(
      "resolve/image-digest",
      `its config names ${diffIds.length} layers, it has ${image.layers.length}`,
      "save the image again",
    );
  }
  const size = image.config.byteLength;
  const config = await wanted.store.put(Readable.from([image.config]), { digest: wanted.digest, size });
  const byPath = new Map<string, { readonly diffId: Digest; readonly digest: Digest | undefined }>();
  for (const [index, diffId] of diffIds.entries()) {
    const layer = image.layers[index];
    // A layer that is in the store already, from whichever image, is not read again.
    if (layer !== undefined && (await wanted.store.stat(diffId)) === undefined) {
      byPath.set(layer.path, { diffId, digest: layer.digest });
    }
  }
  const total = byPath.size;
  let done = 0;
  await files.each(new Set(byPath.keys()), async (path, bytes) => {
    const layer = byPath.get(path);
    if (layer !== undefined) await storeLayer(bytes, layer, wanted);
    wanted.progress((done += 1), total);
  });
  const layers = [];
  for (const [index, diffId] of diffIds.entries()) {
    const blob = await wanted.store.stat(diffId);
    if (blob === undefined) {
      throw new ImageProblem(
        "resolve/image-missing",
        `its layer ${index + 1} (${image.layers[index]?.path}) is not in it`,
        "save the image again",
      );
    }
    layers.push({ digest: diffId, size: blob.size });
  }
  return { architecture, config: { digest: config.digest, size: config.size }, layers };
}

async function storeLayer(
  bytes: AsyncIterable<Uint8Array>,
  layer: { readonly diffId: Digest; readonly digest: Digest | undefined },
  wanted: ContainerWanted,
): Promise<void> {
  const hash = createHash("sha256");
  const { head, all } = await peek(bytes);
  const compression = compressionOf(head);
  if (compression === "xz") {
    throw new ImageProblem(
      "resolve/image-form",
      "one of its layers is compressed with xz, which no registry takes",
      "save the image again",
    );
  }
  const counted = hashing(all, hash);
  const change = compression === "gzip" ? createGunzip : createZstdDecompress;
  const plain = compression === "plain" ? counted : unpacked(counted, change());
  await wanted.store.put(plain, { digest: layer.diffId, sizeLimit: layerLimit }, { signal: wanted.signal });
  const found: Digest = `sha256:${hash.digest("hex")}`;
  if (layer.digest !== undefined && found !== layer.digest) {
    throw new ImageProblem(
      "resolve/image-digest",
      `a layer's bytes are ${found}, its manifest says ${layer.digest}`,
      "the image is damaged: save it again",
    );
  }
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

interface Config {
  readonly architecture?: unknown;
  readonly os?: unknown;
  readonly rootfs?: { readonly diff_ids?: unknown };
}

/** OCI image-spec, config.md: `os`, `architecture`, `rootfs.diff_ids`. */
function readConfig(
  bytes: Uint8Array,
  wanted: ContainerWanted,
): { readonly architecture: string; readonly diffIds: readonly Digest[] } {
  const id = sha256(bytes);
  if (id !== wanted.digest) {
    throw new ImageProblem(
      "resolve/image-digest",
      `its image ID is ${id}, the release says ${wanted.digest}`,
      "give the right archive, or correct the release's digest",
    );
  }
  const config = parseJson(bytes) as Config | undefined;
  const diffIds = config?.rootfs?.diff_ids;
  if (!Array.isArray(diffIds) || !diffIds.every((each): each is Digest => typeof each === "string" && isDigest(each))) {
    throw new ImageProblem(
      "resolve/image-form",
      "its config names no layers (rootfs.diff_ids)",
      "save the image again",
    );
  }
  if (config?.os !== "linux" || config.architecture !== wanted.architecture) {
    throw new ImageProblem(
      "resolve/image-platform",
      `it is for ${String(config?.os)}/${String(config?.architecture)}, linux/${wanted.architecture} is wanted`,
      "give the right image, or --architecture",
    );
  }
  return { architecture: wanted.architecture, diffIds };
}

function issueOf(error: unknown, wanted: ContainerWanted, place: string): Issue | undefined {
  const at = { severity: "error", pointer: below(wanted.pointer, "source") } as const;
  if (error instanceof ImageProblem) {
    const pointer = error.code === "resolve/image-digest" ? below(wanted.pointer, "digest") : at.pointer;
    return { ...at, pointer, code: error.code, message: `${wanted.source}: ${error.message}`, hint: error.hint };
  }
  if (error instanceof NotAnArchive) {
    return {
      ...at,
      code: "resolve/image-form",
      message: `${place}: ${error.message}`,
      hint: "give an archive as `docker save` or `skopeo copy` writes it",
    };
  }
  if (error instanceof BlobMismatch) {
    return {
      ...at,
      code: "resolve/image-digest",
      message: `${wanted.source}: a layer is not the one that the config names (${error.message})`,
      hint: "the image is damaged: save it again",
    };
  }
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (/^Z_|ZSTD/.test(code)) {
    return {
      ...at,
      code: "resolve/image-form",
      message: `${wanted.source}: a layer can't be unpacked (${code})`,
      hint: "the image is damaged: save it again",
    };
  }
  return undefined;
}
