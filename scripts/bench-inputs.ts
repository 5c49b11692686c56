/** Big inputs for the benchmark: bytes that nothing compresses, made quickly and the same each time. */

import { createCipheriv, createHash } from "node:crypto";
import { closeSync, createReadStream, createWriteStream, mkdirSync, openSync, readFileSync, statSync, writeFileSync, writeSync } from "node:fs";
import { once } from "node:events";
import type { Writable } from "node:stream";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";

const chunkBytes = 8 * 1024 * 1024;

export interface BenchInputs {
  readonly release: string;
  readonly store: string;
  /** What `cat` and GNU tar are given: the same bytes that the bundle's blobs hold. */
  readonly files: readonly string[];
}

/** Three quarters of the size are the VM image, one quarter is the layer of a container. */
export async function makeBenchInputs(folder: string, sizeGiB: number): Promise<BenchInputs> {
  mkdirSync(folder, { recursive: true });
  const bytes = Math.round(sizeGiB * 1024 * 1024 * 1024);
  const image = join(folder, "vm-image.raw");
  const layer = join(folder, "layer.tar");
  const archive = join(folder, "crm.docker.tar");
  const imageDigest = await writeNoise(image, Math.floor((bytes * 3) / 4 / 512) * 512, 1);
  await writeLayer(layer, Math.floor(bytes / 4), 2);
  const configDigest = await writeArchive(archive, layer);
  const release = join(folder, "release.yaml");
  writeFileSync(release, releaseText({ imageDigest, configDigest, bytes }));
  return { release, store: join(folder, "store"), files: [image, layer] };
}

/**
 * A raw disk of 512 MiB as a system's is: half of it programs and text, which Node's own program and TypeScript's are, in
 * stretches with zeros between them; and a release with it.
 */
export function makeDiskInputs(folder: string, root: string): { readonly image: string; readonly release: string; readonly store: string } {
  mkdirSync(folder, { recursive: true });
  const image = join(folder, "disk.raw");
  const content = [process.execPath, join(root, "node_modules/fast-check/lib/fast-check.js")].map((path) => readFileSync(path));
  const hash = createHash("sha256");
  const file = openSync(image, "w");
  const all = Buffer.concat(content);
  for (let turn = 0; turn < 64; turn += 1) {
    const chunk = Buffer.alloc(chunkBytes);
    if (turn % 2 === 0) all.copy(chunk, 0, ((turn * chunkBytes) / 2) % (all.byteLength - chunkBytes));
    hash.update(chunk);
    writeSync(file, chunk);
  }
  closeSync(file);
  const release = join(folder, "release.yaml");
  const text = readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8")
    .replaceAll("../../out/inputs", join(root, "out/inputs"))
    .replace(/format: qcow2\n( +source: )\S+\n( +digest: )\S+\n( +sizeLimit: )\d+/, `format: raw\n$1disk.raw\n$2sha256:${hash.digest("hex")}\n$3999999999`);
  writeFileSync(release, text);
  return { image, release, store: join(folder, "store") };
}

/** AES in counter mode of nothing: as good as random, a gigabyte a second. */
export function* noise(bytes: number, seed: number): Generator<Buffer> {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16));
  const zeros = Buffer.alloc(chunkBytes);
  for (let left = bytes; left > 0; left -= chunkBytes) yield cipher.update(zeros.subarray(0, Math.min(left, chunkBytes)));
}

async function writeNoise(path: string, bytes: number, seed: number): Promise<string> {
  const hash = createHash("sha256");
  const file = createWriteStream(path);
  for (const chunk of noise(bytes, seed)) {
    hash.update(chunk);
    if (!file.write(chunk)) await once(file, "drain");
  }
  file.end();
  await once(file, "close");
  return hash.digest("hex");
}

async function writeLayer(path: string, bytes: number, seed: number): Promise<void> {
  const tar = pack();
  const written = pipeline(tar, createWriteStream(path));
  const entry = tar.entry({ name: "big", size: bytes, mtime: new Date(0) });
  for (const chunk of noise(bytes, seed)) if (!entry.write(chunk)) await once(entry, "drain");
  (entry as unknown as Writable).end();
  tar.finalize();
  await written;
}

/** A docker-archive of the one layer; gives the digest of its config, which is the image ID. */
async function writeArchive(path: string, layer: string): Promise<string> {
  const { size } = statSync(layer);
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(layer, { highWaterMark: chunkBytes })) hash.update(chunk as Buffer);
  const diffId = hash.digest("hex");
  const config = JSON.stringify({ architecture: "amd64", os: "linux", config: { Cmd: ["/big"] }, rootfs: { type: "layers", diff_ids: [`sha256:${diffId}`] } });
  const id = createHash("sha256").update(config).digest("hex");
  const manifest = JSON.stringify([{ Config: `${id}.json`, RepoTags: ["bench/crm:1"], Layers: [`${diffId}/layer.tar`] }]);
  const tar = pack();
  const written = pipeline(tar, createWriteStream(path));
  const mtime = new Date(0);
  tar.entry({ name: "manifest.json", mtime }, manifest);
  tar.entry({ name: `${id}.json`, mtime }, config);
  const entry = tar.entry({ name: `${diffId}/layer.tar`, size, mtime });
  await pipeline(createReadStream(layer, { highWaterMark: chunkBytes }), entry);
  tar.finalize();
  await written;
  return id;
}

function releaseText(made: { readonly imageDigest: string; readonly configDigest: string; readonly bytes: number }): string {
  return `apiVersion: cloudlet-bundle/v1
kind: Release
name: bench
sequence: 1
created: "2026-11-24T00:00:00Z"
vmImage:
  name: bench
  version: "1"
  format: raw
  source: vm-image.raw
  digest: sha256:${made.imageDigest}
  sizeLimit: ${made.bytes}
  minDiskGiB: 20
  minMemoryMiB: 2048
containers:
  - role: crmserver
    image: bench/crm:1
    source: docker-archive:crm.docker.tar
    digest: sha256:${made.configDigest}
controller:
  notifyAddresses: ["controller.example:37001"]
  accessApiAddress: controller.example:41001
  deploymentTag: bench
  appDnsRoot: example.net
  containerVersion: "1"
`;
}
