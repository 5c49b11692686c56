/** An image of 2 GiB through a line that breaks after each 64 MiB: it arrives intact, with little memory and in little time. */

import { createHash, createCipheriv } from "node:crypto";
import { createReadStream, createWriteStream, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGzip } from "node:zlib";
import t from "tap";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";
import { push, remove, root, run, startRegistry, workFolder } from "./engine.ts";

const contentBytes = 2 * 1024 ** 3;
const cutAfter = 64 * 1024 ** 2;
/** docs/budgets.md. */
const mostMiB = 160;
const mostSeconds = 60;

t.setTimeout(600_000);
const folder = workFolder();
t.teardown(() => remove(folder));
await makeReferenceInputs(join(folder, "inputs"));
const image = await makeLayout(join(folder, "layout"));
const registry = await startRegistry(join(folder, "registry"));
t.teardown(registry.stop);
push(`oci:${join(folder, "layout")}`, `docker://${registry.host}/big/image:1`);
remove(join(folder, "layout"));

t.test("Ctrl-C in the middle keeps what has arrived", async (t) => {
  const store = join(folder, "store");
  const arrived = (): number => bytesBelow(join(store, "partial"));
  const release = writeBigRelease(registry.host);
  const ran = await run(["lock", release, "--store", store], {}, () => arrived() > 100_000_000);
  t.match(ran, { status: 3, stderr: /the same command goes on from here/ });
  const kept = arrived();
  t.ok(kept > 100_000_000 && kept < contentBytes, `${kept} bytes are kept`);
  t.notOk(existsSync(release.replace(/yaml$/, "lock.json")), "there is no lock");
  remove(store);
});

t.test("2 GiB through a line that breaks after each 64 MiB", async (t) => {
  const line = await breakingLine(registry.host);
  const release = writeBigRelease(line.host);
  const ran = await run(["lock", release, "--store", join(folder, "store"), "--quiet"]);
  await line.close();
  t.equal(ran.status, 0, ran.stderr);
  const lock = JSON.parse(readFileSync(join(folder, "release.lock.json"), "utf8")) as {
    containers: { layers: { digest: string; size: number }[] }[];
  };
  t.strictSame(lock.containers[0]?.layers, [{ digest: image.diffId, size: image.size }]);
  const [, hex = ""] = image.diffId.split(":");
  t.equal(await digestOf(join(folder, "store/blobs/sha256", hex.slice(0, 2), hex)), image.diffId, "read again, it is whole");
  t.ok(line.cuts() >= contentBytes / cutAfter - 1, `the line broke ${line.cuts()} times`);
  t.ok(ran.peakMiB > 0 && ran.peakMiB <= mostMiB, `${ran.peakMiB.toFixed(0)} MiB at most`);
  // Whatever else the machine is busy with is not its fault.
  t.ok(ran.seconds - ran.waitedSeconds < mostSeconds, `${ran.seconds.toFixed(1)} s, ${ran.waitedSeconds.toFixed(1)} s of them for others`);
});

/** The reference release with the big image from this registry for its crmserver. */
function writeBigRelease(host: string): string {
  const path = join(folder, "release.yaml");
  const text = readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8")
    .replaceAll("../../out/inputs", join(folder, "inputs"))
    .replace(/source: docker-archive:\S+crm.docker.tar\n( +)digest: \S+/, `source: docker://${host}/big/image:1\n$1digest: ${image.id}`);
  writeFileSync(path, text);
  return path;
}

function bytesBelow(place: string): number {
  if (!existsSync(place)) return 0;
  const files = readdirSync(place, { recursive: true, withFileTypes: true }).filter((each) => each.isFile());
  return files.reduce((sum, each) => sum + (statSync(join(each.parentPath, each.name), { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** An OCI layout with one layer of bytes that can't be compressed, which gzip therefore only wraps. */
async function makeLayout(place: string): Promise<{ readonly id: string; readonly diffId: string; readonly size: number }> {
  const blobs = join(place, "blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const plain = createHash("sha256");
  const packed = createHash("sha256");
  let size = 0;
  let packedSize = 0;
  const watch = (hash: typeof plain, count: (bytes: number) => void): Transform =>
    new Transform({
      transform(chunk: Buffer, _, done) {
        hash.update(chunk);
        count(chunk.byteLength);
        done(null, chunk);
      },
    });
  const layer = join(place, "layer");
  await pipeline(
    Readable.from(layerBytes(), { objectMode: false, highWaterMark: 1_048_576 }),
    watch(plain, (bytes) => (size += bytes)),
    createGzip({ level: 0, chunkSize: 1_048_576 }),
    watch(packed, (bytes) => (packedSize += bytes)),
    createWriteStream(layer),
  );
  const layerHex = packed.digest("hex");
  renameSync(layer, join(blobs, layerHex));
  const diffId = `sha256:${plain.digest("hex")}`;
  const blob = (value: unknown): { digest: string; size: number } => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hex = createHash("sha256").update(bytes).digest("hex");
    writeFileSync(join(blobs, hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.byteLength };
  };
  const config = blob({ architecture: "amd64", os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [diffId] } });
  const manifest = blob({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: `sha256:${layerHex}`, size: packedSize }],
  });
  const descriptor = { mediaType: "application/vnd.oci.image.manifest.v1+json", ...manifest };
  writeFileSync(join(place, "index.json"), JSON.stringify({ schemaVersion: 2, manifests: [descriptor] }));
  writeFileSync(join(place, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return { id: config.digest, diffId, size };
}

/** A tar of one file; its content is the same each time: AES in counter mode over nothing. */
function* layerBytes(): Generator<Buffer> {
  const header = Buffer.alloc(512);
  header.write("big");
  header.write("0000644\0", 100);
  header.write(`${contentBytes.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write("        0", 148);
  header.write("ustar\x0000", 257);
  header.write(`${header.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `, 148);
  yield header;
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16, 1), Buffer.alloc(16));
  const zeros = Buffer.alloc(1_048_576);
  for (let done = 0; done < contentBytes; done += zeros.byteLength) yield cipher.update(zeros);
  yield Buffer.alloc(1_024);
}

async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path, { highWaterMark: 1_048_576 }), hash);
  return `sha256:${hash.digest("hex")}`;
}

/** Passes bytes on to the registry and back; a connection that has brought `cutAfter` of them is torn. */
async function breakingLine(to: string): Promise<{ readonly host: string; readonly cuts: () => number; readonly close: () => Promise<void> }> {
  const [address = "", port = ""] = to.split(":");
  const sockets = new Set<Socket>();
  let cuts = 0;
  const server = createServer((client) => {
    const upstream = connect(Number(port), address);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined).once("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.pipe(upstream);
    let passed = 0;
    upstream.on("data", (chunk: Buffer) => {
      passed += chunk.byteLength;
      if (passed > cutAfter) {
        cuts += 1;
        upstream.destroy();
        return;
      }
      if (client.write(chunk)) return;
      upstream.pause();
      client.once("drain", () => upstream.resume());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
