/** Spec, release and lock to all files of a bundle: the texts, and the blobs by digest. */

import type { Assets } from "../core/assets.ts";
import type { File } from "../core/file.ts";
import { textFile } from "../core/file.ts";
import type { Outcome } from "../core/issue.ts";
import { byPlace, payloadDiskPath, payloadPath, piecesPath, vmImageDiskPath, vmImagePath } from "../pack/layout.ts";
import { payloadBody, payloadEntries } from "../pack/payload.ts";
import { piecesOf, piecesText } from "../pack/pieces.ts";
import { archiveSize } from "../pack/stream.ts";
import { traitsOf } from "../plan/traits.ts";
import type { Lock, LockedBlob } from "../spec/lock.ts";
import type { Release } from "../spec/release.ts";
import type { BuilderId } from "./provenance.ts";
import { commandLineBuilder } from "./provenance.ts";
import { softwareFiles } from "./software.ts";
import type { Composition, Documents } from "./texts.ts";
import { composeTexts } from "./texts.ts";

/**
 * Everything but what the seal adds; `builder` is who is said to have run the program, `trust` the files of the trust policies.
 * Issues: those of `composeTexts`, and `audit/…`.
 */
export function compose(documents: Documents, assets: Assets, builder: BuilderId = commandLineBuilder, trust: readonly File[] = []): Outcome<Composition> {
  const texts = composeTexts(documents, assets);
  if (!texts.ok) return texts;
  const { files, plan } = texts.value;
  const { release } = documents.release;
  const { lock } = documents.lock;
  const size = archiveSize(payloadEntries(release, lock.containers));
  if (size !== lock.payload.size) {
    const message = `the lock does not answer this release: its containers come to ${size} bytes, its payload has ${lock.payload.size}`;
    const hint = "Make the lock again with `cloudlet-bundle lock`.";
    return { ok: false, issues: [...texts.issues, { code: "plan/lock-differs", severity: "error", pointer: "", message, hint }] };
  }
  const big = blobs(release, lock, documents.spec.spec.platform.type);
  const all = [...files, ...trust, ...big.map(({ file }) => file), ...piecesFile(big)];
  const software = softwareFiles(all, documents, builder);
  const issues = [...texts.issues, ...software.issues];
  return software.ok ? { ok: true, value: { plan, files: [...all, ...software.value] }, issues } : { ok: false, issues };
}

/** The disks of an OVF package; else image and payload as they are, and no image where the VMs are there already. */
function blobs(release: Release, lock: Lock, platform: string): readonly Big[] {
  const { disks, makesVms } = traitsOf(platform);
  if (disks === "vmdk") {
    if (lock.vmdk === undefined) throw new Error("a plan was made of a lock without VMDKs");
    const payload: File = { ...payloadFile, path: payloadDiskPath, body: blob(lock.vmdk.payload) };
    return [vmImage(vmImageDiskPath, lock.vmdk.vmImage), { file: payload, of: lock.vmdk.payload }];
  }
  const payload: Big = { file: { ...payloadFile, path: payloadPath, body: payloadBody(lock, release) }, of: lock.payload };
  return makesVms ? [vmImage(vmImagePath(lock.vmImage.format), lock.vmImage), payload] : [payload];
}

/** A blob's file, and what the lock has of it. */
interface Big {
  readonly file: File;
  readonly of: LockedBlob;
}

/** None where an older version made the lock: then the bundle can't be split. */
function piecesFile(big: readonly Big[]): readonly File[] {
  const sorted = [...big].sort((a, b) => byPlace(a.file.path, b.file.path));
  const pieces = sorted.map(({ file, of }) => (of.pieces === undefined ? undefined : piecesOf(file.path, of.size, of.pieces)));
  if (pieces.some((each) => each === undefined)) return [];
  return [textFile(piecesPath, piecesText(pieces.flatMap((each) => each ?? [])), { role: "evidence", source: piecesPath })];
}

const payloadFile = { mode: 0o644, spans: [], role: "payload", source: "release:/containers" } as const;

function vmImage(path: string, of: LockedBlob): Big {
  return { file: { mode: 0o644, spans: [], role: "vm-image", source: "release:/vmImage", path, body: blob(of) }, of };
}

function blob({ digest, size }: LockedBlob): File["body"] {
  return { kind: "blob", digest, size };
}
