/** From a tag or digest to one image's manifest: through indexes, by platform (OCI image-spec 1.1, Docker v2 schema 2). */

import { isDigest, sha256, type Digest } from "../../core/digest.ts";
import { ImageProblem, parseJson } from "./image.ts";
import { layerLimit } from "./layer.ts";
import { readSmall, urlOf, type RegistryClient } from "./registry-client.ts";

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

export interface ImageManifest {
  readonly config: Descriptor;
  /** From the base. */
  readonly layers: readonly Descriptor[];
}

interface Platform {
  readonly os?: unknown;
  readonly architecture?: unknown;
  readonly variant?: unknown;
}

interface Entry extends Descriptor {
  readonly platform?: Platform;
}

interface Wanted {
  /** The image ID. */
  readonly digest: Digest;
  readonly architecture: string;
}

const manifestTypes = ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
const indexTypes = ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
const accepted = [...manifestTypes, ...indexTypes].join(", ");
const configTypes = ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
const layerTypes = /^application\/vnd\.(?:oci\.image\.layer\.v1\.tar(?:\+gzip|\+zstd)?|docker\.image\.rootfs\.diff\.tar(?:\.gzip|\.zstd)?)$/;
const keptBack = /nondistributable|\.foreign\./;

/** Distribution spec 1.1: a registry takes manifests of 4 MiB; nobody writes bigger ones. Bytes. */
export const mostDocumentBytes = 4 * 1024 * 1024;
/** OverlayFS under docker takes 127 layers. */
const mostLayers = 512;
/** Manifests and indexes that are looked at for one image: an index is made by whoever likes to. */
const mostDocuments = 32;
const mostIndexes = 4;

/** Throws ImageProblem where the registry has no such image for us, NotServed where it has nothing of the name. */
export async function findImage(client: RegistryClient, wanted: Wanted): Promise<ImageManifest> {
  const { tag, digest } = client.reference;
  const search: Search = { client, wanted, left: mostDocuments, ids: [], platforms: new Set() };
  const found = await look(search, await readDocument(search, tag ?? digest ?? "latest", digest), mostIndexes);
  if (found !== undefined) return found;
  if (search.ids.length === 0) {
    throw new ImageProblem(
      "resolve/image-platform",
      `it has no image for linux/${wanted.architecture}, only for ${[...search.platforms].slice(0, 16).join(", ") || "nothing"}`,
      "give the right image, or --architecture",
    );
  }
  throw new ImageProblem(
    "resolve/image-digest",
    `its image ID is ${search.ids.join(" or ")}, the release says ${wanted.digest}`,
    "a tag may have moved on: name the image by its digest, or correct the release's digest",
  );
}

interface Search {
  readonly client: RegistryClient;
  readonly wanted: Wanted;
  left: number;
  /** Image IDs that were found for the platform. */
  readonly ids: Digest[];
  readonly platforms: Set<string>;
}

type Document = Readonly<Record<string, unknown>>;

async function readDocument(search: Search, name: string, digest: Digest | undefined, size?: number): Promise<Document> {
  if ((search.left -= 1) < 0) throw broken(`its indexes name more than ${mostDocuments} manifests for this platform`);
  const { client } = search;
  const { bytes, header } = await readSmall(client, urlOf(client.reference, "manifests", name), accepted, size ?? mostDocumentBytes);
  const stated = header("docker-content-digest");
  const expected = digest ?? (stated !== undefined && isDigest(stated) ? stated : undefined);
  const found = sha256(bytes);
  if (expected !== undefined && found !== expected) {
    throw new ImageProblem("resolve/image-digest", `its manifest is ${found}, ${expected} is wanted`, "the registry, or somebody before it, is wrong: compare with another way to it");
  }
  const document = parseJson(bytes);
  if (typeof document !== "object" || document === null || Array.isArray(document)) throw broken("its manifest is no JSON object");
  return { mediaType: header("content-type")?.replace(/;.*/s, "").trim(), ...document };
}

async function look(search: Search, document: Document, depth: number): Promise<ImageManifest | undefined> {
  if (document["schemaVersion"] === 1) {
    throw new ImageProblem("resolve/image-form", "its manifest is of Docker's schema 1, which has no image ID", "push the image again with a tool of this decade");
  }
  if (Array.isArray(document["manifests"])) return lookThrough(search, document["manifests"], depth);
  const { config, layers } = document;
  if (!isDescriptor(config) || !Array.isArray(layers) || !layers.every(isDescriptor) || layers.length > mostLayers) {
    throw broken(`its manifest is none of an image (${String(document["mediaType"])})`);
  }
  if (config.digest !== search.wanted.digest) {
    search.ids.push(config.digest);
    return undefined;
  }
  refuseStrange(config, layers);
  return { config, layers };
}

async function lookThrough(search: Search, manifests: readonly unknown[], depth: number): Promise<ImageManifest | undefined> {
  if (depth === 0) throw broken(`its indexes are nested more than ${mostIndexes} deep`);
  if (!manifests.every(isDescriptor)) throw broken("its index names something without type, digest and size");
  const entries = manifests as readonly Entry[];
  for (const { platform } of entries) if (platform !== undefined) search.platforms.add(nameOf(platform));
  for (const entry of fitting(entries, search.wanted.architecture)) {
    if (entry.size > mostDocumentBytes) throw broken(`a manifest of it has ${entry.size} bytes`);
    const found = await look(search, await readDocument(search, entry.digest, entry.digest, entry.size), depth - 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * What may run on the machine, the plainest first: `arm64` is `v8`, `amd64` is `v1`, and an image for a later variant would
 * not start on every machine. An entry without a platform may be anything, so it comes last.
 */
function fitting(entries: readonly Entry[], architecture: string): readonly Entry[] {
  const known = [...manifestTypes, ...indexTypes];
  const ranks = new Map<unknown, number>([[undefined, 0], ["", 0], [architecture === "arm64" ? "v8" : "v1", 1]]);
  const rankOf = ({ mediaType, platform }: Entry): number | undefined => {
    if (!known.includes(mediaType)) return undefined;
    if (platform === undefined) return 2;
    return platform.os === "linux" && platform.architecture === architecture ? ranks.get(platform.variant) : undefined;
  };
  return [0, 1, 2].flatMap((rank) => entries.filter((entry) => rankOf(entry) === rank));
}

function nameOf({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter((each) => typeof each === "string" && each !== "").join("/");
}

function refuseStrange(config: Descriptor, layers: readonly Descriptor[]): void {
  if (!configTypes.includes(config.mediaType)) throw broken(`it is no container image but ${config.mediaType}`);
  if (config.size > mostDocumentBytes) throw broken(`its config has ${config.size} bytes`);
  for (const [index, { mediaType, size }] of layers.entries()) {
    if (keptBack.test(mediaType)) {
      throw new ImageProblem(
        "resolve/image-form",
        `its layer ${index + 1} may not be passed on (${mediaType})`,
        "build the image on a base that may be distributed",
      );
    }
    if (!layerTypes.test(mediaType)) throw broken(`its layer ${index + 1} is of a kind that no engine loads (${mediaType})`);
    if (size > layerLimit) throw broken(`its layer ${index + 1} has ${size} bytes`);
  }
}

function isDescriptor(value: unknown): value is Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Partial<Record<keyof Descriptor, unknown>>;
  return typeof mediaType === "string" && typeof digest === "string" && isDigest(digest) && Number.isSafeInteger(size) && Number(size) >= 0;
}

function broken(message: string): ImageProblem {
  return new ImageProblem("resolve/image-form", message, "push the image again, as an image of linux containers");
}
