/** Containers from a registry: good ones arrive whole in every form, bad ones end in an issue, and no fault of the line harms. */

import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Digest } from "../../../../src/core/digest.ts";
import type { Outcome } from "../../../../src/core/issue.ts";
import { openStore } from "../../../../src/store/blob-store.ts";
import { readContainer } from "../../../../src/store/sources/container.ts";
import { sendThrough } from "../../../../src/store/sources/http-send.ts";
import type { ContainerRead } from "../../../../src/store/sources/image.ts";
import { descriptor, digestOf, docker, json, makeImage, oci, startFake, type Fake, type Image, type Made } from "./fake-registry.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-registry-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const reached = new Set<string>();
let places = 0;
const place = (): string => join(folder, `store-${(places += 1)}`);

interface How {
  readonly architecture?: string;
  readonly store?: string;
  readonly signal?: AbortSignal;
  readonly progress?: (done: number, total: number) => void;
  readonly tries?: number;
}

async function pull(source: string, digest: Digest, how: How = {}): Promise<Outcome<ContainerRead>> {
  const store = await openStore(how.store ?? place());
  const outcome = await readContainer({
    source,
    folder,
    digest,
    architecture: how.architecture ?? "amd64",
    store,
    network: { send: sendThrough({}), environment: {} },
    pointer: "/containers/0",
    progress: how.progress ?? (() => undefined),
    signal: how.signal ?? new AbortController().signal,
    patience: { tries: how.tries ?? 3, pauseMs: 5, idleMs: 300 },
  });
  for (const issue of outcome.issues) reached.add(issue.code);
  t.strictSame(await store.check(), [], "the store is sound");
  return outcome;
}

function whole(image: Image): ContainerRead {
  return {
    architecture: "amd64",
    config: { digest: image.id, size: image.config.byteLength },
    layers: image.layers.map((layer) => ({ digest: digestOf(layer), size: layer.byteLength })),
  };
}

const good = (image: Image): Outcome<ContainerRead> => ({ ok: true, value: whole(image), issues: [] });
const codes = (outcome: Outcome<unknown>): readonly string[] => outcome.issues.map((issue) => issue.code);
const isBlob = (request: { readonly url?: string | undefined }): boolean => request.url?.includes("/blobs/") === true;
const image = await makeImage(["gzip", "zstd", "plain", "gzip", "gzip", "plain"]);
const other = await makeImage(["gzip"], { architecture: "arm64" });

async function serving<T>(images: readonly Image[], work: (fake: Fake) => Promise<T>): Promise<T> {
  const fake = await startFake(images);
  return work(fake).finally(() => fake.close());
}

t.test("every form of an image gives the same", async (t) => {
  const asDocker = await makeImage(["gzip", "plain"], { as: docker });
  for (const [what, each] of [["OCI", image], ["Docker schema 2", asDocker]] as const) {
    await serving([each], async (fake) => {
      const digest = digestOf(each.manifest.bytes);
      t.strictSame(await pull(`docker://${fake.host}/edge/crm:1`, each.id), good(each), `${what}, by tag`);
      t.strictSame(await pull(`docker://${fake.host}/crm@${digest}`, each.id), good(each), `${what}, by digest`);
      t.strictSame(await pull(`docker://${fake.host}/crm:9@${digest}`, each.id), good(each), `${what}, the digest goes before the tag`);
    });
  }
  await serving([image], async (fake) => {
    fake.manifests.set("latest", image.manifest);
    t.strictSame(await pull(`docker://localhost:${fake.host.split(":")[1]}/crm`, image.id), good(image), "the latest, by the name of this machine");
  });
});

function index(type: string, entries: readonly object[]): Made {
  return json(type, { schemaVersion: 2, mediaType: type, manifests: entries });
}

t.test("an index gives the image for the machine", async (t) => {
  const on = (each: Image, platform: object): object => ({ ...descriptor(each.manifest), platform: { os: "linux", ...platform } });
  const late = await makeImage(["gzip"]);
  for (const [what, entries] of [
    ["two platforms", [on(other, { architecture: "arm64", variant: "v8" }), on(image, { architecture: "amd64" })]],
    ["an attestation beside it", [{ ...descriptor(late.manifest), platform: { os: "unknown", architecture: "unknown" } }, on(image, { architecture: "amd64" })]],
    ["a later variant before it", [on(late, { architecture: "amd64", variant: "v3" }), on(image, { architecture: "amd64" })]],
    ["another one of the same platform before it", [on(late, { architecture: "amd64" }), on(image, { architecture: "amd64", variant: "v1" })]],
    ["no platform named", [descriptor(image.manifest)]],
  ] as const) {
    for (const type of [oci.index, docker.index]) {
      await serving([image, other, late], async (fake) => {
        fake.manifests.set("1", index(type, entries));
        t.strictSame(await pull(`docker://${fake.host}/crm:1`, image.id), good(image), what);
      });
    }
  }
  await serving([image, other], async (fake) => {
    const inner = index(oci.index, [on(image, { architecture: "amd64" }), on(other, { architecture: "arm64" })]);
    fake.manifests.set(digestOf(inner.bytes), inner);
    fake.manifests.set("1", index(oci.index, [descriptor(inner)]));
    t.strictSame(await pull(`docker://${fake.host}/crm:1`, image.id), good(image), "an index in an index");
    t.match(await pull(`docker://${fake.host}/crm:1`, other.id, { architecture: "arm64" }), { ok: true, value: { architecture: "arm64" } });
    fake.manifests.set("1", inner);
    const wrong = await pull(`docker://${fake.host}/crm:1`, image.id, { architecture: "riscv64" });
    t.strictSame(codes(wrong), ["resolve/image-platform"]);
    fake.manifests.set("1", index(oci.index, [on(image, { architecture: "amd64", variant: "v3" })]));
    t.strictSame(codes(await pull(`docker://${fake.host}/crm:1`, image.id)), ["resolve/image-platform"], "an image that does not start on every machine");
    fake.manifests.set("1", inner);
    t.match(wrong.issues[0]?.message, /linux\/riscv64, only for linux\/amd64, linux\/arm64/);
    const moved = await pull(`docker://${fake.host}/crm:1`, digestOf(Buffer.from("x")));
    t.match(moved.issues[0], { code: "resolve/image-digest", pointer: "/containers/0/digest", message: new RegExp(image.id) });
  });
});

t.test("bad images end in an issue", async (t) => {
  const manifest = JSON.parse(String(image.manifest.bytes)) as { config: object; layers: Record<string, unknown>[] };
  const withLayer = (edit: object): Made => json(oci.manifest, { ...manifest, layers: [{ ...manifest.layers[0], ...edit }, ...manifest.layers.slice(1)] });
  let deep: Made = image.manifest;
  for (let depth = 0; depth < 6; depth += 1) deep = index(oci.index, [descriptor(deep)]);
  const nested = new Map<string, Made>();
  for (let depth = 0, at: Made = image.manifest; depth < 6; depth += 1) {
    nested.set(digestOf(at.bytes), at);
    at = index(oci.index, [descriptor(at)]);
  }
  const many = Array.from({ length: 40 }, (_, count) => json(oci.manifest, { ...manifest, config: { ...manifest.config, digest: digestOf(Buffer.from(String(count))) } }));
  for (const each of many) nested.set(digestOf(each.bytes), each);
  const cases: readonly (readonly [string, string, Made, RegExp])[] = [
    ["schema 1", "form", json("application/vnd.docker.distribution.manifest.v1+prettyjws", { schemaVersion: 1, fsLayers: [] }), /schema 1/],
    ["a foreign layer", "form", withLayer({ mediaType: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" }), /may not be passed on/],
    ["a layer that is not distributable", "form", withLayer({ mediaType: `${oci.layer.replace(".layer.", ".layer.nondistributable.")}+gzip` }), /may not be passed on/],
    ["an encrypted layer", "form", withLayer({ mediaType: `${oci.layer}+gzip+encrypted` }), /no engine loads/],
    ["a layer beyond every limit", "form", withLayer({ size: 2 ** 40 }), /layer 1 has/],
    ["a digest of another kind", "form", withLayer({ digest: `sha512:${"0".repeat(128)}` }), /none of an image/],
    ["a chart", "form", json(oci.manifest, { ...manifest, config: { ...manifest.config, mediaType: "application/vnd.cncf.helm.config.v1+json" } }), /no container image/],
    ["something else", "form", json("text/html", { title: "Welcome" }), /none of an image/],
    ["no JSON", "form", { type: oci.manifest, bytes: Buffer.from("<html>") }, /no JSON/],
    ["an index of nothing", "platform", index(oci.index, []), /only for nothing/],
    ["indexes without end", "form", deep, /nested/],
    ["an index of forty", "form", index(oci.index, many.map((each) => descriptor(each))), /more than 32/],
    ["an index without sizes", "form", index(oci.index, [{ mediaType: oci.manifest, digest: image.id }]), /without type, digest and size/],
    ["too long", "missing", { type: oci.manifest, bytes: Buffer.alloc(5_000_000, " ") }, /more than 4194304 bytes/],
    ["fewer layers than its config", "digest", json(oci.manifest, { ...manifest, layers: manifest.layers.slice(1) }), /names 6 layers/],
    ["layers in another order", "digest", json(oci.manifest, { ...manifest, layers: [...manifest.layers].reverse() }), /not the one that is named/],
    ["a layer of another size", "digest", withLayer({ size: 1_000 }), /more bytes than its manifest says/],
    ["a layer that is not there", "missing", withLayer({ digest: digestOf(Buffer.from("gone")) }), /404/],
  ];
  for (const [what, code, made, message] of cases) {
    await serving([image], async (fake) => {
      for (const [name, each] of nested) fake.manifests.set(name, each);
      fake.manifests.set("1", made);
      const outcome = await pull(`docker://${fake.host}/crm:1`, image.id);
      t.strictSame(codes(outcome), [`resolve/image-${code}`], what);
      t.match(outcome.issues[0]?.message, message, what);
    });
  }
  await serving([image], async (fake) => {
    fake.fault = (request, response, plain) => {
      if (request.url?.includes("/manifests/")) response.setHeader("docker-content-digest", digestOf(Buffer.from("x")));
      plain();
    };
    t.strictSame(codes(await pull(`docker://${fake.host}/crm:1`, image.id)), ["resolve/image-digest"], "the registry says another digest");
    fake.fault = (_request, _response, plain) => plain({ edit: (bytes) => Buffer.concat([bytes, Buffer.from(" ")]) });
    t.strictSame(codes(await pull(`docker://${fake.host}/crm@${digestOf(image.manifest.bytes)}`, image.id)), ["resolve/image-digest"], "another manifest than its digest");
    fake.fault = (_request, _response, plain) => plain();
    t.strictSame(codes(await pull(`docker://${fake.host}/crm:2`, image.id)), ["resolve/image-missing"], "no such tag");
    t.strictSame(codes(await pull(`docker://${fake.host}/CRM:1`, image.id)), ["resolve/image-form"], "no such name can be");
  });
});

t.test("a line that is cut again and again is continued where it broke", async (t) => {
  await serving([image], async (fake) => {
    fake.fault = (request, _response, plain) => plain(isBlob(request) ? { cut: 64_000 } : {});
    t.strictSame(await pull(`docker://${fake.host}/crm:1`, image.id), good(image));
    const parts = fake.seen.filter((each) => each.range !== undefined);
    t.ok(parts.length >= 6 * 3, `${parts.length} requests for a rest`);
    t.ok(parts.every((each) => /^bytes=[1-9]\d*-$/.test(each.range ?? "")));
  });
});

t.test("faults of the registry and of the line", async (t) => {
  const cases: readonly (readonly [string, "good" | string, Fake["fault"]])[] = [
    ["busy, then not", "good", oncePerAddress((_request, response) => response.writeHead(503).end())],
    ["slow", "good", (request, _response, plain) => (isBlob(request) ? setTimeout(plain, 100) : plain())],
    ["silent", "good", oncePerAddress((_request, response) => response.writeHead(200, { "content-length": "9000" }).flushHeaders())],
    ["connections torn before an answer", "good", oncePerAddress((request) => request.socket.destroy())],
    ["a header that says more than the manifest", "resolve/image-digest", (request, _response, plain) => plain(isLayer(request.url) ? { length: 350_000 } : {})],
    ["wrong bytes", "resolve/image-digest", (request, _response, plain) => plain(isBlob(request) ? { edit: flipped } : {})],
    ["too few bytes", "resolve/image-digest", (request, _response, plain) => plain(isBlob(request) ? { edit: (bytes) => bytes.subarray(0, -9) } : {})],
    ["too many bytes", "resolve/image-digest", (request, _response, plain) => plain(isLayer(request.url) ? { edit: (bytes) => Buffer.concat([bytes, bytes]) } : {})],
    ["blobs refused", "resolve/image-refused", (request, response, plain) => (isBlob(request) ? response.writeHead(403).end() : plain())],
    ["blobs gone", "resolve/image-missing", (request, response, plain) => (isBlob(request) ? response.writeHead(404).end() : plain())],
    ["round and round", "resolve/image-missing", (_request, response) => response.writeHead(307, { location: "/again" }).end()],
    ["to a file of this machine", "resolve/image-missing", (_request, response) => response.writeHead(307, { location: "file:///etc/passwd" }).end()],
  ];
  for (const [what, end, fault] of cases) {
    await serving([image], async (fake) => {
      fake.fault = fault;
      const outcome = await pull(`docker://${fake.host}/crm:1`, image.id);
      if (end === "good") t.strictSame(outcome, good(image), what);
      else t.strictSame(codes(outcome), [end], `${what}: ${outcome.issues[0]?.message ?? ""}`);
      const layers = fake.seen.filter((each) => isLayer(each.path)).map((each) => each.path);
      if (end !== "good") t.equal(layers.length, new Set(layers).size, `${what}: what is wrong for good is asked for once`);
    });
  }
  await serving([image], async (fake) => {
    fake.fault = (_request, response) => response.writeHead(500, "Out of order").end();
    await t.rejects(pull(`docker://${fake.host}/crm:1`, image.id), { name: "EnvironmentError", message: /500 Out of order/ });
    t.equal(fake.seen.length, 3, "as often as patience lasts");
  });
  const gone = await startFake();
  gone.close();
  await t.rejects(pull(`docker://${gone.host}/crm:1`, image.id), { name: "EnvironmentError", message: /ECONNREFUSED/ });
});

function flipped(bytes: Buffer): Buffer {
  bytes.writeUInt8(bytes.readUInt8(bytes.byteLength >> 1) ^ 1, bytes.byteLength >> 1);
  return bytes;
}

function isLayer(url = ""): boolean {
  return url.includes("/blobs/") && !url.includes(image.id);
}

/** The first request for each address meets the fault. */
function oncePerAddress(fault: Fake["fault"]): Fake["fault"] {
  const known = new Set<string>();
  return (request, response, plain, count) => {
    const isKnown = known.has(request.url ?? "");
    known.add(request.url ?? "");
    if (isKnown) plain();
    else fault(request, response, plain, count);
  };
}

t.test("a registry that wants to be left alone is", async (t) => {
  await serving([image], async (fake) => {
    const begun = performance.now();
    fake.fault = (_request, response, plain, count) => (count === 1 ? response.writeHead(429, { "retry-after": "1" }).end() : plain());
    t.strictSame(await pull(`docker://${fake.host}/crm:1`, image.id), good(image));
    t.ok(performance.now() - begun >= 990, "for as long as it says");
  });
  await serving([image], async (fake) => {
    const begun = performance.now();
    const date = "Tue, 24 Nov 2026 12:00:00 GMT";
    fake.fault = (request, response, plain, count) =>
      isLayer(request.url) && count < 5 ? response.writeHead(503, { date, "retry-after": "Tue, 24 Nov 2026 12:00:01 GMT" }).end() : plain();
    t.strictSame(await pull(`docker://${fake.host}/crm:1`, image.id), good(image));
    t.ok(performance.now() - begun >= 990, "until the date that it says");
    fake.fault = (_request, response) => response.writeHead(429, { "retry-after": "7200" }).end();
    await t.rejects(pull(`docker://${fake.host}/crm:1`, image.id), { name: "EnvironmentError", message: /try again in 7200 seconds/ });
  });
});

t.test("blobs come from where the registry leads to, which learns nothing of us", async (t) => {
  await serving([image], async (storage) => {
    await serving([image], async (fake) => {
      fake.fault = (request, response, plain) => {
        if (isBlob(request)) response.writeHead(307, { location: `http://${storage.host}${request.url}?signature=secret` }).end();
        else plain();
      };
      storage.fault = (request, _response, plain) => plain(isBlob(request) ? { cut: 100_000 } : {});
      t.strictSame(await pull(`docker://${fake.host}/crm:1`, image.id), good(image));
      t.ok(storage.seen.length > 12);
      t.ok(storage.seen.every((each) => each.authorization === undefined));
      storage.fault = (_request, response) => response.writeHead(302, { location: "ftp://elsewhere/?signature=secret" }).end();
      const outcome = await pull(`docker://${fake.host}/crm:1`, image.id);
      t.strictSame(codes(outcome), ["resolve/image-missing"]);
      t.notMatch(JSON.stringify(outcome), /secret/, "a signature is not shown");
    });
  });
});

t.test("what has arrived is not fetched again", async (t) => {
  const store = place();
  await serving([image], async (fake) => {
    const stop = new AbortController();
    fake.fault = (request, response, plain, count) => {
      if (isLayer(request.url) && count > 4) response.writeHead(200, { "content-length": "300000" }).write("");
      else plain(isLayer(request.url) ? { cut: 150_000 } : {});
    };
    const stopped = pull(`docker://${fake.host}/crm:1`, image.id, {
      store,
      signal: stop.signal,
      progress: (done) => done > 100_000 && stop.abort(new Error("stopped")),
    });
    await t.rejects(stopped, { message: "stopped" });
    t.ok(readdirSync(join(store, "partial")).length > 0, "what arrived is kept");
  });
  await serving([image], async (fake) => {
    let total = 0;
    t.strictSame(await pull(`docker://${fake.host}/other/name:1`, image.id, { store, progress: (_, all) => (total = all) }), good(image));
    t.ok(fake.seen.some((each) => each.range !== undefined), "another registry gives the rest");
    t.equal(total, image.blobs.slice(1).reduce((sum, each) => sum + each.byteLength, 0));
    t.strictSame(readdirSync(join(store, "partial")), [], "nothing of it is left");
    const before = fake.seen.length;
    t.strictSame(await pull(`docker://${fake.host}/crm:1`, image.id, { store }), good(image));
    t.strictSame(fake.seen.slice(before).filter((each) => isLayer(each.path)), [], "no layer is asked for twice");
  });
});

t.test("a part that was kept and is wrong is fetched anew", async (t) => {
  const store = place();
  const single = await makeImage(["gzip"]);
  await serving([single], async (fake) => {
    fake.fault = (request, response, plain) => {
      if (!isBlob(request) || request.url?.includes(single.id)) return plain();
      if (request.headers.range === undefined) return plain({ edit: (bytes) => bytes.fill(0, 0, 100_000), cut: 150_000 });
      response.writeHead(503).end();
    };
    await t.rejects(pull(`docker://${fake.host}/crm:1`, single.id, { store }), { name: "EnvironmentError" });
    fake.fault = (_request, _response, plain) => plain();
    t.strictSame(await pull(`docker://${fake.host}/crm:1`, single.id, { store }), good(single));
  });
});

t.test("no more than four blobs come at once, and all four do", async (t) => {
  const many = await makeImage(Array.from({ length: 9 }, () => "gzip" as const), { layerBytes: 1_000 });
  await serving([many], async (fake) => {
    let open = 0;
    let most = 0;
    fake.fault = (request, _response, plain) => {
      if (!isBlob(request)) return plain();
      most = Math.max(most, (open += 1));
      setTimeout(() => {
        open -= 1;
        plain();
      }, 50);
    };
    t.strictSame(await pull(`docker://${fake.host}/crm:1`, many.id), good(many));
    t.equal(most, 4);
  });
});

t.test("every code of a container has been reached, and no other", (t) => {
  t.strictSame([...reached].sort(), ["digest", "form", "missing", "platform", "refused"].map((each) => `resolve/image-${each}`));
  t.end();
});
