/** Direct access: install.sh run by the service, against a client of the tests' own in place of OpenStack's. */

import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import type { Test } from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import { userOf } from "../../../src/service/direct/run-as.ts";
import { addCloudlet, addOrganization, bundleOf, specOf, startService, uploadRelease, type Answer, type Running } from "../../unit/service/running.ts";
import { bytesBelow, login, password, processesWith, standIn } from "./stand-in.ts";
import type { ServiceOptions } from "../../../src/service/service.ts";

t.setTimeout(300_000);
interface Scene extends Running {
  readonly client: ReturnType<typeof standIn>;
  readonly cloudlet: string;
  readonly bundle: string;
  readonly begin: (action: string, more?: object, token?: string) => Promise<Answer>;
  readonly until: (id: string, ...states: readonly string[]) => Promise<JsonObject>;
}

async function scene(t: Test, options: Partial<ServiceOptions> = {}): Promise<Scene> {
  const client = standIn(t);
  const running = await startService(t, { ...options, installer: { clients: `${client.bin}${delimiter}/usr/bin:/bin`, graceMs: 1_500, ...options.installer } });
  running.secrets.add(password);
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, running.admin, specOf("berlin-1"));
  const bundle = String((await bundleOf(running, running.admin, cloudlet, await uploadRelease(running)))["id"]);
  return {
    ...running, client, cloudlet, bundle,
    begin: (action, more = { credentials: login }, token = running.admin) => running.ask("POST", "/v1/installations", { token, json: { cloudlet, bundle, action, ...more } }),
    until: (id, ...states) => untilState(running, id, states),
  };
}

async function untilState({ ask, admin }: Pick<Running, "ask" | "admin">, id: string, states: readonly string[]): Promise<JsonObject> {
  for (let tries = 0; tries < 600; tries += 1) {
    const { json } = await ask("GET", `/v1/installations/${id}`, { token: admin });
    if (states.includes(String(json["state"]))) return json;
    await sleep(50);
  }
  throw new Error(`${id} is none of ${states.join(", ")}: ${JSON.stringify((await ask("GET", `/v1/installations/${id}`, { token: admin })).json)}`);
}

t.test("a check, confined: what it has, what it says, and that no secret is left anywhere", async (t) => {
  const { ask, admin, client, begin, until, folder, log, cloudlet } = await scene(t);
  client.set("refuses");
  process.env["NOT_FOR_CHILDREN"] = "x";
  const answer = await begin("check");
  t.equal(answer.status, 202, answer.text);
  const id = String(answer.json["id"]);
  const ended = await until(id, "findings", "failed", "done");
  t.match(ended, { state: "findings", exitStatus: 1, action: "check", receipt: null });
  const text = (await ask("GET", `/v1/installations/${id}/log`, { token: admin })).text;
  t.match(text, /signature/);
  t.match(text, /credentials\/refused/);
  t.match(text, /\[secret\]/, "what the client said with the password in it");
  const environment = client.environment();
  t.match(environment, new RegExp(`^OS_PASSWORD=${password}$`, "m"), "it came to the client");
  t.notMatch(environment, /NOT_FOR_CHILDREN/);
  t.match(environment, new RegExp(`^HOME=${folder}/runs/${id}/home$`, "m"));
  t.match(environment, /^0077$/m);
  t.equal(/service\.(db|lock)|journal-mode/.test(environment), false, "no file of the service's is open in it");
  const events = (await ask("GET", `/v1/installations/${id}/events`, { token: admin })).text;
  t.match(events, /event: queued\n[^]*event: running\n[^]*event: line\n[^]*event: findings\n/);
  const numbers = [...events.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]));
  t.strictSame(numbers, numbers.map((_, at) => at + 1));
  const later = (await ask("GET", `/v1/installations/${id}/events`, { token: admin, headers: { "last-event-id": String(numbers.length - 1) } })).text;
  t.match(later, new RegExp(`^id: ${numbers.length}\nevent: findings`));
  t.equal((await ask("GET", `/v1/installations/${id}/events`, { token: admin, headers: { "last-event-id": String(numbers.length) } })).status, 204);
  t.strictSame(readdirSync(join(folder, "runs")), []);
  t.match((await ask("GET", `/v1/cloudlets/${cloudlet}/access-keys`, { token: admin })).json, { items: [] }, "looking issues no key");
  for (const [what, bytes] of [["state folder", bytesBelow(folder)], ["log", log.join("")], ["events", events], ["answers", text]] as const) t.notOk(bytes.includes(password), what);
  t.match((await ask("GET", "/v1/audit", { token: admin })).text, /installation:begin[^]*installation:findings/);
});

t.test("cancelled: the whole group is ended, gracefully or not; a retry goes on with the same secrets", async (t) => {
  const { ask, admin, client, begin, until, folder, cloudlet, bundle } = await scene(t);
  client.set("hangs");
  const answer = await begin("install", { credentials: login, parameters: { flavor: "m1.large" } });
  t.equal(answer.status, 202, answer.text);
  const id = String(answer.json["id"]);
  await until(id, "running");
  while (!client.calls().includes("\n")) await sleep(20);
  t.equal(statSync(join(folder, "runs", id)).mode & 0o777, 0o700);
  t.equal(statSync(join(folder, "runs", id, "secrets")).mode & 0o777, 0o600);
  const { ACCESS_KEY: key = "" } = Object.fromEntries(readFileSync(join(folder, "runs", id, "secrets"), "utf8").split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2) as [string, string]));
  t.match(key, /^base64:/);
  for (const secret of [password, key.slice(7)]) t.strictSame(processesWith(secret), [], "no process has it among its words");
  const big = readdirSync(join(folder, "runs", id, "bundle"), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && statSync(join(entry.parentPath, entry.name)).nlink > 1);
  t.ok(big.length >= 1, "the VM image is a link");
  const other = await begin("check");
  t.equal(other.status, 409, "one at a time");
  const removal = await ask("DELETE", `/v1/cloudlets/${cloudlet}`, { token: admin, headers: { "if-match": "*" } });
  t.equal(removal.status, 409, "nor is it removed under its feet");
  t.equal((await ask("POST", `/v1/installations/${id}/cancel`, { token: admin })).status, 202);
  t.match(await until(id, "cancelled"), { state: "cancelled" });
  t.strictSame(processesWith(id), [], "nobody is left");
  t.equal((await ask("POST", `/v1/installations/${id}/cancel`, { token: admin })).status, 200, "again: nothing to do");
  t.strictSame(readdirSync(join(folder, "runs")), []);
  t.notOk(bytesBelow(folder).includes(key.slice(7)), "what is kept for going on is sealed");

  t.equal((await ask("POST", `/v1/installations/${id}/retry`, { token: admin, json: {} })).status, 400, "credentials of one run are gone with it");
  client.set("deaf");
  t.equal((await ask("POST", `/v1/installations/${id}/retry`, { token: admin, json: { credentials: login } })).status, 202);
  await until(id, "running");
  while (!client.calls().includes("\n")) await sleep(20);
  t.match(readFileSync(join(folder, "runs", id, "secrets"), "utf8"), key, "the same key");
  await ask("POST", `/v1/installations/${id}/cancel`, { token: admin });
  t.match(await until(id, "cancelled"), { attempts: 2 });
  t.strictSame(processesWith(id), [], "SIGKILL where SIGTERM is not heard");

  t.equal((await begin("install")).status, 409, "the key was issued: a second one is not");
  t.equal((await ask("POST", "/v1/installations", { token: admin, json: { cloudlet, bundle, action: "rollback", credentials: login, secrets: { X: "y" } } })).status, 400);
  client.set("refuses");
  const reissued = await begin("upgrade");
  t.equal(reissued.status, 202, reissued.text);
  await until(String(reissued.json["id"]), "findings", "failed");
  const keys = (await ask("GET", `/v1/cloudlets/${cloudlet}/access-keys`, { token: admin })).json["items"] as readonly JsonObject[];
  t.strictSame(keys.map((each) => each["revoked"] === null), [false, true], "revoked, and issued again");
  t.equal((await ask("POST", `/v1/installations/${id}/retry`, { token: admin, json: { credentials: login } })).status, 409, "a later one has taken its place");
});

t.test("uninstall to the end: its receipt is the cloudlet's", async (t) => {
  const { ask, admin, begin, until, cloudlet, folder } = await scene(t);
  const answer = await begin("uninstall");
  const id = String(answer.json["id"]);
  const ended = await until(id, "done", "failed", "findings");
  t.match(ended, { state: "done", exitStatus: 0, receipt: /^sha256:/ }, (await ask("GET", `/v1/installations/${id}/log`, { token: admin })).text);
  t.match((await ask("GET", `/v1/cloudlets/${cloudlet}`, { token: admin })).json, { state: "removed" });
  t.match((await ask("GET", `/v1/cloudlets/${cloudlet}/receipts`, { token: admin })).json, { items: [{ id: ended["receipt"], action: "uninstall", result: "removed" }] });
  t.match(readFileSync(join(folder, "installations", cloudlet, "journal"), "utf8"), /end uninstall/, "the journal is kept");
  t.equal((await ask("POST", `/v1/installations/${id}/retry`, { token: admin, json: { credentials: login } })).status, 409);
  t.match((await ask("GET", `/v1/installations?cloudlet=${cloudlet}&state=done`, { token: admin })).json, { items: [{ id }] });
});

t.test("stopped with the service: interrupted, and goes on", async (t) => {
  const running = await scene(t);
  const { client, begin, until, folder, admin } = running;
  client.set("hangs");
  const id = String((await begin("install")).json["id"]);
  await until(id, "running");
  while (!client.calls().includes("\n")) await sleep(20);
  await running.close();
  t.strictSame(processesWith(id), []);
  const again = await startService(t, { folder, installer: { clients: `${client.bin}${delimiter}/usr/bin:/bin`, graceMs: 1_500 } });
  const asAdmin = { ask: again.ask, admin };
  t.match(await untilState(asAdmin, id, ["interrupted"]), { attempts: 1 });

  client.set("refuses");
  t.equal((await again.ask("POST", `/v1/installations/${id}/retry`, { token: admin, json: { credentials: login } })).status, 202);
  t.match(await untilState(asAdmin, id, ["findings"]), { attempts: 2 });
  await again.close();
});

t.test("kept credentials: sealed, never given back, sealed anew under a new key, and of no use elsewhere", async (t) => {
  const keys = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)] as const;
  const running = await scene(t, { installer: { sealingKeys: [keys[0]] } });
  const { ask, admin, cloudlet, client, begin, until, folder, service } = running;
  const path = `/v1/cloudlets/${cloudlet}/credentials`;
  const clouds = `clouds:\n  edge:\n    auth: {auth_url: "https://keystone.example.net:5000/v3", username: conny, password: "${password}", project_name: edge}\n`;
  const kept = await ask("PUT", path, { token: admin, json: { name: "site", credentials: clouds } });
  t.equal(kept.status, 200, kept.text);
  t.strictSame(Object.keys(kept.json).sort(), ["created", "createdBy", "id", "name"]);
  const id = String(kept.json["id"]);
  t.match((await ask("GET", path, { token: admin })).json, { items: [{ id, name: "site" }] });
  t.equal((await ask("PUT", path, { token: admin, json: { name: "site", credentials: login } })).json["id"], id, "replaced");
  await ask("PUT", path, { token: admin, json: { name: "clouds", credentials: clouds } });
  client.set("refuses");
  const installation = String((await begin("check", { credential: "clouds" })).json["id"]);
  await until(installation, "findings");
  t.match(client.environment(), /^OS_CLOUD=edge$/m);
  t.match(client.environment(), new RegExp(`^OS_CLIENT_CONFIG_FILE=${folder}/runs/`, "m"));
  t.match((await ask("GET", `/v1/installations/${installation}`, { token: admin })).json, { credential: "clouds" });
  t.equal((await ask("POST", `/v1/installations/${installation}/retry`, { token: admin })).status, 202, "kept ones are there for a retry");
  await until(installation, "findings");

  const other = await addCloudlet(running, admin, specOf("berlin-2"));
  const row = await service.context.db.selectFrom("site_credentials").selectAll().where("id", "=", id).executeTakeFirstOrThrow();
  await service.context.db.insertInto("site_credentials").values({ ...row, id: "x".repeat(22), cloudlet_id: other }).execute();
  const stolen = await ask("POST", "/v1/installations", { token: admin, json: { cloudlet: other, bundle: (await bundleOf(running, admin, other, String(((await ask("GET", "/v1/releases", { token: admin })).json["items"] as readonly JsonObject[])[0]?.["id"])))["id"], action: "check", credential: "site" } });
  t.equal(stolen.status, 409, "a row that was moved does not open");
  t.notOk(bytesBelow(folder).includes(password));
  t.notOk((await ask("GET", "/v1/audit/export", { token: admin })).text.includes(password));
  await running.close();

  const rotated = await startService(t, { folder, installer: { clients: `${client.bin}${delimiter}/usr/bin:/bin`, sealingKeys: [keys[1], keys[0]] } });
  await rotated.close();
  const after = await startService(t, { folder, installer: { clients: `${client.bin}${delimiter}/usr/bin:/bin`, sealingKeys: [keys[1]] } });
  const begun = await after.ask("POST", `/v1/installations/${installation}/retry`, { token: admin, json: { credential: id } });
  t.equal(begun.status, 202, "the new key alone opens them");
  await untilState({ ask: after.ask, admin }, installation, ["findings"]);
  t.equal((await after.ask("DELETE", `${path}/${id}`, { token: admin })).status, 204);
  t.equal((await after.ask("DELETE", `${path}/${id}`, { token: admin })).status, 404);
  t.equal((await after.ask("DELETE", path, { token: admin })).status, 204);
  t.match((await after.ask("GET", path, { token: admin })).json, { items: [] });
  await after.close();
});

t.test("who may, and what is refused before anything runs", async (t) => {
  const running = await scene(t);
  const { ask, begin, client, cloudlet, until, admin, person } = running;
  const viewer = await person("vera", { organization: "ExampleTel" });
  const contributor = await person("conny", { organization: "ExampleTel", role: "contributor" });
  const auditor = await person("audrey", { platformRole: "auditor" });
  const stranger = await person("stan");
  client.set("refuses");
  const answer = await begin("check", { credentials: login }, contributor);
  t.equal(answer.status, 202, answer.text);
  const id = String(answer.json["id"]);
  await until(id, "findings");
  for (const token of [viewer, auditor]) {
    t.equal((await ask("GET", `/v1/installations/${id}/log`, { token })).status, 200);
    t.equal((await ask("GET", `/v1/cloudlets/${cloudlet}/credentials`, { token })).status, 200);
    t.equal((await begin("check", { credentials: login }, token)).status, 403);
    t.equal((await ask("PUT", `/v1/cloudlets/${cloudlet}/credentials`, { token, json: { name: "x", credentials: login } })).status, 403);
    for (const verb of ["cancel", "retry"]) t.equal((await ask("POST", `/v1/installations/${id}/${verb}`, { token, ...(verb === "retry" ? { json: {} } : {}) })).status, 403, verb);
  }
  t.equal((await ask("GET", `/v1/installations/${id}`, { token: stranger })).status, 404);
  t.match((await ask("GET", "/v1/installations", { token: stranger })).json, { items: [] });

  for (const [name, credentials] of [
    ["a path of the service's machine", { ...login, OS_CACERT: "/etc/shadow" }],
    ["a variable of the shell's", { ...login, LD_PRELOAD: "/tmp/x.so" }],
    ["another client file", { ...login, OS_CLIENT_CONFIG_FILE: "/etc/openstack/clouds.yaml" }],
    ["a plugin that reads files", { ...login, OS_AUTH_TYPE: "v3oidcaccesstokenfile" }],
    ["a cloud of this machine's", { OS_CLOUD: "prod" }],
    ["a program", "export OS_AUTH_URL=https://x\nexport OS_PASSWORD=$(cat /etc/shadow)\n"],
    ["a clouds.yaml that names a file", "clouds: {a: {auth: {auth_url: x}, cacert: /etc/shadow}}\n"],
    ["two clouds", "clouds: {a: {auth: {}}, b: {auth: {}}}\n"],
    ["no YAML", "clouds: [\n"],
  ] as const) {
    const refused = await begin("check", { credentials });
    t.equal(refused.status, 422, name);
    t.notOk(refused.text.includes(password), name);
  }
  t.equal((await begin("check", {})).status, 400);
  for (const [given, pointer, message] of [[5, "/credentials", /text or a group of keys/], [{ OS_PASSWORD: 5 }, "/credentials/OS_PASSWORD", /text/], ["", "/credentials", /empty/]] as const) {
    const wrong = await begin("check", { credentials: given });
    t.equal(wrong.status, 400);
    t.match(wrong.json["issues"], [{ pointer, message }]);
    t.equal((wrong.json["issues"] as readonly unknown[]).length, 1, "said once");
  }
  t.equal((await begin("check", { credential: "nope" })).status, 400);
  t.equal((await begin("install", { credentials: login, parameters: { "a b": "x" } })).status, 400);
  t.equal((await begin("install", { credentials: login, secrets: { ACCESS_KEY: 5 } })).status, 400);
  const openrc = await begin("check", { credentials: `#!/bin/sh\nexport OS_AUTH_URL=https://keystone.example.net\nunset OS_TENANT_ID\nexport OS_PASSWORD='${password}'\nOS_USERNAME="co\\"nny"\n` });
  t.equal(openrc.status, 202, openrc.text);
  await until(String(openrc.json["id"]), "findings");
  t.match(client.environment(), /^OS_USERNAME=co"nny$/m);
  t.equal((await ask("GET", "/v1/audit/verification", { token: admin })).json["good"], true);
});

t.test("as many as may run at a time; the others wait, and what takes too long is ended", async (t) => {
  const running = await scene(t, { installer: { atOnce: 1, timeoutMs: 3_000 } });
  const { ask, admin, begin, until, client, service } = running;
  const other = await addCloudlet(running, admin, specOf("berlin-2"));
  const release = String((await service.context.db.selectFrom("releases").select("id").executeTakeFirstOrThrow()).id);
  const bundle = String((await bundleOf(running, admin, other, release))["id"]);
  client.set("hangs");
  const first = String((await begin("check")).json["id"]);
  await until(first, "running");
  const second = String((await ask("POST", "/v1/installations", { token: admin, json: { cloudlet: other, bundle, action: "check", credentials: login } })).json["id"]);
  t.match((await ask("GET", `/v1/installations/${second}`, { token: admin })).json, { state: "queued" });
  await ask("POST", `/v1/installations/${second}/cancel`, { token: admin });
  t.match(await until(second, "cancelled"), { started: null });
  await ask("POST", `/v1/installations/${second}/retry`, { token: admin, json: { credentials: login } });
  t.match(await until(first, "failed", "done"), { state: "failed" });
  t.match((await ask("GET", `/v1/installations/${first}/events`, { token: admin })).text, /it took too long/);
  await until(second, "running");
  await ask("POST", `/v1/installations/${second}/cancel`, { token: admin });
  await until(second, "cancelled");
  t.strictSame(processesWith(first), []);
});

t.test("as another user, who reads nothing of the service's", async (t) => {
  if (process.getuid?.() !== 0) {
    await t.rejects(userOf("nobody"), /only root/);
    return;
  }
  const runAs = await userOf("nobody");
  await t.rejects(userOf("root"), /without root/);
  await t.rejects(userOf("no-such-user"), /no user/);
  const { client, begin, until, folder, ask, admin } = await scene(t, { installer: { runAs } });
  chmodSync(client.bin, 0o777);
  for (const name of ["calls", "mood"]) chmodSync(join(client.bin, name), 0o666);
  const id = String((await begin("uninstall")).json["id"]);
  const ended = await until(id, "done", "failed", "findings");
  t.equal(ended["state"], "done", (await ask("GET", `/v1/installations/${id}/log`, { token: admin })).text);
  t.equal(statSync(join(client.bin, "environment")).uid, runAs.uid);
  for (const name of ["service.db", "keys/signing-key.pem", "keys/credentials-key", "runs/x"]) {
    t.throws(() => execFileSync("cat", [join(folder, name)], { uid: runAs.uid, gid: runAs.gid, stdio: "ignore" }), name);
  }
  client.set("refuses");
  const checked = String((await begin("check")).json["id"]);
  t.match(await until(checked, "findings", "failed"), { state: "findings" }, "it verifies the bundle and its big files");
});

t.test("keys that are none, or that others may read, are refused at the start", async (t) => {
  const { givenSealingKeys } = await import("../../../src/service/direct/credentials-key.ts");
  const folder = mkdtempSync(join(tmpdir(), "cloudlet-keys-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "d"));
  const file = join(folder, "key");
  const good = execFileSync("openssl", ["rand", "-base64", "32"], { encoding: "utf8" });
  writeFileSync(file, `# of 2026\n${good}`, { mode: 0o600 });
  t.equal((await givenSealingKeys({ file, environment: {} }))?.length, 1);
  t.strictSame(await givenSealingKeys({ command: `cat ${file}`, environment: { PATH: "/usr/bin:/bin" } }), await givenSealingKeys({ file, environment: {} }));
  chmodSync(file, 0o640);
  await t.rejects(givenSealingKeys({ file, environment: {} }), /read by others/);
  await t.rejects(givenSealingKeys({ command: "echo short", environment: {} }), /does not hold keys/);
  await t.rejects(givenSealingKeys({ command: "exit 3", environment: {} }), /status 3/);
});
