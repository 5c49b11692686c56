/**
 * Blobs by digest in an S3-compatible bucket. An object is whole and right under its name, or not there: what was sent is hashed
 * on its way, and shows itself only when the last part is completed. It is never replaced, so readers need no lock.
 */

import { createHash } from "node:crypto";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { Readable } from "node:stream";
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, S3Client, type S3ClientConfig } from "@aws-sdk/client-s3";
import { Upload } from "@aws-sdk/lib-storage";
import type { Digest } from "../core/digest.ts";
import { isDigest } from "../core/digest.ts";
import { EnvironmentError } from "../core/environment-error.ts";
import { BlobMismatch } from "./blob-store.ts";
import type { Blob, Blobs } from "./blobs.ts";
import { shownObjects, type ObjectAddress } from "./object-address.ts";
import { Unavailable } from "./unavailable.ts";

/** What the service and the verb `store` both know it by. */
export type ObjectKind = "blobs" | "drawn";

export interface ObjectStore {
  /** One prefix of the bucket for each kind. */
  readonly blobs: (kind: ObjectKind) => Blobs;
  /** Throws an EnvironmentError where the bucket can't be used. */
  readonly check: () => Promise<void>;
  readonly close: () => void;
}

/** As many downloads as the service serves at once, and some for itself. */
const sockets = 232;

export function openObjects(address: ObjectAddress): ObjectStore {
  const agent = { maxSockets: sockets, keepAlive: true };
  const client = new S3Client({
    region: address.region,
    credentials: address.credentials,
    // Hosts named after buckets want DNS and certificates for each; those of one's own store have neither.
    ...(address.endpoint === undefined ? {} : { endpoint: address.endpoint, forcePathStyle: true }),
    // Stores older than the checksums of 2025 refuse them; every body is signed with its SHA-256 anyway.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    maxAttempts: 3,
    requestHandler: {
      httpAgent: new HttpAgent(agent), httpsAgent: new HttpsAgent(agent), connectionTimeout: 5_000,
      // Until the answer begins, and then between two pieces of it.
      requestTimeout: 30_000, throwOnRequestTimeout: true, socketTimeout: 120_000,
    },
  } satisfies S3ClientConfig);
  const failed = (error: unknown): EnvironmentError => away(address, error);
  return {
    blobs: (kind) => blobsUnder({ client, bucket: address.bucket, prefix: [address.prefix, kind, "sha256"].filter((part) => part !== "").join("/"), failed }),
    check: async () => void (await client.send(new ListObjectsV2Command({ Bucket: address.bucket, MaxKeys: 1 })).catch((error: unknown) => Promise.reject(failed(error)))),
    close: () => client.destroy(),
  };
}

interface Under {
  readonly client: S3Client;
  readonly bucket: string;
  readonly prefix: string;
  readonly failed: (error: unknown) => EnvironmentError;
}

function blobsUnder(under: Under): Blobs {
  const reader = { read: (digest: Digest, start: number, end: number) => read(under, digest, start, end) };
  return { ...reader, reusing: () => reader, put: (source, expect) => put(under, source, expect), stat: (digest) => stat(under, digest), list: () => list(under) };
}

function keyOf({ prefix }: Under, digest: Digest): string {
  const hex = digest.slice("sha256:".length);
  return `${prefix}/${hex.slice(0, 2)}/${hex}`;
}

async function stat(under: Under, digest: Digest): Promise<Blob | undefined> {
  try {
    const { ContentLength } = await under.client.send(new HeadObjectCommand({ Bucket: under.bucket, Key: keyOf(under, digest) }));
    return ContentLength === undefined ? undefined : { digest, size: ContentLength };
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw under.failed(error);
  }
}

/** A connection that ends half-way is taken up again where it ended, as long as it gets on. */
const failuresInARow = 3;

async function* read(under: Under, digest: Digest, start: number, end: number): AsyncGenerator<Uint8Array> {
  let failures = 0;
  for (let at = start; at < end; ) {
    const leaving = new AbortController();
    try {
      const { Body } = await under.client.send(new GetObjectCommand({ Bucket: under.bucket, Key: keyOf(under, digest), Range: `bytes=${at}-${end - 1}` }), { abortSignal: leaving.signal });
      // In Node it is one of its streams: it reads on when its reader does.
      for await (const chunk of Body as Readable as AsyncIterable<Uint8Array>) {
        at += chunk.byteLength;
        failures = 0;
        yield at <= end ? chunk : chunk.subarray(0, chunk.byteLength - (at - end));
      }
      // Shorter than asked for, and not cut off: it has no more.
      if (at < end) return;
    } catch (error) {
      // 416: it ends before this range begins; whoever asked for so much finds it too short.
      if (statusOf(error) === 416) return;
      if (statusOf(error) === 404) throw new EnvironmentError(`the object store has no blob ${digest}`, { hint: "push it again: cloudlet-bundle store push" });
      failures += 1;
      if (failures > failuresInARow) throw under.failed(error);
      await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** failures));
    } finally {
      leaving.abort();
    }
  }
}

/** The service's drawn files are smaller, and go in one request. */
const partBytes = 8 * 1024 * 1024;
/** What S3 takes of one upload. */
const partsAtMost = 10_000;

async function put(under: Under, source: AsyncIterable<Uint8Array>, expect: Blob): Promise<Blob> {
  const found = await stat(under, expect.digest);
  if (found?.size === expect.size) return found;
  const upload = new Upload({
    client: under.client,
    params: { Bucket: under.bucket, Key: keyOf(under, expect.digest), Body: Readable.from(verified(source, expect)), ContentType: "application/octet-stream", IfNoneMatch: "*" },
    partSize: Math.max(partBytes, Math.ceil(expect.size / partsAtMost)), queueSize: 3,
  });
  try {
    await upload.done();
  } catch (error) {
    if (error instanceof BlobMismatch || error instanceof EnvironmentError) throw error;
    // Somebody was faster, with the same bytes.
    if (!(statusOf(error) === 412 || statusOf(error) === 409) || (await stat(under, expect.digest))?.size !== expect.size) throw under.failed(error);
  }
  return expect;
}

/** Ends with an error instead of the end where the bytes are not what they should be: then the upload is not completed. */
async function* verified(source: AsyncIterable<Uint8Array>, { digest, size }: Blob): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  let done = 0;
  for await (const chunk of source) {
    done += chunk.byteLength;
    if (done > size) throw new BlobMismatch("too-big", `${size} bytes`, `at least ${done}`);
    hash.update(chunk);
    yield chunk;
  }
  if (done !== size) throw new BlobMismatch("size", `${size} bytes`, `${done} bytes`);
  const found: Digest = `sha256:${hash.digest("hex")}`;
  if (found !== digest) throw new BlobMismatch("digest", digest, found);
}

async function list(under: Under): Promise<readonly Blob[]> {
  const found: Blob[] = [];
  for (let token: string | undefined, isFirst = true; isFirst || token !== undefined; isFirst = false) {
    const { Contents = [], NextContinuationToken } = await under.client
      .send(new ListObjectsV2Command({ Bucket: under.bucket, Prefix: `${under.prefix}/`, ...(token === undefined ? {} : { ContinuationToken: token }) }))
      .catch((error: unknown) => Promise.reject(under.failed(error)));
    for (const { Key = "", Size = 0 } of Contents) {
      const digest = `sha256:${Key.slice(Key.lastIndexOf("/") + 1)}`;
      if (isDigest(digest)) found.push({ digest, size: Size });
    }
    token = NextContinuationToken;
  }
  return found;
}

function statusOf(error: unknown): number | undefined {
  return (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

/** Never with what was sent: headers have the signature. */
function away(address: ObjectAddress, error: unknown): EnvironmentError {
  if (error instanceof EnvironmentError) return error;
  const { name, message } = error as Error;
  const status = statusOf(error);
  const said = [name === "Error" ? "" : name, message === name ? "" : message].filter((text) => text !== "").join(": ");
  const hints: Readonly<Record<number, string>> = { 403: "check its credentials, and what they may do in the bucket; the clocks must agree, too", 404: "make the bucket first", 301: "give its region in AWS_REGION" };
  const hint = status === undefined ? "check --objects-endpoint, and whether it runs" : hints[status];
  return new Unavailable(`the object store ${shownObjects(address)} does not answer as it should: ${said}`, { ...(hint === undefined ? {} : { hint }), cause: error });
}
