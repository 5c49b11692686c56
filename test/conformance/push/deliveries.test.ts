/**
 * Deliveries by the service to a real sshd in a network namespace, over a line that is cut again and again: the bundle arrives, is
 * installed there, and its receipt comes back; what stands in the way is refused by name, and no secret is left anywhere.
 */

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync, statSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import ssh2 from "ssh2";
import t from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import { keyFingerprint } from "../../../src/deliver/host-keys.ts";
import { addCloudlet, addOrganization, bundleOf, fillStore, releaseText, root, startService, type Answer } from "../../unit/service/running.ts";
import { bytesBelow, processesWith } from "../service/stand-in.ts";
import { releaseEdit, specOf } from "./cloudlets.ts";
import { identity, jumpHost, keyAt, work } from "./host.ts";
import { until } from "./operator.ts";
import { wire } from "./wire.ts";

t.setTimeout(300_000);
const mebibyte = 1_048_576;
const key = identity();
const passphrase = "pa55phrase-of-the-key-71c3";
const encrypted = keyAt(join(work, "encrypted-delivery"), passphrase);
const host = await jumpHost("service", { net: 3, authorized: [key, encrypted], more: ["ListenAddress 127.0.0.1:2224"] });
const line = await wire(host);
const folder = mkdtempSync(join(tmpdir(), "cloudlet-delivering-"));
const running = await startService(t, { folder, deliverer: { reach: ["127.0.0.0/8"], cancelMs: 20_000 } });
const { ask, admin, secrets } = running;
t.teardown(async () => {
  line.close();
  await host.close();
  rmSync(folder, { recursive: true, force: true });
});
secrets.add(passphrase);
const privateKey = readFileSync(key, "utf8");
for (const each of privateKey.split("\n").slice(1, -2)) secrets.add(each);
const auth = { privateKey };
const to = { host: `root@127.0.0.1:${line.port}`, hostKeys: `[127.0.0.1]:${line.port} ${host.hostKey}`, auth };
const site = { driver: "qemu", storage: join(host.home, "../storage"), shutdown_seconds: "1" };
const folderOf = (name: string): string => join(host.home, name);

await addOrganization(running, "ExampleTel");
const heavy = await release("healthy", 10, 1);
const light = await release("loaded", 1, 2);
const cut = await cloudletWith("cut", heavy);
const waiting = await cloudletWith("waiting", light);

async function release(stage: string, ballastMiB: number, sequence: number): Promise<string> {
  const text = (await releaseEdit(ballastMiB, stage, sequence))(releaseText).replace(/^sequence: .*$/m, `sequence: ${sequence}`);
  const lock = await fillStore(folder, { text });
  const added = await ask("POST", "/v1/releases", { token: admin, yaml: text });
  if (added.status !== 201) throw new Error(added.text);
  const id = String(added.json["id"]);
  const locked = await ask("PUT", `/v1/releases/${id}/lock`, { token: admin, body: lock, headers: { "content-type": "application/json" } });
  if (locked.status >= 300) throw new Error(locked.text);
  return id;
}

async function cloudletWith(name: string, of: string): Promise<{ readonly cloudlet: string; readonly bundle: string; readonly size: number; readonly fingerprint: string }> {
  const cloudlet = await addCloudlet(running, admin, specOf(name));
  const bundle = await bundleOf(running, admin, cloudlet, of);
  if (bundle["state"] !== "ready") throw new Error(JSON.stringify(bundle));
  return { cloudlet, bundle: String(bundle["id"]), size: Number(bundle["size"]), fingerprint: running.service.context.signer.fingerprint };
}

interface Made {
  readonly cloudlet: string;
  readonly bundle: string;
}

function begin({ cloudlet, bundle }: Made, action: string, more: object = {}, token = admin): Promise<Answer> {
  return ask("POST", "/v1/deliveries", { token, json: { cloudlet, bundle, action, ...to, ...more } });
}

const got = async (id: string): Promise<JsonObject> => (await ask("GET", `/v1/deliveries/${id}`, { token: admin })).json;
const logOf = async (id: string): Promise<string> => (await ask("GET", `/v1/deliveries/${id}/log`, { token: admin })).text;

async function ended(answer: Answer): Promise<JsonObject> {
  if (answer.status !== 202) throw new Error(answer.text);
  const id = String(answer.json["id"]);
  for (let tries = 0; tries < 1_200; tries += 1) {
    const row = await got(id);
    if (row["state"] !== "queued" && row["state"] !== "running") return row;
    await sleep(50);
  }
  throw new Error(`it does not end: ${JSON.stringify(await got(id))}`);
}

t.test("over a line that is cut every few seconds: verified there, installed, and the receipt is the cloudlet's", async (t) => {
  line.cutEach({ bytes: 3 * mebibyte, ms: 4_000 });
  const begun = await begin(cut, "install", { parameters: site, folder: "main" });
  const id = String(begun.json["id"]);
  const events = ask("GET", `/v1/deliveries/${id}/events`, { token: admin });
  const row = await ended(begun);
  line.cutEach({});
  const log = await logOf(id);
  t.match(row, { state: "done", exitStatus: 0, receipt: /^sha256:/, folder: "main", host: `root@127.0.0.1:${line.port}`, progress: null }, log);
  t.ok(line.cuts() >= 4, `cut ${line.cuts()} times`);
  t.ok(line.sent() < cut.size + line.cuts() * 2.5 * mebibyte, `${line.sent()} bytes went over the line, the bundle has ${cut.size}`);
  t.match(log, /bytes sent[^]*verified there, signed by SHA256:[^]*done: release conformance\.1 of cut runs/);
  t.equal(log.split("done: release").length, 2, "no line comes twice");
  const { text } = await events;
  t.match(text, /event: progress\ndata: \{"phase":"sending","done":\d+,"total":\d+\}/);
  t.match(text, /event: running\n[^]*event: line\n[^]*event: done\n/);
  t.match((await ask("GET", `/v1/cloudlets/${cut.cloudlet}`, { token: admin })).json, { state: "installed" });
  t.match((await ask("GET", `/v1/cloudlets/${cut.cloudlet}/receipts`, { token: admin })).json, { items: [{ id: row["receipt"], action: "install", result: "complete", bundle: cut.bundle }] });
  t.match((await ask("GET", "/v1/audit", { token: admin })).text, /delivery:begin[^]*delivery:done/);
  t.match((await ask("GET", `/v1/installations?cloudlet=${cut.cloudlet}`, { token: admin })).json, { items: [] }, "it is none of those that the service does itself");
  t.equal((await ask("GET", `/v1/installations/${id}`, { token: admin })).status, 404);
});

t.test("status through a jump host whose key has to be right as well, by fingerprints and an encrypted key; the bundle is not sent again", async (t) => {
  const fingerprint = execFileSync("ssh-keygen", ["-lf", "-"], { input: host.hostKey, encoding: "utf8" }).split(" ")[1] ?? "";
  const near = `root@127.0.0.1:${line.port}`;
  const behind = { host: "root@127.0.0.1:2224", jumps: [near], folder: "main", auth: { privateKey: readFileSync(encrypted, "utf8"), passphrase } };
  const half = await ended(await begin(cut, "status", { ...behind, hostKeys: fingerprint }));
  t.match(half, { state: "failed" });
  t.match((await ask("GET", `/v1/deliveries/${String(half["id"])}/events`, { token: admin })).text, /the host key of 127\.0\.0\.1:\d+ is not known/);
  const sent = line.sent();
  const row = await ended(await begin(cut, "status", { ...behind, hostKeys: `127.0.0.1:${line.port}=${fingerprint}\n${host.hostKey}` }));
  t.match(row, { state: "done", receipt: null, jumps: [near] }, await logOf(String(row["id"])));
  t.match(await logOf(String(row["id"])), /nothing was sent: the bundle is there/);
  t.ok(line.sent() - sent < mebibyte);
});

t.test("uninstalled, and what was brought is taken away: nothing is left at the host", async (t) => {
  const row = await ended(await begin(cut, "uninstall", { folder: "main", removeAfter: true }));
  t.match(row, { state: "done", receipt: /^sha256:/ }, await logOf(String(row["id"])));
  t.match((await ask("GET", `/v1/cloudlets/${cut.cloudlet}`, { token: admin })).json, { state: "removed" });
  t.strictSame(readdirSync(host.home).filter((name) => !name.startsWith(".")), []);
  const again = await ended(await begin(cut, "remove", { folder: "main" }));
  t.match(again, { state: "done" });
});

t.test("a host key that is another: refused before any login; a wrong password; an address that may not be called", async (t) => {
  const last = async (id: unknown): Promise<string> => /event: failed\ndata: (.*)/.exec((await ask("GET", `/v1/deliveries/${String(id)}/events`, { token: admin })).text)?.[1] ?? "";
  const other = keyAt(join(work, "other-host"));
  const wrong = await ended(await begin(cut, "deliver", { hostKeys: `[127.0.0.1]:${line.port} ${readFileSync(`${other}.pub`, "utf8")}` }));
  t.match(wrong, { state: "failed" });
  t.match(await last(wrong["id"]), /HAS CHANGED[^]*Nothing was sent/);
  const password = "pa55word-that-is-wrong-93f1";
  secrets.add(password);
  const refused = await ended(await begin(cut, "deliver", { auth: { password } }));
  t.match(refused, { state: "failed" });
  t.match(await last(refused["id"]), /does not let us in[^]*Retry with the right key or password/);
  const passphraseWrong = await ended(await begin(cut, "deliver", { auth: { privateKey: readFileSync(encrypted, "utf8"), passphrase: password } }));
  t.match(await last(passphraseWrong["id"]), /the passphrase of the private key is wrong/);
  const far = await ended(await begin(cut, "deliver", { host: `root@${host.address}`, hostKeys: host.hostKey }));
  t.match(await last(far["id"]), /is not among the addresses that may be called/);
  const nobody = await ended(await begin(cut, "deliver", { host: "root@127.0.0.1:1", hostKeys: host.hostKey }));
  t.match(await last(nobody["id"]), /nothing listens there/);
  t.strictSame(readdirSync(host.home).filter((name) => !name.startsWith(".")), []);
  const mistakes = await begin(cut, "deliver", { host: "nobody", jumps: ["a@b:0"], hostKeys: "yes", auth: { privateKey: "ssh-ed25519 AAAA" } });
  t.equal(mistakes.status, 422);
  t.equal((await begin(cut, "deliver", { hostKeys: "# none" })).status, 422);
  t.equal((await begin(cut, "deliver", { parameters: site })).status, 400);
  t.equal((await begin(cut, "deliver", { removeAfter: true })).status, 400);
});

t.test("a host that sends without an end, and one that says nothing: the service is none the worse", async (t) => {
  const floods = await hostile((channel) => {
    const more = (): void => {
      while (channel.write(`cloudlet-bundle-9c1f says:\n${"x".repeat(32_000)}\n`)) continue;
      channel.once("drain", more);
    };
    more();
  });
  const row = await ended(await begin(cut, "deliver", { host: `root@127.0.0.1:${floods.port}`, hostKeys: floods.fingerprint }));
  t.match(row, { state: "failed" });
  t.match((await ask("GET", `/v1/deliveries/${String(row["id"])}/events`, { token: admin })).text, /the host says more than it is asked/);
  await floods.close();

  const silent = await hostile(() => undefined);
  const begun = await begin(cut, "deliver", { host: `root@127.0.0.1:${silent.port}`, hostKeys: silent.fingerprint });
  const id = String(begun.json["id"]);
  await until("it is connected", () => silent.asked() > 0);
  const courier = courierOf(id);
  const open = readdirSync(`/proc/${courier}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${courier}/fd/${fd}`);
    } catch {
      return "";
    }
  });
  t.strictSame(open.filter((path) => path.includes("service.db") || path.includes("/blobs/")), [], "no file of the service's is open in it");
  const [environment, status, limits] = ["environ", "status", "limits"].map((name) => readFileSync(`/proc/${courier}/${name}`, "latin1"));
  t.notMatch(environment, /HOME|PATH|SSH/);
  t.match(limits, /Max data size +1073741824/);
  t.match(limits, /Max file size +0 /);
  t.ok(Number(/VmRSS:\s+(\d+)/.exec(status ?? "")?.[1]) < 262_144, "it is small");
  process.kill(courier, "SIGKILL");
  t.match(await ended(begun), { state: "failed" });
  t.match((await ask("GET", `/v1/deliveries/${id}/events`, { token: admin })).text, /has ended by itself; the service's log has more/);
  t.match(running.log.join(""), /it ended with SIGKILL/);
  await silent.close();
});

/** An SSH server of the tests' own that lets anybody in and answers commands as it likes. */
async function hostile(answer: (channel: ssh2.ServerChannel) => void): Promise<{ readonly port: number; readonly fingerprint: string; readonly asked: () => number; readonly close: () => Promise<void> }> {
  const pair = ssh2.utils.generateKeyPairSync("ed25519");
  const parsed = ssh2.utils.parseKey(pair.private);
  if (parsed instanceof Error) throw parsed;
  let asked = 0;
  const open = new Set<ssh2.Connection>();
  const server = new ssh2.Server({ hostKeys: [pair.private] }, (client) => {
    open.add(client);
    client.on("error", () => undefined).on("close", () => open.delete(client)).on("authentication", (context) => context.accept());
    client.on("ready", () => client.on("session", (accept) => accept().on("exec", (yes) => {
      asked += 1;
      const channel = yes();
      channel.on("error", () => undefined);
      answer(channel);
    })));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port, fingerprint: keyFingerprint(new Uint8Array((parsed as ssh2.ParsedKey).getPublicSSH())), asked: () => asked,
    close: async () => {
      for (const client of open) client.end();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The process that stands for a delivery. */
function courierOf(id: string): number {
  const found = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).find((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, "latin1").includes(`CLOUDLET_BUNDLE_RUN=${id}`);
    } catch {
      return false;
    }
  });
  if (found === undefined) throw new Error("the delivery has no process");
  return Number(found);
}

t.test("who may: contributors, and nobody of elsewhere", async (t) => {
  const viewer = await running.person("vera", { organization: "ExampleTel" });
  const stranger = await running.person("stan");
  const [{ id }] = (await ask("GET", `/v1/deliveries?cloudlet=${cut.cloudlet}&state=failed`, { token: admin })).json["items"] as unknown as readonly [{ readonly id: string }];
  t.equal((await ask("GET", `/v1/deliveries/${id}`, { token: viewer })).status, 200);
  t.equal((await begin(cut, "deliver", {}, viewer)).status, 403);
  t.equal((await ask("POST", `/v1/deliveries/${id}/retry`, { token: viewer, json: { auth } })).status, 403);
  for (const path of ["", "/log", "/events"]) t.equal((await ask("GET", `/v1/deliveries/${id}${path}`, { token: stranger })).status, 404);
  t.match((await ask("GET", "/v1/deliveries", { token: stranger })).json, { items: [] });
});

t.test("cancelled in mid-upload, and gone on with; cancelled while install.sh is at work", async (t) => {
  line.cutEach({ bytes: 6 * mebibyte });
  const begun = await begin(cut, "deliver", { folder: "stopped" });
  const id = String(begun.json["id"]);
  await until("a part has arrived", () => sizeOf(join(folderOf("stopped"), "bundle.tar.part")) > 2 * mebibyte);
  t.equal((await begin(cut, "deliver", { folder: "stopped" })).status, 409, "one at a time");
  t.equal((await ask("POST", `/v1/deliveries/${id}/cancel`, { token: admin })).status, 202);
  t.match(await ended(begun), { state: "cancelled" });
  t.equal((await ask("POST", `/v1/deliveries/${id}/cancel`, { token: admin })).status, 200);
  line.cutEach({});
  const sent = line.sent();
  const again = await ended(await ask("POST", `/v1/deliveries/${id}/retry`, { token: admin, json: { auth } }));
  t.match(again, { state: "done", attempts: 2 }, await logOf(id));
  t.match(await logOf(id), /bytes sent; \d{7,} were there/);
  t.ok(line.sent() - sent < cut.size - mebibyte);
  t.match(await ended(await begin(cut, "remove", { folder: "stopped" })), { state: "done" });

  const run = await begin(waiting, "install", { folder: "waiting", parameters: site });
  const at = String(run.json["id"]);
  for (let tries = 0; !/the VM says that it is well/.test(await logOf(at)); tries += 1) {
    if (tries > 600) throw new Error(await logOf(at));
    await sleep(50);
  }
  t.ok(existsSync(join(folderOf("waiting"), "secrets")));
  t.equal((await ask("POST", `/v1/deliveries/${at}/cancel`, { token: admin })).status, 202);
  t.match(await ended(run), { state: "cancelled", exitStatus: 143 });
  t.match(await logOf(at), /interrupted\. What was done is recorded/);
  t.notOk(existsSync(join(folderOf("waiting"), "secrets")), "the secrets are gone from the host");
});

t.test("the service is killed in mid-upload, and while install.sh is at work: a retry goes on at the byte, and shows the run on", async (t) => {
  const log = join(folder, "log");
  await running.close();
  let child = await serve(log);
  t.teardown(() => child.process.kill("SIGKILL"));
  const asked = async (method: string, path: string, json?: unknown): Promise<JsonObject> => {
    const answer = await fetch(`${child.base}/v1${path}`, { method, headers: { authorization: `Bearer ${admin}`, ...(json === undefined ? {} : { "content-type": "application/json" }) }, ...(json === undefined ? {} : { body: JSON.stringify(json) }) });
    const text = await answer.text();
    if (answer.status >= 400) throw new Error(text);
    return answer.headers.get("content-type")?.includes("json") === true ? (JSON.parse(text) as JsonObject) : { text };
  };
  const state = async (id: string, ...states: readonly string[]): Promise<JsonObject> => {
    for (let tries = 0; tries < 1_200; tries += 1) {
      const row = await asked("GET", `/deliveries/${id}`);
      if (states.includes(String(row["state"]))) return row;
      await sleep(50);
    }
    throw new Error(JSON.stringify(await asked("GET", `/deliveries/${id}`)));
  };
  const textOf = async (id: string): Promise<string> => String((await asked("GET", `/deliveries/${id}/log`))["text"]);
  const kill = async (id: string): Promise<void> => {
    const died = once(child.process, "exit");
    child.process.kill("SIGKILL");
    await died;
    await until("the courier has ended with it", () => processesWith("courier-worker").length === 0);
    child = await serve(log);
    await state(id, "interrupted");
  };

  line.cutEach({ bytes: 6 * mebibyte });
  const id = String((await asked("POST", "/deliveries", { cloudlet: cut.cloudlet, bundle: cut.bundle, action: "deliver", ...to, folder: "killed" }))["id"]);
  await until("a part has arrived", () => sizeOf(join(folderOf("killed"), "bundle.tar.part")) > 2 * mebibyte);
  t.strictSame(processesWith(passphrase), []);
  await kill(id);
  line.cutEach({});
  const sent = line.sent();
  await asked("POST", `/deliveries/${id}/retry`, { auth });
  t.match(await state(id, "done", "failed"), { state: "done" }, await textOf(id));
  t.ok(line.sent() - sent < cut.size - mebibyte, "what was there is not sent again");
  t.match(await textOf(id), /were there/);

  // What was cancelled is gone on with: the same access key goes along.
  const run = String(((await asked("GET", `/deliveries?cloudlet=${waiting.cloudlet}`))["items"] as readonly JsonObject[])[0]?.["id"]);
  await asked("POST", `/deliveries/${run}/retry`, { auth });
  for (let tries = 0; (await textOf(run)).split("the VM says that it is well").length < 3; tries += 1) {
    if (tries > 600) throw new Error(await textOf(run));
    await sleep(50);
  }
  const before = await textOf(run);
  await kill(run);
  t.ok(existsSync(join(folderOf("waiting"), "run/pid")) && !existsSync(join(folderOf("waiting"), "run/status")), "install.sh goes on without anybody");
  await asked("POST", `/deliveries/${run}/retry`, { auth });
  for (let tries = 0; !/is shown on/.test(await textOf(run)); tries += 1) {
    if (tries > 600) throw new Error(await textOf(run));
    await sleep(50);
  }
  await sleep(1_500);
  t.equal((await textOf(run)).split("signature").length, before.split("signature").length, "what was kept of its log does not come twice");
  await asked("POST", `/deliveries/${run}/cancel`);
  t.match(await state(run, "cancelled"), { attempts: 3, exitStatus: 143 });
  for (const [made, wanted] of [[waiting, { action: "uninstall", folder: "waiting", removeAfter: true }], [cut, { action: "remove", folder: "killed" }]] as const) {
    const gone = String((await asked("POST", "/deliveries", { cloudlet: made.cloudlet, bundle: made.bundle, ...to, ...wanted }))["id"]);
    t.match(await state(gone, "done", "failed", "findings"), { state: "done" }, await textOf(gone));
  }
  t.strictSame(readdirSync(host.home).filter((name) => !name.startsWith(".")), [], "nothing is left at the host");
  const all = bytesBelow(folder);
  for (const secret of secrets) if (!secret.startsWith("cb")) t.notOk(all.includes(secret), "no secret is in the state folder, or in the log");
  const end = once(child.process, "exit");
  child.process.kill("SIGTERM");
  t.strictSame(await end, [0, null]);
});

interface Child {
  readonly process: ChildProcess;
  readonly base: string;
}

async function serve(log: string): Promise<Child> {
  const started = spawn(process.execPath, [join(root, "src/cli/start.ts"), "serve", "--state", folder, "--listen", "127.0.0.1:0", "--drain", "1", "--deliver", "127.0.0.0/8"], { stdio: ["ignore", "pipe", "pipe"], env: { PATH: "/usr/bin:/bin", HOME: folder } });
  mkdirSync(folder, { recursive: true });
  started.stderr.on("data", (piece: Buffer) => writeFileSync(log, piece, { flag: "a" }));
  let said = "";
  await new Promise<void>((resolve, reject) => {
    started.stdout.on("data", (piece: Buffer) => {
      said += piece.toString();
      if (/fingerprint .*\n/.test(said)) resolve();
    });
    started.once("exit", (status) => reject(new Error(`it ended with ${String(status)}: ${said}${existsSync(log) ? readFileSync(log, "utf8") : ""}`)));
  });
  return { process: started, base: /http:\/\/[^\n]*(?=\/v1)/.exec(said)?.[0] ?? "" };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
