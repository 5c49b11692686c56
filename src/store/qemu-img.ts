/** A disk image to a streamOptimized VMDK by qemu-img, for who asks for it: its bytes differ with its version and its zlib's. */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { EnvironmentError } from "../core/environment-error.ts";
import type { Lock, LockedDisk } from "../spec/lock.ts";
import type { BlobStore } from "./blob-store.ts";
import { surveyStreamOptimized } from "./disks/stream-optimized.ts";
import { sectorBytes } from "./disks/sparse-vmdk.ts";
import { forget } from "./sources/http.ts";
import type { Environment } from "./sources/http-send.ts";
import { contentId, withImage } from "./vmdk-bytes.ts";

export interface QemuImgWanted {
  readonly store: BlobStore;
  readonly image: Lock["vmImage"];
  /** What `qemuImgName` gave. */
  readonly name: string;
  readonly environment: Environment;
  readonly progress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
}

/** `qemu-img-<version>`. Throws an EnvironmentError where there is none. */
export async function qemuImgName(environment: Environment): Promise<string> {
  const said = await run(["--version"], environment, undefined);
  return `qemu-img-${/version (\S+)/.exec(said)?.[1] ?? "unknown"}`;
}

/** The image's blob, converted and stored. Throws an EnvironmentError where the program fails. */
export async function convertByQemuImg({ store, image, name, environment, progress, signal }: QemuImgWanted): Promise<LockedDisk> {
  const partial = await store.claimPartial(`${name} ${image.digest}`);
  try {
    progress(0, image.virtualSize);
    const words = ["convert", "-f", image.format, "-O", "vmdk", "-o", "subformat=streamOptimized", store.path(image.digest), partial.bytes];
    await run(words, environment, signal);
    await giveContentId(partial.bytes, contentId(image.digest));
    const hashes = await hashesOf(partial.bytes);
    const { capacity, populated } = withImage(partial.bytes, surveyStreamOptimized);
    const { digest, sha512, size } = await store.adopt(partial.bytes, `sha256:${hashes.sha256}`, { signal });
    progress(image.virtualSize, image.virtualSize);
    return { digest, sha512, size, sha1: hashes.sha1, capacity, populated };
  } finally {
    // Nobody can go on with half of a conversion.
    await forget(partial);
    await partial.release();
  }
}

/** qemu-img draws a content ID each time; with ours one version gives one image the same bytes always. */
async function giveContentId(path: string, cid: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    const { buffer } = await file.read(Buffer.alloc(20 * sectorBytes), 0, 20 * sectorBytes, sectorBytes);
    const found = /^CID=[0-9a-f]{8}$/m.exec(buffer.toString("latin1"));
    if (found === null) throw new EnvironmentError("qemu-img made a VMDK without a content ID", { hint: "leave out --qemu-img" });
    await file.write(Buffer.from(`CID=${cid}`), 0, 12, sectorBytes + found.index);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function hashesOf(path: string): Promise<{ readonly sha256: string; readonly sha1: string }> {
  const hashes = [createHash("sha256"), createHash("sha1")] as const;
  const file = await open(path, "r");
  for await (const chunk of file.createReadStream({ highWaterMark: 1_048_576 })) for (const hash of hashes) hash.update(chunk as Buffer);
  return { sha256: hashes[0].digest("hex"), sha1: hashes[1].digest("hex") };
}

/** Gives what the program said. */
async function run(words: readonly string[], environment: Environment, signal: AbortSignal | undefined): Promise<string> {
  const env = { PATH: environment["PATH"], LC_ALL: "C" };
  const child = spawn("qemu-img", words, { env, stdio: ["ignore", "pipe", "pipe"], ...(signal === undefined ? {} : { signal }) });
  let said = "";
  let complained = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (complained = `${complained}${chunk.toString()}`.slice(-2_000)));
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on("close", resolve);
    child.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") reject(signal?.aborted === true ? signal.reason : error);
      else reject(new EnvironmentError("--qemu-img: this machine has no qemu-img", { hint: "install it (Debian: qemu-utils), or leave out --qemu-img" }));
    });
  });
  if (status !== 0) throw new EnvironmentError(`qemu-img ${words[0] ?? ""} ended with ${status ?? "a signal"}: ${complained.trim()}`, { hint: "leave out --qemu-img" });
  return said;
}
