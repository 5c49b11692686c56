/** Headers, trees and ranges: the bytes that tar-stream writes, read alike by four other readers, and any range of them. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { Ajv2020 } from "ajv/dist/2020.js";
import fc from "fast-check";
import t from "tap";
import { pack as tarPack } from "tar-stream";
import type { Digest } from "../../../src/core/digest.ts";
import { sha256 } from "../../../src/core/digest.ts";
import type { BlobBody, File, FileBody } from "../../../src/core/file.ts";
import { byPlace, neededEvidence, pathProblem } from "../../../src/pack/layout.ts";
import { manifestOf, manifestText, parseManifest } from "../../../src/pack/manifest.ts";
import { layBundle, produce, type BlobReader, type BundleLayout } from "../../../src/pack/stream.ts";
import { encodeHeader, readHeader } from "../../../src/pack/tar.ts";
import { pack, type BundleAbout, type Tree } from "../../../src/pack/tree.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-pack-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const about: BundleAbout = {
  cloudlet: { name: "c", organization: "o", region: "EU" },
  platform: "openstack",
  release: { name: "r", sequence: 1, created: "2026-11-24T01:02:03Z" },
  spec: { digest: sha256("s") },
  lock: { digest: sha256("l") },
  generator: { name: "test", version: "0" },
};

function file(path: string, body: FileBody, mode: File["mode"] = 0o644): File {
  return { path, mode, role: "data", body, source: "test", spans: [] };
}

const text = (content: string): Extract<FileBody, { kind: "bytes" }> => ({ kind: "bytes", bytes: new TextEncoder().encode(content) });

/** A store of made-up blobs, in uneven chunks. */
class Blobs implements BlobReader {
  readonly #bytes = new Map<Digest, Buffer>();

  add(bytes: Buffer): BlobBody {
    const digest = sha256(bytes);
    this.#bytes.set(digest, bytes);
    return { kind: "blob", digest, size: bytes.byteLength };
  }

  async *read(digest: Digest, start: number, end: number): AsyncGenerator<Uint8Array> {
    const bytes = this.#bytes.get(digest)?.subarray(start, end) ?? Buffer.alloc(0);
    for (let at = 0; at < bytes.byteLength; at += 700) yield bytes.subarray(at, at + 700);
  }
}

async function made(layout: BundleLayout, blobs: BlobReader, start = 0, end = layout.size): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of produce(layout, blobs, start, end)) parts.push(Uint8Array.from(chunk));
  return Buffer.concat(parts);
}

function sample(): { readonly tree: Tree; readonly blobs: Blobs } {
  const blobs = new Blobs();
  const layer = blobs.add(Buffer.alloc(5_000, "layer"));
  const inner: FileBody = {
    kind: "archive",
    digest: sha256("not looked at"),
    size: 512 * (2 + 11) + 1_024,
    entries: [{ path: "one", body: text("x") }, { path: "two", body: layer }],
  };
  return {
    blobs,
    tree: pack([
      file("blobs/payload.tar", inner),
      file("blobs/image.raw", blobs.add(Buffer.alloc(3_333, "image"))),
      file("site/b", text("b\n")),
      file("install.sh", text("#!/bin/sh\n"), 0o755),
      file("site/empty", text("")),
      file("a", text("a".repeat(512))),
    ], about),
  };
}

t.test("the whole archive is the one that tar-stream makes", async (t) => {
  const { tree, blobs } = sample();
  const theirs = tarPack();
  for (const { path, mode, body } of tree.files) {
    const alone = body.kind === "bytes" ? Buffer.from(body.bytes) : undefined;
    const bytes = alone ?? (await contentOf(tree, blobs, path));
    theirs.entry({ name: path, mode, uid: 0, gid: 0, mtime: new Date(tree.mtime * 1_000) }, bytes);
  }
  theirs.finalize();
  t.ok((await made(layBundle(tree), blobs)).equals(await buffer(theirs)));
});

/** An entry's bytes, out of the archive. */
async function contentOf(tree: Tree, blobs: Blobs, path: string): Promise<Buffer> {
  writeFileSync(join(folder, "whole.tar"), await made(layBundle(tree), blobs));
  return execFileSync("tar", ["-xOf", join(folder, "whole.tar"), path]);
}

t.test("GNU tar, bsdtar, BusyBox and Python list the same names, sizes, modes and times", async (t) => {
  const { tree, blobs } = sample();
  const path = join(folder, "listed.tar");
  writeFileSync(path, await made(layBundle(tree), blobs));
  const expected = ["a 512", "install.sh 10", "site/b 2", "site/empty 0", "blobs/image.raw 3333", "blobs/payload.tar 7680"];
  const lists = {
    gnu: execFileSync("tar", ["--utc", "-tvf", path], { encoding: "utf8" }),
    bsd: execFileSync("bsdtar", ["-tvf", path], { encoding: "utf8" }),
    busybox: execFileSync("busybox", ["tar", "-tvf", path], { encoding: "utf8", env: { ...process.env, TZ: "UTC" } }),
    python: execFileSync("/usr/bin/python3", ["-c", "import tarfile,sys\nfor e in tarfile.open(sys.argv[1]): print(oct(e.mode), e.size, e.mtime, e.name)", path], { encoding: "utf8" }),
  };
  for (const [reader, list] of Object.entries(lists)) {
    const lines = list.trimEnd().split("\n");
    t.strictSame(lines.map((line) => line.split(" ").at(-1)), expected.map((each) => each.split(" ")[0]), reader);
    for (const [index, each] of expected.entries()) t.match(lines[index], new RegExp(`\\b${each.split(" ")[1]}\\b`), `${reader}: ${each}`);
    t.match(lines[1], /-rwxr-xr-x|0o755/, reader);
  }
  t.match(lists.gnu, /2026-11-24 01:02 a/);
});

t.test("any range is the slice of the whole", async (t) => {
  const { tree, blobs } = sample();
  const layout = layBundle(tree);
  const whole = await made(layout, blobs);
  t.equal(whole.byteLength, layout.size);
  await fc.assert(
    fc.asyncProperty(fc.nat(layout.size), fc.nat(layout.size), async (a, b) => {
      const [start, end] = a < b ? [a, b] : [b, a];
      return (await made(layout, blobs, start, end)).equals(whole.subarray(start, end));
    }),
    { numRuns: 300, seed: 20_261_124 },
  );
  await t.rejects(made(layout, blobs, 5, layout.size + 1));
  await t.rejects(made(layout, blobs, -1, 5));
});

t.test("a blob that is shorter or longer than it must be is named", async (t) => {
  for (const [wrong, than] of [[10, "longer"], [9_000, "shorter"]] as const) {
    const blobs = new Blobs();
    const body = blobs.add(Buffer.alloc(5_000, "x"));
    const lying: BlobReader = { read: (digest) => blobs.read(digest, 0, 5_000) };
    await t.rejects(made(layBundle(pack([file("blobs/x", { ...body, size: wrong })], about)), lying), { name: "EnvironmentError", message: new RegExp(than) });
  }
});

t.test("headers: what is written is what is read, and nothing else is", (t) => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,40}(\/[A-Za-z0-9][A-Za-z0-9._-]{0,20}){0,2}$/),
      fc.nat(0o7777),
      fc.integer({ min: 0, max: 999_999_999_999_999 }),
      fc.nat(2_147_483_647),
      fc.nat(511),
      fc.integer({ min: 1, max: 255 }),
      (path, mode, size, mtime, at, flip) => {
        const entry = { path, mode, size, mtime };
        const block = encodeHeader(entry);
        const read = readHeader(block);
        if (read.kind !== "entry" || JSON.stringify(read.entry) !== JSON.stringify(entry)) return false;
        block[at] = (block[at] ?? 0) ^ flip;
        return readHeader(block).kind !== "entry";
      },
    ),
    { numRuns: 2_000, seed: 20_261_124 },
  );
  t.throws(() => encodeHeader({ path: "a", mode: 0o644, size: 0, mtime: 2 ** 31 }));
  t.throws(() => encodeHeader({ path: "a".repeat(101), mode: 0o644, size: 0, mtime: 0 }));
  t.throws(() => encodeHeader({ path: "a", mode: 0o644, size: 1e15, mtime: 0 }));
  t.end();
});

t.test("a file of 9 GiB is listed by GNU tar with its size", (t) => {
  const path = join(folder, "big.tar");
  writeFileSync(path, encodeHeader({ path: "big", mode: 0o644, size: 9_663_676_416, mtime: 0 }));
  const list = execFileSync("sh", ["-c", 'tar -tvf "$1" 2>/dev/null || :', "sh", path], { encoding: "utf8" });
  t.match(list, /9663676416 .* big/);
  t.end();
});

t.test("the manifest is what its published schema says, and reads back as itself", (t) => {
  const schema = JSON.parse(readFileSync(join(import.meta.dirname, "../../../schemas/manifest.schema.json"), "utf8")) as object;
  const evidence = neededEvidence.map((path) => ({ ...file(path, text("{}\n")), role: "evidence" as const }));
  const manifest = manifestOf(pack([...sample().tree.files, ...evidence], about));
  const ajv = new Ajv2020({ strict: true });
  ajv.addVocabulary(["x-unit", "x-form"]);
  const validate = ajv.compile(schema);
  t.ok(validate(JSON.parse(manifestText(manifest))), JSON.stringify(validate.errors));
  t.notOk(validate({ ...manifest, more: 1 }));
  t.notOk(validate({ ...manifest, files: [{ ...manifest.files[0], mode: "0777" }] }));
  const read = parseManifest(new TextEncoder().encode(manifestText(manifest)));
  t.ok(read.ok);
  t.notOk(parseManifest(new TextEncoder().encode(JSON.stringify(manifest))).ok, "another text of the same");
  const poor = parseManifest(new TextEncoder().encode(manifestText(manifestOf(sample().tree))));
  t.match(poor.issues[0]?.message, /does not name evidence\/audit.json as evidence/);
  t.end();
});

t.test("a tree sorts, and refuses what can't lie in one folder", (t) => {
  t.strictSame(sample().tree.files.map((each) => each.path), ["a", "install.sh", "site/b", "site/empty", "blobs/image.raw", "blobs/payload.tar"]);
  for (const paths of [["a", "a"], ["a", "A"], ["a", "a/b"], ["x/a", "X/b"], ["../a"], ["/a"], [".a"], ["a b"], ["a/../b"], ["-a"], ["a".repeat(101)], [""]]) {
    t.throws(() => pack(paths.map((path) => file(path, text(""))), about), paths.join(" "));
  }
  t.throws(() => pack([], { ...about, release: { ...about.release, created: "2040-01-01T00:00:00Z" } }));
  t.equal(pathProblem("site/heat-template.yaml"), undefined);
  t.strictSame(["blobs/a", "z", "a"].sort(byPlace), ["a", "z", "blobs/a"]);
  t.end();
});
