/** A registry's blobs into the store: several at once, each gone on with where it broke off, each checked as it arrives. */

import { stat } from "node:fs/promises";
import type { Digest } from "../../core/digest.ts";
import { BlobMismatch, type BlobStore } from "../blob-store.ts";
import { fetchFile, forget, type Fetching } from "./http.ts";
import { storeLayerFile } from "./layer.ts";
import { urlOf, type RegistryClient } from "./registry-client.ts";

export interface WantedLayer {
  /** Of the bytes as the registry has them. */
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** Of the layer unpacked: its name in the store. */
  readonly diffId: Digest;
}

/** More connections bring no more bytes, and registries dislike them. */
const atOnce = 4;

/** Throws BlobMismatch or ImageProblem where a layer is another one, NotServed where it is not there, or an EnvironmentError. */
export async function fetchLayers(
  client: RegistryClient,
  layers: readonly WantedLayer[],
  store: BlobStore,
  progress: (done: number, total: number) => void,
): Promise<void> {
  const total = layers.reduce((sum, layer) => sum + layer.size, 0);
  const arrived = new Map<Digest, number>();
  const unpacking = oneAfterAnother();
  const stop = new AbortController();
  const watched = { ...client, signal: AbortSignal.any([client.signal, stop.signal]) };
  const queue = [...layers];
  const work = async (): Promise<void> => {
    for (let layer = queue.shift(); layer !== undefined; layer = queue.shift()) {
      const { digest } = layer;
      await fetchLayer(watched, layer, store, unpacking, (done) => {
        arrived.set(digest, done);
        progress([...arrived.values()].reduce((sum, each) => sum + each, 0), total);
      });
    }
  };
  let first: { readonly error: unknown } | undefined;
  await Promise.all(
    Array.from({ length: atOnce }, () =>
      work().catch((error: unknown) => {
        // The others are let down gently: what they have is kept.
        first ??= { error };
        queue.length = 0;
        stop.abort(error);
      }),
    ),
  );
  client.signal.throwIfAborted();
  if (first !== undefined) throw first.error;
}

async function fetchLayer(
  client: RegistryClient,
  layer: WantedLayer,
  store: BlobStore,
  unpacking: OneAfterAnother,
  progress: (done: number) => void,
): Promise<void> {
  const { signal } = client;
  const partial = await store.claimPartial(`registry blob ${layer.digest}`);
  try {
    const fetching = {
      url: urlOf(client.reference, "blobs", layer.digest).href,
      send: client.send,
      partial,
      sizeLimit: layer.size,
      content: { digest: layer.digest, size: layer.size },
      progress,
      signal,
    };
    await fetchWhole(client.patience === undefined ? fetching : { ...fetching, patience: client.patience });
    // Unpacking is work for the processor, which more of it at once would not make faster, only bigger.
    await unpacking(async () => {
      if (layer.digest === layer.diffId) return void (await store.adopt(partial.bytes, layer.digest, { signal }));
      await storeLayerFile(partial.bytes, layer.diffId, { store, signal });
      await forget(partial);
    });
  } catch (error) {
    // Wrong bytes are no part of anything; after a full disk or Ctrl-C the next time goes on with them.
    if (error instanceof BlobMismatch) await forget(partial);
    throw error;
  } finally {
    await partial.release();
  }
}

/** What an earlier run left may be the part that is wrong: then all of it is fetched once more. */
async function fetchWhole(fetching: Fetching): Promise<void> {
  const kept = (await stat(fetching.partial.bytes).catch(() => undefined))?.size ?? 0;
  try {
    await fetchFile(fetching);
  } catch (error) {
    if (!(error instanceof BlobMismatch) || kept === 0) throw error;
    await forget(fetching.partial);
    await fetchFile(fetching);
  }
}

type OneAfterAnother = (work: () => Promise<void>) => Promise<void>;

function oneAfterAnother(): OneAfterAnother {
  let last: Promise<void> = Promise.resolve();
  return (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
}
