/** The service as a process, beside a real OpenID provider: its tokens, its keys, and what they give. */

import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { decodeJwt, decodeProtectedHeader } from "jose";
import type { JsonObject } from "../../../src/core/json.ts";
import { fetchKeys } from "../../../src/service/oidc/fetch-keys.ts";
import { coolDownMs } from "../../../src/service/oidc/issuer-keys.ts";
import { readOidcConfig } from "../../../src/service/oidc/read-config.ts";
import { sendThrough } from "../../../src/store/sources/http-send.ts";
import { addOrganization, root, specOf, startService } from "../../unit/service/running.ts";
import { audience, elsewhere, startProvider } from "./provider.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet-oidc-"));
const provider = await startProvider();
const children = new Set<ChildProcess>();
const secrets = new Set<string>();
t.teardown(async () => {
  for (const child of children) {
    const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : undefined;
    child.kill("SIGKILL");
    await ended;
  }
  await provider.stop();
  rmSync(work, { recursive: true, force: true });
});

/** With a slash at the end, as some write it. */
const config = `apiVersion: cloudlet-bundle/v1
kind: OpenIdConnect
issuers:
  - issuer: ${provider.issuer}/
    audience: ${audience}
    rules:
      - {claim: client_id, value: ci, organization: ExampleTel, role: contributor}
      - {claim: groups, value: tel-managers, organization: ExampleTel, role: manager}
      - {claim: groups, value: platform, platformRole: admin}
`;

interface Started {
  readonly base: string;
  readonly invitation: string;
  readonly log: string;
}

async function start(name: string, text: string): Promise<Started> {
  const file = join(work, `${name}.yaml`);
  const log = join(work, `${name}.log`);
  writeFileSync(file, text);
  const errors = openSync(log, "a");
  const child = spawn(process.execPath, [join(root, "src/cli/start.ts"), "serve", "--state", join(work, name), "--listen", "127.0.0.1:0", "--oidc", file], { stdio: ["ignore", "pipe", errors] });
  closeSync(errors);
  children.add(child);
  let said = "";
  await new Promise<void>((resolve, reject) => {
    const tooEarly = (status: number | null): void => reject(new Error(`it ended with ${String(status)}: ${said}${readFileSync(log, "utf8")}`));
    child.once("exit", tooEarly);
    child.stdout?.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (!/cbi_\S+\n/.test(said)) return;
      child.off("exit", tooEarly);
      resolve();
    });
  });
  return { base: /http:\/\/[^\n]*(?=\/v1)/.exec(said)?.[0] ?? "", invitation: /cbi_\S+/.exec(said)?.[0] ?? "", log };
}

interface Answer {
  readonly status: number;
  readonly json: JsonObject;
}

async function ask(base: string, method: string, path: string, { token, json, yaml }: { readonly token?: string; readonly json?: object; readonly yaml?: string } = {}): Promise<Answer> {
  if (token !== undefined) secrets.add(token);
  const answer = await fetch(`${base}${path}`, {
    method,
    headers: { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...(json === undefined ? {} : { "content-type": "application/json" }), ...(yaml === undefined ? {} : { "content-type": "application/yaml" }) },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }), ...(yaml === undefined ? {} : { body: yaml }),
  });
  const text = await answer.text();
  return { status: answer.status, json: /json/.test(answer.headers.get("content-type") ?? "") && text !== "" && !text.includes("}\n{") ? (JSON.parse(text) as JsonObject) : {} };
}

const password = "a password that nobody else has";

t.test("tokens of programs and of people, and what is none", async (t) => {
  const { base, invitation, log } = await start("state", config);
  await ask(base, "POST", "/v1/setup", { json: { token: invitation, name: "root", password } });
  const admin = String((await ask(base, "POST", "/v1/sessions", { json: { name: "root", password } })).json["token"]);
  await ask(base, "POST", "/v1/organizations", { token: admin, json: { name: "ExampleTel" } });
  t.equal(provider.asked(), 0, "nobody is asked before a token comes");

  const program = (await provider.program(audience)).access_token;
  t.match(decodeProtectedHeader(program), { typ: "at+jwt", alg: "RS256" });
  t.match((await ask(base, "GET", "/v1/me", { token: program })).json, { name: `oidc:${provider.issuer}#ci`, platformRole: null, memberships: [{ organization: "ExampleTel", role: "contributor" }] });
  const added = await ask(base, "POST", "/v1/cloudlets", { token: program, yaml: specOf("berlin-1") });
  t.equal(added.status, 201);
  t.equal((await ask(base, "POST", "/v1/organizations", { token: program, json: { name: "OtherTel" } })).status, 403);
  const shown = await ask(base, "POST", "/api/v1/auth/ctrl/ShowCloudlet", { token: program, json: { Region: "EU", Cloudlet: {} } });
  t.match(shown, { status: 200, json: { data: { key: { name: "berlin-1" } } } }, "MobiledgeX's API takes it, too");

  provider.groups.set("alice", ["tel-managers", "everybody"]);
  const alice = await provider.person("alice");
  t.match((await ask(base, "GET", "/v1/me", { token: alice.access_token })).json, { name: `oidc:${provider.issuer}#alice`, memberships: [{ role: "manager" }], identity: { subject: "alice", name: "alice@corp" } });
  t.equal((await ask(base, "GET", "/v1/organizations/ExampleTel/members", { token: alice.access_token })).status, 200);
  t.match(decodeJwt(alice.id_token ?? ""), { sub: "alice", aud: "cli" });
  t.equal((await ask(base, "GET", "/v1/me", { token: alice.id_token ?? "" })).status, 401, "an ID token is for the client");
  t.equal((await ask(base, "GET", "/v1/me", { token: (await provider.program(elsewhere)).access_token })).status, 401, "a token for another service");
  t.equal((await ask(base, "GET", "/v1/me", { token: (await provider.program("")).access_token })).status, 401, "an opaque one");
  t.equal((await ask(base, "GET", "/v1/me", { token: (await provider.person("bob")).access_token })).status, 403, "to whom no rule applies");

  provider.groups.set("alice", ["everybody"]);
  t.equal((await ask(base, "GET", "/v1/me", { token: (await provider.person("alice")).access_token })).status, 403, "who was taken out of the group has nothing with the next token");
  provider.groups.set("alice", ["platform"]);
  const again = (await provider.person("alice")).access_token;
  t.equal((await ask(base, "GET", "/v1/users", { token: again })).status, 200);
  t.equal((await ask(base, "POST", "/v1/tokens", { token: again, json: { name: "x", scopes: ["user:read"], days: 1 } })).status, 403);

  const { items } = (await ask(base, "GET", "/v1/identities?subject=alice", { token: admin })).json as { readonly items: readonly JsonObject[] };
  t.equal(items.length, 1);
  t.equal((await ask(base, "PATCH", `/v1/identities/${String(items[0]?.["id"])}`, { token: admin, json: { disabled: true } })).status, 200);
  t.equal((await ask(base, "GET", "/v1/me", { token: again })).status, 401, "shut out at once");
  t.equal((await ask(base, "GET", "/v1/me", { token: program })).status, 200);
  t.equal(provider.asked(), 1, "all of that with keys that were fetched once");

  const trail = (await ask(base, "GET", `/v1/audit?actor=${encodeURIComponent(`oidc:${provider.issuer}#ci`)}`, { token: admin })).json;
  t.match(trail, { items: [{ action: "identity:add" }, { action: "cloudlet:create", subject: `cloudlet:${String(added.json["id"])}` }] });
  const logged = readFileSync(log, "utf8");
  for (const secret of secrets) t.notOk(logged.includes(secret), "no token is in the log");
  t.match(logged, new RegExp(`"user":"oidc:${provider.issuer}#alice"`), "who it was is");
});

t.test("keys that change, and a provider that is away", async (t) => {
  let ahead = 0;
  const read = readOidcConfig(config);
  if (!read.ok) throw new Error("the configuration is not valid");
  const running = await startService(t, { now: () => Date.now() + ahead, oidc: { config: read.value, send: sendThrough({}) } });
  await addOrganization(running, "ExampleTel");
  const me = async (token: string): Promise<number> => (await running.ask("GET", "/v1/me", { token })).status;
  const before = (await provider.program(audience)).access_token;
  await provider.stop();
  t.equal(await me(before), 503, "nobody can say yet");
  await provider.start();
  ahead += 10_000;
  t.equal(await me(before), 200);
  await provider.rotate();
  const after = (await provider.program(audience)).access_token;
  t.equal(await me(after), 401, "asked for again too soon");
  t.equal(await me(before), 200);
  ahead += coolDownMs;
  t.equal(await me(after), 200, "and then found");
  t.equal(await me(before), 401, "what the old ones had signed is good no more");
  await provider.stop();
  t.equal(await me(after), 200, "what is known goes on");
  await provider.start();
});

t.test("an issuer that drips, leads elsewhere, or never ends", async (t) => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    if (request.url === "/redirect") return void response.writeHead(302, { location: "/keys" }).end();
    response.writeHead(200, { "content-type": "application/json" });
    response.write('{"keys": [');
    const more = setInterval(() => response.write(request.url === "/drip" ? " " : " ".repeat(65_536)), request.url === "/drip" ? 200 : 5);
    response.once("close", () => clearInterval(more));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.closeAllConnections());
  t.teardown(() => server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const read = readOidcConfig(config);
  const [issuer] = read.ok ? read.value.issuers : [];
  if (issuer === undefined) throw new Error("the configuration is not valid");
  const keys = (path: string): Promise<unknown> => fetchKeys({ ...issuer, keysUrl: `${base}${path}` }, sendThrough({}), new AbortController().signal);
  await t.rejects(keys("/redirect"), { message: /answers 302/ });
  await t.rejects(keys("/endless"), { message: /more than 262144 bytes/ });
  const begun = performance.now();
  await t.rejects(keys("/drip"));
  t.ok(performance.now() - begun < 15_000, "after five seconds");
  t.strictSame(asked, ["/redirect", "/endless", "/drip"], "and nowhere else");
});

t.test("a file with mistakes is told with its lines, and nothing is started", async (t) => {
  const wrong = config.replace("https://bundles.example.com", "7").replace("role: manager", "role: boss").replace(`${provider.issuer}/`, "http://id.example.com").replace(", platformRole: admin", "");
  const said = await start("wrong", wrong).catch((error: Error) => error.message);
  t.match(said, /ended with 1/);
  t.match(said, /wrong\.yaml:4:.*only https is safe.*\[service\/oidc-issuer\]/);
  t.match(said, /wrong\.yaml:5:.*\[schema\/type\]/);
  t.match(said, /wrong\.yaml:8:.*`role` must be one of manager, contributor, viewer.*\[schema\/value\]/);
  t.match(said, /wrong\.yaml:9:.*\[service\/oidc-rule\]/);
  const missing = await start("missing", config.replace("    rules:", "    keysFile: nowhere.json\n    rules:")).catch((error: Error) => error.message);
  t.match(missing, /ended with 3[^]*nowhere\.json can't be used/);
});
