/** StreamCloudlet: what becomes of a cloudlet, line by line, while it happens. */

import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import t from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import { followCloudlet } from "../../../src/service/mc/follow.ts";
import { call, key, smallest } from "./mc-running.ts";
import { addOrganization, releaseText, startService, uploadRelease, type Running } from "./running.ts";

async function started(t: Parameters<typeof startService>[0]): Promise<Running & { readonly id: string }> {
  const running = await startService(t);
  await addOrganization(running, "ExampleTel");
  await call(running, running.admin, "CreateCloudlet", { Region: "EU", Cloudlet: smallest });
  const id = String(((await running.ask("GET", "/v1/cloudlets", { token: running.admin })).json["items"] as readonly JsonObject[])[0]?.["id"]);
  return { ...running, id };
}

function receipt(id: string, more: object): { readonly path: string; readonly body: string } {
  return {
    path: `/v1/cloudlets/${id}/receipts`,
    body: JSON.stringify({ apiVersion: "cloudlet-bundle/v1", kind: "Receipt", action: "install", result: "complete", cloudlet: "berlin-1", organization: "ExampleTel", bundle: `sha256:${"0".repeat(64)}`, finished: "2026-11-30T10:00:00Z", ...more }),
  };
}

t.test("follows the bundle and then the receipt, over a socket", async (t) => {
  const running = await started(t);
  const { admin, ask, id, service } = running;
  await uploadRelease(running);
  await service.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = service.app.server.address() as AddressInfo;
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/auth/ctrl/StreamCloudlet`, { method: "POST", headers: { authorization: `Bearer ${admin}`, "content-type": "application/json" }, body: JSON.stringify(key) });
  t.equal(answer.status, 200);
  t.match(answer.headers.get("content-type"), /^application\/json/);
  const heard: string[] = [];
  let rest = "";
  const reading = (async () => {
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      rest += chunk;
      const lines = rest.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines.filter((each) => each !== "")) heard.push(((JSON.parse(line) as JsonObject)["data"] as { readonly message: string }).message);
    }
  })();
  const until = async (pattern: RegExp): Promise<void> => {
    for (let tries = 0; !heard.some((each) => pattern.test(each)); tries += 1) {
      if (tries > 500) throw new Error(`never heard ${String(pattern)}: ${heard.join(" | ")}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  await until(/^No bundle was asked for yet/);
  t.equal((await call(running, admin, "GetCloudletManifest", key)).status, 200);
  await until(/^Waiting for the receipt/);
  const { path, body } = receipt(id, {});
  t.equal((await ask("POST", path, { token: admin, body, headers: { "content-type": "application/json" } })).status, 201);
  await reading;
  t.match(heard, ["No bundle was asked for yet: run `GetCloudletManifest`", "Bundle: asked for", /^Bundle: /]);
  t.equal(heard.at(-1), "Cloudlet setup successfully");
  t.strictSame((await call(running, admin, "StreamCloudlet", key)).messages.at(-1), "Cloudlet setup successfully", "whoever comes late hears how it ended");
  const gone = receipt(id, { action: "uninstall", result: "removed", finished: "2026-11-30T11:00:00Z" });
  await ask("POST", gone.path, { token: admin, body: gone.body, headers: { "content-type": "application/json" } });
  t.equal((await call(running, admin, "StreamCloudlet", key)).messages.at(-1), "Cloudlet was removed from its site");
});

t.test("a bundle that can't be made ends it badly", async (t) => {
  const running = await started(t);
  const { admin, ask } = running;
  // The lock says what there should be; the store has nothing of it.
  const release = String((await ask("POST", "/v1/releases", { token: admin, yaml: releaseText })).json["id"]);
  await ask("PUT", `/v1/releases/${release}/lock`, { token: admin, body: readFileSync(new URL("../../../bundles/openstack-single/release.lock.json", import.meta.url), "utf8"), headers: { "content-type": "application/json" } });
  t.equal((await call(running, admin, "GetCloudletManifest", key)).status, 200);
  const answer = await call(running, admin, "StreamCloudlet", key);
  t.equal(answer.status, 200);
  t.match(answer.lines.at(-1), { result: { message: /^Encountered failures: the blob store lacks/, code: 400 } });
});

t.test("nothing comes for too long; it is deleted; nobody reads any more; the service stops", async (t) => {
  const running = await started(t);
  const { admin, id, service } = running;
  const all = async (gone: AbortSignal, waitMs: number): Promise<string> => {
    let text = "";
    for await (const line of followCloudlet(service.context, id, gone, waitMs)) text += line;
    return text;
  };
  const late = await all(new AbortController().signal, 30);
  t.match(late, /"platform bringup timed out"/);
  t.match(late.trimEnd().split("\n").at(-1), JSON.stringify({ result: { message: "Timed out waiting for cloudlet state to be Ready", code: 400 } }));
  const leaving = new AbortController();
  const left = all(leaving.signal, 60_000);
  setTimeout(() => leaving.abort(), 30);
  t.notMatch(await left, /timed out/);
  const waiting = call(running, admin, "StreamCloudlet", key);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await call(running, admin, "DeleteCloudlet", { Region: "EU", Cloudlet: { key: smallest.key } });
  t.equal((await waiting).messages.at(-1), "Deleted Cloudlet successfully");
  t.equal((await call(running, admin, "StreamCloudlet", key)).status, 400);
  await call(running, admin, "CreateCloudlet", { Region: "EU", Cloudlet: smallest });
  const last = call(running, admin, "StreamCloudlet", key);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await running.close();
  t.equal((await last).status, 200, "a stream ends with the service");
});

t.test("who may: whoever may see the cloudlet", async (t) => {
  const running = await started(t);
  const viewer = await running.person("viewer", { organization: "ExampleTel" });
  const stranger = await running.person("stranger");
  const { path, body } = receipt(running.id, {});
  await running.ask("POST", path, { token: running.admin, body, headers: { "content-type": "application/json" } });
  t.equal((await call(running, viewer, "StreamCloudlet", key)).messages.at(-1), "Cloudlet setup successfully");
  t.equal((await call(running, stranger, "StreamCloudlet", key)).refusal, "Forbidden");
});
