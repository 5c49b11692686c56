/** The VM image into the store, from a path or by HTTP(S), and what kind of disk it is. */

import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import type { Digest } from "../../core/digest.ts";
import type { Issue, IssueCode, Outcome } from "../../core/issue.ts";
import { BlobMismatch, type BlobStore, type StoredBlob } from "../blob-store.ts";
import { diskImageHead, diskImageOf } from "../disk-image.ts";
import { fetchFile, forget, TooBig } from "./http.ts";
import type { Send } from "./http-send.ts";
import { NotServed, type Patience } from "./patience.ts";

export interface VmImageWanted {
  /** A path, or an http(s) URL. */
  readonly source: string;
  /** Relative paths start here. */
  readonly folder: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly sizeLimit: number;
  readonly format: "qcow2" | "raw" | "vmdk";
  readonly store: BlobStore;
  readonly send: Send;
  readonly progress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
  readonly patience?: Patience;
}

export interface VmImageRead {
  readonly blob: StoredBlob;
  /** Of the disk that the guest sees; bytes. */
  readonly virtualSize: number;
}

/** Issues where the image is not what the release says; an image that is in the store already is not fetched again. */
export async function fetchVmImage(wanted: VmImageWanted): Promise<Outcome<VmImageRead>> {
  try {
    const blob = (await wanted.store.stat(wanted.digest)) ?? (await fetchBlob(wanted));
    // Whether it is taken must not depend on what was in the store.
    if (blob.size > wanted.sizeLimit) throw new TooBig(`it has ${blob.size} bytes, at most ${wanted.sizeLimit} are taken`);
    return await judged(wanted, blob);
  } catch (error) {
    const issue = issueOf(error, wanted);
    if (issue === undefined) throw error;
    return { ok: false, issues: [issue] };
  }
}

async function fetchBlob(wanted: VmImageWanted): Promise<StoredBlob> {
  const { store, digest, sizeLimit, signal } = wanted;
  if (!isUrl(wanted.source)) {
    const path = isAbsolute(wanted.source) ? wanted.source : join(wanted.folder, wanted.source);
    const found = await stat(path).catch(() => undefined);
    if (found === undefined || !found.isFile()) throw new NotServed(`there is no file ${path}`);
    if (found.size > sizeLimit) throw new TooBig(`${path} has ${found.size} bytes, at most ${sizeLimit} are taken`);
    const progress = (done: number): void => wanted.progress(done, found.size);
    return store.put(
      createReadStream(path, { highWaterMark: 1_048_576 }),
      { digest, size: found.size, sizeLimit },
      { progress, signal },
    );
  }
  return download(wanted);
}

async function download(wanted: VmImageWanted): Promise<StoredBlob> {
  const { store, digest, sizeLimit, send, signal, progress, patience } = wanted;
  const partial = await store.claimPartial(`${wanted.source} ${digest}`);
  try {
    const fetching = { url: wanted.source, send, partial, sizeLimit, progress, signal };
    await fetchFile(patience === undefined ? fetching : { ...fetching, patience });
    return await store.adopt(partial.bytes, digest, { signal });
  } catch (error) {
    // A wrong file is no part of anything; after a full disk or Ctrl-C the next time goes on with it.
    if (error instanceof BlobMismatch) await forget(partial);
    throw error;
  } finally {
    await partial.release();
  }
}

async function judged(wanted: VmImageWanted, blob: StoredBlob): Promise<Outcome<VmImageRead>> {
  const file = await open(wanted.store.path(blob.digest), "r");
  const reading = file.read(new Uint8Array(diskImageHead), 0, diskImageHead, 0);
  const { buffer, bytesRead } = await reading.finally(() => file.close());
  const image = diskImageOf(buffer.subarray(0, bytesRead), blob.size);
  if (image.format !== wanted.format) {
    const is = image.format === "other" ? image.what : `a ${image.format} image`;
    return {
      ok: false,
      issues: [
        problem(
          "resolve/image-format",
          "/vmImage/format",
          `the VM image is ${is}, the release says ${wanted.format}`,
          "correct the release, or give the right file",
        ),
      ],
    };
  }
  if (image.problem !== undefined) {
    return {
      ok: false,
      issues: [
        problem(
          "resolve/image-unusable",
          "/vmImage/source",
          `the VM image can't be used: ${image.problem}`,
          "make it anew",
        ),
      ],
    };
  }
  return { ok: true, value: { blob, virtualSize: image.format === "raw" ? blob.size : image.virtualSize }, issues: [] };
}

function issueOf(error: unknown, wanted: VmImageWanted): Issue | undefined {
  if (error instanceof NotServed) {
    const hint = isUrl(wanted.source)
      ? "open the URL with another program, from this machine; where it needs a login, give a path instead"
      : "paths are relative to the release file";
    return problem(
      "resolve/image-missing",
      "/vmImage/source",
      `the VM image can't be had from ${wanted.source}: ${error.message}`,
      hint,
    );
  }
  if (error instanceof TooBig) {
    return problem(
      "resolve/image-size",
      "/vmImage/sizeLimit",
      `the VM image is too big: ${error.message}`,
      "raise sizeLimit, if this is the right image",
    );
  }
  if (error instanceof BlobMismatch) {
    if (error.kind !== "digest") {
      return problem(
        "resolve/image-size",
        "/vmImage/sizeLimit",
        `the VM image has ${error.found}, ${error.expected} are taken`,
        "raise sizeLimit, if this is the right image",
      );
    }
    return problem(
      "resolve/image-digest",
      "/vmImage/digest",
      `the VM image is ${error.found}, the release says ${error.expected}`,
      "give the right file, or correct the release",
    );
  }
  return undefined;
}

function isUrl(source: string): boolean {
  return /^https?:\/\//i.test(source);
}

function problem(code: IssueCode, pointer: string, message: string, hint: string): Issue {
  return { code, severity: "error", pointer, message, hint };
}
