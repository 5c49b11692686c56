/**
 * The payload: all containers of a release as one docker-archive, a plain tar, which docker and podman both load. It is also
 * the disk that the VM gets, so its first entry says what it is; layers that containers share are in it once.
 */

import { hexOf, type Digest } from "../core/digest.ts";
import type { ArchiveEntry, FileBody } from "../core/file.ts";
import { byCodeUnit, canonicalJson } from "../core/json.ts";
import type { Lock, LockedContainer } from "../spec/lock.ts";
import type { Release } from "../spec/release.ts";
import { archiveSize } from "./stream.ts";

/** The name of the first entry; the guest finds the disk by it. */
export const payloadMark = "cloudlet-payload.json";

/** The body of the payload's file. The digest is the lock's; its size must be what the entries come to. */
export function payloadBody(lock: Lock, release: Release): FileBody {
  const entries = payloadEntries(release, lock.containers);
  const size = archiveSize(entries);
  if (size !== lock.payload.size) throw new Error(`the payload comes to ${size} bytes, the lock says ${lock.payload.size}`);
  return { kind: "archive", entries, digest: lock.payload.digest, size };
}

/** Index, Docker's manifest, then each config and each layer once, by digest. */
export function payloadEntries(release: Pick<Release, "name">, containers: readonly LockedContainer[]): readonly ArchiveEntry[] {
  const index = {
    apiVersion: "cloudlet-bundle/v1",
    kind: "Payload",
    release: release.name,
    containers: containers.map(({ role, image, config, layers }) => ({
      role,
      image,
      config: config.digest,
      layers: layers.map((layer) => layer.digest),
    })),
  };
  const manifest = containers.map(({ image, config, layers }) => ({
    Config: configPath(config.digest),
    RepoTags: [image],
    Layers: layers.map((layer) => layerPath(layer.digest)),
  }));
  return [
    text(payloadMark, canonicalJson(index)),
    text("manifest.json", JSON.stringify(manifest)),
    ...blobs(containers.map((each) => each.config), configPath),
    ...blobs(containers.flatMap((each) => each.layers), layerPath),
  ];
}

function configPath(digest: Digest): string {
  return `${hexOf(digest)}.json`;
}

/** `docker save` writes layers so; docker and podman take any path that the manifest names. */
function layerPath(digest: Digest): string {
  return `${hexOf(digest)}/layer.tar`;
}

function text(path: string, content: string): ArchiveEntry {
  return { path, body: { kind: "bytes", bytes: new TextEncoder().encode(content) } };
}

function blobs(all: readonly { readonly digest: Digest; readonly size: number }[], pathOf: (digest: Digest) => string): readonly ArchiveEntry[] {
  return [...new Map(all.map((each) => [each.digest, each])).values()]
    .sort((a, b) => byCodeUnit(a.digest, b.digest))
    .map(({ digest, size }) => ({ path: pathOf(digest), body: { kind: "blob", digest, size } }));
}
