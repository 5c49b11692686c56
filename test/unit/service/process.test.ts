/** The service as a process: killed under load, stopped in order, with gigabytes to give and secrets to keep. */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { canonicalJson, type JsonObject } from "../../../src/core/json.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { fillStore, releaseText, root, specOf } from "./running.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet-process-"));
const folder = join(work, "state");
const log = join(work, "log");
const secrets = new Set<string>();
let child: ChildProcess | undefined;
let base = "";
let token = "";
t.teardown(() => {
  child?.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
});

/** Starts it and waits until it says where it listens; gives the invitation, where there is one. */
async function start(): Promise<string | undefined> {
  const errors = openSync(log, "a");
  const started = spawn(process.execPath, [join(root, "src/cli/start.ts"), "serve", "--state", folder, "--listen", "127.0.0.1:0", "--drain", "5"], { stdio: ["ignore", "pipe", errors] });
  closeSync(errors);
  child = started;
  let said = "";
  await new Promise<void>((resolve, reject) => {
    started.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (/fingerprint .*\n/.test(said)) setTimeout(resolve, 30);
    });
    started.once("exit", (status) => reject(new Error(`it ended with ${String(status)}; its log is ${log}`)));
  });
  started.removeAllListeners("exit");
  base = /http:\/\/[^\n]*(?=\/v1)/.exec(said)?.[0] ?? "";
  return /cbi_\S+/.exec(said)?.[0];
}

function ended(): Promise<{ readonly status: number | null; readonly signal: string | null }> {
  return new Promise((resolve) => child?.once("exit", (status, signal) => resolve({ status, signal })));
}

async function ask(method: string, path: string, body?: unknown, type = "application/json"): Promise<JsonObject> {
  const answer = await fetch(`${base}${path}`, {
    method, headers: { ...(body === undefined ? {} : { "content-type": type }), ...(token === "" ? {} : { authorization: `Bearer ${token}` }) },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text === "" ? {} : (JSON.parse(text) as JsonObject);
}

async function upload(release: string, lock: string): Promise<string> {
  const id = String((await ask("POST", "/v1/releases", release, "application/yaml"))["id"]);
  await ask("PUT", `/v1/releases/${id}/lock`, lock);
  return id;
}

async function ready(id: string): Promise<JsonObject> {
  for (let tries = 0; tries < 500; tries += 1) {
    const bundle = await ask("GET", `/v1/bundles/${id}`);
    if (bundle["state"] === "ready" || bundle["state"] === "failed") return bundle;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  throw new Error("it does not get ready");
}

let cloudlet = "";

t.test("the first start, and who comes first", async (t) => {
  const invitation = await start();
  t.ok(invitation);
  const password = "a password that nobody else has";
  secrets.add(password).add(invitation ?? "");
  await ask("POST", "/v1/setup", { token: invitation, name: "root", password });
  token = String((await ask("POST", "/v1/sessions", { name: "root", password }))["token"]);
  secrets.add(token);
  await ask("POST", "/v1/organizations", { name: "ExampleTel" });
  cloudlet = String((await ask("POST", "/v1/cloudlets", specOf("berlin-1"), "application/yaml"))["id"]);
  const keys = await ask("POST", `/v1/cloudlets/${cloudlet}/access-keys`);
  const [key] = keys["items"] as unknown as readonly { readonly privateKey: string }[];
  secrets.add(key?.privateKey.split("\n")[1] ?? "x").add(String(keys["secrets"]).slice("ACCESS_KEY=base64:".length).trim());
  secrets.add(String((await ask("POST", "/v1/tokens", { name: "ci", scopes: ["cloudlet:read"], days: 1 }))["token"]));
  secrets.add(readFileSync(join(folder, "keys/signing-key.pem"), "utf8").split("\n")[1] ?? "x");
});

t.test("killed under load, again and again: nothing half-done, nothing lost", async (t) => {
  const release = await upload(releaseText, await fillStore(folder));
  const asked = new Map<string, string>();
  let kills = 0;
  for (let round = 0; round < 2; round += 1) {
    const names = Array.from({ length: 4 }, (_, index) => `load-${round}-${index}`);
    const made = await Promise.all(names.map((name) => ask("POST", "/v1/cloudlets", specOf(name), "application/yaml")));
    const each = made.map(async ({ id }, index) => {
      const bundle = await ask("POST", "/v1/bundles", { cloudlet: id as string, release });
      asked.set(names[index] ?? "", String(bundle["id"]));
    });
    const requests = Promise.allSettled(each);
    const end = ended();
    await Promise.any(each);
    // Somewhere within drawing, sealing and storing of the first ones.
    setTimeout(() => child?.kill("SIGKILL"), 20 + round * 110);
    const { signal } = await end;
    await requests;
    if (signal === "SIGKILL") kills += 1;
    t.equal(await start(), undefined, "no second administrator");
  }
  t.equal(kills, 2);
  t.ok(asked.size > 1, `${asked.size} were promised`);
  for (const [name, id] of asked) {
    const bundle = await ready(id);
    t.equal(bundle["state"], "ready", `${name}: what was promised is there`);
    const bytes = Buffer.from(await (await fetch(`${base}/v1/bundles/${id}/download`, { headers: { authorization: `Bearer ${token}` } })).arrayBuffer());
    t.equal(bytes.byteLength, bundle["size"], `${name}: and whole`);
  }
  // The last one, looked at by the verifier.
  const [last] = [...asked.values()].slice(-1);
  const tar = join(work, "last.cloudlet.tar");
  writeFileSync(tar, Buffer.from(await (await fetch(`${base}/v1/bundles/${last}/download`, { headers: { authorization: `Bearer ${token}` } })).arrayBuffer()));
  const fingerprint = String((await ask("GET", `/v1/bundles/${last}`))["fingerprint"]);
  t.equal(spawnSync(process.execPath, [join(root, "src/cli/start.ts"), "verify", tar, "--trust", fingerprint]).status, 0);
  t.match(await ask("GET", "/v1/audit/verification"), { good: true });
  const bundles = (await ask("GET", "/v1/bundles?limit=200"))["items"] as unknown as readonly { readonly id: string }[];
  for (const { id } of bundles) await ready(id);
  const { items } = (await ask("GET", "/v1/audit?action=bundle:ready&limit=200")) as unknown as { readonly items: readonly { readonly subject: string }[] };
  t.equal(items.length, new Set(items.map(({ subject }) => subject)).size, "each was made once");
});

t.test("gigabytes in little memory, from a blob that is never copied", async (t) => {
  const size = 4 * 1024 ** 3;
  const digest = `sha256:${createHash("sha256").update("a sparse disk").digest("hex")}` as const;
  const hex = digest.slice(7);
  const blobs = join(folder, "blobs/blobs/sha256", hex.slice(0, 2));
  mkdirSync(blobs, { recursive: true });
  const blob = openSync(join(blobs, hex), "w");
  ftruncateSync(blob, size);
  closeSync(blob);
  writeFileSync(join(blobs, `${hex}.sha512`), "0".repeat(128));
  const text = releaseText.replace('name: "2026.11"', 'name: "2026.12"').replace("format: qcow2", "format: raw").replace(/digest: sha256:3cfe\w+/, `digest: ${digest}`).replace("sizeLimit: 1048576", `sizeLimit: ${size}`).replace("sequence: 1", "sequence: 2");
  const read = readRelease(text);
  if (!read.ok) throw new Error(JSON.stringify(read.issues));
  const plain = JSON.parse(await fillStore(folder)) as { readonly payload: object; readonly vmImage: object };
  const { pieces: _, ...payload } = plain.payload as { readonly pieces?: object };
  const lock = { ...plain, release: { name: "2026.12", digest: read.value.digest }, payload, vmImage: { digest, sha512: "0".repeat(128), size, format: "raw", virtualSize: size } };
  const release = await upload(text, canonicalJson(lock as unknown as JsonObject));
  const bundle = await ready(String((await ask("POST", "/v1/bundles", { cloudlet, release }))["id"]));
  t.equal(bundle["state"], "ready", JSON.stringify(bundle));
  t.ok(Number(bundle["size"]) > size);
  const resident = (): number => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${String(child?.pid)}/status`, "utf8"))?.[1]) / 1_024;
  // Of the four a half, for the machine has others to serve; it is as long as memory would need to show.
  const wanted = 512 * 1024 ** 2;
  const before = resident();
  let most = before;
  const watching = setInterval(() => (most = Math.max(most, resident())), 10);
  const curl = spawn("curl", ["-sS", "-H", `authorization: Bearer ${token}`, "-r", `${size - wanted}-`, "-o", "/dev/null", "-w", "%{http_code} %{size_download}", `${base}/v1/bundles/${String(bundle["id"])}/download`], { stdio: ["ignore", "pipe", "inherit"] });
  let said = "";
  curl.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  await new Promise((resolve) => curl.once("close", resolve));
  clearInterval(watching);
  t.equal(said, `206 ${Number(bundle["size"]) - size + wanted}`);
  t.ok(most - before < 40, `${Math.round(before)} MiB before, ${Math.round(most)} at most`);
});

t.test("SIGTERM: what is on its way comes to its end, then it ends with status 0", async (t) => {
  const [first] = (await ask("GET", "/v1/bundles?limit=200&state=ready"))["items"] as unknown as readonly { readonly id: string; readonly size: number }[];
  if (first === undefined) throw new Error("there is no bundle");
  const wanted = 64 * 1024 ** 2;
  let got = 0;
  const end = ended();
  const done = new Promise<void>((resolve, reject) => {
    request(`${base}/v1/bundles/${first.id}/download`, { headers: { authorization: `Bearer ${token}`, range: `bytes=${Math.max(0, first.size - wanted)}-` } }, (answer) => {
      answer.once("data", () => child?.kill("SIGTERM"));
      answer.on("data", (chunk: Buffer) => (got += chunk.byteLength));
      answer.on("end", resolve);
      answer.on("error", reject);
    }).on("error", reject).end();
  });
  await done;
  t.equal(got, Math.min(first.size, wanted));
  t.strictSame(await end, { status: 0, signal: null });
});

t.test("no secret is in the log of all this", (t) => {
  const text = readFileSync(log, "utf8");
  const lines = text.trimEnd().split("\n");
  t.ok(lines.length > 50, `${lines.length} lines`);
  t.strictSame(lines.filter((line) => !isJson(line)), [], "a line of JSON each");
  t.strictSame(lines.filter((line) => /"level":"error"/.test(line)), []);
  t.equal(secrets.size, 7);
  for (const secret of secrets) t.notOk(text.includes(secret), `${secret.slice(0, 4)}…`);
  t.end();
});

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
