/** Where a service under test has its state: a folder; or, where SERVICE_TEST_SCALED says so, a database and a bucket, which go with that folder. */

import { createHash, randomBytes } from "node:crypto";
import { chmodSync, renameSync, truncateSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { S3Client } from "@aws-sdk/client-s3";
import type { Digest } from "../../../src/core/digest.ts";
import type { DatabaseAddress } from "../../../src/service/scaled/database-address.ts";
import { ownSigner } from "../../../src/service/service-key.ts";
import type { ServiceOptions } from "../../../src/service/service.ts";
import { openStore } from "../../../src/store/blob-store.ts";
import type { ObjectAddress } from "../../../src/store/object-address.ts";

/** Set by test/conformance/scaled, which runs these tests a second time. */
export interface ScaledPlaces {
  /** Of a database in which nobody is; the others are copies of it. */
  readonly database: DatabaseAddress;
  readonly objects: ObjectAddress;
}

const text = process.env["SERVICE_TEST_SCALED"];
const places = text === undefined ? undefined : (JSON.parse(text) as ScaledPlaces);

export const isScaled = places !== undefined;

export async function placeOf(folder: string, signer: ServiceOptions["signer"]): Promise<Pick<ServiceOptions, "scaledOut" | "signer">> {
  if (places === undefined) return {};
  const database = `test_${nameOf(folder)}`;
  await asked("postgres", places, `create database "${database}" template "${places.database.database}"`).catch((error: NodeJS.ErrnoException) => {
    // It is there: the same service starts again.
    if (error.code !== "42P04") throw error;
  });
  await mkdir(folder, { recursive: true });
  return {
    scaledOut: { database: { ...places.database, database }, objects: objectsOf(folder, places) },
    signer: signer ?? (await ownSigner(join(folder, "keys/signing-key.pem"), (bytes) => new Uint8Array(randomBytes(bytes)))),
  };
}

/** What waits to be made, of a service that is stopped. */
export async function waitingIn(folder: string): Promise<{ readonly jobs: readonly object[]; readonly bundles: readonly object[] }> {
  const bundles = "select state, layout from bundles";
  if (places !== undefined) {
    const database = `test_${nameOf(folder)}`;
    return { jobs: await asked(database, places, "select retry_count as attempts from cloudlet_bundle_queue.job where state < 'active'"), bundles: await asked(database, places, bundles) };
  }
  const database = new DatabaseSync(join(folder, "service.db"), { readOnly: true });
  const rows = (text: string): readonly object[] => database.prepare(text).all().map((row) => ({ ...row }));
  const found = { jobs: rows("select attempts from jobs where state = 'queued'"), bundles: rows(bundles) };
  database.close();
  return found;
}

async function asked(database: string, among: ScaledPlaces, text: string): Promise<readonly object[]> {
  const { Client } = await import("pg");
  const { host, port, user, password } = among.database;
  const client = new Client({ host, port, user, database, ...(password === undefined ? {} : { password }) });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows.map((row) => ({ ...row }));
  } finally {
    await client.end();
  }
}

/** What `lock --store` has filled is pushed, where the service looks into a bucket. */
export async function pushed(folder: string): Promise<void> {
  if (places === undefined) return;
  const { pushBlobs } = await import("../../../src/store/push-blobs.ts");
  const store = await openStore(join(folder, "blobs"));
  await pushBlobs(objectsOf(folder, places), store, await store.list(), { signal: new AbortController().signal });
}

/** Takes a blob away from the service; what comes back puts it there again. */
export async function hidden(folder: string, digest: Digest): Promise<() => Promise<void>> {
  const path = pathOf(folder, digest);
  if (places === undefined) {
    renameSync(path, `${path}.away`);
    return async () => renameSync(`${path}.away`, path);
  }
  const { DeleteObjectCommand } = await import("@aws-sdk/client-s3");
  await withObject(folder, digest, places, (client, object) => client.send(new DeleteObjectCommand(object)));
  return () => pushed(folder);
}

/** Leaves a thousand bytes of a blob, as no store of ours does. */
export async function shorten(folder: string, digest: Digest): Promise<void> {
  if (places === undefined) {
    chmodSync(pathOf(folder, digest), 0o644);
    return truncateSync(pathOf(folder, digest), 1_000);
  }
  const { PutObjectCommand } = await import("@aws-sdk/client-s3");
  await withObject(folder, digest, places, (client, object) => client.send(new PutObjectCommand({ ...object, Body: Buffer.alloc(1_000) })));
}

function pathOf(folder: string, digest: Digest): string {
  const hex = digest.slice("sha256:".length);
  return join(folder, "blobs/blobs/sha256", hex.slice(0, 2), hex);
}

async function withObject(folder: string, digest: Digest, among: ScaledPlaces, work: (client: S3Client, object: { readonly Bucket: string; readonly Key: string }) => Promise<unknown>): Promise<void> {
  const { S3Client: Client } = await import("@aws-sdk/client-s3");
  const { bucket, prefix, endpoint = "", region, credentials } = objectsOf(folder, among);
  const client = new Client({ endpoint, region, credentials, forcePathStyle: true });
  const hex = digest.slice("sha256:".length);
  await work(client, { Bucket: bucket, Key: `${prefix}/blobs/sha256/${hex.slice(0, 2)}/${hex}` });
  client.destroy();
}

function objectsOf(folder: string, { objects }: ScaledPlaces): ObjectAddress {
  return { ...objects, prefix: `test/${nameOf(folder)}` };
}

function nameOf(folder: string): string {
  return createHash("sha256").update(folder).digest("hex").slice(0, 16);
}
