/** Bundles of golden cases with an OVF package around small disks, as `build` would write them. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Digest } from "../../../src/core/digest.ts";
import { sha256 } from "../../../src/core/digest.ts";
import type { Json } from "../../../src/core/json.ts";
import { canonicalJson } from "../../../src/core/json.ts";
import { sourced } from "../../../src/core/origin.ts";
import { compose } from "../../../src/evidence/compose.ts";
import { generator } from "../../../src/evidence/generator.ts";
import type { BlobReader } from "../../../src/pack/stream.ts";
import { layBundle, produce } from "../../../src/pack/stream.ts";
import type { Tree } from "../../../src/pack/tree.ts";
import { pack } from "../../../src/pack/tree.ts";
import { generateKey, publicHalf } from "../../../src/seal/keys.ts";
import { seal } from "../../../src/seal/seal.ts";
import { pemSigner } from "../../../src/seal/sign.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { readSpec } from "../../../src/spec/read-spec.ts";
import { platforms } from "../../../src/platforms/registry.ts";
import { assets, lockFor, specText, wellRead } from "../../golden/cases.ts";
import { goldenDisks } from "../../reject/ovf-cases.ts";

const releaseText = readFileSync(join(import.meta.dirname, "../../golden/release.yaml"), "utf8");

export interface Disks {
  readonly vmImage: Buffer;
  readonly payload: Buffer;
}

/** All but what the seal adds; the disks are blobs. */
export function treeOf(name: string, disks: Disks): Tree {
  const spec = wellRead(readSpec(specText(name), { platforms: platforms.map((platform) => platform.name) }));
  const release = wellRead(readRelease(releaseText));
  const lock = lockFor(spec.spec.platform.type, release, goldenDisks(disks.vmImage, disks.payload));
  const digest = sha256(canonicalJson(lock as unknown as Json));
  const { files } = wellRead(compose({ spec, release, lock: { lock, sourced: sourced(lock, "lock") } }, assets));
  return pack(files, {
    cloudlet: { name: spec.spec.name, organization: spec.spec.organization, region: spec.spec.region },
    platform: spec.spec.platform.type,
    release: { name: release.release.name, sequence: release.release.sequence, created: release.release.created },
    spec: { digest: spec.digest },
    lock: { digest },
    generator: { name: generator.name, version: generator.version },
  });
}

export const signingKey = generateKey((bytes) => new Uint8Array(bytes).fill(9));
export const { fingerprint } = publicHalf(signingKey);

export function blobsOf(disks: Disks): BlobReader {
  const bodies = new Map<Digest, Buffer>(Object.values(disks).map((bytes: Buffer) => [sha256(bytes), bytes]));
  return {
    async *read(digest, start, end) {
      yield (bodies.get(digest) ?? Buffer.alloc(0)).subarray(start, end);
    },
  };
}

/** Writes `folder/bundle.cloudlet.tar` and what it unpacks to, `folder/bundle`. */
export async function writeSealed(tree: Tree, disks: Disks, folder: string): Promise<{ readonly tar: string; readonly unpacked: string }> {
  const signer = wellRead(pemSigner(signingKey));
  const chunks: Uint8Array[] = [];
  for await (const chunk of produce(layBundle(await seal(tree, signer === undefined ? [] : [signer])), blobsOf(disks))) chunks.push(Buffer.from(chunk));
  const tar = join(folder, "bundle.cloudlet.tar");
  const unpacked = join(folder, "bundle");
  mkdirSync(unpacked, { recursive: true });
  writeFileSync(tar, Buffer.concat(chunks));
  execFileSync("tar", ["-xf", tar, "-C", unpacked]);
  return { tar, unpacked };
}

export function hexDigest(bytes: Uint8Array, algorithm = "sha256"): string {
  return createHash(algorithm).update(bytes).digest("hex");
}
