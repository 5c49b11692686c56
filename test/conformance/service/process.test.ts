/** The service as a process: killed under load, stopped in order, with gigabytes to give and secrets to keep. */

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { residentMiB, serviceProcess } from "../../../scripts/service-process.ts";
import { randomFrom } from "../../random.ts";
import { fillStore, releaseText, root, specOf } from "../../unit/service/running.ts";
import { greatRelease } from "./great-bundle.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet-process-"));
const folder = join(work, "state");
const log = join(work, "log");
const secrets = new Set<string>();
const service = serviceProcess({ program: join(root, "src/cli/start.ts"), folder, log });
const { start, ask, upload, ready, ended } = service;
t.teardown(() => {
  service.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
});

let cloudlet = "";

/** CONFORMANCE_SEED picks the moments of the kills; CONFORMANCE_FULL=1 makes it ten. */
const rounds = process.env["CONFORMANCE_FULL"] === "1" ? 10 : 3;
const random = randomFrom(Number.parseInt((process.env["CONFORMANCE_SEED"] ?? "").slice(0, 8), 16) || 1);

t.test("the first start, and who comes first", async (t) => {
  const invitation = await start();
  t.ok(invitation);
  const password = "a password that nobody else has";
  secrets.add(password).add(invitation ?? "");
  secrets.add(await service.enter(invitation ?? "", password));
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
  for (let round = 0; round < rounds; round += 1) {
    // What ends the service three times is given up: two kills in a row for each.
    if (round % 2 === 0) for (const id of asked.values()) await ready(id);
    const names = Array.from({ length: 4 }, (_, index) => `load-${round}-${index}`);
    const made = await Promise.all(names.map((name) => ask("POST", "/v1/cloudlets", specOf(name), "application/yaml")));
    const each = made.map(async ({ id }, index) => {
      const bundle = await ask("POST", "/v1/bundles", { cloudlet: id as string, release });
      asked.set(names[index] ?? "", String(bundle["id"]));
    });
    const requests = Promise.allSettled(each);
    const end = ended();
    await Promise.any(each);
    // Somewhere within drawing, sealing, storing and giving of the first ones.
    const moment = Math.floor(random() * 400);
    t.comment(`killed after ${moment} ms`);
    setTimeout(() => service.kill("SIGKILL"), moment);
    const given = Promise.allSettled([...asked.values()].slice(0, 4).map(async (id) => whole(id)));
    const { signal } = await end;
    await Promise.all([requests, given]);
    if (signal === "SIGKILL") kills += 1;
    t.equal(await start(), undefined, "no second administrator");
  }
  t.equal(kills, rounds);
  t.ok(asked.size > 1, `${asked.size} were promised`);
  for (const [name, id] of asked) {
    const bundle = await ready(id);
    t.equal(bundle["state"], "ready", `${name}: what was promised is there`);
    t.equal((await whole(id)).byteLength, bundle["size"], `${name}: and whole`);
  }
  // The last one, looked at by the verifier.
  const [last] = [...asked.values()].slice(-1);
  const tar = join(work, "last.cloudlet.tar");
  writeFileSync(tar, await whole(last ?? ""));
  const fingerprint = String((await ask("GET", `/v1/bundles/${last}`))["fingerprint"]);
  t.equal(spawnSync(process.execPath, [join(root, "src/cli/start.ts"), "verify", tar, "--trust", fingerprint]).status, 0);
  t.match(await ask("GET", "/v1/audit/verification"), { good: true });
  const bundles = (await ask("GET", "/v1/bundles?limit=200"))["items"] as unknown as readonly { readonly id: string }[];
  for (const { id } of bundles) await ready(id);
  const { items } = (await ask("GET", "/v1/audit?action=bundle:ready&limit=200")) as unknown as { readonly items: readonly { readonly subject: string }[] };
  t.equal(items.length, new Set(items.map(({ subject }) => subject)).size, "each was made once");
  const drawn = readdirSync(join(folder, "drawn/blobs/sha256"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && /^[0-9a-f]{64}$/.test(entry.name));
  t.ok(drawn.length > 0);
  for (const { parentPath, name } of drawn) t.equal(createHash("sha256").update(readFileSync(join(parentPath, name))).digest("hex"), name, "no file has a name before it is whole");
});

t.test("fifty requests for ten bundles make ten", async (t) => {
  const release = String(((await ask("GET", "/v1/releases"))["items"] as unknown as readonly { readonly id: string }[])[0]?.id);
  const made = async (): Promise<number> => ((await ask("GET", "/v1/audit?action=bundle:ready&limit=200"))["items"] as unknown as readonly unknown[]).length;
  const before = await made();
  const cloudlets = await Promise.all(Array.from({ length: 10 }, async (_, index) => String((await ask("POST", "/v1/cloudlets", specOf(`many-${index}`), "application/yaml"))["id"])));
  const asked = await Promise.all(Array.from({ length: 50 }, (_, index) => ask("POST", "/v1/bundles", { cloudlet: cloudlets[index % 10] ?? "", release })));
  const ids = new Set(asked.map(({ id }) => String(id)));
  t.equal(ids.size, 10);
  for (const id of ids) t.match(await ready(id), { state: "ready" });
  t.equal((await made()) - before, 10);
});

async function whole(id: string): Promise<Buffer> {
  return Buffer.from(await (await fetch(`${service.base()}/v1/bundles/${id}/download`, { headers: service.headers() })).arrayBuffer());
}

t.test("gigabytes in little memory, from a blob that is never copied", async (t) => {
  const size = 4 * 1024 ** 3;
  const great = await greatRelease(folder, size, "hole");
  const release = await upload(great.release, great.lock);
  const bundle = await ready(String((await ask("POST", "/v1/bundles", { cloudlet, release }))["id"]));
  t.equal(bundle["state"], "ready", JSON.stringify(bundle));
  t.ok(Number(bundle["size"]) > size);
  const resident = (): number => residentMiB(service.pid(), "VmRSS");
  // Of the four a half, for the machine has others to serve; it is as long as memory would need to show.
  const wanted = 512 * 1024 ** 2;
  const before = resident();
  let most = before;
  const watching = setInterval(() => (most = Math.max(most, resident())), 10);
  const curl = spawn("curl", ["-sS", "-H", `authorization: ${service.headers()["authorization"] ?? ""}`, "-r", `${size - wanted}-`, "-o", "/dev/null", "-w", "%{http_code} %{size_download}", `${service.base()}/v1/bundles/${String(bundle["id"])}/download`], { stdio: ["ignore", "pipe", "inherit"] });
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
    request(`${service.base()}/v1/bundles/${first.id}/download`, { headers: { ...service.headers(), range: `bytes=${Math.max(0, first.size - wanted)}-` } }, (answer) => {
      answer.once("data", () => service.kill("SIGTERM"));
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
