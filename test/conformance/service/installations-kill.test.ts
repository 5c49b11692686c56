/** The service as a process, killed while it installs: what it has started is found by the next one, and ended. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import { addCloudlet, addOrganization, bundleOf, root, specOf, startService, uploadRelease } from "../../unit/service/running.ts";
import { bytesBelow, login, password, processesWith, standIn } from "./stand-in.ts";

t.setTimeout(180_000);
const work = mkdtempSync(join(tmpdir(), "cloudlet-installing-"));
const folder = join(work, "state");
const log = join(work, "log");
const client = standIn(t);
let child: ChildProcess | undefined;
let base = "";
let token = "";
t.teardown(() => {
  child?.kill("SIGKILL");
  rmSync(work, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const started = spawn(process.execPath, [join(root, "src/cli/start.ts"), "serve", "--state", folder, "--listen", "127.0.0.1:0", "--drain", "1"], {
    stdio: ["ignore", "pipe", "pipe"], env: { PATH: `${client.bin}:/usr/bin:/bin`, HOME: work },
  });
  child = started;
  started.stderr?.on("data", (piece: Buffer) => writeFileSync(log, piece, { flag: "a" }));
  let said = "";
  await new Promise<void>((resolve, reject) => {
    started.stdout?.on("data", (piece: Buffer) => {
      said += piece.toString();
      if (/fingerprint .*\n/.test(said)) resolve();
    });
    started.once("exit", (status) => reject(new Error(`it ended with ${String(status)}: ${said}`)));
  });
  base = /http:\/\/[^\n]*(?=\/v1)/.exec(said)?.[0] ?? "";
}

async function ask(method: string, path: string, json?: unknown): Promise<JsonObject> {
  const answer = await fetch(`${base}/v1${path}`, { method, headers: { authorization: `Bearer ${token}`, ...(json === undefined ? {} : { "content-type": "application/json" }) }, ...(json === undefined ? {} : { body: JSON.stringify(json) }) });
  if (answer.status >= 400) throw new Error(await answer.text());
  return (await answer.json()) as JsonObject;
}

async function until(id: string, state: string): Promise<JsonObject> {
  for (let tries = 0; tries < 400; tries += 1) {
    const row = await ask("GET", `/installations/${id}`);
    if (row["state"] === state) return row;
    await sleep(50);
  }
  throw new Error(`it is not ${state}: ${JSON.stringify(await ask("GET", `/installations/${id}`))}`);
}

t.test("SIGKILL of the service while install.sh is at work", async (t) => {
  mkdirSync(folder, { mode: 0o700 });
  const running = await startService(t, { folder });
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, running.admin, specOf("berlin-1"));
  const bundle = String((await bundleOf(running, running.admin, cloudlet, await uploadRelease(running)))["id"]);
  token = running.admin;
  await running.close();

  await start();
  client.set("hangs");
  const id = String((await ask("POST", "/installations", { cloudlet, bundle, action: "install", credentials: login }))["id"]);
  await until(id, "running");
  while (!client.calls().includes("\n")) await sleep(20);
  const died = once(child as ChildProcess, "exit");
  child?.kill("SIGKILL");
  await died;
  t.ok(processesWith(id).length > 0, "install.sh goes on without it");
  t.ok(existsSync(join(folder, "runs", id, "secrets")), "with what it was given");
  const secret = /ACCESS_KEY=base64:(.*)/.exec(readFileSync(join(folder, "runs", id, "secrets"), "utf8"))?.[1] ?? "";

  await start();
  const row = await until(id, "interrupted");
  t.match(row, { attempts: 1 });
  t.match(await ask("GET", "/audit"), { items: /./ });
  t.strictSame(processesWith(id), [], "the next one has ended it");
  t.strictSame(readdirSync(join(folder, "runs")), [], "and removed what it was given");
  for (const text of [password, secret]) t.notOk(bytesBelow(folder).includes(text) || readFileSync(log, "utf8").includes(text), "no secret is left");

  client.set("refuses");
  await ask("POST", `/installations/${id}/retry`, { credentials: login });
  t.match(await until(id, "findings"), { attempts: 2, exitStatus: 1 });
  const ended = once(child as ChildProcess, "exit");
  child?.kill("SIGTERM");
  t.strictSame(await ended, [0, null]);
});
