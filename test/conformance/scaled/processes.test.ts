/** Two processes behind a load balancer: each thing once, one killed, the database restarted, the bucket away. */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import { generateKey } from "../../../src/seal/keys.ts";
import { fillStore, releaseText, root, specOf } from "../../unit/service/running.ts";
import { startBalancer } from "./balancer.ts";
import { freePort, startCluster } from "./cluster.ts";
import { startObjects } from "./object-double.ts";

t.setTimeout(180_000);
const work = mkdtempSync(join(tmpdir(), "cloudlet-scaled-"));
const key = join(work, "signing-key.pem");
writeFileSync(key, generateKey((bytes) => new Uint8Array(randomBytes(bytes))), { mode: 0o600 });
const cluster = await startCluster();
const objects = await startObjects();
cluster.createDatabase("bundles");
const credentials = { AWS_ACCESS_KEY_ID: objects.accessKeyId, AWS_SECRET_ACCESS_KEY: objects.secretAccessKey };
const environment = { PATH: process.env["PATH"] ?? "", HOME: work, PGPASSWORD: cluster.password, ...credentials };
const bucket = ["--objects", `s3://${objects.bucket}/site`, "--objects-endpoint", objects.url];
const ports = [await freePort(), await freePort()];
const processes: (ChildProcess | undefined)[] = [];
const said = ["", ""];
const balancer = await startBalancer(ports);
let token = "";
t.teardown(async () => {
  for (const each of processes) each?.kill("SIGKILL");
  await balancer.stop();
  await objects.stop();
  await cluster.remove();
  rmSync(work, { recursive: true, force: true });
});

function cli(words: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<{ readonly status: number | null; readonly text: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(root, "src/cli/start.ts"), ...words], { env: { ...environment, ...more }, cwd: work, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    child.on("close", (status) => resolve({ status, text }));
  });
}

async function start(index: number): Promise<void> {
  const log = openSync(join(work, `log-${index}`), "a");
  const child = spawn(process.execPath, [join(root, "src/cli/start.ts"), "serve", "--database", cluster.url("bundles"), ...bucket, "--key", key, "--listen", `127.0.0.1:${ports[index] ?? 0}`, "--drain", "5"], { env: environment, cwd: work, stdio: ["ignore", "pipe", log] });
  closeSync(log);
  processes[index] = child;
  said[index] = "";
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      said[index] += chunk.toString();
      if (/fingerprint .*\n/.test(said[index] ?? "")) setTimeout(resolve, 50);
    });
    child.once("exit", (status) => reject(new Error(`it ended with ${String(status)}: ${readFileSync(join(work, `log-${index}`), "utf8").slice(-2_000)}`)));
  });
  child.removeAllListeners("exit");
}

interface Answered {
  readonly status: number;
  readonly json: JsonObject;
}

/** A connection for each request, so that the balancer decides anew. */
async function asked(method: string, path: string, body?: unknown, base = balancer.url): Promise<Answered> {
  const isYaml = typeof body === "string" && !body.startsWith("{");
  const answer = await fetch(`${base}${path}`, {
    method, headers: { connection: "close", ...(body === undefined ? {} : { "content-type": isYaml ? "application/yaml" : "application/json" }), ...(token === "" ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }), signal: AbortSignal.timeout(40_000),
  });
  const text = await answer.text();
  return { status: answer.status, json: text.startsWith("{") ? (JSON.parse(text) as JsonObject) : {} };
}

async function ask(method: string, path: string, body?: unknown): Promise<JsonObject> {
  const { status, json } = await asked(method, path, body);
  if (status >= 400) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`);
  return json;
}

async function ready(id: string): Promise<JsonObject> {
  for (let tries = 0; tries < 600; tries += 1) {
    const { json } = await asked("GET", `/v1/bundles/${id}`).catch(() => ({ json: {} as JsonObject }));
    if (json["state"] === "ready" || json["state"] === "failed") return json;
    await new Promise((resolve) => setTimeout(resolve, 75));
  }
  throw new Error("it does not get ready");
}

/** Goes on with a range where a process has gone in the midst of it. */
async function download(id: string, size: number): Promise<{ readonly bytes: Buffer; readonly resumed: number }> {
  const parts: Buffer[] = [];
  let got = 0;
  let resumed = -1;
  while (got < size) {
    resumed += 1;
    if (resumed > 40) throw new Error(`only ${got} of ${size} bytes`);
    await new Promise<void>((resolve) => {
      const asking = request(`${balancer.url}/v1/bundles/${id}/download`, { agent: false, headers: { authorization: `Bearer ${token}`, range: `bytes=${got}-` } }, (answer: IncomingMessage) => {
        answer.on("data", (chunk: Buffer) => {
          if (answer.statusCode !== 206) return;
          parts.push(chunk);
          got += chunk.byteLength;
        });
        answer.on("close", resolve);
        answer.on("error", () => resolve());
      });
      asking.on("error", () => setTimeout(resolve, 200));
      asking.end();
    });
  }
  return { bytes: Buffer.concat(parts), resumed };
}

let release = "";
const made: string[] = [];

t.test("what can't be is refused by name", async (t) => {
  const database = ["--database", cluster.url("bundles")];
  const cases: readonly (readonly [readonly string[], number, RegExp, Readonly<Record<string, string>>?])[] = [
    [[...database, ...bucket], 2, /same key: give --key/],
    [[...database, "--key", key], 2, /both --database and --objects/],
    [[...database, ...bucket, "--key", key, "--state", work], 2, /give the one or the other/],
    [["--database", `postgres://bundles:${cluster.password}@127.0.0.1/x`, ...bucket, "--key", key], 2, /can be seen by everyone/],
    [[...database, ...bucket, "--key", key], 2, /no AWS_ACCESS_KEY_ID/, { AWS_ACCESS_KEY_ID: "" }],
    [["backup", "x", ...database, ...bucket], 2, /pg_dump/],
    [["restore", "x", ...database, ...bucket], 2, /pg_restore/],
    [[...database, ...bucket, "--key", key], 3, /password/, { PGPASSWORD: "wrong" }],
    [["--database", cluster.url("missing"), ...bucket, "--key", key], 3, /createdb/],
    [["--database", `postgres://bundles@127.0.0.1:${ports[0] ?? 0}/x`, ...bucket, "--key", key], 3, /check whether it runs/],
    [[...database, ...bucket, "--key", key], 3, /SignatureDoesNotMatch/, { AWS_SECRET_ACCESS_KEY: "wrong" }],
    [[...database, "--objects", "s3://other", "--objects-endpoint", objects.url, "--key", key], 3, /NoSuchBucket/],
  ];
  for (const [words, status, text, more] of cases) {
    const found = await cli(["serve", ...words], more);
    t.match(found, { status, text });
    t.notOk(found.text.includes(cluster.password) || found.text.includes(objects.secretAccessKey), "no secret is said");
  }
});

t.test("two that start at once: one form, one invitation, one administrator", async (t) => {
  const lock = await fillStore(work);
  t.match(await cli(["store", "push", "--store", join(work, "blobs"), ...bucket]), { status: 0, text: /pushed [1-9]\d* blobs/ });
  t.match(await cli(["store", "push", "--store", join(work, "blobs"), ...bucket]), { status: 0, text: /pushed 0 blobs/ });
  await Promise.all([start(0), start(1)]);
  const invitations = said.map((text) => /cbi_\S+/.exec(text)?.[0] ?? "");
  const answers = await Promise.all([...invitations, ...invitations].map((invitation, index) => asked("POST", "/v1/setup", { token: invitation, name: `root-${index}`, password: "a password that nobody else has" })));
  t.equal(answers.filter(({ status }) => status === 204).length, 1, answers.map(({ status }) => status).join(" "));
  token = String((await ask("POST", "/v1/sessions", { name: `root-${answers.findIndex(({ status }) => status === 204)}`, password: "a password that nobody else has" }))["token"]);
  await ask("POST", "/v1/organizations", { name: "ExampleTel" });
  release = String((await ask("POST", "/v1/releases", releaseText))["id"]);
  await ask("PUT", `/v1/releases/${release}/lock`, lock);
  t.strictSame((await ask("GET", `/v1/releases/${release}`))["missing"], []);
});

t.test("fifty requests for ten bundles make ten, over both; keys are issued once; one is told of what the other does", async (t) => {
  const cloudlets = await Promise.all(Array.from({ length: 10 }, async (_, index) => String((await ask("POST", "/v1/cloudlets", specOf(`cloud-${index}`)))["id"])));
  const events = fetch(`http://127.0.0.1:${ports[0] ?? 0}/v1/bundles/${String((await ask("POST", "/v1/bundles", { cloudlet: cloudlets[0], release }))["id"])}/events`, { headers: { authorization: `Bearer ${token}` } });
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => ask("POST", "/v1/bundles", { cloudlet: cloudlets[index % 10], release })));
  const ids = [...new Set(answers.map(({ id }) => String(id)))];
  t.equal(ids.length, 10);
  for (const id of ids) t.match(await ready(id), { state: "ready" });
  made.push(...ids);
  const text = await (await events).text();
  t.match(text, /event: ready/, "the stream ended with it");
  const { items } = (await ask("GET", "/v1/audit?action=bundle:ready&limit=200")) as unknown as { readonly items: readonly { readonly subject: string }[] };
  t.equal(items.length, 10, "each was made once");
  const builders = [0, 1].map((index) => readFileSync(join(work, `log-${index}`), "utf8").split('"state":"ready"').length - 1);
  t.equal((builders[0] ?? 0) + (builders[1] ?? 0), 10);
  t.ok(builders.every((count) => count > 0), `made by each: ${builders.join(" and ")}`);
  const keys = await Promise.all(Array.from({ length: 12 }, () => asked("POST", `/v1/cloudlets/${cloudlets[0] ?? ""}/access-keys`)));
  t.strictSame(keys.map(({ status }) => status).sort(), [201, ...Array.from({ length: 11 }, () => 409)]);
  t.match(await ask("GET", "/v1/audit/verification"), { good: true });
});

t.test("what is downloaded is what the verifier takes, in any range, also where the bucket cuts and stalls", async (t) => {
  const [id = ""] = made;
  const { size, fingerprint } = (await ask("GET", `/v1/bundles/${id}`)) as unknown as { readonly size: number; readonly fingerprint: string };
  const { bytes } = await download(id, size);
  objects.faults.push("busy", "cut", "cut", "busy");
  const again = await download(id, size);
  t.equal(objects.faults.length, 0, "all of it went wrong");
  t.ok(again.bytes.equals(bytes) && again.resumed === 0, "and nobody noticed");
  const tar = join(work, "made.cloudlet.tar");
  writeFileSync(tar, bytes);
  t.equal(spawnSync(process.execPath, [join(root, "src/cli/start.ts"), "verify", tar, "--trust", fingerprint]).status, 0);
  for (const [from, to] of [[0, 0], [511, 1_025], [size - 1, size - 1], [size >> 1, (size >> 1) + 70_000]] as const) {
    const answer = await fetch(`${balancer.url}/v1/bundles/${id}/download`, { headers: { authorization: `Bearer ${token}`, range: `bytes=${from}-${to}` } });
    t.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes.subarray(from, to + 1)), `${from} to ${to}`);
  }
});

t.test("one is killed in the midst of builds and downloads: the other finishes", async (t) => {
  const [id = ""] = made;
  const { size } = (await ask("GET", `/v1/bundles/${id}`)) as unknown as { readonly size: number };
  const digest = createHash("sha256").update((await download(id, size)).bytes).digest("hex");
  const names = Array.from({ length: 8 }, (_, index) => `killed-${index}`);
  const cloudlets = await Promise.all(names.map(async (name) => String((await ask("POST", "/v1/cloudlets", specOf(name)))["id"])));
  const downloads = Array.from({ length: 6 }, () => download(id, size));
  const asking = cloudlets.map(async (cloudlet) => String((await ask("POST", "/v1/bundles", { cloudlet, release }))["id"]));
  await Promise.any(asking);
  processes[1]?.kill("SIGKILL");
  const promised = (await Promise.allSettled(asking)).flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  for (const each of await Promise.all(downloads)) t.equal(createHash("sha256").update(each.bytes).digest("hex"), digest);
  t.ok(promised.length > 0);
  for (const each of promised) {
    const bundle = await ready(each);
    t.equal(bundle["state"], "ready", JSON.stringify(bundle));
    t.equal((await download(each, Number(bundle["size"]))).bytes.byteLength, bundle["size"]);
  }
  t.equal(objects.uploads.size, 0, "nothing half-done in the bucket");
  t.match(await ask("GET", "/v1/audit/verification"), { good: true });
  const { items } = (await ask("GET", "/v1/audit?action=bundle:ready&limit=200")) as unknown as { readonly items: readonly { readonly subject: string }[] };
  t.equal(items.length, new Set(items.map(({ subject }) => subject)).size, "each was made once");
  await start(1);
});

t.test("the database restarts under load, the bucket goes away: 503, and both recover", async (t) => {
  let going = true;
  const statuses = new Map<number, number>();
  const load = Array.from({ length: 4 }, async (_, index) => {
    for (let round = 0; going; round += 1) {
      const { status } = await asked("POST", "/v1/cloudlets", specOf(`load-${index}-${round}`)).catch(() => ({ status: 0 }));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await cluster.stop();
  t.match(await asked("GET", "/v1/health"), { status: 503, json: { type: /overloaded/, detail: /database/ } });
  await cluster.start();
  await new Promise((resolve) => setTimeout(resolve, 500));
  going = false;
  await Promise.all(load);
  t.strictSame([...statuses.keys()].sort().filter((status) => status !== 201 && status !== 503), [], JSON.stringify([...statuses]));
  t.ok((statuses.get(201) ?? 0) > 0 && (statuses.get(503) ?? 0) > 0, JSON.stringify([...statuses]));
  t.ok(processes.every((each) => each?.exitCode === null), "both run on");

  await objects.stop();
  const [id = ""] = made;
  t.match(await asked("GET", `/v1/bundles/${id}/download`), { status: 503, json: { detail: /object store/ } });
  const cloudlet = String((await ask("POST", "/v1/cloudlets", specOf("without-a-bucket")))["id"]);
  const waiting = String((await ask("POST", "/v1/bundles", { cloudlet, release }))["id"]);
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  t.not((await ask("GET", `/v1/bundles/${waiting}`))["state"], "failed", "it waits");
  await objects.start();
  t.match(await ready(waiting), { state: "ready" });
  t.equal((await asked("GET", `/v1/bundles/${id}/files/SHA256SUMS`)).status, 200);
  t.match(await ask("GET", "/v1/audit/verification"), { good: true });
});

t.test("both end in order, and no log has a secret", async (t) => {
  const ends = processes.map((each) => new Promise((resolve) => each?.once("exit", resolve)));
  for (const each of processes) each?.kill("SIGTERM");
  t.strictSame(await Promise.all(ends), [0, 0]);
  for (const index of [0, 1]) {
    const text = readFileSync(join(work, `log-${index}`), "utf8");
    for (const secret of [cluster.password, objects.secretAccessKey, token, "a password that nobody else has"]) t.notOk(text.includes(secret));
    t.strictSame(text.trimEnd().split("\n").filter((line) => !line.startsWith("{")), [], "a line of JSON each");
    t.notMatch(text, /"event":"defect"/);
  }
});
