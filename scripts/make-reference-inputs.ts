/**
 * Makes the inputs of the reference cloudlets, offline and the same to the byte each time: a small bootable disk image and
 * three small containers that run.
 *
 * usage: node scripts/make-reference-inputs.ts [FOLDER]     (out/inputs)
 */

import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { bootSector, elf, healthServerCode } from "./reference-programs.ts";

/** What the image claims to be; of it only the boot sector is written. Bytes. */
const virtualSize = 1024 ** 3;

interface Container {
  readonly role: string;
  readonly image: string;
  readonly port: number;
}

const containers: readonly Container[] = [
  { role: "crm", image: "mobiledgex/edge-cloud-crm:2026-11-24", port: 9091 },
  { role: "shepherd", image: "mobiledgex/edge-cloud-shepherd:2026-11-24", port: 9093 },
  { role: "prometheus", image: "prom/prometheus:v2.19.2", port: 9092 },
];

/** Writes `vm-image.qcow2` and one `<role>.docker.tar` for each container; leaves files alone that are right already. */
export async function makeReferenceInputs(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeChanged(join(folder, "vm-image.qcow2"), qcow2(bootSector));
  const base = await tar([{ name: "bin/serve", mode: 0o755, bytes: elf(healthServerCode) }]);
  for (const container of containers) {
    const own = await tar([{ name: "etc/role", mode: 0o644, bytes: Buffer.from(`${container.role}\n`) }]);
    writeChanged(join(folder, `${container.role}.docker.tar`), await dockerArchive(container, [base, own]));
  }
}

/** A qcow2 of version 3: header, refcount table and block, L1 and L2 table, one cluster of data. */
function qcow2(firstSector: Uint8Array): Uint8Array {
  const cluster = 65_536;
  const file = Buffer.alloc(6 * cluster);
  file.write("QFI\xfb", 0, "latin1");
  file.writeUInt32BE(3, 4);
  file.writeUInt32BE(16, 20);
  file.writeBigUInt64BE(BigInt(virtualSize), 24);
  // An L2 table covers 8,192 clusters, half a GiB.
  file.writeUInt32BE(virtualSize / (cluster * 8_192), 36);
  file.writeBigUInt64BE(BigInt(3 * cluster), 40);
  file.writeBigUInt64BE(BigInt(cluster), 48);
  file.writeUInt32BE(1, 56);
  // Refcounts of 16 bits; the header ends at 104.
  file.writeUInt32BE(4, 96);
  file.writeUInt32BE(104, 100);
  file.writeBigUInt64BE(BigInt(2 * cluster), cluster);
  for (let index = 0; index < 6; index += 1) file.writeUInt16BE(1, 2 * cluster + 2 * index);
  // Bit 63: the cluster is used exactly once.
  const once = 1n << 63n;
  file.writeBigUInt64BE(once | BigInt(4 * cluster), 3 * cluster);
  file.writeBigUInt64BE(once | BigInt(5 * cluster), 4 * cluster);
  file.set(firstSector, 5 * cluster);
  return file;
}

/** As `docker save` writes it, without compression: the form that docker and podman both load. */
async function dockerArchive(container: Container, layers: readonly Uint8Array[]): Promise<Uint8Array> {
  const created = "2026-11-24T00:00:00Z";
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    created,
    config: { Entrypoint: ["/bin/serve", String(container.port)], Labels: { "org.opencontainers.image.title": container.role } },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${sha256(layer)}`) },
    history: layers.map(() => ({ created, created_by: "cloudlet-bundle reference inputs" })),
  });
  const id = sha256(Buffer.from(config));
  const paths = layers.map((layer) => `${sha256(layer)}/layer.tar`);
  const manifest = JSON.stringify([{ Config: `${id}.json`, RepoTags: [container.image], Layers: paths }]);
  return tar([
    { name: "manifest.json", mode: 0o644, bytes: Buffer.from(manifest) },
    { name: `${id}.json`, mode: 0o644, bytes: Buffer.from(config) },
    ...layers.map((bytes, index) => ({ name: paths[index] ?? "", mode: 0o644, bytes })),
  ]);
}

async function tar(files: readonly { readonly name: string; readonly mode: number; readonly bytes: Uint8Array }[]): Promise<Uint8Array> {
  const made = pack();
  for (const { name, mode, bytes } of files) made.entry({ name, mode, uid: 0, gid: 0, mtime: new Date(0) }, Buffer.from(bytes));
  made.finalize();
  return buffer(made);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Aside and renamed, so that a reader at the same time sees a whole file. */
function writeChanged(path: string, bytes: Uint8Array): void {
  if (existsSync(path) && readFileSync(path).equals(bytes)) return;
  writeFileSync(`${path}.${process.pid}`, bytes);
  renameSync(`${path}.${process.pid}`, path);
}

if (import.meta.main) await makeReferenceInputs(process.argv[2] ?? join(import.meta.dirname, "../out/inputs"));
