/** Containers from archives and layouts: good ones arrive whole, bad ones end in an issue. */

import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { gzipSync, zstdCompressSync } from "node:zlib";
import t from "tap";
import { pack } from "tar-stream";
import type { Digest } from "../../../../src/core/digest.ts";
import type { Outcome } from "../../../../src/core/issue.ts";
import { openStore } from "../../../../src/store/blob-store.ts";
import { sendThrough } from "../../../../src/store/sources/http-send.ts";
import type { ContainerRead, Network } from "../../../../src/store/sources/image.ts";
import { readContainer } from "../../../../src/store/sources/container.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-sources-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const signal = new AbortController().signal;
const progress = (): void => undefined;
const network: Network = { send: sendThrough({}), environment: {} };
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
const config = Buffer.from(
  JSON.stringify({
    architecture: "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: [layerA, layerB].map((each) => `sha256:${sha(each)}`) },
  }),
);
const id: Digest = `sha256:${sha(config)}`;

const dockerManifest = (layers: readonly string[], name = `${sha(config)}.json`): Entry => ({
  name: "manifest.json",
  bytes: Buffer.from(JSON.stringify([{ Config: name, RepoTags: ["x:1"], Layers: layers }])),
});
const dockerEntries: readonly Entry[] = [
  dockerManifest(["a/layer.tar", "b/layer.tar"]),
  { name: `${sha(config)}.json`, bytes: config },
  { name: "a/layer.tar", bytes: layerA },
  { name: "b/layer.tar", bytes: layerB },
];

function oci(
  layers: readonly Uint8Array[],
  edit: (files: Map<string, Buffer>) => void = () => undefined,
): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  const blob = (bytes: Uint8Array): { digest: string; size: number } => {
    files.set(`blobs/sha256/${sha(bytes)}`, Buffer.from(bytes));
    return { digest: `sha256:${sha(bytes)}`, size: bytes.byteLength };
  };
  const manifest = blob(
    Buffer.from(JSON.stringify({ schemaVersion: 2, config: blob(config), layers: layers.map(blob) })),
  );
  const inner = blob(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        manifests: [{ digest: `sha256:${"0".repeat(64)}`, platform: { architecture: "arm64" } }, manifest],
      }),
    ),
  );
  files.set("index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: [inner] })));
  files.set("oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}'));
  edit(files);
  return files;
}

async function read(
  source: string,
  more: { readonly digest?: Digest; readonly architecture?: string } = {},
): Promise<{ readonly outcome: Outcome<ContainerRead>; readonly check: readonly Digest[] }> {
  const store = await openStore(place("store"));
  const outcome = await readContainer({
    source,
    folder,
    digest: more.digest ?? id,
    architecture: more.architecture ?? "amd64",
    store,
    network,
    pointer: "/containers/0",
    progress,
    signal,
  });
  for (const issue of outcome.issues) reached.add(issue.code);
  return { outcome, check: await store.check() };
}

async function readArchive(
  form: string,
  bytes: Uint8Array,
  more: Parameters<typeof read>[1] = {},
): ReturnType<typeof read> {
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
  const linked = [
    ...dockerEntries.slice(0, 2),
    { name: "real/layer.tar", bytes: layerA },
    { name: "a/layer.tar", link: "../real/layer.tar" },
    { name: "b/layer.tar", bytes: layerB },
  ];
  const gzipped = [...oci([gzipSync(layerA), zstdCompressSync(layerB)])].map(([name, bytes]) => ({ name, bytes }));
  for (const [what, form, bytes] of [
    ["docker-archive", "docker-archive", await tar(dockerEntries)],
    [
      "in another order, with ./",
      "docker-archive",
      await tar([...dockerEntries].reverse().map((each) => ({ ...each, name: `./${each.name}` }))),
    ],
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
  const archive = async (files: Map<string, Buffer>): Promise<Buffer> =>
    tar([...files].map(([name, bytes]) => ({ name, bytes })));
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
    [
      "another image",
      "resolve/image-digest",
      "docker-archive",
      await tar(dockerEntries),
      { digest: `sha256:${"1".repeat(64)}` },
    ],
    [
      "another processor",
      "resolve/image-platform",
      "docker-archive",
      await tar(dockerEntries),
      { architecture: "arm64" },
    ],
    ["a flipped bit in a layer", "resolve/image-digest", "docker-archive", damaged],
    ["a missing layer", "resolve/image-missing", "docker-archive", await tar(dockerEntries.slice(0, 3))],
    ["a missing OCI layer", "resolve/image-missing", "oci-archive", await archive(gone)],
    ["a bomb", "resolve/image-digest", "oci-archive", await archive(bomb)],
    ["no manifest", "resolve/image-form", "docker-archive", await tar(dockerEntries.slice(1))],
    ["the other form", "resolve/image-form", "oci-archive", await tar(dockerEntries)],
    ["no archive at all", "resolve/image-form", "docker-archive", randomBytes(5_000)],
    ["cut off", "resolve/image-form", "docker-archive", (await tar(dockerEntries)).subarray(0, 200_000)],
    [
      "cut off inside gzip",
      "resolve/image-form",
      "docker-archive",
      gzipSync(await tar(dockerEntries)).subarray(0, 200_000),
    ],
    ["xz", "resolve/image-form", "docker-archive", Buffer.from("\xfd7zXZ\0rest", "latin1")],
    [
      "a path out of it",
      "resolve/image-form",
      "docker-archive",
      await tar([...dockerEntries, { name: "../x", bytes: layerB }]),
    ],
    [
      "an absolute path",
      "resolve/image-form",
      "docker-archive",
      await tar([...dockerEntries, { name: "/etc/x", bytes: layerB }]),
    ],
    [
      "a link out of it",
      "resolve/image-form",
      "docker-archive",
      await tar([...dockerEntries.slice(0, 3), { name: "b/layer.tar", link: "../../../etc/passwd" }]),
    ],
    [
      "a link to itself",
      "resolve/image-form",
      "docker-archive",
      await tar([...dockerEntries.slice(0, 3), { name: "b/layer.tar", link: "layer.tar" }]),
    ],
    [
      "one name twice",
      "resolve/image-form",
      "docker-archive",
      await tar([...dockerEntries, { name: "b/layer.tar", bytes: layerA }]),
    ],
    ["an entry of absurd size", "resolve/image-form", "docker-archive", absurd],
    ["a long name without end", "resolve/image-form", "docker-archive", header("L", 2 ** 30)],
    [
      "too many entries",
      "resolve/image-form",
      "docker-archive",
      gzipSync(Buffer.concat([...new Array(20_001).fill(header("5", 0)), await tar(dockerEntries)])),
    ],
    [
      "fewer layers than its config",
      "resolve/image-digest",
      "docker-archive",
      await tar([dockerManifest(["a/layer.tar"]), ...dockerEntries.slice(1)]),
    ],
  ];
  for (const [what, code, form, bytes, more] of cases) {
    const { outcome, check } = await readArchive(form, bytes, more);
    t.strictSame(
      outcome.issues.map((issue) => issue.code),
      [code],
      `${what}: ${outcome.issues[0]?.message ?? "accepted"}`,
    );
    t.strictSame(check, [], `${what}: the store is sound`);
  }
  t.strictSame(
    (await read("docker-archive:absent.tar")).outcome.issues.map((issue) => issue.code),
    ["resolve/image-missing"],
  );
  t.strictSame((await read("oci:absent")).outcome.issues.map((issue) => issue.code), ["resolve/image-missing"]);
  t.strictSame(
    (await read("docker-archive:/dev/zero")).outcome.issues.map((issue) => issue.code),
    ["resolve/image-form"],
    "a device",
  );
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
    const { outcome } = await readArchive(
      "oci-archive",
      await archive(maze(depths)),
      { digest: `sha256:${"2".repeat(64)}` },
    );
    t.strictSame(outcome.issues.map((issue) => issue.code), [code], `a maze of indexes, ${depths} more`);
  }
  const outside = place("layout");
  mkdirSync(outside);
  symlinkSync("/etc/passwd", join(outside, "index.json"));
  t.strictSame(
    (await read(`oci:${outside}`)).outcome.issues.map((issue) => issue.code),
    ["resolve/image-form"],
    "a layout's links are not followed",
  );
});

t.test("whoever waits can stop it", async (t) => {
  const path = place("archive.tar");
  writeFileSync(path, await tar(dockerEntries));
  const stopped = readContainer({
    source: `docker-archive:${path}`,
    folder,
    digest: id,
    architecture: "amd64",
    store: await openStore(place("store")),
    network,
    pointer: "/containers/0",
    progress,
    signal: AbortSignal.abort(new Error("stopped")),
  });
  await t.rejects(stopped, { message: "stopped" });
});

t.test("every code of a container has been reached, and no other", (t) => {
  const codes = ["digest", "form", "missing", "platform"].map((each) => `resolve/image-${each}`);
  t.strictSame([...reached].sort(), codes);
  t.end();
});
