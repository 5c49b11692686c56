/** A container image from an OCI registry (distribution spec 1.1) into the store: config and layers, every digest checked. */

import { Readable } from "node:stream";
import type { Digest } from "../../core/digest.ts";
import { TooBig } from "./http.ts";
import { readConfig } from "./image-config.ts";
import { ImageProblem, type ContainerRead, type ContainerWanted } from "./image.ts";
import { NotServed } from "./patience.ts";
import { authorizing } from "./registry-auth.ts";
import { fetchLayers, type WantedLayer } from "./registry-blobs.ts";
import { readSmall, urlOf, type RegistryClient } from "./registry-client.ts";
import { findCredentials } from "./registry-credentials.ts";
import { findImage, type ImageManifest } from "./registry-manifest.ts";
import { parseReference, type RegistryReference } from "./registry-reference.ts";

/**
 * Throws ImageProblem or BlobMismatch where the registry has not the image that the release says, an EnvironmentError where
 * network, registry or credentials fail. A layer that the store has already is not fetched.
 */
export async function readRegistryImage(wanted: ContainerWanted): Promise<ContainerRead> {
  const reference = parseReference(wanted.source);
  if (reference === undefined) {
    throw new ImageProblem(
      "resolve/image-form",
      "it is no place in a registry",
      "write docker://HOST[:PORT]/REPOSITORY[:TAG|@DIGEST]; the host has a dot or a port, or is localhost",
    );
  }
  const { send, environment } = wanted.network;
  const { signal, patience } = wanted;
  const credentials = (): ReturnType<typeof findCredentials> => findCredentials(reference, environment, signal);
  const client: RegistryClient = { reference, send: authorizing(send, reference, credentials), signal, patience };
  try {
    const image = await findImage(client, wanted);
    return await store(client, image, wanted);
  } catch (error) {
    if (error instanceof NotServed) throw problemOf(error, reference);
    if (!(error instanceof TooBig)) throw error;
    throw new ImageProblem("resolve/image-digest", "a layer of it has more bytes than its manifest says", "push the image again");
  }
}

async function store(client: RegistryClient, image: ImageManifest, wanted: ContainerWanted): Promise<ContainerRead> {
  const { digest, size } = image.config;
  const { bytes } = await readSmall(client, urlOf(client.reference, "blobs", digest), "*/*", size);
  const { architecture, diffIds } = readConfig(bytes, wanted);
  if (diffIds.length !== image.layers.length) {
    throw new ImageProblem(
      "resolve/image-digest",
      `its config names ${diffIds.length} layers, its manifest ${image.layers.length}`,
      "push the image again",
    );
  }
  const config = await wanted.store.put(Readable.from([bytes]), { digest, size });
  const missing = new Map<Digest, WantedLayer>();
  for (const [index, diffId] of diffIds.entries()) {
    const layer = image.layers[index];
    if (layer !== undefined && (await wanted.store.stat(diffId)) === undefined) missing.set(diffId, { ...layer, diffId });
  }
  await fetchLayers(client, [...missing.values()], wanted.store, wanted.progress);
  const layers = [];
  for (const diffId of diffIds) {
    const blob = await wanted.store.stat(diffId);
    if (blob === undefined) throw new Error(`the layer ${diffId} was stored, and is not there`);
    layers.push({ digest: diffId, size: blob.size });
  }
  return { architecture, config: { digest: config.digest, size: config.size }, layers };
}

function problemOf(error: NotServed, { registry, repository }: RegistryReference): ImageProblem {
  if (error.status !== 401 && error.status !== 403) {
    return new ImageProblem("resolve/image-missing", error.message, `look what the registry has: skopeo list-tags docker://${registry}/${repository}`);
  }
  return new ImageProblem(
    "resolve/image-refused",
    `the registry does not give it to us: ${error.message}`,
    `log in (docker login ${registry}, or skopeo login); or the name is wrong, which many registries answer in the same way`,
  );
}
