/** The state folder: one service at a time, forms that only grow, backups, and the audit trail. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sql } from "kysely";
import t from "tap";
import { canonicalJson, type JsonObject } from "../../../src/core/json.ts";
import { processIo } from "../../../src/cli/io.ts";
import { main } from "../../../src/cli/main.ts";
import { backUp, restore } from "../../../src/service/state/backup.ts";
import { openDatabase } from "../../../src/service/state/database.ts";
import { claimJob, endJob, renewLease, requeueAll } from "../../../src/service/state/jobs.ts";
import { migrate, schemaVersion } from "../../../src/service/state/migrations.ts";
import { addCloudlet, addOrganization, bundleOf, root, specOf, startService, uploadRelease } from "./running.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet-state-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));

t.test("one folder has one service, and the lock goes with it", async (t) => {
  const folder = join(work, "one");
  const first = await startService(t, { folder });
  await t.rejects(startService(t, { folder }), { name: "EnvironmentError", message: /another service uses/ });
  t.equal(statSync(folder).mode & 0o777, 0o700, "for its owner alone");
  for (const name of ["service.db", "service.db-wal"]) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, `${name}, wherever the folder came from`);
  await first.close();
  await (await startService(t, { folder })).close();
});

t.test("a folder that can't be used is told", async (t) => {
  writeFileSync(join(work, "file"), "");
  await t.rejects(startService(t, { folder: join(work, "file/state") }), { name: "EnvironmentError", message: /can't be written to/ });
});

t.test("what a newer program wrote is left alone", async (t) => {
  const folder = join(work, "newer");
  await (await startService(t, { folder })).close();
  const database = new DatabaseSync(join(folder, "service.db"));
  database.exec(`insert into schema_version (number) values (${schemaVersion + 1})`);
  database.close();
  const before = readFileSync(join(folder, "service.db"));
  await t.rejects(startService(t, { folder }), { name: "EnvironmentError", message: /newer version/ });
  t.ok(readFileSync(join(folder, "service.db")).equals(before));
});

t.test("a migration that fails leaves nothing of itself; twice is once", async (t) => {
  const path = join(work, "half.db");
  const half = openDatabase(path);
  // In the way of the last table of the first form.
  const database = new DatabaseSync(path);
  database.exec("create table audit_head (x)");
  await t.rejects(migrate(half), /audit_head/);
  t.strictSame(database.prepare("select name from sqlite_master where type = 'table' order by name").all().map((row) => row["name"]), ["audit_head", "schema_version"]);
  database.exec("drop table audit_head");
  await migrate(half);
  await migrate(half);
  const numbers = database.prepare("select number from schema_version order by number").all().map((row) => row["number"]);
  t.strictSame([...new Set(numbers)], numbers, "each step once");
  t.equal(numbers.at(-1), schemaVersion);
  database.close();
  await half.destroy();
});

t.test("a job is one owner's as long as the lease holds", async (t) => {
  const running = await startService(t, { folder: join(work, "jobs") });
  const { service: { context: { db } } } = running;
  await addOrganization(running, "ExampleTel");
  const bundle = await bundleOf(running, running.admin, await addCloudlet(running, running.admin, specOf("berlin-1")), await uploadRelease(running));
  const id = String(bundle["id"]);
  await db.insertInto("jobs").values({ bundle_id: id, state: "running", attempts: 1, owner: "gone", lease_until: 1_000, created: 0 }).execute();
  t.equal(await claimJob(db, "me", 999, 500), undefined, "another one has it");
  t.strictSame(await claimJob(db, "me", 1_000, 500), { bundleId: id, attempts: 2 }, "its lease has ended");
  t.equal(await renewLease(db, id, "gone", 9_999), false);
  t.equal(await renewLease(db, id, "me", 2_000), true);
  t.equal(await db.transaction().execute((transaction) => endJob(transaction, id, "gone")), false, "who lost it does not end it");
  t.strictSame(await db.transaction().execute(requeueAll), [id]);
  t.match(await claimJob(db, "me", 0, 500), { attempts: 3 });
  t.equal(await db.transaction().execute((transaction) => endJob(transaction, id, "me")), true);
});

t.test("a backup while the service runs; restored elsewhere, bundles are made again to the byte", async (t) => {
  const folder = join(work, "backed");
  const file = join(work, "state.backup");
  const running = await startService(t, { folder });
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, running.admin, specOf("berlin-1"));
  const bundle = await bundleOf(running, running.admin, cloudlet, await uploadRelease(running));
  const path = `/v1/bundles/${String(bundle["id"])}`;
  const { bytes } = await running.ask("GET", `${path}/download`, { token: running.admin });
  t.equal(await backUp(folder, file), schemaVersion);
  t.equal(statSync(file).mode & 0o777, 0o600);
  await t.rejects(backUp(folder, file), /exists already/);
  await t.rejects(backUp(join(work, "nowhere"), join(work, "x")), /no state/);
  await addCloudlet(running, running.admin, specOf("later"));
  await t.rejects(restore(folder, file), /another service uses/, "not while it runs");
  await running.close();

  const other = join(work, "restored");
  t.equal(await restore(other, file), schemaVersion);
  // As the guide says: the key and the inputs are copied beside it. The small files of the bundles are not.
  mkdirSync(join(other, "keys"), { recursive: true });
  spawnSync("cp", ["-a", join(folder, "keys/signing-key.pem"), join(other, "keys/")]);
  spawnSync("cp", ["-a", join(folder, "blobs"), other]);
  const again = await startService(t, { folder: other });
  t.equal(again.service.invitation, undefined, "the administrator is there");
  for (let tries = 0; tries < 200 && (await again.ask("GET", path, { token: running.admin })).json["state"] !== "ready"; tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
  const made = await again.ask("GET", `${path}/download`, { token: running.admin });
  t.ok(made.bytes.equals(bytes), "byte for byte");
  t.equal((await again.ask("GET", "/v1/cloudlets?name=later", { token: running.admin })).text, '{"items":[]}', "as it was then");
  await again.close();

  t.equal(await restore(folder, file), schemaVersion);
  t.ok(existsSync(join(folder, "service.db.before-restore")), "what was there is kept");
  t.strictSame(readdirSync(folder).sort(), ["blobs", "drawn", "installations", "keys", "runs", "service.db", "service.db.before-restore", "service.lock"], "and nothing else is left");
  t.strictSame(readdirSync(work).filter((name) => name.includes("state.backup")), ["state.backup"]);
  await (await startService(t, { folder })).close();
});

t.test("what is no backup is refused, and changes nothing", async (t) => {
  const folder = join(work, "kept");
  await (await startService(t, { folder })).close();
  const before = readFileSync(join(folder, "service.db"));
  const bad = join(work, "bad");
  writeFileSync(bad, "no database at all, but long enough to be looked at as one would look at a header");
  await t.rejects(restore(folder, bad), /no backup/);
  const damaged = Buffer.from(before);
  damaged.fill(0x5a, 4_096, 3 * 4_096);
  writeFileSync(bad, damaged);
  await t.rejects(restore(folder, bad), /no backup/);
  const foreign = new DatabaseSync(join(work, "foreign.db"));
  foreign.exec("create table x (y)");
  foreign.close();
  await t.rejects(restore(folder, join(work, "foreign.db")), /no backup/);
  await t.rejects(restore(folder, join(work, "nothing")), /no such file/);
  t.ok(readFileSync(join(folder, "service.db")).equals(before));
});

t.test("the audit trail: who did what, and whether somebody was at it", async (t) => {
  let now = Date.UTC(2026, 10, 30);
  const running = await startService(t, { folder: join(work, "audit"), now: () => (now += 1) });
  const { ask, admin, person, service } = running;
  await addOrganization(running, "ExampleTel");
  await addOrganization(running, "Rival");
  await addCloudlet(running, admin, specOf("berlin-1"));
  await ask("POST", "/v1/sessions", { json: { name: "root", password: "not the password" }, address: "192.0.2.7" });
  const manager = await person("mia", { organization: "ExampleTel", role: "manager" });
  const auditor = await person("aud", { platformRole: "auditor" });
  const { items } = (await ask("GET", "/v1/audit?limit=200", { token: auditor })).json as unknown as { readonly items: readonly JsonObject[] };
  t.match(items.map((each) => each["action"]), ["password:set", "session:begin", "organization:create", "organization:create", "cloudlet:create", "session:refuse", "user:add"]);
  t.match(items[4], { number: 5, actor: "user:root", address: "127.0.0.1", organization: "ExampleTel", detail: { name: "berlin-1" } });
  t.match(items[5], { actor: "nobody", address: "192.0.2.7", subject: "user:root" });
  const backwards: JsonObject[] = [];
  for (let next = ""; ; ) {
    const { json } = await ask("GET", `/v1/audit?order=newest&limit=3${next}`, { token: auditor });
    backwards.push(...(json["items"] as readonly JsonObject[]));
    if (json["next"] === undefined) break;
    next = `&cursor=${encodeURIComponent(String(json["next"]))}`;
  }
  t.strictSame(backwards.slice(-items.length).reverse(), items, "the newest first, page by page, to the beginning");
  t.equal((await ask("GET", "/v1/audit?order=sideways", { token: auditor })).status, 400);
  const mine = (await ask("GET", "/v1/audit?organization=ExampleTel", { token: manager })).json["items"] as readonly JsonObject[];
  t.ok(mine.length >= 3 && mine.every((each) => each["organization"] === "ExampleTel"));
  t.equal((await ask("GET", "/v1/audit", { token: manager })).status, 403);
  t.equal((await ask("GET", "/v1/audit?organization=Rival", { token: manager })).status, 403);

  const exported = (await ask("GET", "/v1/audit/export", { token: auditor })).text.trimEnd().split("\n").map((line) => JSON.parse(line) as JsonObject);
  let previous = `sha256:${createHash("sha256").update("").digest("hex")}`;
  for (const { hash, ...entry } of exported) {
    t.equal(entry["previous"], previous);
    t.equal(hash, `sha256:${createHash("sha256").update(canonicalJson(entry)).digest("hex")}`, `entry ${String(entry["number"])}, by its line alone`);
    previous = String(hash);
  }
  const verdict = async (): Promise<JsonObject> => (await ask("GET", "/v1/audit/verification", { token: auditor })).json;
  t.match(await verdict(), { good: true, entries: exported.length, head: previous });

  const { db } = service.context;
  const attack = async (what: string, change: string, back: string, number: number): Promise<void> => {
    const direct = new DatabaseSync(join(work, "audit/service.db"));
    direct.exec("create temp table kept as select * from audit");
    direct.exec(change);
    t.match(await verdict(), { good: false, number }, what);
    direct.exec(back);
    direct.close();
    t.match(await verdict(), { good: true }, `${what}: undone`);
  };
  const whole = "delete from audit; insert into audit select * from kept";
  await attack("an edited actor", "update audit set actor = 'user:mia' where number = 5", whole, 5);
  await attack("an edited detail", `update audit set detail = '{"name":"x"}' where number = 5`, whole, 5);
  await attack("a detail that is no JSON", "update audit set detail = '{' where number = 5", whole, 5);
  await attack("a removed entry", "delete from audit where number = 5", whole, 5);
  await attack("the first one removed", "delete from audit where number = 1", whole, 1);
  await attack("the end cut off", `delete from audit where number > ${exported.length - 2}`, whole, exported.length - 1);
  await attack("two swapped", "update audit set number = -1 where number = 4; update audit set number = 4 where number = 5; update audit set number = 5 where number = -1", whole, 4);
  await attack("one more", "insert into audit select number + 1, time, actor, address, action, subject, organization, detail, hash, hash from audit order by number desc limit 1", whole, exported.length + 1);
  t.equal((await db.selectFrom("audit").select("number").execute()).length, exported.length);
});

t.test("a clock that stands in 1970 is no hindrance", async (t) => {
  const running = await startService(t, { folder: join(work, "1970"), now: () => 0 });
  await addOrganization(running, "ExampleTel");
  const bundle = await bundleOf(running, running.admin, await addCloudlet(running, running.admin, specOf("berlin-1")), await uploadRelease(running));
  t.match(bundle, { state: "ready", requested: "1970-01-01T00:00:00.000Z" });
  t.match((await running.ask("GET", "/v1/audit/verification", { token: running.admin })).json, { good: true });
});

t.test("a full disk is the world's fault, told as such, and nothing half-done", async (t) => {
  const running = await startService(t, { folder: join(work, "full") });
  const { ask, admin, service: { context: { db } } } = running;
  const { rows } = await sql<{ page_count: number }>`pragma page_count`.execute(db);
  await sql.raw(`pragma max_page_count = ${rows[0]?.page_count ?? 0}`).execute(db);
  let full = 0;
  for (let index = 0; index < 60; index += 1) {
    const { status, json } = await ask("POST", "/v1/organizations", { token: admin, json: { name: `${"Long name ".repeat(7)}${index}` } });
    if (status === 201) continue;
    full += 1;
    t.match(json, { status: 503, type: /overloaded/ });
  }
  t.ok(full > 0, `${full} times`);
  t.equal((await ask("GET", "/v1/health")).status, 200, "it can be read still");
  t.match((await ask("GET", "/v1/audit/verification", { token: admin })).json, { good: true });
  await sql.raw("pragma max_page_count = 1000000").execute(db);
  t.equal((await ask("POST", "/v1/organizations", { token: admin, json: { name: "After" } })).status, 201);
});

t.test("the verb: wrong options are usage, a folder that is in use is the environment", async (t) => {
  const folder = join(work, "verb");
  const serve = async (...words: readonly string[]): Promise<{ readonly status: number; readonly stderr: string }> => {
    let stderr = "";
    const status = await main(["serve", "--state", folder, ...words], { ...processIo(), err: (text) => void (stderr += text), out: () => undefined, workingFolder: work, packageFolder: root });
    return { status, stderr };
  };
  t.match(await serve("--listen", "nowhere"), { status: 2, stderr: /--listen takes ADDRESS:PORT/ });
  t.match(await serve("--tls-cert", "x"), { status: 2, stderr: /go together/ });
  t.match(await serve("dance"), { status: 2, stderr: /serve backup FILE/ });
  const running = await startService(t, { folder });
  await running.service.app.listen({ host: "127.0.0.1", port: 0 });
  t.match(await serve("--listen", "127.0.0.1:0"), { status: 3, stderr: /another service uses/ });
  const address = running.service.app.server.address();
  const port = typeof address === "object" ? address?.port : 0;
  renameSync(folder, `${folder}.moved`);
  t.match(await serve("--listen", `127.0.0.1:${port ?? 0}`), { status: 3, stderr: /can't listen at 127\.0\.0\.1:\d+.*EADDRINUSE[^]*something listens there already/ });
});
