/** Container images from archives, layouts and registries into the store: every layer uncompressed, every digest checked. */

import { stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { Readable } from "node:stream";
import type { Digest } from "../../core/digest.ts";
import type { Issue, Outcome } from "../../core/issue.ts";
import { below } from "../../core/pointer.ts";
import { BlobMismatch } from "../blob-store.ts";
import { dockerImage } from "./docker-archive.ts";
import { readConfig } from "./image-config.ts";
import { ImageProblem, type ContainerRead, type ContainerWanted, type ImageFound } from "./image.ts";
import { archiveFiles, folderFiles, NotAnArchive, type ImageFiles } from "./image-files.ts";
import { storeLayer } from "./layer.ts";
import { ociImage } from "./oci-layout.ts";
import { readRegistryImage } from "./registry.ts";

/** Puts an image's config and layers into the store. Issues where the image is not what the release says. */
export async function readContainer(wanted: ContainerWanted): Promise<Outcome<ContainerRead>> {
  const [form = "", ...rest] = wanted.source.split(":");
  const path = rest.join(":");
  const place = isAbsolute(path) ? path : join(wanted.folder, path);
  try {
    if (form === "docker") return { ok: true, value: await readRegistryImage(wanted), issues: [] };
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
      message: `${wanted.source}: a part of it is not the one that is named (${error.message})`,
      hint: "the image is damaged: save or push it again",
    };
  }
  const code = (error as NodeJS.ErrnoException).code ?? "";
  if (/^Z_|ZSTD/.test(code)) {
    return {
      ...at,
      code: "resolve/image-form",
      message: `${wanted.source}: a layer can't be unpacked (${code})`,
      hint: "the image is damaged: save or push it again",
    };
  }
  return undefined;
}
