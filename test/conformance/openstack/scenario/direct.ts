/** The service installs by itself: asked through its API with a login for one run, from nothing to installed, and back to nothing. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Test } from "tap";
import type { JsonObject } from "../../../../src/core/json.ts";
import { openstackJson } from "../cloud.ts";
import { directService } from "../direct-service.ts";

export async function run(t: Test): Promise<void> {
  const { running, cloudlet, bundle, credentials, password } = await directService(t, "cb direct");
  const { ask, admin, log } = running;
  const done = async (action: string, login: object, attempts = 1_800): Promise<JsonObject> => {
    const begun = await ask("POST", "/v1/installations", { token: admin, json: { cloudlet, bundle, action, ...login } });
    t.equal(begun.status, 202, begun.text);
    const path = `/v1/installations/${String(begun.json["id"])}`;
    for (let tries = 0; tries < attempts; tries += 1) {
      const { json } = await ask("GET", path, { token: admin });
      if (json["state"] !== "queued" && json["state"] !== "running") {
        const said = (await ask("GET", `${path}/log`, { token: admin })).text;
        t.equal(json["state"], "done", said);
        t.notOk(said.includes(password));
        return json;
      }
      await sleep(500);
    }
    throw new Error((await ask("GET", `${path}/log`, { token: admin })).text);
  };

  await done("check", { credentials });
  const installed = await done("install", { credentials });
  const receipt = (await ask("GET", `/v1/cloudlets/${cloudlet}/receipts/${String(installed["receipt"])}`, { token: admin })).json;
  t.match(receipt, { action: "install", result: "complete", trust: "signature", servers: [{ health: "healthy" }] });
  t.equal((openstackJson(["server", "list"]) as readonly unknown[]).length, 1);
  await ask("PUT", `/v1/cloudlets/${cloudlet}/credentials`, { token: admin, json: { name: "site", credentials } });
  await done("install", { credential: "site", accessKey: "keep" });
  await done("uninstall", { credential: "site" });
  t.match((await ask("GET", `/v1/cloudlets/${cloudlet}`, { token: admin })).json, { state: "removed" });
  t.notOk(log.join("").includes(password));
}
