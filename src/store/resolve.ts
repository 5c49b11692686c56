/** A release to a lock: every input fetched into the store, checked, and noted. */

import { createHash } from "node:crypto";
import type { Digest } from "../core/digest.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import { outcome } from "../core/issue.ts";
import { below } from "../core/pointer.ts";
import { pieceBytes } from "../pack/limits.ts";
import { payloadEntries } from "../pack/payload.ts";
import { layArchive, produce, type BundleLayout } from "../pack/stream.ts";
import { mtimeOf } from "../pack/tree.ts";
import type { Lock, LockedBlob, LockedContainer, LockedPieces } from "../spec/lock.ts";
import type { ReleaseDocument } from "../spec/read-release.ts";
import type { Release } from "../spec/release.ts";
import type { BlobStore } from "./blob-store.ts";
import type { Blobs } from "./blobs.ts";
import { PieceDigests, piecesOfFile } from "./piece-digests.ts";
import { sendThrough, type Environment } from "./sources/http-send.ts";
import type { Network } from "./sources/image.ts";
import { readContainer } from "./sources/container.ts";
import { fetchVmImage } from "./sources/vm-image.ts";
import { containerSoftware } from "./software/container-software.ts";
import { imageSoftware } from "./software/image-software.ts";
import { readPackageList } from "./software/package-list.ts";
import { UnusableDisk } from "./disks/unusable-disk.ts";
import { makeVmdks } from "./vmdk.ts";
import { withImage } from "./vmdk-bytes.ts";

export interface Resolving {
  readonly release: ReleaseDocument;
  /** Relative sources start here. */
  readonly releaseFolder: string;
  readonly store: BlobStore;
  /** As OCI names it: amd64, arm64. */
  readonly architecture: string;
  /** Proxies, trusted certificates and registry credentials are named in it. */
  readonly environment: Environment;
  /** Both disks as streamOptimized VMDK as well. */
  readonly vmdk: boolean;
  /** The VM image's by qemu-img, which must be there. */
  readonly qemuImg?: boolean;
  readonly progress: (what: string, done: number, total: number) => void;
  /** Hears why nobody can say what is in the VM image, where nobody can: "the packages of the VM image are unknown: …". */
  readonly softwareUnknown?: (why: string) => void;
  readonly signal: AbortSignal;
  /** Bytes of a piece; tests take smaller ones. */
  readonly pieceBytes?: number;
}

/**
 * Fetches what the release names and tells what it is. Issues, all at once, where a source is not what the release says;
 * throws an EnvironmentError where network or disk fail. The same release always gives the same lock.
 */
export async function resolve(resolving: Resolving): Promise<Outcome<Lock>> {
  const { release, digest } = resolving.release;
  const network: Network = { send: sendThrough(resolving.environment), environment: resolving.environment };
  const image = await resolveImage(resolving, release, network);
  const list = await readPackageList(release.vmImage.packageList, resolving.releaseFolder);
  const containers: LockedContainer[] = [];
  const issues: Issue[] = [...image.issues, ...list.issues];
  for (const [index, container] of release.containers.entries()) {
    const read = await readContainer({
      source: container.source,
      folder: resolving.releaseFolder,
      digest: container.digest,
      architecture: resolving.architecture,
      store: resolving.store,
      network,
      pointer: below("/containers", index),
      progress: (done, total) => resolving.progress(`container ${container.role}`, done, total),
      signal: resolving.signal,
    });
    issues.push(...read.issues);
    if (!read.ok) continue;
    const software = await containerSoftware(read.value.layers, resolving.store.path, resolving.signal);
    containers.push({ role: container.role, image: container.image, ...read.value, ...(software === undefined ? {} : { software }) });
  }
  if (!image.ok || !list.ok || issues.some((issue) => issue.severity === "error")) return { ok: false, issues };
  const { blob, virtualSize } = image.value;
  const software = list.value ?? softwareInside(resolving, blob.digest);
  const pieces = await piecesOfBlob(resolving, blob, "pieces of the VM image");
  const plain: Lock = {
    apiVersion: "cloudlet-bundle/v1",
    kind: "Lock",
    release: { name: release.name, digest },
    vmImage: { ...blob, pieces, format: release.vmImage.format, virtualSize, ...(software === undefined ? {} : { software }) },
    containers,
    payload: await payloadOf(resolving, release, containers),
  };
  const lock = resolving.vmdk ? await withVmdk(resolving, release, plain) : outcome([], () => plain);
  return lock.ok ? outcome([...issues, ...lock.issues], () => lock.value) : { ok: false, issues: [...issues, ...lock.issues] };
}

/** Where no list came with the image, its own file system is asked. */
function softwareInside({ store, softwareUnknown, signal }: Resolving, digest: Digest): Lock["vmImage"]["software"] {
  signal.throwIfAborted();
  const found = withImage(store.path(digest), imageSoftware);
  if (found.kind === "unknown") softwareUnknown?.(found.why);
  return found.kind === "read" ? found.software : undefined;
}

async function piecesOfBlob({ store, progress, signal, ...how }: Resolving, { digest, size }: { readonly digest: Digest; readonly size: number }, what: string): Promise<LockedPieces> {
  const each = how.pieceBytes ?? pieceBytes;
  const noted = await store.pieces(digest, size, each);
  if (noted !== undefined) return noted;
  const pieces = await piecesOfFile(store.path(digest), size, each, { done: (bytes) => progress(what, bytes, size), signal });
  await store.notePieces(digest, pieces);
  return pieces;
}

/** An image may be found damaged only when all of it is read. */
async function withVmdk(resolving: Resolving, release: Release, plain: Lock): Promise<Outcome<Lock>> {
  const { store, environment, progress, signal } = resolving;
  const qemuImg = resolving.qemuImg === true ? environment : undefined;
  try {
    const payloadLayout = payloadLayoutOf(release, plain.containers);
    const vmdk = await makeVmdks({ vmImage: plain.vmImage, payload: plain.payload, payloadLayout, store, qemuImg, progress, signal });
    const vmImagePieces = await piecesOfBlob(resolving, vmdk.vmImage, "pieces of the VMDKs");
    const payloadPieces = await piecesOfBlob(resolving, vmdk.payload, "pieces of the VMDKs");
    return outcome([], () => ({ ...plain, vmdk: { vmImage: { ...vmdk.vmImage, pieces: vmImagePieces }, payload: { ...vmdk.payload, pieces: payloadPieces } } }));
  } catch (error) {
    if (!(error instanceof UnusableDisk)) throw error;
    const message = `the VM image can't be made into a VMDK: ${error.message}`;
    return { ok: false, issues: [{ code: "resolve/image-vmdk", severity: "error", pointer: "/vmImage/source", message, hint: "make it anew: qemu-img convert" }] };
  }
}

/** Every blob that the lock names; the payload is made of them. */
export function blobsOf({ vmImage, containers, vmdk }: Lock): readonly { readonly digest: Digest; readonly size: number }[] {
  const disks = vmdk === undefined ? [] : [vmdk.vmImage, vmdk.payload];
  return [vmImage, ...containers.flatMap((container) => [container.config, ...container.layers]), ...disks];
}

/** Digests of blobs that the lock names and the store does not have. */
export async function missingBlobs(lock: Lock, store: Pick<Blobs, "stat">): Promise<readonly Digest[]> {
  const missing = new Set<Digest>();
  for (const { digest, size } of blobsOf(lock)) {
    const found = await store.stat(digest);
    if (found === undefined || found.size !== size) missing.add(digest);
  }
  return [...missing];
}

function resolveImage(resolving: Resolving, { vmImage }: Release, { send }: Network): ReturnType<typeof fetchVmImage> {
  return fetchVmImage({
    source: vmImage.source,
    folder: resolving.releaseFolder,
    digest: vmImage.digest,
    sizeLimit: vmImage.sizeLimit,
    format: vmImage.format,
    store: resolving.store,
    send,
    progress: (done, total) => resolving.progress(`VM image ${vmImage.name}`, done, total),
    signal: resolving.signal,
  });
}

/** The payload itself is not stored: it is made of blobs that are. Its digests need one pass over it. */
async function payloadOf(resolving: Resolving, release: Release, containers: readonly LockedContainer[]): Promise<LockedBlob> {
  const layout = payloadLayoutOf(release, containers);
  const sha256 = createHash("sha256");
  const sha512 = createHash("sha512");
  const pieces = new PieceDigests(resolving.pieceBytes ?? pieceBytes);
  let done = 0;
  for await (const chunk of produce(layout, resolving.store.reusing(), 0, layout.size, resolving.signal)) {
    sha256.update(chunk);
    sha512.update(chunk);
    pieces.update(chunk);
    done += chunk.byteLength;
    resolving.progress("payload digest", done, layout.size);
  }
  return { digest: `sha256:${sha256.digest("hex")}`, sha512: sha512.digest("hex"), size: layout.size, pieces: pieces.ended() };
}

function payloadLayoutOf(release: Release, containers: readonly LockedContainer[]): BundleLayout {
  return layArchive(payloadEntries(release, containers), mtimeOf(release.created));
}
