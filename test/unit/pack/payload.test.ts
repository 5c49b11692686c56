/** The payload's layout: what it is first, configs and layers once each by digest, and a size known without reading. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import t from "tap";
import { type Digest, hexOf } from "../../../src/core/digest.ts";
import type { ArchiveEntry } from "../../../src/core/file.ts";
import { payloadBody, payloadEntries, payloadMark } from "../../../src/pack/payload.ts";
import { layArchive, produce } from "../../../src/pack/stream.ts";
import type { Lock, LockedContainer } from "../../../src/spec/lock.ts";
import type { Release } from "../../../src/spec/release.ts";

const blobs = new Map<Digest, Buffer>();
const [base, one, two] = ["base", "one", "two"].map((text) => blob(text.repeat(300)));
const [configA, configB] = ["{\"a\":1}", "{\"b\":1}"].map(blob);
const release = { name: "2026.11" } as Release;
const containers: readonly LockedContainer[] = [
  { role: "crmserver", image: "example/crm:1", architecture: "amd64", config: configA!, layers: [base!, one!] },
  // A layer may come twice in one image, and two roles may be one image.
  { role: "shepherd", image: "example/shepherd:1", architecture: "amd64", config: configB!, layers: [base!, two!, base!] },
  { role: "prometheus", image: "example/prometheus:1", architecture: "amd64", config: configB!, layers: [base!, two!, base!] },
];
const entries = payloadEntries(release, containers);

t.test("each blob once, configs before layers, by digest", (t) => {
  const configs = [configA!, configB!].map(({ digest }) => `${hexOf(digest)}.json`).sort();
  const layers = [base!, one!, two!].map(({ digest }) => `${hexOf(digest)}/layer.tar`).sort();
  t.strictSame(entries.map((entry) => entry.path), [payloadMark, "manifest.json", ...configs, ...layers]);
  t.end();
});

t.test("Docker's manifest and our index say the same of each container, in the release's order", (t) => {
  const index = textOf(entries[0]) as { release: string; containers: unknown[] };
  const manifest = textOf(entries[1]) as { Config: string; RepoTags: string[]; Layers: string[] }[];
  t.equal(index.release, "2026.11");
  t.strictSame(
    index.containers,
    containers.map(({ role, image, config, layers }) => ({ role, image, config: config.digest, layers: layers.map(({ digest }) => digest) })),
  );
  t.strictSame(
    manifest,
    containers.map(({ image, config, layers }) => ({
      Config: `${hexOf(config.digest)}.json`,
      RepoTags: [image],
      Layers: layers.map(({ digest }) => `${hexOf(digest)}/layer.tar`),
    })),
  );
  t.end();
});

t.test("tar reads it back, every blob whole, and it has the size that was said", async (t) => {
  const archive = await buffer(
    produce(layArchive(entries, 1_795_478_400), {
      async *read(digest, start, end) {
        yield blobs.get(digest)!.subarray(start, end);
      },
    }),
  );
  const size = archive.byteLength;
  const body = payloadBody(locked(size), release);
  t.match(body, { kind: "archive", digest: configA!.digest, size });
  t.throws(() => payloadBody(locked(size - 512), release), { message: `the payload comes to ${size} bytes, the lock says ${size - 512}` });
  const names = execFileSync("tar", ["-tf", "-"], { input: archive, encoding: "utf8" }).trim().split("\n");
  t.strictSame(names, entries.map((entry) => entry.path));
  for (const name of names.slice(2)) {
    const bytes = execFileSync("tar", ["-xOf", "-", name], { input: archive });
    t.equal(sha256(bytes), name.slice(0, 64));
  }
});

t.test("the reference release's lock has the size that its containers come to", (t) => {
  const lock = JSON.parse(readFileSync(join(import.meta.dirname, "../../../bundles/openstack-single/release.lock.json"), "utf8")) as Lock;
  t.equal(payloadBody(lock, release).kind, "archive");
  const layers = lock.containers.flatMap((container) => container.layers.map((layer) => layer.digest));
  const stored = payloadEntries(release, lock.containers).filter((entry) => entry.path.endsWith("/layer.tar"));
  t.equal(stored.length, new Set(layers).size);
  t.ok(stored.length < layers.length, "they share a layer");
  t.end();
});

function blob(text: string): { readonly digest: Digest; readonly size: number } {
  const bytes = Buffer.from(text);
  const digest: Digest = `sha256:${sha256(bytes)}`;
  blobs.set(digest, bytes);
  return { digest, size: bytes.byteLength };
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function locked(size: number): Lock {
  return { containers, payload: { digest: configA!.digest, sha512: "", size } } as unknown as Lock;
}

function textOf(entry: ArchiveEntry | undefined): unknown {
  return entry?.body.kind === "bytes" ? JSON.parse(new TextDecoder().decode(entry.body.bytes)) : undefined;
}
