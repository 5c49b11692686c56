/** Figures that are taken inside this process, ranges of a big bundle and many small renderings; and the great bundles that others measure. */

import { readFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { textFile, type File } from "../src/core/file.ts";
import { assetsOf } from "../src/store/package-folder.ts";
import { compose } from "../src/evidence/compose.ts";
import { layBundle, produce, type BlobReader, type BundleLayout } from "../src/pack/stream.ts";
import { pack } from "../src/pack/tree.ts";
import { generateKey } from "../src/seal/keys.ts";
import { seal } from "../src/seal/seal.ts";
import { pemSigner } from "../src/seal/sign.ts";
import { readLock } from "../src/spec/read-lock.ts";
import { readRelease } from "../src/spec/read-release.ts";
import { readSpec } from "../src/spec/read-spec.ts";
import type { Lock } from "../src/spec/lock.ts";
import type { Outcome } from "../src/core/issue.ts";

const root = join(import.meta.dirname, "..");
const reference = join(root, "bundles/openstack-single");
const assets = assetsOf(root);

/** The slowest first byte of ranges all over a bundle of 10 GiB; its blobs are made up, as no disk takes part. */
export async function rangeFigures(): Promise<{ readonly worstMs: number }> {
  const layout = await bigLayout("range");
  const zeros = new Uint8Array(65_536);
  const blobs: BlobReader = {
    async *read(_, start, end) {
      for (let at = start; at < end; at += zeros.byteLength) yield zeros.subarray(0, Math.min(zeros.byteLength, end - at));
    },
  };
  let worstMs = 0;
  for (let index = 0; index < 1_000; index += 1) {
    const start = Math.floor((layout.size - 1) * (index / 999));
    const begun = performance.now();
    for await (const chunk of produce(layout, blobs, start, layout.size)) {
      worstMs = Math.max(worstMs, performance.now() - begun);
      if (chunk.byteLength > 0) break;
    }
  }
  return { worstMs };
}

async function bigLayout(name: string): Promise<BundleLayout> {
  const size = 10 * 1024 ** 3;
  const { tree } = drawn(name, (lock) => ({ ...lock, vmImage: { ...lock.vmImage, size } }));
  return layBundle(await seal(tree, []));
}

/** Writes a bundle of 10 GiB whose blobs are holes: as long as a true one, and nearly nothing on the disk. */
export async function makeSparseBundle(path: string): Promise<void> {
  await writeHoles(path, await bigLayout("sparse"));
}

async function writeHoles(path: string, layout: BundleLayout): Promise<void> {
  const file = await open(path, "w");
  try {
    for (const segment of layout.segments) if (segment.kind === "bytes") await file.write(segment.bytes, 0, segment.bytes.byteLength, segment.start);
    await file.truncate(layout.size);
  } finally {
    await file.close();
  }
}

/** Writes a bundle of `count` files, with blobs of one block; of two names, most texts are different ones. */
export async function makeLargeBundle(path: string, name: string, count: number): Promise<void> {
  const small = (lock: Lock): Lock => ({ ...lock, vmImage: { ...lock.vmImage, size: 512 } });
  const more = moreFiles(name, count - drawn(name, small).tree.files.length);
  await writeHoles(path, layBundle(await seal(drawn(name, small, more).tree, [])));
}

function moreFiles(name: string, count: number): readonly File[] {
  return Array.from({ length: count }, (_, index) => {
    const lines = Array.from({ length: 40 }, (_, line) => `${line % 4 === 0 ? name : "the same"} ${index} ${line}\n`);
    return textFile(`site/more/${String(index).padStart(5, "0")}.txt`, lines.join(""), { role: "site", source: "bench" });
  });
}

/**
 * Milliseconds for each of `count` cloudlets of one release: read, planned, rendered, sealed and laid out, without blobs; of
 * the fastest of ten parts, for the others say what else the machine did.
 */
export async function renderFigures(count: number): Promise<{ readonly eachMs: number }> {
  const signer = valueOf(pemSigner(generateKey((bytes) => new Uint8Array(bytes).fill(7))));
  const part = count / 10;
  const parts: number[] = [];
  for (let from = 0; from < count; from += part) {
    const begun = performance.now();
    for (let index = from; index < from + part; index += 1) {
      layBundle(await seal(drawn(`cloudlet-${index}`).tree, [signer]));
    }
    parts.push((performance.now() - begun) / part);
  }
  return { eachMs: Math.min(...parts) };
}

const specText = readFileSync(join(reference, "cloudlet.yaml"), "utf8");
const release = valueOf(readRelease(readFileSync(join(reference, "release.yaml"), "utf8")));
const lock = valueOf(readLock(readFileSync(join(reference, "release.lock.json"), "utf8")));

/** `more` come along as a trust policy does: they are in the evidence, too. */
function drawn(name: string, edit: (lock: Lock) => Lock = (same) => same, more: readonly File[] = []): { readonly tree: ReturnType<typeof pack> } {
  const spec = valueOf(readSpec(specText.replace(/^name: .*$/m, `name: ${name}`), { platforms: ["openstack"] }));
  const edited = edit(lock.lock);
  const composed = valueOf(compose({ spec, release, lock: { ...lock, lock: edited } }, assets, undefined, more));
  return {
    tree: pack(composed.files, {
      cloudlet: { name, organization: spec.spec.organization, region: spec.spec.region },
      platform: spec.spec.platform.type,
      release: { name: release.release.name, sequence: release.release.sequence, created: release.release.created },
      spec: { digest: spec.digest },
      lock: { digest: lock.digest },
      generator: { name: "cloudlet-bundle", version: "bench" },
    }),
  };
}

function valueOf<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues));
  return outcome.value;
}
