/**
 * Two hundred downloads of a 4 GiB bundle at the same time: in how much memory, without the disk, and every one is right. Each reads
 * a stretch of its own here, together all of it; with `npm run conformance -- --full` each reads all of it.
 */

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, openSync, readFileSync, readSync, readdirSync, readlinkSync, rmSync, statSync } from "node:fs";
import { Agent, request, type IncomingMessage } from "node:http";
import { request as requestOverTls } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t, { type Test } from "tap";
import { residentMiB, serviceProcess } from "../../../scripts/service-process.ts";
import { usualLimits } from "../../../src/service/context.ts";
import { addCloudlet, addOrganization, bundleOf, root, specOf, startService } from "../../unit/service/running.ts";
import { greatRelease } from "./great-bundle.ts";

const isFull = process.env["CONFORMANCE_FULL"] === "1";
t.setTimeout((isFull ? 5_400 : 300) * 1_000);

const atOnce = 200;
const mostMiB = 300;
const imageBytes = 4 * 1024 ** 3;
/** What one of them reads of it, unless it reads everything. */
const stretchBytes = 24 * 1024 ** 2;
/** Those that stop reading after their first bytes until all others are done; that takes longer than one may stand still when each reads all of it. */
const idle = isFull ? 0 : 8;

const work = mkdtempSync(join(tmpdir(), "cloudlet-downloads-"));
const folder = join(work, "state");
const service = serviceProcess({ program: join(root, "src/cli/start.ts"), folder, log: join(work, "log") });
/** A connection each. */
const agent = new Agent({ keepAlive: false, maxSockets: Infinity });
t.teardown(() => {
  service.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
});

let path = "";
let size = 0;
let fingerprint = "";
/** One download, which the verifiers take: what the others are held against. */
const whole = join(work, "whole.cloudlet.tar");
let verified: number | undefined;
const piece = Buffer.alloc(1024 ** 2);

t.test("one of them all, and two verifiers take it", async (t) => {
  await service.enter((await service.start()) ?? "", "a password that nobody else has");
  const great = await greatRelease(folder, imageBytes, "noise");
  const release = await service.upload(great.release, great.lock);
  const cloudlet = String((await service.ask("POST", "/v1/cloudlets", specOf("berlin-1"), "application/yaml"))["id"]);
  const bundle = await service.ready(String((await service.ask("POST", "/v1/bundles", { cloudlet, release }))["id"]));
  t.equal(bundle["state"], "ready", JSON.stringify(bundle));
  path = `/v1/bundles/${String(bundle["id"])}/download`;
  size = Number(bundle["size"]);
  fingerprint = String(bundle["fingerprint"]);
  t.ok(size > imageBytes);
  await succeeds(t, "curl", ["-sSf", "-H", `authorization: ${service.headers()["authorization"] ?? ""}`, "-o", whole, `${service.base()}${path}`]);
  await succeeds(t, process.execPath, [join(root, "src/cli/start.ts"), "verify", whole, "--trust", fingerprint]);
  await succeeds(t, "sh", ["-euc", 'tar -xOf "$1" verify.sh >verify.sh; sh verify.sh --trust "$2" --bundle "$1"', "sh", whole, fingerprint]);
});

t.test("two hundred at once: right to the byte, in bounded memory, and nothing is written", async (t) => {
  t.equal(usualLimits.downloads, atOnce);
  const before = { files: filesIn(folder), written: written(), peak: residentMiB(service.pid(), "VmHWM") };
  const begun = performance.now();
  const all = await Promise.all(Array.from({ length: atOnce }, (_, index) => opened(index)));
  t.strictSame([...new Set(all.map(({ answer }) => answer.statusCode))], [isFull ? 200 : 206]);
  await Promise.all(all.map(({ first }) => first));
  t.comment(`all ${atOnce} are on their way after ${seconds(begun)} s`);

  const refused = await head({}, "GET");
  t.equal(refused.statusCode, 503, "one more is told to come again");
  t.match(refused.headers["retry-after"], /^\d+$/);
  refused.resume();
  t.equal((await head({}, "HEAD")).statusCode, 200, "what is not a download is answered");

  const reading = Promise.all(all.slice(idle).map(({ read }) => read()));
  let isReading = true;
  let slowest = 0;
  const watching = (async () => {
    while (isReading) {
      const asked = performance.now();
      await service.ask("GET", "/v1/health");
      slowest = Math.max(slowest, performance.now() - asked);
      await sleep(500);
    }
  })();
  const areRight = [...(await Promise.all(all.slice(0, idle).map(async ({ read }) => {
    await reading;
    return read();
  }))), ...(await reading)];
  isReading = false;
  await watching;
  const gigabytes = all.reduce((sum, { length }) => sum + length, 0) / 1e9;
  t.comment(`${gigabytes.toFixed(1)} GB in ${seconds(begun)} s; other requests within ${slowest.toFixed(0)} ms`);

  t.strictSame(all.filter((_, index) => areRight[index] !== true).map(({ start }) => start), [], "the bytes of each are those of the one that was verified");
  t.ok(all.every(({ answer }) => isFull || !answer.destroyed), "all were there to the end");

  t.strictSame(openForWriting().filter((file) => !/\/service\.(db(-wal|-shm)?|lock(-journal)?)$/.test(file)), [], "no file is open to be written to, but for the database and the lock");
  t.strictSame(filesIn(folder), before.files, "no file came, went or grew");
  const grown = (written() - before.written) / 1024 ** 2;
  t.ok(grown < 16, `${grown.toFixed(1)} MiB were written to the disk: the audit trail`);
  const peak = residentMiB(service.pid(), "VmHWM");
  t.comment(`${residentMiB(service.pid(), "VmRSS").toFixed(0)} MiB now, ${before.peak.toFixed(0)} at most before, ${peak.toFixed(0)} at most`);
  t.ok(peak <= mostMiB, `${peak.toFixed(0)} MiB at most, from its start`);

  for (const { answer } of all) answer.destroy();
  for (let tries = 0; tries < 100 && (await head({ range: "bytes=0-0" }, "GET")).statusCode !== 206; tries += 1) await sleep(50);
  const again = await head({ range: "bytes=0-0" }, "GET");
  t.equal(again.statusCode, 206, "and then there is room again");
  again.resume();
});

for (const scheme of ["http", "https"] as const) {
  t.test(`${scheme}: who stops reading loses the place after a while, who is slow does not`, async (t) => {
    const own = join(work, scheme);
    mkdirSync(own, { mode: 0o700 });
    const pem = (name: string): string => join(own, name);
    if (scheme === "https") await succeeds(t, "openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1", "-keyout", pem("key"), "-out", pem("cert")]);
    const tls = scheme === "https" ? { cert: readFileSync(pem("cert")), key: readFileSync(pem("key")) } : undefined;
    const running = await startService(t, { folder: join(own, "state"), tls, limits: { downloads: 2, stalledMs: 1_500 } });
    await addOrganization(running, "ExampleTel");
    const cloudlet = await addCloudlet(running, running.admin, specOf("berlin-1"));
    const great = await greatRelease(running.folder, 256 * 1024 ** 2, "hole");
    const id = String((await running.ask("POST", "/v1/releases", { token: running.admin, yaml: great.release })).json["id"]);
    await running.ask("PUT", `/v1/releases/${id}/lock`, { token: running.admin, body: great.lock, headers: { "content-type": "application/json" } });
    const bundle = await bundleOf(running, running.admin, cloudlet, id);
    await running.service.app.listen({ host: "127.0.0.1", port: 0 });
    const { port } = running.service.app.server.address() as AddressInfo;
    const ask = scheme === "https" ? requestOverTls : request;
    const get = (): Promise<IncomingMessage> => new Promise((resolve, reject) => {
      ask({ host: "127.0.0.1", port, path: `/v1/bundles/${String(bundle["id"])}/download`, agent: false, rejectUnauthorized: false, headers: { authorization: `Bearer ${running.admin}` } }, resolve).on("error", reject).end();
    });
    const [stopped, slow] = [await get(), await get()];
    let isCut = false;
    slow.on("error", () => (isCut = true));
    stopped.on("error", () => undefined);
    const begun = performance.now();
    t.equal((await get()).statusCode, 503);
    let got = 0;
    let roomAfter: number | undefined;
    // Two megabytes a second: more than twice as long as the other one may stand still.
    while (performance.now() - begun < 8_000) {
      got += (slow.read() as Buffer | null)?.byteLength ?? 0;
      await sleep(30);
      if (roomAfter !== undefined || performance.now() - begun < 1_000) continue;
      const again = await get();
      if (again.statusCode === 200) roomAfter = performance.now() - begun;
      again.destroy();
    }
    t.ok(roomAfter !== undefined && roomAfter >= 1_400, `there is room again after ${String(roomAfter)} ms`);
    t.ok(!isCut && !slow.destroyed && got > 4 * 1024 ** 2, `the slow one has ${got} bytes and gets more`);
    for (const each of [stopped, slow]) each.destroy();
  });
}

interface Download {
  readonly answer: IncomingMessage;
  readonly start: number;
  /** What it reads, bytes. Without --full more would come, so that it stays open. */
  readonly length: number;
  /** Its first bytes are there; from then on it waits. */
  readonly first: Promise<void>;
  /** Reads the rest; false where a byte of all that it read is another than in the one that was verified. */
  readonly read: () => Promise<boolean>;
}

async function opened(index: number): Promise<Download> {
  const start = isFull ? 0 : Math.floor(((size - stretchBytes) / atOnce) * index);
  const length = isFull ? size : stretchBytes;
  const answer = await head(isFull ? {} : { range: `bytes=${start}-` }, "GET");
  let isRight = true;
  let left = length;
  let done: ((isRight: boolean) => void) | undefined;
  let failed: ((error: Error) => void) | undefined;
  const first = new Promise<void>((resolve, reject) => {
    failed = reject;
    answer.on("data", (chunk: Buffer) => {
      if (left === 0) return;
      const mine = chunk.subarray(0, left);
      isRight &&= isInWhole(mine, start + length - left);
      left -= mine.byteLength;
      if (done === undefined || left === 0) answer.pause();
      resolve();
      if (left === 0) done?.(isRight);
    });
    answer.on("error", (error) => failed?.(error));
  });
  const read = (): Promise<boolean> => new Promise((resolve, reject) => {
    done = resolve;
    failed = reject;
    answer.resume();
  });
  return { answer, start, length, first, read };
}

/** The answer, of which nothing has been read. */
function head(headers: Readonly<Record<string, string>>, method: "GET" | "HEAD"): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request(`${service.base()}${path}`, { agent, method, headers: { ...service.headers(), ...headers } }, resolve).on("error", reject).end();
  });
}

/** Whether the verified one has these bytes at that place. */
function isInWhole(bytes: Buffer, at: number): boolean {
  verified ??= openSync(whole, "r");
  for (let done = 0; done < bytes.byteLength; ) {
    const got = readSync(verified, piece, 0, Math.min(piece.byteLength, bytes.byteLength - done), at + done);
    if (got === 0 || !piece.subarray(0, got).equals(bytes.subarray(done, done + got))) return false;
    done += got;
  }
  return true;
}

/** Names and sizes, but for the database, which has the audit trail. */
function filesIn(of: string): readonly string[] {
  return readdirSync(of, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith("service.db"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((file) => `${relative(of, file)} ${statSync(file).size}`)
    .sort();
}

/** Bytes that the service has caused to be written to a disk. */
function written(): number {
  return Number(/^write_bytes: (\d+)/m.exec(readFileSync(`/proc/${service.pid()}/io`, "utf8"))?.[1]);
}

/** Files of a file system, also ones without a name, that the service may write to. */
function openForWriting(): readonly string[] {
  const of = `/proc/${service.pid()}`;
  return readdirSync(`${of}/fd`).flatMap((fd) => {
    try {
      const file = readlinkSync(`${of}/fd/${fd}`);
      const flags = Number.parseInt(/^flags:\s+(\d+)/m.exec(readFileSync(`${of}/fdinfo/${fd}`, "utf8"))?.[1] ?? "0", 8);
      // O_ACCMODE. Fd 2 is the log that the test gave it.
      return file.startsWith("/") && !file.startsWith("/dev/") && fd !== "2" && (flags & 3) !== 0 ? [file] : [];
    } catch {
      return [];
    }
  });
}

async function succeeds(t: Test, program: string, words: readonly string[]): Promise<void> {
  const child = spawn(program, words, { cwd: work, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const status = await new Promise((resolve) => child.on("close", resolve));
  t.equal(status, 0, status === 0 ? program : `${program}: ${text.slice(-2_000)}`);
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(1);
}
