/** A bundle that is written is the one that is produced: two ways from one layout to its bytes. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { writeBundle } from "../../../src/cli/write-bundle.ts";
import type { Digest } from "../../../src/core/digest.ts";
import { produce, type BundleLayout, type Segment } from "../../../src/pack/stream.ts";
import { openStore } from "../../../src/store/blob-store.ts";

const MiB = 1024 * 1024;
const signal = new AbortController().signal;

// Below and above what is worth threads, at a step and beside it.
for (const size of [0, 1, 700_001, 16 * MiB, 35 * MiB + 3]) {
  t.test(`with a blob of ${size} bytes`, async (t) => {
    const { path, store, blob } = await stored(t, size);
    const layout = laid([{ kind: "bytes", bytes: Buffer.from("head") }, { kind: "blob", digest: blob, size }, { kind: "bytes", bytes: Buffer.alloc(512) }, { kind: "blob", digest: blob, size: Math.floor(size / 2), from: Math.floor(size / 3) }]);
    const file = await open(path, "w");
    let written = 0;
    await writeBundle(file, layout, store, { hashed: (bytes) => (written += bytes) });
    await file.close();
    const produced = [];
    for await (const chunk of produce(layout, store, 0, layout.size, signal)) produced.push(Buffer.from(chunk));
    t.ok(readFileSync(path).equals(Buffer.concat(produced)));
    t.equal(written, size + Math.floor(size / 2), "whoever watches heard of the blobs' bytes");
  });
}

for (const size of [MiB, 40 * MiB]) {
  t.test(`a blob of ${size} bytes that is gone, or shorter than it was laid out, is told`, async (t) => {
    const { path, store, blob } = await stored(t, size);
    const file = await open(path, "w");
    t.teardown(() => file.close());
    await t.rejects(writeBundle(file, laid([{ kind: "blob", digest: `sha256:${"0".repeat(64)}`, size }]), store, {}), { name: "EnvironmentError", message: /can't be read: ENOENT/ });
    await t.rejects(writeBundle(file, laid([{ kind: "blob", digest: blob, size: size + MiB }]), store, {}), { name: "EnvironmentError", message: /can't be read: it ends early/ });
  });
}

type Laid = Segment extends infer Each ? (Each extends Segment ? Omit<Each, "start" | "size"> & { readonly size?: number } : never) : never;

function laid(segments: readonly Laid[]): BundleLayout {
  let at = 0;
  const placed = segments.map((segment) => {
    const size = segment.kind === "bytes" ? segment.bytes.byteLength : (segment.size ?? 0);
    const start = at;
    at += size;
    return { ...segment, start, size };
  });
  return { size: at, segments: placed };
}

async function stored(t: Test, size: number): Promise<{ readonly path: string; readonly store: Awaited<ReturnType<typeof openStore>>; readonly blob: Digest }> {
  const folder = mkdtempSync(join(tmpdir(), "cloudlet-write-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const store = await openStore(join(folder, "store"));
  const bytes = Buffer.alloc(size, "not the same in any two places, or nearly so; ");
  async function* source(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const { digest } = await store.put(source());
  return { path: join(folder, "bundle.tar"), store, blob: digest };
}
