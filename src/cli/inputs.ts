/** What a bundle is made of, as the command line names it: release, lock and blob store. */

import type { Command } from "commander";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Digest } from "../core/digest.ts";
import { EnvironmentError } from "../core/environment-error.ts";
import { canonicalJson } from "../core/json.ts";
import type { Lock } from "../spec/lock.ts";
import { readLock, withoutVmdk, type LockDocument } from "../spec/read-lock.ts";
import { readRelease, type ReleaseDocument } from "../spec/read-release.ts";
import { openStore, type BlobStore } from "../store/blob-store.ts";
import { missingBlobs, resolve } from "../store/resolve.ts";
import { absolute, load } from "./documents.ts";
import type { Io } from "./io.ts";
import { progressOn } from "./progress.ts";
import type { ReportedDocument } from "./report-issues.ts";
import { writeTextAside } from "./write-aside.ts";

export interface ReleaseOptions {
  readonly release: string;
  readonly lock?: string;
  readonly store?: string;
  readonly architecture: string;
}

export function releaseOptions(command: Command): Command {
  return command
    .option("--release <file>", "the release", "release.yaml")
    .option("--lock <file>", "the lock; RELEASE.lock.json beside the release when left out")
    .option("--store <folder>", "the blob store; ~/.cache/cloudlet-bundle or $CLOUDLET_BUNDLE_STORE when left out")
    .option("--architecture <name>", "which of an image's architectures: amd64 or arm64", "amd64");
}

export interface Resolved extends LockDocument {
  readonly lockPath: string;
  readonly release: ReleaseDocument;
  readonly store: BlobStore;
  /** Why the packages of the VM image are unknown, where they are and the release has been resolved just now. */
  readonly softwareUnknown?: string;
}

export interface Inputs {
  /** Undefined where an issue stands in the way. */
  readonly resolved: Resolved | undefined;
  readonly reports: readonly ReportedDocument[];
}

interface How extends ReleaseOptions {
  /** The lock must hold both disks as VMDK. */
  readonly vmdk: boolean;
  readonly qemuImg?: true;
  /** Never ask outside: the lock must be there and its blobs in the store. */
  readonly locked?: true | undefined;
  /** Resolve anew even where a lock is there. */
  readonly refresh?: boolean;
  readonly quiet?: true;
  /** What only looks at a bundle's texts takes the lock's word for the blobs. */
  readonly blobs?: "as-locked";
}

/**
 * Reads release and lock and opens the store. Where there is no lock for this release, or it lacks the VMDKs that are needed,
 * or its blobs are not in the store, the release is resolved and the lock written; with `locked` that is an EnvironmentError.
 */
export async function resolveInputs(io: Io, how: How): Promise<Inputs> {
  const release = await load(io, how.release, readRelease);
  if (release.value === undefined) return { resolved: undefined, reports: [release.report] };
  const releasePath = absolute(io, how.release);
  const lockPath = how.lock === undefined ? releasePath.replace(/\.(ya?ml|json)$/, "") + ".lock.json" : absolute(io, how.lock);
  const store = await openStore(storeFolder(io, how.store), { now: io.now });
  const reports = [release.report];
  const lock = existsSync(lockPath) ? await load(io, lockPath, readLock) : undefined;
  const usable = lock?.value?.lock.release.digest === release.value.digest ? lock.value : undefined;
  if (how.refresh !== true && lock !== undefined) {
    // Disks that this bundle won't hold need not be there.
    const missing = usable === undefined || how.blobs === "as-locked" ? [] : await missingBlobs((how.vmdk ? usable : withoutVmdk(usable)).lock, store);
    const lacksVmdk = how.vmdk && usable?.lock.vmdk === undefined;
    if (usable !== undefined && missing.length === 0 && !lacksVmdk) {
      return { resolved: { ...usable, lockPath, release: release.value, store }, reports: [...reports, lock.report] };
    }
    if (how.locked) return refused(lock.value, missing, usable !== undefined, lockPath, [...reports, lock.report]);
  } else if (how.locked) {
    throw new EnvironmentError(`${lockPath}: there is no such lock`, { hint: "make it: cloudlet-bundle lock --release FILE" });
  }
  return resolveAnew(io, how, { release: release.value, releasePath, lockPath, store, reports, before: usable?.lock });
}

function refused(lock: LockDocument | undefined, missing: readonly Digest[], isUsable: boolean, lockPath: string, reports: readonly ReportedDocument[]): Inputs {
  if (missing.length > 0) {
    throw new EnvironmentError(`the store lacks what the lock names: ${missing.join(", ")}`, {
      hint: "fetch it: cloudlet-bundle lock --release FILE, or name another --store",
    });
  }
  if (isUsable) {
    throw new EnvironmentError(`${lockPath} was made without VMDKs, which this platform needs`, { hint: "make them: cloudlet-bundle lock --vmdk --release FILE" });
  }
  if (lock !== undefined) {
    throw new EnvironmentError(`${lockPath} is the lock of another release`, { hint: "make it anew: cloudlet-bundle lock --release FILE" });
  }
  return { resolved: undefined, reports };
}

async function resolveAnew(
  io: Io,
  how: How,
  known: { release: ReleaseDocument; releasePath: string; lockPath: string; store: BlobStore; reports: readonly ReportedDocument[]; before: Lock | undefined },
): Promise<Inputs> {
  const progress = progressOn(io, how.quiet === true);
  let unknown: string | undefined;
  const outcome = await resolve({
    release: known.release,
    releaseFolder: dirname(known.releasePath),
    store: known.store,
    architecture: how.architecture,
    environment: io.environment,
    vmdk: how.vmdk,
    qemuImg: how.qemuImg === true,
    progress: progress.report,
    softwareUnknown: (why) => (unknown = why),
    signal: io.signal,
  }).finally(progress.finish);
  const [releaseReport] = known.reports;
  const reports = releaseReport === undefined ? [] : [{ ...releaseReport, issues: [...releaseReport.issues, ...outcome.issues] }];
  if (!outcome.ok) return { resolved: undefined, reports };
  const kept = await keptVmdk(outcome.value, how, known);
  const text = canonicalJson({ ...outcome.value, ...kept } as unknown as Parameters<typeof canonicalJson>[0]);
  await writeTextAside(known.lockPath, text);
  const lock = readLock(text);
  if (!lock.ok) throw new Error(`the lock just made is not valid: ${JSON.stringify(lock.issues)}`);
  const told = unknown === undefined ? {} : { softwareUnknown: unknown };
  return { resolved: { ...lock.value, ...told, lockPath: known.lockPath, release: known.release, store: known.store }, reports };
}

/**
 * The VMDKs of the lock that is written over, where they are of the same disks: nobody who needed them shall have to make them
 * again, and those of qemu-img stay until somebody asks for others.
 */
async function keptVmdk(lock: Lock, how: How, { store, before }: { store: BlobStore; before: Lock | undefined }): Promise<Pick<Lock, "vmdk">> {
  const vmdk = before?.vmdk;
  const isSame = before?.vmImage.digest === lock.vmImage.digest && before.payload.digest === lock.payload.digest;
  if (vmdk === undefined || !isSame) return {};
  if (!how.vmdk) return { vmdk };
  const isAskedFor = how.refresh === true;
  return isAskedFor || (await missingBlobs({ ...lock, vmdk }, store)).length > 0 ? {} : { vmdk };
}

/** XDG Base Directory Specification: caches lie below $XDG_CACHE_HOME, by default ~/.cache. */
export function storeFolder(io: Io, given: string | undefined): string {
  if (given !== undefined) return absolute(io, given);
  const own = io.environment["CLOUDLET_BUNDLE_STORE"];
  if (own) return absolute(io, own);
  const cache = io.environment["XDG_CACHE_HOME"];
  const home = io.environment["HOME"];
  if (cache?.startsWith("/")) return join(cache, "cloudlet-bundle");
  if (home) return join(home, ".cache/cloudlet-bundle");
  throw new EnvironmentError("there is no place for the blob store: HOME is not set", { hint: "name one: --store FOLDER" });
}

