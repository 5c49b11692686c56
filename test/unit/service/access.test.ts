/** Set-up, sessions, people, organizations and tokens. */

import { connect, type AddressInfo } from "node:net";
import t from "tap";
import { passwordsWith } from "../../../src/service/access/passwords.ts";
import { RequestRates, waitMs } from "../../../src/service/access/throttle.ts";
import { addOrganization, startService } from "./running.ts";

const password = "correct horse battery staple";

t.test("the invitation of the first start is good once, and nobody else becomes an administrator", async (t) => {
  const { ask, service, secrets } = await startService(t);
  const { invitation } = service;
  t.match(invitation, /^cbi_/);
  const again = await ask("POST", "/v1/setup", { json: { token: invitation, name: "mallory", password } });
  t.equal(again.status, 401);
  t.equal((await ask("POST", "/v1/setup", { json: { token: `cbi_${"A".repeat(43)}`, name: "mallory", password } })).status, 401);
  const { rows } = { rows: await service.context.db.selectFrom("invitations").selectAll().execute() };
  t.strictSame(rows, []);
  secrets.add(password);
  t.equal((await ask("POST", "/v1/sessions", { json: { name: "mallory", password } })).status, 401);
});

t.test("an invitation expires, and a start after that prints another", async (t) => {
  let now = Date.now();
  const first = await startService(t, { now: () => now });
  const added = await first.ask("POST", "/v1/users", { token: first.admin, json: { name: "late" } });
  now += 8 * 24 * 3_600_000;
  const late = await first.ask("POST", "/v1/setup", { json: { token: added.json["invitation"], name: "late", password } });
  t.equal(late.status, 401);
  t.equal((await first.ask("GET", "/v1/me", { token: first.admin })).status, 401, "and so does a session");
});

t.test("short passwords are refused and leave the invitation as it is; another name does, too", async (t) => {
  const { ask, admin } = await startService(t);
  const { invitation } = (await ask("POST", "/v1/users", { token: admin, json: { name: "bob" } })).json;
  const short = await ask("POST", "/v1/setup", { json: { token: invitation, name: "bob", password: "short" } });
  t.equal(short.status, 400);
  t.match(short.json, { issues: [{ pointer: "/password" }] });
  t.notMatch(short.text, /"short"/);
  t.equal((await ask("POST", "/v1/setup", { json: { token: invitation, name: "root", password } })).status, 401, "root's password is not bob's to set");
  t.equal((await ask("POST", "/v1/setup", { json: { token: invitation, name: "bob", password } })).status, 204);
  t.equal((await ask("POST", "/v1/sessions", { json: { name: "bob", password } })).status, 201);
});

t.test("nothing works without a token, with a wrong one, or after logging out", async (t) => {
  const { ask, admin, service } = await startService(t);
  const document = service.app.swagger() as { readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly security?: readonly unknown[] }>>>> };
  for (const [template, operations] of Object.entries(document.paths)) {
    for (const [method, { security }] of Object.entries(operations)) {
      if (security?.length === 0) continue;
      const path = template.replace(/\{\w+\}/g, "x");
      for (const token of [undefined, `cbs_${"A".repeat(43)}`, "x"]) {
        const answer = await ask(method.toUpperCase() as "GET", path, { token });
        t.equal(answer.status, 401, `${method} ${path}`);
        t.match(answer.headers["www-authenticate"], /^Bearer/);
      }
    }
  }
  t.equal((await ask("GET", "/v1/me", { token: admin })).status, 200);
  t.equal((await ask("DELETE", "/v1/sessions/current", { token: admin })).status, 204);
  t.equal((await ask("GET", "/v1/me", { token: admin })).status, 401);
});

t.test("failed logins make one wait, known or not; the right password then does not help at once", async (t) => {
  let now = Date.now();
  const { ask, person, secrets } = await startService(t, { now: () => now });
  await person("carol");
  secrets.add("a wrong password");
  for (const name of ["carol", "nobody-here"]) {
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const answer = await ask("POST", "/v1/sessions", { json: { name, password: "a wrong password" }, address: "192.0.2.1" });
      t.equal(answer.status, 401, `${name} ${attempt}`);
    }
    const waiting = await ask("POST", "/v1/sessions", { json: { name, password: "a wrong password" }, address: "192.0.2.2" });
    t.equal(waiting.status, 429, `${name}, from elsewhere, too`);
    t.ok(Number(waiting.headers["retry-after"]) > 0);
  }
  now += 60_000;
  t.equal((await ask("POST", "/v1/sessions", { json: { name: "carol", password: "a wrong password" }, address: "192.0.2.2" })).status, 401, "after a while it is looked at again");
  const many = await Promise.all(Array.from({ length: 30 }, (_, index) => ask("POST", "/v1/sessions", { json: { name: `u${index}`, password: "a wrong password" }, address: "192.0.2.3" })));
  t.equal(many.filter(({ status }) => status === 401).length, 20, "an address has its own measure, also for many at once");
});

t.test("unknown and known names are answered alike, in body and roughly in time", async (t) => {
  // Costly enough that what else the machine does counts for little.
  const { ask, person } = await startService(t, { passwordCost: { logN: 15, r: 8, p: 1 } });
  await person("dave");
  const timed = async (name: string, address: string): Promise<{ readonly ms: number; readonly text: string }> => {
    const began = performance.now();
    const answer = await ask("POST", "/v1/sessions", { json: { name, password: "a wrong password" }, address });
    return { ms: performance.now() - began, text: answer.text };
  };
  const known = [];
  const unknown = [];
  for (let round = 0; round < 5; round += 1) {
    known.push(await timed("dave", `192.0.2.${round}`));
    unknown.push(await timed("erin", `192.0.2.${round}`));
  }
  t.strictSame([...new Set([...known, ...unknown].map(({ text }) => text))].length, 1, "one body");
  const least = (of: readonly { readonly ms: number }[]): number => Math.min(...of.map(({ ms }) => ms));
  t.ok(least(unknown) > least(known) / 2 && least(known) > least(unknown) / 2, `known ${least(known)} ms, unknown ${least(unknown)} ms`);
});

t.test("passwords: hashed with salt, compared in another form of the same text, hashed again when the cost grows", async (t) => {
  let drawn = 0;
  const random = (bytes: number): Uint8Array => new Uint8Array(bytes).fill((drawn += 1));
  const weak = passwordsWith(random, { logN: 4, r: 1, p: 1 });
  const strong = passwordsWith(random, { logN: 5, r: 1, p: 1 });
  const stored = await weak.hash("pa\u0308ssword of some length");
  t.not(stored, await weak.hash("pa\u0308ssword of some length"));
  t.strictSame(await weak.check("p\u00e4ssword of some length", stored), { right: true, rehash: false });
  t.strictSame(await strong.check("p\u00e4ssword of some length", stored), { right: true, rehash: true });
  t.strictSame(await weak.check("password of some length", stored), { right: false, rehash: false });
  t.strictSame(await weak.check("anything", null), { right: false, rehash: false });
});

t.test("a login with a grown cost leaves the better hash", async (t) => {
  const first = await startService(t);
  first.secrets.add(password);
  const { invitation } = (await first.ask("POST", "/v1/users", { token: first.admin, json: { name: "frank" } })).json;
  await first.ask("POST", "/v1/setup", { json: { token: invitation, name: "frank", password } });
  await first.close();
  const second = await startService(t, { folder: first.folder, passwordCost: { logN: 5, r: 1, p: 1 } });
  const stored = async (): Promise<string | null | undefined> => (await second.service.context.db.selectFrom("users").select("password").where("name", "=", "frank").executeTakeFirst())?.password;
  t.match(await stored(), /ln=4,/);
  t.equal((await second.ask("POST", "/v1/sessions", { json: { name: "frank", password } })).status, 201);
  t.match(await stored(), /ln=5,/);
});

t.test("changing a password ends every session; the current one must be right", async (t) => {
  const { ask, admin, secrets } = await startService(t);
  const current = [...secrets].find((each) => each.startsWith("root's")) ?? "";
  secrets.add(password);
  t.equal((await ask("PUT", "/v1/me/password", { token: admin, json: { current: "a wrong one, of course", password } })).status, 401);
  t.equal((await ask("PUT", "/v1/me/password", { token: admin, json: { current, password } })).status, 204);
  t.equal((await ask("GET", "/v1/me", { token: admin })).status, 401);
  t.equal((await ask("POST", "/v1/sessions", { json: { name: "root", password } })).status, 201);
});

t.test("people: disabled ones are out at once; the last administrator stays", async (t) => {
  const { ask, admin, person } = await startService(t);
  const token = await person("grace", { platformRole: "auditor" });
  t.equal((await ask("GET", "/v1/users", { token })).status, 200);
  t.equal((await ask("POST", "/v1/users", { token, json: { name: "x" } })).status, 403);
  t.equal((await ask("PATCH", "/v1/users/grace", { token: admin, json: { disabled: true } })).json["disabled"], true);
  t.equal((await ask("GET", "/v1/users", { token })).status, 401);
  t.equal((await ask("PATCH", "/v1/users/root", { token: admin, json: { disabled: true } })).status, 409);
  t.equal((await ask("PATCH", "/v1/users/root", { token: admin, json: { platformRole: null } })).status, 409);
  t.equal((await ask("GET", "/v1/users/root", { token: admin })).json["platformRole"], "admin");
  t.equal((await ask("POST", "/v1/users", { token: admin, json: { name: "grace" } })).status, 409);
  t.equal((await ask("POST", "/v1/users/grace/invitation", { token: admin })).status, 201);
  t.equal((await ask("POST", "/v1/users/nobody/invitation", { token: admin })).status, 404);
  const page = (await ask("GET", "/v1/users?limit=1", { token: admin })).json;
  t.match(page, { items: [{ name: "grace" }], next: /./ });
  t.match((await ask("GET", `/v1/users?limit=1&cursor=${String(page["next"])}`, { token: admin })).json, { items: [{ name: "root" }] });
  t.equal((await ask("GET", "/v1/users?cursor=nonsense", { token: admin })).status, 400);
});

t.test("organizations and members", async (t) => {
  const running = await startService(t);
  const { ask, admin, person } = running;
  await addOrganization(running, "Tele & Co., Ltd");
  await addOrganization(running, "Other");
  const manager = await person("mia", { organization: "Tele & Co., Ltd", role: "manager" });
  await person("vera");
  const path = `/v1/organizations/${encodeURIComponent("Tele & Co., Ltd")}`;
  t.match((await ask("GET", "/v1/organizations", { token: manager })).json, { items: [{ name: "Tele & Co., Ltd" }] });
  t.equal(((await ask("GET", "/v1/organizations", { token: manager })).json["items"] as readonly unknown[]).length, 1);
  t.equal((await ask("PUT", `${path}/members/vera`, { token: manager, json: { role: "viewer" } })).status, 200);
  t.strictSame((await ask("GET", `${path}/members`, { token: manager })).json["items"], [{ name: "mia", role: "manager" }, { name: "vera", role: "viewer" }]);
  t.equal((await ask("PUT", "/v1/organizations/Other/members/mia", { token: manager, json: { role: "manager" } })).status, 404, "nobody lets themselves in");
  t.equal((await ask("DELETE", `${path}/members/vera`, { token: manager })).status, 204);
  t.equal((await ask("DELETE", `${path}/members/vera`, { token: manager })).status, 404);
  t.equal((await ask("DELETE", path, { token: manager })).status, 403);
  t.equal((await ask("DELETE", path, { token: admin })).status, 204);
  t.equal((await ask("GET", path, { token: manager })).status, 404);
  t.equal((await ask("POST", "/v1/organizations", { token: admin, json: { name: "Other" } })).status, 409);
});

t.test("API tokens: shown once, kept as a hash, with scopes, an organization and an end", async (t) => {
  let now = Date.now();
  const running = await startService(t, { now: () => now, limits: { sessionMs: 1e12 } });
  const { ask, admin, service } = running;
  await addOrganization(running, "ExampleTel");
  const made = await ask("POST", "/v1/tokens", { token: admin, json: { name: "ci", scopes: ["organization:read"], organization: "ExampleTel", days: 2 } });
  t.equal(made.status, 201);
  const token = String(made.json["token"]);
  t.notMatch(JSON.stringify(await service.context.db.selectFrom("credentials").selectAll().execute()), new RegExp(token));
  t.notMatch((await ask("GET", "/v1/tokens", { token: admin })).text, new RegExp(token));
  t.equal((await ask("GET", "/v1/organizations", { token })).status, 200);
  t.equal((await ask("POST", "/v1/organizations", { token, json: { name: "X" } })).status, 403);
  t.equal((await ask("POST", "/v1/tokens", { token, json: { name: "more", scopes: ["organization:read"], days: 300 } })).status, 403);
  t.equal((await ask("PUT", "/v1/me/password", { token, json: { current: "x", password } })).status, 403);
  t.equal((await ask("POST", "/v1/tokens", { token: admin, json: { name: "x", scopes: ["organization:read"], organization: "Nowhere", days: 1 } })).status, 422);
  now += 3 * 24 * 3_600_000;
  t.equal((await ask("GET", "/v1/organizations", { token })).status, 401, "it has ended");
  const other = (await ask("POST", "/v1/tokens", { token: admin, json: { name: "x", scopes: ["organization:read"], days: 1 } })).json;
  t.equal((await ask("DELETE", `/v1/tokens/${String(other["id"])}`, { token: admin })).status, 204);
  t.equal((await ask("GET", "/v1/organizations", { token: String(other["token"]) })).status, 401);
});

t.test("rates: a bucket that fills again; waits double and end", (t) => {
  let now = 0;
  const rates = new RequestRates(3, () => now);
  t.strictSame([1, 2, 3, 4].map(() => rates.take("a") > 0), [false, false, false, true]);
  t.equal(rates.take("b"), 0, "another one's is another");
  now += 20_000;
  t.equal(rates.take("a"), 0);
  t.ok(rates.take("a") > 0);
  t.equal(waitMs(undefined, 5, 0), 0);
  t.equal(waitMs({ failures: 5, last: 0 }, 5, 0), 2_000);
  t.equal(waitMs({ failures: 1_000, last: 0 }, 5, 0), 900_000);
  t.end();
});

t.test("too many requests are told to wait; every answer has the security headers", async (t) => {
  const running = await startService(t, { limits: { requestsPerMinute: 20 } });
  const answers = [];
  for (let index = 0; index < 25; index += 1) answers.push(await running.ask("GET", "/v1/health"));
  t.equal(answers.at(-1)?.status, 429);
  for (const { headers } of [answers[0], answers.at(-1), await running.ask("GET", "/v1/nowhere", { address: "192.0.2.9" })].flatMap((each) => (each === undefined ? [] : [each]))) {
    t.match(headers, { "x-content-type-options": "nosniff", "content-security-policy": /default-src 'none'/, "referrer-policy": "no-referrer", "cache-control": "no-store" });
  }
});

t.test("what never comes to a route is answered in the same form", async (t) => {
  const { ask, service } = await startService(t);
  for (const [path, status] of [["/v1/users/%", 400], ["/v1/users/%zz", 400], [`/v1/users/${"a".repeat(600)}`, 404], ["/v1/users/..%2f..%2fetc", 401], ["//", 404]] as const) {
    const { status: found, headers } = await ask("GET", path);
    t.equal(found, status, path.slice(0, 20));
    t.match(headers, { "x-content-type-options": "nosniff", "content-type": /problem/ }, path.slice(0, 20));
  }
  await service.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = service.app.server.address() as AddressInfo;
  const said = (sent: string): Promise<string> => new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(port, "127.0.0.1", () => socket.write(sent));
    socket.on("data", (chunk) => (text += chunk.toString())).on("close", () => resolve(text)).on("error", reject);
  });
  t.match(await said("NONSENSE\r\n\r\n"), /^HTTP\/1\.1 400 [^]*nosniff[^]*problem:bad-request/);
  t.match(await said(`GET / HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`), /^HTTP\/1\.1 413 /);
  t.match(await said("GET /v1/health HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"), /^HTTP\/1\.1 400 /, "no two lengths");
});
