/** Images from every source: good ones arrive whole, bad ones end in an issue, a cut line is continued. */

import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import t from "tap";
import { pack } from "tar-stream";
import type { Digest } from "../../../src/core/digest.ts";
import type { Outcome } from "../../../src/core/issue.ts";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";
import { openStore } from "../../../src/store/blob-store.ts";
import { RESOLVE_ISSUE_CODES } from "../../../src/store/issue-codes.ts";
import { readContainer, type ContainerRead } from "../../../src/store/sources/container.ts";
import { fetchVmImage, type VmImageRead } from "../../../src/store/sources/vm-image.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-sources-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const signal = new AbortController().signal;
const progress = (): void => undefined;
const reached = new Set<string>();
let places = 0;
const place = (name: string): string => join(folder, `${(places += 1)}-${name}`);

function sha(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

interface Entry {
  readonly name: string;
  readonly bytes?: Uint8Array;
  readonly link?: string;
  readonly type?: "symlink" | "link";
}

async function tar(entries: readonly Entry[]): Promise<Buffer> {
  const made = pack();
  for (const { name, bytes, link, type } of entries) {
    if (link === undefined) made.entry({ name }, Buffer.from(bytes ?? new Uint8Array()));
    else made.entry({ name, type: type ?? "symlink", linkname: link });
  }
  made.finalize();
  return buffer(made);
}

const layerA = await tar([{ name: "bin/a", bytes: randomBytes(300_000) }]);
const layerB = await tar([{ name: "etc/b", bytes: Buffer.from("b\n") }]);
const config = Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: [layerA, layerB].map((each) => `sha256:${sha(each)}`) } }));
const id: Digest = `sha256:${sha(config)}`;

const dockerManifest = (layers: readonly string[], name = `${sha(config)}.json`): Entry => ({ name: "manifest.json", bytes: Buffer.from(JSON.stringify([{ Config: name, RepoTags: ["x:1"], Layers: layers }])) });
const dockerEntries: readonly Entry[] = [
  dockerManifest(["a/layer.tar", "b/layer.tar"]),
  { name: `${sha(config)}.json`, bytes: config },
  { name: "a/layer.tar", bytes: layerA },
  { name: "b/layer.tar", bytes: layerB },
];

function oci(layers: readonly Uint8Array[], edit: (files: Map<string, Buffer>) => void = () => undefined): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const blob = (bytes: Uint8Array): { digest: string; size: number } => {
    files.set(`blobs/sha256/${sha(bytes)}`, Buffer.from(bytes));
    return { digest: `sha256:${sha(bytes)}`, size: bytes.byteLength };
  };
  const manifest = blob(Buffer.from(JSON.stringify({ schemaVersion: 2, config: blob(config), layers: layers.map(blob) })));
  const inner = blob(Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [{ digest: `sha256:${"0".repeat(64)}`, platform: { architecture: "arm64" } }, manifest] })));
  files.set("index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [inner] })));
  files.set("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  edit(files);
  return files;
}

async function read(source: string, more: { readonly digest?: Digest; readonly architecture?: string } = {}): Promise<{ readonly outcome: Outcome<ContainerRead>; readonly check: readonly Digest[] }> {
  const store = await openStore(place("store"));
  const outcome = await readContainer({ source, folder, digest: more.digest ?? id, architecture: more.architecture ?? "amd64", store, pointer: "/containers/0", progress, signal });
  for (const issue of outcome.issues) reached.add(issue.code);
  return { outcome, check: await store.check() };
}

async function readArchive(form: string, bytes: Uint8Array, more: Parameters<typeof read>[1] = {}): ReturnType<typeof read> {
  const path = place("archive");
  writeFileSync(path, bytes);
  return read(`${form}:${path}`, more);
}

const whole: ContainerRead = {
  architecture: "amd64",
  config: { digest: id, size: config.byteLength },
  layers: [layerA, layerB].map((each) => ({ digest: `sha256:${sha(each)}`, size: each.byteLength })),
};

t.test("every form of an image gives the same", async (t) => {
  const linked = [...dockerEntries.slice(0, 2), { name: "real/layer.tar", bytes: layerA }, { name: "a/layer.tar", link: "../real/layer.tar" }, { name: "b/layer.tar", bytes: layerB }];
  const gzipped = [...oci([gzipSync(layerA), zstdCompressSync(layerB)])].map(([name, bytes]) => ({ name, bytes }));
  for (const [what, form, bytes] of [
    ["docker-archive", "docker-archive", await tar(dockerEntries)],
    ["in another order, with ./", "docker-archive", await tar([...dockerEntries].reverse().map((each) => ({ ...each, name: `./${each.name}` })))],
    ["compressed with gzip", "docker-archive", gzipSync(await tar(dockerEntries))],
    ["compressed with zstd", "docker-archive", zstdCompressSync(await tar(dockerEntries))],
    ["with linked layers", "docker-archive", await tar(linked)],
    ["OCI archive, layers compressed, nested index", "oci-archive", await tar(gzipped)],
  ] as const) {
    const { outcome, check } = await readArchive(form, bytes);
    t.strictSame(outcome, { ok: true, value: whole, issues: [] }, what);
    t.strictSame(check, [], `${what}: the store is sound`);
  }
  const layout = place("layout");
  for (const [name, bytes] of oci([layerA, gzipSync(layerB)])) {
    mkdirSync(join(layout, name, ".."), { recursive: true });
    writeFileSync(join(layout, name), bytes);
  }
  t.strictSame((await read(`oci:${layout}`)).outcome, { ok: true, value: whole, issues: [] }, "OCI layout");
});

t.test("bad containers end in an issue", async (t) => {
  const damaged = Buffer.from(await tar(dockerEntries));
  damaged.writeUInt8(damaged.readUInt8(100_000) ^ 1, 100_000);
  const gone = oci([layerA, layerB], (files) => files.delete(`blobs/sha256/${sha(layerB)}`));
  const bomb = oci([gzipSync(Buffer.alloc(50_000_000)), layerB]);
  const archive = async (files: Map<string, Buffer>): Promise<Buffer> => tar([...files].map(([name, bytes]) => ({ name, bytes })));
  const header = (type: string, size: number): Buffer => {
    const bytes = Buffer.alloc(512);
    bytes.write("x/", 0);
    bytes.write("0000644\0", 100);
    bytes.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
    bytes.write("        ", 148);
    bytes.write(`${type}`, 156);
    bytes.write("ustar\x0000", 257);
    const sum = bytes.reduce((all, byte) => all + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return bytes;
  };
  // 8 GiB in octal digits are not enough: base-256, as GNU tar writes it.
  const absurd = header("0", 0);
  absurd.writeUInt8(0x80, 124);
  absurd.fill(0, 125, 136).writeUInt8(0x7f, 130);
  absurd.write("        ", 148);
  absurd.write(`${absurd.reduce((all, byte) => all + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
  const cases: readonly (readonly [string, string, string, Uint8Array, Parameters<typeof read>[1]?])[] = [
    ["another image", "resolve/image-digest", "docker-archive", await tar(dockerEntries), { digest: `sha256:${"1".repeat(64)}` }],
    ["another processor", "resolve/image-platform", "docker-archive", await tar(dockerEntries), { architecture: "arm64" }],
    ["a flipped bit in a layer", "resolve/image-digest", "docker-archive", damaged],
    ["a missing layer", "resolve/image-missing", "docker-archive", await tar(dockerEntries.slice(0, 3))],
    ["a missing OCI layer", "resolve/image-missing", "oci-archive", await archive(gone)],
    ["a bomb", "resolve/image-digest", "oci-archive", await archive(bomb)],
    ["no manifest", "resolve/image-form", "docker-archive", await tar(dockerEntries.slice(1))],
    ["the other form", "resolve/image-form", "oci-archive", await tar(dockerEntries)],
    ["no archive at all", "resolve/image-form", "docker-archive", randomBytes(5_000)],
    ["cut off", "resolve/image-form", "docker-archive", (await tar(dockerEntries)).subarray(0, 200_000)],
    ["cut off inside gzip", "resolve/image-form", "docker-archive", gzipSync(await tar(dockerEntries)).subarray(0, 200_000)],
    ["xz", "resolve/image-form", "docker-archive", Buffer.from("\xfd7zXZ\0rest", "latin1")],
    ["a path out of it", "resolve/image-form", "docker-archive", await tar([...dockerEntries, { name: "../x", bytes: layerB }])],
    ["an absolute path", "resolve/image-form", "docker-archive", await tar([...dockerEntries, { name: "/etc/x", bytes: layerB }])],
    ["a link out of it", "resolve/image-form", "docker-archive", await tar([...dockerEntries.slice(0, 3), { name: "b/layer.tar", link: "../../../etc/passwd" }])],
    ["a link to itself", "resolve/image-form", "docker-archive", await tar([...dockerEntries.slice(0, 3), { name: "b/layer.tar", link: "layer.tar" }])],
    ["one name twice", "resolve/image-form", "docker-archive", await tar([...dockerEntries, { name: "b/layer.tar", bytes: layerA }])],
    ["an entry of absurd size", "resolve/image-form", "docker-archive", absurd],
    ["a long name without end", "resolve/image-form", "docker-archive", header("L", 2 ** 30)],
    ["too many entries", "resolve/image-form", "docker-archive", gzipSync(Buffer.concat([...new Array(20_001).fill(header("5", 0))]))],
    ["fewer layers than its config", "resolve/image-digest", "docker-archive", await tar([dockerManifest(["a/layer.tar"]), ...dockerEntries.slice(1)])],
  ];
  for (const [what, code, form, bytes, more] of cases) {
    const { outcome, check } = await readArchive(form, bytes, more);
    t.strictSame(outcome.issues.map((issue) => issue.code), [code], `${what}: ${outcome.issues[0]?.message ?? "accepted"}`);
    t.strictSame(check, [], `${what}: the store is sound`);
  }
  t.strictSame((await read("docker-archive:absent.tar")).outcome.issues.map((issue) => issue.code), ["resolve/image-missing"]);
  t.strictSame((await read("oci:absent")).outcome.issues.map((issue) => issue.code), ["resolve/image-missing"]);
  t.strictSame((await read("docker-archive:/dev/zero")).outcome.issues.map((issue) => issue.code), ["resolve/image-form"], "a device");
  // Each index names the next one a thousand times: walked through, that would never end.
  const maze = (depths: number): Map<string, Buffer> => oci([layerA, layerB], (files) => {
    let manifests: unknown[] = JSON.parse(String(files.get("index.json"))).manifests;
    for (let depth = 0; depth < depths; depth += 1) {
      const index = Buffer.from(JSON.stringify({ depth, manifests }));
      files.set(`blobs/sha256/${sha(index)}`, index);
      manifests = new Array(1_000).fill({ digest: `sha256:${sha(index)}` });
    }
    files.set("index.json", Buffer.from(JSON.stringify({ manifests })));
  });
  for (const [depths, code] of [[3, "resolve/image-digest"], [4, "resolve/image-form"]] as const) {
    const { outcome } = await readArchive("oci-archive", await archive(maze(depths)), { digest: `sha256:${"2".repeat(64)}` });
    t.strictSame(outcome.issues.map((issue) => issue.code), [code], `a maze of indexes, ${depths} more`);
  }
  const outside = place("layout");
  mkdirSync(outside);
  symlinkSync("/etc/passwd", join(outside, "index.json"));
  t.strictSame((await read(`oci:${outside}`)).outcome.issues.map((issue) => issue.code), ["resolve/image-form"], "a layout's links are not followed");
});

await makeReferenceInputs(join(folder, "inputs"));
const image = readFileSync(join(folder, "inputs/vm-image.qcow2"));
const imageDigest: Digest = `sha256:${sha(image)}`;

interface How {
  readonly digest?: Digest;
  readonly sizeLimit?: number;
  readonly format?: "qcow2" | "raw" | "vmdk";
  readonly store?: string;
}

async function fetchImage(source: string, how: How = {}): Promise<Outcome<VmImageRead>> {
  const store = await openStore(how.store ?? place("store"));
  const outcome = await fetchVmImage({
    source, folder, digest: how.digest ?? imageDigest, sizeLimit: how.sizeLimit ?? 50_000_000, format: how.format ?? "qcow2",
    store, progress, signal, patience: { tries: 3, pauseMs: 5, idleMs: 300 },
  });
  for (const issue of outcome.issues) reached.add(issue.code);
  t.strictSame(await store.check(), []);
  return outcome;
}

function file(bytes: Uint8Array): string {
  const path = place("image");
  writeFileSync(path, bytes);
  return path;
}

t.test("a VM image by path: good, and every way to be bad", async (t) => {
  const good = await fetchImage(file(image));
  t.ok(good.ok && good.value.virtualSize === 1024 ** 3);
  const edited = (at: number, value: number): { readonly path: string; readonly digest: Digest } => {
    const bytes = Buffer.from(image);
    bytes.writeUInt8(value, at);
    return { path: file(bytes), digest: `sha256:${sha(bytes)}` };
  };
  const raw = randomBytes(1_024);
  t.strictSame(await fetchImage(file(raw), { digest: `sha256:${sha(raw)}`, format: "raw" }).then((each) => each.ok && each.value.virtualSize), 1_024);
  const cases: readonly (readonly [string, string, string, How])[] = [
    ["absent", "resolve/image-missing", "absent.qcow2", {}],
    ["a folder", "resolve/image-missing", folder, {}],
    ["another file", "resolve/image-digest", file(raw), {}],
    ["too big", "resolve/image-size", file(image), { sizeLimit: 1_000 }],
    ["another format", "resolve/image-format", file(image), { format: "raw" }],
    ["compressed", "resolve/image-format", file(gzipSync(raw)), { digest: `sha256:${sha(gzipSync(raw))}`, format: "raw" }],
    ["half a sector", "resolve/image-unusable", file(raw.subarray(0, 700)), { digest: `sha256:${sha(raw.subarray(0, 700))}`, format: "raw" }],
    ...([[7, 9, "version 9"], [15, 1, "a backing file"], [35, 1, "encrypted"], [79, 4, "an external data file"], [79, 2, "marked as corrupt"], [78, 1, "an unknown feature"], [24, 255, "a disk without end"]] as const).map(
      ([at, value, what]) => [what, "resolve/image-unusable", edited(at, value).path, { digest: edited(at, value).digest }] as const,
    ),
  ];
  for (const [what, code, source, how] of cases) {
    t.strictSame((await fetchImage(source, how)).issues.map((issue) => issue.code), [code], what);
  }
});

/** A server of one file that answers by `mode` and cuts each answer after `cut` bytes. */
async function serving(mode: (request: IncomingMessage, count: number) => "whole" | "cut" | "ignore-range" | "hang" | "short" | number, cut = 100_000, port = 0): Promise<{ readonly url: string; readonly ranges: string[]; readonly close: () => void }> {
  const bytes = big;
  const ranges: string[] = [];
  let count = 0;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const how = mode(request, (count += 1));
    ranges.push(request.headers.range ?? "");
    if (typeof how === "number") return void response.writeHead(how, how === 302 ? { location: "/elsewhere" } : {}).end();
    const from = how === "ignore-range" ? 0 : Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const headers = { etag: '"one"', "content-length": String(bytes.byteLength - from) };
    if (from > 0) response.writeHead(206, { ...headers, "content-range": `bytes ${from}-${bytes.byteLength - 1}/${bytes.byteLength}` });
    else response.writeHead(200, headers);
    if (how === "whole" || how === "ignore-range") return void response.end(bytes.subarray(from));
    response.write(bytes.subarray(from, from + cut));
    if (how === "hang") return;
    setTimeout(() => response.destroy(), 20);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  t.teardown(() => server.closeAllConnections());
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/image`, ranges, close };
}

const big = Buffer.concat([image, randomBytes(500_000 - (image.byteLength % 512))]);
const bigDigest: Digest = `sha256:${sha(big)}`;

t.test("a line that is cut again and again is continued where it broke", async (t) => {
  const server = await serving(() => "cut");
  const outcome = await fetchImage(server.url, { digest: bigDigest });
  server.close();
  t.ok(outcome.ok);
  t.ok(server.ranges.length >= Math.floor(big.byteLength / 100_000), `${server.ranges.length} requests`);
  t.ok(server.ranges.slice(1).every((range) => /^bytes=[1-9]/.test(range)), "none but the first begins at the beginning");
});

t.test("a download that one process gave up is continued by the next", async (t) => {
  const store = place("store");
  const first = await serving((_, count) => (count <= 2 ? "cut" : 503));
  await t.rejects(fetchImage(first.url, { digest: bigDigest, store }), { name: "EnvironmentError", message: /503/ });
  first.close();
  t.equal(readdirSync(join(store, "partial")).length, 2, "what arrived, and what it is part of");
  const second = await serving(() => "whole", 0, Number(new URL(first.url).port));
  const outcome = await fetchImage(second.url, { digest: bigDigest, store });
  second.close();
  t.ok(outcome.ok);
  t.strictSame(second.ranges, ["bytes=200000-"]);
  t.strictSame(readdirSync(join(store, "partial")), [], "nothing of it is left");
});

t.test("a note that was torn, and a server that always begins anew", async (t) => {
  const store = place("store");
  const first = await serving((_, count) => (count === 1 ? "cut" : 503));
  await t.rejects(fetchImage(first.url, { digest: bigDigest, store }), { name: "EnvironmentError" });
  first.close();
  const note = readdirSync(join(store, "partial")).find((name) => name.endsWith(".json"));
  writeFileSync(join(store, "partial", String(note)), "{");
  const second = await serving(() => "whole", 0, Number(new URL(first.url).port));
  t.ok((await fetchImage(second.url, { digest: bigDigest, store })).ok);
  second.close();
  t.strictSame(second.ranges, [""], "begun anew");
  const cuts = [90_000, 10_000, 50_000, 20_000, 60_000];
  const forgetful = createServer((_, response) => {
    asked += 1;
    response.writeHead(200, { "content-length": String(big.byteLength) });
    response.write(big.subarray(0, cuts[asked % cuts.length]));
    setTimeout(() => response.destroy(), 20);
  });
  let asked = 0;
  await new Promise<void>((resolve) => forgetful.listen(0, "127.0.0.1", resolve));
  await t.rejects(fetchImage(`http://127.0.0.1:${(forgetful.address() as AddressInfo).port}/image`, { digest: bigDigest }), { name: "EnvironmentError" });
  t.ok(asked <= 12, `${asked} requests, then it is given up`);
  forgetful.closeAllConnections();
  forgetful.close();
});

t.test("whoever waits can stop it", async (t) => {
  const path = place("archive.tar");
  writeFileSync(path, await tar(dockerEntries));
  const stopped = readContainer({ source: `docker-archive:${path}`, folder, digest: id, architecture: "amd64", store: await openStore(place("store")), pointer: "/containers/0", progress, signal: AbortSignal.abort(new Error("stopped")) });
  await t.rejects(stopped, { message: "stopped" });
});

t.test("servers that do not do as they are asked", async (t) => {
  for (const [what, mode, check] of [
    ["ignores ranges", (_: unknown, count: number) => (count === 1 ? "cut" : "ignore-range"), (outcome: Outcome<VmImageRead>) => outcome.ok],
    ["hangs, then goes on", (_: unknown, count: number) => (count <= 2 ? "hang" : "whole"), (outcome: Outcome<VmImageRead>) => outcome.ok],
    ["too many requests, then not", (_: unknown, count: number) => (count <= 2 ? 429 : "whole"), (outcome: Outcome<VmImageRead>) => outcome.ok],
    ["not there", () => 404, (outcome: Outcome<VmImageRead>) => outcome.issues[0]?.code === "resolve/image-missing"],
    ["forbidden", () => 403, (outcome: Outcome<VmImageRead>) => outcome.issues[0]?.code === "resolve/image-missing"],
    ["leads round and round", () => 302, (outcome: Outcome<VmImageRead>) => outcome.issues[0]?.code === "resolve/image-missing"],
  ] as const) {
    const server = await serving(mode as Parameters<typeof serving>[0]);
    t.ok(check(await fetchImage(server.url, { digest: bigDigest })), what);
    server.close();
  }
  const small = await serving(() => "whole");
  t.equal((await fetchImage(small.url, { digest: bigDigest, sizeLimit: 1_000 })).issues[0]?.code, "resolve/image-size", "more than the limit");
  t.equal((await fetchImage(small.url)).issues[0]?.code, "resolve/image-digest", "another file");
  small.close();
  await t.rejects(fetchImage(small.url), { name: "EnvironmentError" }, "nobody there");
});

t.test("every code has been reached, and no other", (t) => {
  t.strictSame([...reached].sort(), Object.keys(RESOLVE_ISSUE_CODES).sort());
  t.end();
});
