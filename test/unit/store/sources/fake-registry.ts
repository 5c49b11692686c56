/** A registry in this process that does what it is told to: an image by its media types, and faults before each answer. */

import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { pack } from "tar-stream";
import type { Digest } from "../../../../src/core/digest.ts";

export interface Made {
  readonly type: string;
  readonly bytes: Buffer;
}

export interface Image {
  readonly id: Digest;
  readonly config: Buffer;
  /** Unpacked, from the base. */
  readonly layers: readonly Buffer[];
  readonly manifest: Made;
  /** Config and packed layers. */
  readonly blobs: readonly Buffer[];
}

export interface Fake {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  readonly seen: readonly Seen[];
  /** By tag or digest. */
  readonly manifests: Map<string, Made>;
  readonly blobs: Map<string, Buffer>;
  /** Comes before each answer; `plain` gives the answer of a registry that works. */
  fault: (request: IncomingMessage, response: ServerResponse, plain: Answering, count: number) => void;
  close(): void;
}

export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly authorization: string | undefined;
  readonly range: string | undefined;
  readonly body: string;
}

/** `edit` changes the bytes; `cut` ends the connection after so many of them; `length` is what the header says. */
export type Answering = (how?: { readonly edit?: (bytes: Buffer) => Buffer; readonly cut?: number; readonly length?: number }) => void;

export const oci = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  index: "application/vnd.oci.image.index.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar",
} as const;
export const docker = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  index: "application/vnd.docker.distribution.manifest.list.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar",
} as const;

export function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

export function json(type: string, value: object): Made {
  return { type, bytes: Buffer.from(JSON.stringify(value)) };
}

export function descriptor({ type, bytes }: Made): { readonly mediaType: string; readonly digest: Digest; readonly size: number } {
  return { mediaType: type, digest: digestOf(bytes), size: bytes.byteLength };
}

type Packing = "plain" | "gzip" | "zstd";

/** An image with one layer for each way of packing; OCI with plus signs, Docker with dots. */
export async function makeImage(
  packings: readonly Packing[],
  more: { readonly as?: typeof oci | typeof docker; readonly architecture?: string; readonly layerBytes?: number } = {},
): Promise<Image> {
  const { as = oci, architecture = "amd64", layerBytes = 300_000 } = more;
  const layers = await Promise.all(packings.map((_, index) => tarOf(`file-${index}`, randomBytes(layerBytes))));
  const config = Buffer.from(JSON.stringify({ architecture, os: "linux", rootfs: { type: "layers", diff_ids: layers.map(digestOf) } }));
  const packed = layers.map((layer, index) => packedAs(packings[index] ?? "plain", layer));
  const mark = as === oci ? "+" : ".";
  const manifest = json(as.manifest, {
    schemaVersion: 2,
    mediaType: as.manifest,
    config: descriptor({ type: as.config, bytes: config }),
    layers: packed.map((bytes, index) => descriptor({ type: packings[index] === "plain" ? as.layer : `${as.layer}${mark}${packings[index]}`, bytes })),
  });
  return { id: digestOf(config), config, layers, manifest, blobs: [config, ...packed] };
}

function packedAs(packing: Packing, bytes: Buffer): Buffer {
  return packing === "gzip" ? gzipSync(bytes) : packing === "zstd" ? zstdCompressSync(bytes) : bytes;
}

async function tarOf(name: string, bytes: Buffer): Promise<Buffer> {
  const made = pack();
  made.entry({ name }, bytes);
  made.finalize();
  return buffer(made);
}

/** Serves the images, each under its digest, and the first one under the tag `1`. */
export async function startFake(images: readonly Image[] = [], port = 0): Promise<Fake> {
  const seen: Seen[] = [];
  const manifests = new Map<string, Made>();
  const blobs = new Map<string, Buffer>();
  for (const { manifest, blobs: own } of images) {
    if (manifests.size === 0) manifests.set("1", manifest);
    manifests.set(digestOf(manifest.bytes), manifest);
    for (const each of own) blobs.set(digestOf(each), each);
  }
  const fake: Omit<Fake, "host"> = {
    seen,
    manifests,
    blobs,
    fault: (_request, _response, plain) => plain(),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  const server = createServer(async (request, response) => {
    const body = await buffer(request).catch(() => Buffer.alloc(0));
    const { authorization, range } = request.headers;
    seen.push({ method: request.method ?? "", path: request.url ?? "", authorization, range, body: body.toString() });
    fake.fault(request, response, (how = {}) => answer(fake, request, response, how), seen.length);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  return Object.assign(fake, { host: `127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function answer(fake: Pick<Fake, "manifests" | "blobs">, request: IncomingMessage, response: ServerResponse, how: NonNullable<Parameters<Answering>[0]>): void {
  const [, kind = "", name = ""] = /^\/v2\/.+\/(manifests|blobs)\/([^/?]+)/.exec(request.url ?? "") ?? [];
  const blob = fake.blobs.get(name);
  const found = kind === "manifests" ? fake.manifests.get(name) : blob === undefined ? undefined : { type: "application/octet-stream", bytes: blob };
  if (found === undefined) return void response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}');
  const bytes = how.edit?.(Buffer.from(found.bytes)) ?? found.bytes;
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  const rest = bytes.subarray(from);
  const headers = { "content-type": found.type, "content-length": String(how.length ?? rest.byteLength) };
  if (from > 0) response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${bytes.byteLength - 1}/${bytes.byteLength}` });
  else response.writeHead(200, headers);
  if (how.cut === undefined || how.cut >= rest.byteLength) return void response.end(rest);
  response.write(rest.subarray(0, how.cut), () => setTimeout(() => response.destroy(), 10));
}
