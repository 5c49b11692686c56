/** The reference release with a container of more bytes than fit into a connection's buffers, so that one can be cut in the middle. */

import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pack } from "tar-stream";
import { elf, healthServerCode } from "../../../scripts/reference-programs.ts";

const work = join(import.meta.dirname, "../../../out/conformance/vmpool");

/** The release's text with another prometheus, which carries so much ballast. The same each time. */
export async function withBallast(release: string, mebibytes: number): Promise<string> {
  const path = join(work, `ballast-${mebibytes}.docker.tar`);
  const { id, archive } = await image(mebibytes * 1_048_576);
  mkdirSync(work, { recursive: true });
  writeFileSync(path, archive);
  const changed = release.replace(/(role: prometheus\n\s+image: [^\n]*\n\s+source: docker-archive:)[^\n]*(\n\s+digest: )\S+/, `$1${path}$2sha256:${id}`);
  if (changed === release) throw new Error("the reference release has no prometheus");
  return changed;
}

async function image(bytes: number): Promise<{ readonly id: string; readonly archive: Uint8Array }> {
  const layers = [await tar({ "bin/serve": elf(healthServerCode) }), await tar({ ballast: noise(bytes) })];
  const config = JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: { Entrypoint: ["/bin/serve", "9092"] },
    rootfs: { type: "layers", diff_ids: layers.map((layer) => `sha256:${sha256(layer)}`) },
  });
  const id = sha256(Buffer.from(config));
  const manifest = JSON.stringify([{ Config: `${id}.json`, RepoTags: ["prom/prometheus:v2.19.2"], Layers: layers.map((layer) => `${sha256(layer)}/layer.tar`) }]);
  const archive = await tar({
    "manifest.json": Buffer.from(manifest),
    [`${id}.json`]: Buffer.from(config),
    ...Object.fromEntries(layers.map((layer) => [`${sha256(layer)}/layer.tar`, layer])),
  });
  return { id, archive };
}

/** Bytes that do not compress, the same each time. */
function noise(bytes: number): Uint8Array {
  const block = 32;
  const made = Buffer.alloc(bytes);
  for (let at = 0; at < bytes; at += block) createHash("sha256").update(String(at)).digest().copy(made, at);
  return made;
}

async function tar(files: Readonly<Record<string, Uint8Array>>): Promise<Uint8Array> {
  const made = pack();
  for (const [name, bytes] of Object.entries(files)) made.entry({ name, mode: 0o755, uid: 0, gid: 0, mtime: new Date(0) }, Buffer.from(bytes));
  made.finalize();
  return buffer(made);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
