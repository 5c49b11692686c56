/** An image in an OCI image layout (OCI image-spec 1.1, image-layout.md), in a folder or an archive. */

import { hexOf, isDigest, sha256, type Digest } from "../../core/digest.ts";
import { ImageProblem, parseJson, type ContainerWanted, type ImageFound } from "./image.ts";
import type { ImageFiles } from "./image-files.ts";

interface Descriptor {
  readonly mediaType?: string;
  readonly digest: Digest;
  readonly platform?: { readonly architecture?: string; readonly os?: string };
}

/** An index may name indexes; nobody nests them deeper. */
const mostIndexes = 4;

/** Finds the image with the wanted config among all that the layout names. Throws an ImageProblem if there is none. */
export async function ociImage(files: ImageFiles, wanted: ContainerWanted): Promise<ImageFound> {
  const index = parseJson(await files.small("index.json")) as { readonly manifests?: unknown } | undefined;
  if (!Array.isArray(index?.manifests)) {
    throw new ImageProblem(
      "resolve/image-form",
      "it has no index.json, so it is no OCI image layout",
      "for `docker save` archives write docker-archive:",
    );
  }
  const manifests = await manifestsOf(files, index.manifests, mostIndexes, new Set());
  const seen: string[] = [];
  for (const { config, layers } of manifests) {
    if (config.digest === wanted.digest) {
      return {
        config: await blob(files, config.digest),
        layers: layers.map((layer) => ({ path: blobPath(layer.digest), digest: layer.digest })),
      };
    }
    seen.push(config.digest);
  }
  throw new ImageProblem(
    "resolve/image-digest",
    `it holds no image with the ID ${wanted.digest}, only ${seen.slice(0, 8).join(", ") || "none"}`,
    "give the right layout, or correct the release's digest",
  );
}

interface ImageManifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

async function manifestsOf(
  files: ImageFiles,
  descriptors: readonly unknown[],
  depth: number,
  seen: Set<Digest>,
): Promise<readonly ImageManifest[]> {
  const found: ImageManifest[] = [];
  for (const descriptor of descriptors) {
    if (!isDescriptor(descriptor)) {
      throw new ImageProblem(
        "resolve/image-form",
        "its index names something without a digest",
        "save the image again",
      );
    }
    // Indexes of few bytes could name one another millions of times.
    if (seen.has(descriptor.digest)) continue;
    seen.add(descriptor.digest);
    // Attestations and images for other machines may be named and left out of the layout.
    const bytes = await files.small(blobPath(descriptor.digest));
    if (bytes === undefined) continue;
    if (sha256(bytes) !== descriptor.digest) {
      throw new ImageProblem(
        "resolve/image-digest",
        `its manifest ${descriptor.digest} is damaged`,
        "save the image again",
      );
    }
    const document = parseJson(bytes) as Partial<Record<"manifests" | "config" | "layers", unknown>> | undefined;
    if (Array.isArray(document?.manifests)) {
      if (depth === 0) {
        throw new ImageProblem(
          "resolve/image-form",
          `its indexes are nested more than ${mostIndexes} deep`,
          "save the image again",
        );
      }
      found.push(...(await manifestsOf(files, document.manifests, depth - 1, seen)));
      continue;
    }
    const { config, layers } = document ?? {};
    if (isDescriptor(config) && Array.isArray(layers) && layers.every(isDescriptor)) found.push({ config, layers });
  }
  return found;
}

async function blob(files: ImageFiles, digest: Digest): Promise<Uint8Array> {
  const bytes = await files.small(blobPath(digest));
  if (bytes === undefined) {
    throw new ImageProblem(
      "resolve/image-missing",
      `it has no ${blobPath(digest)}, which its manifest names`,
      "save the image again",
    );
  }
  return bytes;
}

function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

function isDescriptor(value: unknown): value is Descriptor {
  const digest = (value as Partial<Descriptor> | null)?.digest;
  return typeof digest === "string" && isDigest(digest);
}
