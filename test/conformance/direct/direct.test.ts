/** The service installs by itself, in a simulated vCenter: asked through its API from nothing to installed, and back to nothing. */

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Running } from "../../unit/service/running.ts";
import { siteFor, version } from "./site.ts";

async function until({ ask, admin }: Running, id: string, ...states: readonly string[]): Promise<JsonObject> {
  for (let tries = 0; tries < 1_200; tries += 1) {
    const { json } = await ask("GET", `/v1/installations/${id}`, { token: admin });
    if (states.includes(String(json["state"]))) return json;
    await sleep(250);
  }
  throw new Error((await ask("GET", `/v1/installations/${id}/log`, { token: admin })).text);
}

t.test(`vSphere, with govc ${version}`, { timeout: 600_000 }, async (t) => {
  const { running, simulator, front, guests, before, cloudlet, bundle, credentials } = await siteFor(t);
  const { ask, admin, folder, log } = running;
  const begin = async (action: string, more: object = { credentials }): Promise<string> => {
    const answer = await ask("POST", "/v1/installations", { token: admin, json: { cloudlet, bundle, action, ...more } });
    if (answer.status !== 202) throw new Error(answer.text);
    return String(answer.json["id"]);
  };
  const ended = async (id: string, expected: string): Promise<JsonObject> => {
    const row = await until(running, id, "done", "findings", "failed", "cancelled");
    t.equal(row["state"], expected, (await ask("GET", `/v1/installations/${id}/log`, { token: admin })).text);
    return row;
  };

  const refused = await ended(await begin("check", { credentials: { ...credentials, GOVC_PASSWORD: "not the password" } }), "findings");
  t.match(refused["lastLines"], /credentials\/refused/);
  await ended(await begin("check"), "done");

  // Stopped in the midst of it: slow enough that the disks are on their way.
  front.diskBytesPerSecond = 20_000;
  const id = await begin("install");
  while ((await simulator.vms()).length === 0) await sleep(100);
  await ask("POST", `/v1/installations/${id}/cancel`, { token: admin });
  await until(running, id, "cancelled");
  front.diskBytesPerSecond = Infinity;
  await ask("POST", `/v1/installations/${id}/retry`, { token: admin, json: { credentials } });
  const installed = await ended(id, "done");
  t.match(installed, { attempts: 2, exitStatus: 0, receipt: /^sha256:/ });
  const receipt = (await ask("GET", `/v1/cloudlets/${cloudlet}/receipts/${String(installed["receipt"])}`, { token: admin })).json;
  t.match(receipt, { action: "install", result: "complete", trust: "signature", guest: /^healthy/, bundle: (await ask("GET", `/v1/bundles/${bundle}`, { token: admin })).json["sums"] });
  t.match((await ask("GET", `/v1/cloudlets/${cloudlet}`, { token: admin })).json, { state: "installed" });
  const [vm, ...others] = await simulator.vms();
  t.ok(vm?.isOn);
  t.strictSame(others, [], "once");
  await ended(await begin("install", { credentials, accessKey: "keep" }), "done");
  const upgraded = await ended(await begin("upgrade"), "done");
  const keys = (await ask("GET", `/v1/cloudlets/${cloudlet}/access-keys`, { token: admin })).json["items"] as readonly JsonObject[];
  t.strictSame(keys.map((key) => key["revoked"] === null), [false, true], "upgraded with another key");
  t.not(upgraded["receipt"], installed["receipt"]);
  t.equal((await simulator.vms()).length, 1);
  const [booted] = guests.booted.values();
  t.ok(booted?.extra["guestinfo.userdata"], "the guest was told what it needs");

  await ask("PUT", `/v1/cloudlets/${cloudlet}/credentials`, { token: admin, json: { name: "vcenter", credentials } });
  await ended(await begin("uninstall", { credential: "vcenter" }), "done");
  t.match((await ask("GET", `/v1/cloudlets/${cloudlet}`, { token: admin })).json, { state: "removed" });
  t.strictSame(await simulator.inventory(), before, "vCenter is as it was before");
  t.strictSame(readdirSync(join(folder, "runs")), []);
  t.notOk(log.join("").includes("lab-pass"));
  t.match((await ask("GET", "/v1/audit/verification", { token: admin })).json, { good: true });
});
