/** Both disks of a release as streamOptimized VMDKs in the store, each made once: what was made of what is noted beside them. */

import { createHash } from "node:crypto";
import type { Digest } from "../core/digest.ts";
import { produce, type BundleLayout } from "../pack/stream.ts";
import type { Lock, LockedBlob, LockedDisk } from "../spec/lock.ts";
import type { BlobStore } from "./blob-store.ts";
import { diskImageHead, diskImageOf } from "./disk-image.ts";
import { framedLimit, grainBytes } from "./disks/grains.ts";
import { surveyStreamOptimized } from "./disks/stream-optimized.ts";
import { convertByQemuImg, qemuImgName } from "./qemu-img.ts";
import type { Environment } from "./sources/http-send.ts";
import { archiveVmdkLimit, metadataLimit, vmdkOfArchive, vmdkOfImage, withImage, type VmdkBytes } from "./vmdk-bytes.ts";

export interface VmdkWanted {
  readonly vmImage: Lock["vmImage"];
  readonly payload: LockedBlob;
  readonly payloadLayout: BundleLayout;
  readonly store: BlobStore;
  /** Where programs are; undefined where none is to be used. */
  readonly qemuImg: Environment | undefined;
  readonly progress: (what: string, done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** Names of how a disk is made. Whoever changes the bytes that come out raises the number, or stores give the old ones. */
const imageConverter = "vmdk-1";
const payloadConverter = "stored-vmdk-1";
/** A disk that is one already is looked through, and noted as itself. */
const surveyor = "survey-1";

/** Throws UnusableDisk where the VM image can't be converted, EnvironmentError where disk or program fail. Nothing half is left. */
export async function makeVmdks(wanted: VmdkWanted): Promise<NonNullable<Lock["vmdk"]>> {
  return { vmImage: await imageDisk(wanted), payload: await payloadDisk(wanted) };
}

async function imageDisk(wanted: VmdkWanted): Promise<LockedDisk> {
  const { store, vmImage, signal } = wanted;
  const path = store.path(vmImage.digest);
  if (isStreamOptimized(path)) return once(store, vmImage.digest, surveyor, () => survey(store, vmImage, signal));
  const progress = (done: number, total: number): void => wanted.progress("VM image to VMDK", done, total);
  if (wanted.qemuImg !== undefined) {
    const environment = wanted.qemuImg;
    const name = await qemuImgName(environment);
    return once(store, vmImage.digest, name, async () => {
      await store.refuseFullDisk(imageLimit(vmImage));
      return convertByQemuImg({ store, image: vmImage, name, environment, progress, signal });
    });
  }
  return once(store, vmImage.digest, imageConverter, async () => {
    const made = vmdkOfImage(path, vmImage.format, { source: vmImage.digest, progress, signal });
    await refuseNoRoom(store, vmImage, path);
    return putDisk(store, made, signal);
  });
}

async function payloadDisk({ store, payload, payloadLayout, progress, signal }: VmdkWanted): Promise<LockedDisk> {
  return once(store, payload.digest, payloadConverter, async () => {
    const chunks = produce(payloadLayout, store.reusing(), 0, payloadLayout.size, signal);
    const making = { source: payload.digest, progress: (done: number, total: number): void => progress("payload to VMDK", done, total), signal };
    await store.refuseFullDisk(archiveVmdkLimit(payload.size));
    return putDisk(store, vmdkOfArchive(chunks, payload.size, making), signal);
  });
}

/** What was made before, if it is still whole in the store; else it is made, and noted. */
async function once(store: BlobStore, source: Digest, converter: string, make: () => Promise<LockedDisk>): Promise<LockedDisk> {
  const noted = await store.conversion(source, converter);
  const blob = noted === undefined ? undefined : await store.stat(noted.digest);
  if (noted !== undefined && blob?.size === noted.size && blob.sha512 === noted.sha512) return noted;
  const made = await make();
  await store.noteConversion(source, converter, made);
  return made;
}

async function putDisk(store: BlobStore, { bytes, capacity, populated }: VmdkBytes, signal: AbortSignal): Promise<LockedDisk> {
  const sha1 = createHash("sha1");
  const blob = await store.put(hashing(bytes, sha1), {}, { signal });
  return { digest: blob.digest, sha512: blob.sha512, size: blob.size, sha1: sha1.digest("hex"), capacity, populated: populated() };
}

async function* hashing(chunks: AsyncIterable<Uint8Array>, hash: ReturnType<typeof createHash>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    hash.update(chunk);
    yield chunk;
  }
}

async function survey(store: BlobStore, { digest, sha512, size }: LockedBlob, signal: AbortSignal): Promise<LockedDisk> {
  const { capacity, populated } = withImage(store.path(digest), surveyStreamOptimized);
  const sha1 = createHash("sha1");
  for await (const chunk of store.reusing().read(digest, 0, size)) {
    signal.throwIfAborted();
    sha1.update(chunk);
  }
  return { digest, sha512, size, sha1: sha1.digest("hex"), capacity, populated };
}

function isStreamOptimized(path: string): boolean {
  const image = withImage(path, (file) => diskImageOf(file.read(0, diskImageHead), file.size));
  return image.format === "vmdk" && image.kind === "streamOptimized";
}

/** What the VMDK may come to is known roughly: no more than the image's file, a little for the frames, and the tables. Bytes. */
function imageLimit({ size, virtualSize }: Lock["vmImage"]): number {
  return framedLimit(Math.ceil(size / grainBytes) * grainBytes) + metadataLimit(virtualSize);
}

/** A raw image is mostly zeros as a rule, which are counted where they would decide. */
async function refuseNoRoom(store: BlobStore, image: Lock["vmImage"], path: string): Promise<void> {
  try {
    await store.refuseFullDisk(imageLimit(image));
  } catch (error) {
    if (image.format !== "raw") throw error;
    await store.refuseFullDisk(imageLimit({ ...image, size: grainsThere(path) }));
  }
}

/** Bytes of the grains of a raw image that are not zeros. */
function grainsThere(path: string): number {
  const zeros = Buffer.alloc(grainBytes);
  return withImage(path, (file) => {
    let there = 0;
    for (let at = 0; at < file.size; at += grainBytes) {
      const grain = file.read(at, grainBytes);
      if (!grain.equals(zeros.subarray(0, grain.byteLength))) there += grainBytes;
    }
    return there;
  });
}

