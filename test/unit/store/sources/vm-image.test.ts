/** The VM image by path and by HTTP: a good one arrives whole, a bad one ends in an issue, a cut line is continued. */

import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import t from "tap";
import { makeReferenceInputs } from "../../../../scripts/make-reference-inputs.ts";
import type { Digest } from "../../../../src/core/digest.ts";
import type { Outcome } from "../../../../src/core/issue.ts";
import { openStore } from "../../../../src/store/blob-store.ts";
import { RESOLVE_ISSUE_CODES } from "../../../../src/store/issue-codes.ts";
import { sendThrough, type Environment } from "../../../../src/store/sources/http-send.ts";
import { fetchVmImage, type VmImageRead } from "../../../../src/store/sources/vm-image.ts";

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

await makeReferenceInputs(join(folder, "inputs"));
const image = readFileSync(join(folder, "inputs/vm-image.qcow2"));
const imageDigest: Digest = `sha256:${sha(image)}`;

interface How {
  readonly digest?: Digest;
  readonly sizeLimit?: number;
  readonly format?: "qcow2" | "raw" | "vmdk";
  readonly store?: string;
}

async function fetchImage(source: string, how: How = {}, environment: Environment = {}): Promise<Outcome<VmImageRead>> {
  const store = await openStore(how.store ?? place("store"));
  const outcome = await fetchVmImage({
    source,
    folder,
    digest: how.digest ?? imageDigest,
    sizeLimit: how.sizeLimit ?? 50_000_000,
    format: how.format ?? "qcow2",
    store,
    send: sendThrough(environment),
    progress,
    signal,
    patience: { tries: 3, pauseMs: 5, idleMs: 300 },
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
  const plain = await fetchImage(file(raw), { digest: `sha256:${sha(raw)}`, format: "raw" });
  t.ok(plain.ok && plain.value.virtualSize === raw.byteLength);
  const headers = [
    [7, 9, "version 9"],
    [15, 1, "a backing file"],
    [35, 1, "encrypted"],
    [79, 4, "an external data file"],
    [79, 2, "marked as corrupt"],
    [78, 1, "an unknown feature"],
    [24, 255, "a disk without end"],
  ] as const;
  for (const [at, value, what] of headers) {
    const { path, digest } = edited(at, value);
    const { issues } = await fetchImage(path, { digest });
    t.strictSame(issues.map((issue) => issue.code), ["resolve/image-unusable"], what);
  }
  for (const [kind, code] of [
    ["monolithicSparse", undefined],
    ["streamOptimized", undefined],
    ["monolithicFlat", "resolve/image-unusable"],
    ["none", "resolve/image-unusable"],
  ] as const) {
    const bytes = vmdk(kind);
    const { issues } = await fetchImage(file(bytes), { digest: `sha256:${sha(bytes)}`, format: "vmdk" });
    t.strictSame(issues.map((issue) => issue.code), code === undefined ? [] : [code], `VMDK, ${kind}`);
  }
  const cases: readonly (readonly [string, string, string, How])[] = [
    ["absent", "resolve/image-missing", "absent.qcow2", {}],
    ["a folder", "resolve/image-missing", folder, {}],
    ["another file", "resolve/image-digest", file(raw), {}],
    ["too big", "resolve/image-size", file(image), { sizeLimit: 1_000 }],
    ["another format", "resolve/image-format", file(image), { format: "raw" }],
    [
      "compressed",
      "resolve/image-format",
      file(gzipSync(raw)),
      { digest: `sha256:${sha(gzipSync(raw))}`, format: "raw" },
    ],
    [
      "half a sector",
      "resolve/image-unusable",
      file(raw.subarray(0, 700)),
      { digest: `sha256:${sha(raw.subarray(0, 700))}`, format: "raw" },
    ],
  ];
  for (const [what, code, source, how] of cases) {
    t.strictSame((await fetchImage(source, how)).issues.map((issue) => issue.code), [code], what);
  }
});

/** The head of a VMDK with this in its descriptor. */
function vmdk(kind: string): Uint8Array {
  const bytes = Buffer.alloc(2_048);
  bytes.write("KDMV");
  bytes.writeBigUInt64LE(2_048n, 12);
  bytes.writeBigUInt64LE(kind === "none" ? 0n : 1n, 28);
  bytes.write(`# Disk DescriptorFile\nversion=1\ncreateType="${kind}"\n`, 512);
  return bytes;
}

/** A server of one file that answers by `mode` and cuts each answer after `cut` bytes. */
async function serving(
  mode: (request: IncomingMessage, count: number) => "whole" | "cut" | "ignore-range" | "hang" | "short" | number,
  cut = 100_000,
  port = 0,
): Promise<{ readonly url: string; readonly ranges: string[]; readonly close: () => void }> {
  const bytes = big;
  const ranges: string[] = [];
  let count = 0;
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const how = mode(request, (count += 1));
    ranges.push(request.headers.range ?? "");
    if (typeof how === "number") {
      return void response.writeHead(how, how === 302 ? { location: "/elsewhere" } : {}).end();
    }
    const from = how === "ignore-range" ? 0 : Number(/^bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
    const headers = { etag: '"one"', "content-length": String(bytes.byteLength - from) };
    if (from > 0) {
      const range = `bytes ${from}-${bytes.byteLength - 1}/${bytes.byteLength}`;
      response.writeHead(206, { ...headers, "content-range": range });
    } else {
      response.writeHead(200, headers);
    }
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

/** Names of all that lies in a store's downloads. */
function partials(store: string): readonly string[] {
  return readdirSync(join(store, "partial"), { recursive: true, withFileTypes: true })
    .filter((each) => each.isFile())
    .map((each) => each.name)
    .sort();
}

t.test("a line that is cut again and again is continued where it broke", async (t) => {
  const server = await serving(() => "cut");
  const outcome = await fetchImage(server.url, { digest: bigDigest });
  server.close();
  t.ok(outcome.ok);
  t.ok(server.ranges.length >= Math.floor(big.byteLength / 100_000), `${server.ranges.length} requests`);
  t.ok(
    server.ranges.slice(1).every((range) => /^bytes=[1-9]/.test(range)),
    "none but the first begins at the beginning",
  );
});

t.test("a download that one process gave up is continued by the next", async (t) => {
  const store = place("store");
  const first = await serving((_, count) => (count <= 2 ? "cut" : 503));
  await t.rejects(fetchImage(first.url, { digest: bigDigest, store }), { name: "EnvironmentError", message: /503/ });
  first.close();
  t.strictSame(partials(store), ["bytes", "note.json"], "what arrived, and what it is part of");
  const second = await serving(() => "whole", 0, Number(new URL(first.url).port));
  const outcome = await fetchImage(second.url, { digest: bigDigest, store });
  second.close();
  t.ok(outcome.ok);
  t.strictSame(second.ranges, ["bytes=200000-"]);
  t.strictSame(readdirSync(join(store, "partial")), [], "nothing of it is left");
});

t.test("a download that was killed is continued at once by the next process", async (t) => {
  const store = place("store");
  const server = await serving((_, count) => (count === 1 ? "hang" : "whole"));
  const program = `
    import { openStore } from ${JSON.stringify(join(import.meta.dirname, "../../../../src/store/blob-store.ts"))};
    import { sendThrough } from ${JSON.stringify(join(import.meta.dirname, "../../../../src/store/sources/http-send.ts"))};
    import { fetchVmImage } from ${JSON.stringify(join(import.meta.dirname, "../../../../src/store/sources/vm-image.ts"))};
    await fetchVmImage({ source: ${JSON.stringify(server.url)}, folder: "/", digest: ${JSON.stringify(bigDigest)}, sizeLimit: 1e9,
      format: "qcow2", send: sendThrough({}), store: await openStore(${JSON.stringify(store)}, { now: Date.now }),
      progress: (done) => done === 100_000 && process.stdout.write("ready"), signal: new AbortController().signal });`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => child.stdout.once("data", resolve));
  child.kill("SIGKILL");
  await new Promise((resolve) => child.once("close", resolve));
  t.ok((await fetchImage(server.url, { digest: bigDigest, store })).ok);
  server.close();
  t.strictSame(server.ranges, ["", "bytes=100000-"]);
  t.strictSame(readdirSync(join(store, "partial")), [], "nothing of it is left");
});

t.test("those who fetch the same at the same time don't disturb one another", async (t) => {
  const store = place("store");
  const server = await serving(() => "cut", 60_000);
  const outcomes = await Promise.all([1, 2, 3, 4].map(() => fetchImage(server.url, { digest: bigDigest, store })));
  server.close();
  t.strictSame(outcomes.map((outcome) => outcome.issues), [[], [], [], []]);
  t.strictSame(readdirSync(join(store, "partial")), [], "nothing of them is left");
});

t.test("what the store can't hold is not begun; whether it is too big does not depend on the store", async (t) => {
  const endless = createServer((_, response) => response.writeHead(200, { "content-length": String(2 ** 50) }).write("x"));
  await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(endless.address() as AddressInfo).port}/image`;
  await t.rejects(fetchImage(url, { sizeLimit: 2 ** 51 }), { name: "EnvironmentError", message: /is full: .* are needed/ });
  endless.closeAllConnections();
  endless.close();
  const store = place("store");
  t.ok((await fetchImage(file(image), { store })).ok);
  t.equal((await fetchImage(file(image), { store, sizeLimit: 1_000 })).issues[0]?.code, "resolve/image-size");
});

t.test("a note that was torn, and a server that always begins anew", async (t) => {
  const store = place("store");
  const first = await serving((_, count) => (count === 1 ? "cut" : 503));
  await t.rejects(fetchImage(first.url, { digest: bigDigest, store }), { name: "EnvironmentError" });
  first.close();
  const [download] = readdirSync(join(store, "partial"));
  writeFileSync(join(store, "partial", String(download), "note.json"), "{");
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
  await t.rejects(
    fetchImage(`http://127.0.0.1:${(forgetful.address() as AddressInfo).port}/image`, { digest: bigDigest }),
    { name: "EnvironmentError" },
  );
  t.ok(asked <= 12, `${asked} requests, then it is given up`);
  forgetful.closeAllConnections();
  forgetful.close();
});

t.test("servers that do not do as they are asked", async (t) => {
  for (const [what, mode, check] of [
    [
      "ignores ranges",
      (_: unknown, count: number) => (count === 1 ? "cut" : "ignore-range"),
      (outcome: Outcome<VmImageRead>) => outcome.ok,
    ],
    [
      "hangs, then goes on",
      (_: unknown, count: number) => (count <= 2 ? "hang" : "whole"),
      (outcome: Outcome<VmImageRead>) => outcome.ok,
    ],
    [
      "too many requests, then not",
      (_: unknown, count: number) => (count <= 2 ? 429 : "whole"),
      (outcome: Outcome<VmImageRead>) => outcome.ok,
    ],
    ["not there", () => 404, (outcome: Outcome<VmImageRead>) => outcome.issues[0]?.code === "resolve/image-missing"],
    ["forbidden", () => 403, (outcome: Outcome<VmImageRead>) => outcome.issues[0]?.code === "resolve/image-missing"],
    [
      "leads round and round",
      () => 302,
      (outcome: Outcome<VmImageRead>) => outcome.issues[0]?.code === "resolve/image-missing",
    ],
  ] as const) {
    const server = await serving(mode as Parameters<typeof serving>[0]);
    t.ok(check(await fetchImage(server.url, { digest: bigDigest })), what);
    server.close();
  }
  const coded = createServer((_, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(big)));
  await new Promise<void>((resolve) => coded.listen(0, "127.0.0.1", resolve));
  const { port } = coded.address() as AddressInfo;
  t.match((await fetchImage(`http://127.0.0.1:${port}/`)).issues[0]?.message, /another coding \(gzip\)/);
  coded.close();
  const small = await serving(() => "whole");
  t.equal(
    (await fetchImage(small.url, { digest: bigDigest, sizeLimit: 1_000 })).issues[0]?.code,
    "resolve/image-size",
    "more than the limit",
  );
  t.equal((await fetchImage(small.url)).issues[0]?.code, "resolve/image-digest", "another file");
  small.close();
  await t.rejects(fetchImage(small.url), { name: "EnvironmentError" }, "nobody there");
});

t.test("every code but those of containers, of the package list and of VMDKs has been reached", (t) => {
  const others = ["resolve/image-form", "resolve/image-platform", "resolve/image-refused", "resolve/image-vmdk", "resolve/package-list"];
  t.strictSame([...reached, ...others].sort(), Object.keys(RESOLVE_ISSUE_CODES).sort());
  t.end();
});
