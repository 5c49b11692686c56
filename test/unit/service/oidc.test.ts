/** Tokens of OpenID providers: which are taken, whom they name, what they give, and when the issuer is asked for its keys. */

import { generateKeyPair, sign, type KeyObject } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { exportJWK, SignJWT, UnsecuredJWT, type JWTHeaderParameters } from "jose";
import t, { type Test } from "tap";
import { fetchKeys } from "../../../src/service/oidc/fetch-keys.ts";
import { coolDownMs, freshMs, retryMs, staleMs } from "../../../src/service/oidc/issuer-keys.ts";
import type { OidcConfig } from "../../../src/service/oidc/config.ts";
import { readOidcConfig } from "../../../src/service/oidc/read-config.ts";
import { rightsOf } from "../../../src/service/oidc/rights.ts";
import type { Send } from "../../../src/store/sources/http-send.ts";
import { addCloudlet, addOrganization, root, specOf, startService, type Running } from "./running.ts";

const issuer = "https://id.example.com/realms/operators";
const audience = "https://bundles.example.com";

interface Pair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const make = promisify(generateKeyPair) as unknown as (kind: string, options: object) => Promise<Pair>;
const rsa = await make("rsa", { modulusLength: 2048 });
const other = await make("rsa", { modulusLength: 2048 });
const ec = await make("ec", { namedCurve: "P-256" });

const rules = `
      - {claim: groups, value: platform, platformRole: admin}
      - {claim: groups, value: auditors, platformRole: auditor}
      - {claim: groups, value: tel-managers, organization: ExampleTel, role: manager}
      - {claim: groups, value: tel, organization: ExampleTel, role: contributor}
      - {claim: scope, value: bundles, organization: ExampleTel, role: viewer}
      - {claim: /realm_access/roles, value: viewer, organization: ExampleTel, role: viewer}`;

function configOf(more = "", at = issuer): OidcConfig {
  const read = readOidcConfig(`apiVersion: cloudlet-bundle/v1\nkind: OpenIdConnect\nissuers:\n  - issuer: ${at}\n    audience: ${audience}\n${more}    rules:${rules}\n`);
  if (!read.ok) throw new Error(JSON.stringify(read.issues));
  return read.value;
}

/** An issuer at the other end of no network: what it publishes, whether it answers, and how often it was asked. */
class Issuer {
  keys: (Record<string, unknown> | undefined)[] = [];
  away = false;
  asked = 0;
  discovery: unknown = { issuer, jwks_uri: `${issuer}/keys` };
  status = 200;
  raw: string | undefined;

  readonly send: Send = async (url) => {
    if (url.pathname.endsWith("/keys")) this.asked += 1;
    if (this.away) throw new Error("connect ECONNREFUSED");
    const text = this.raw ?? JSON.stringify(url.pathname.endsWith("/keys") ? { keys: this.keys } : this.discovery);
    return { status: this.status, statusText: "", header: () => undefined, body: chunked(text), discard: () => undefined };
  };
}

async function* chunked(text: string): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < text.length; at += 65_536) yield Buffer.from(text.slice(at, at + 65_536));
}

async function published(key: KeyObject, kid: string | undefined, more: object = {}): Promise<Record<string, unknown>> {
  return { ...(await exportJWK(key)), use: "sig", ...(kid === undefined ? {} : { kid }), ...more };
}

interface Signing {
  readonly key?: KeyObject | Uint8Array;
  /** Undefined leaves one out. */
  readonly header?: Readonly<Record<string, unknown>>;
}

interface Site {
  readonly running: Running;
  readonly provider: Issuer;
  readonly clock: { now: number };
  /** A token as the provider makes them, with this instead; undefined leaves a claim out. */
  readonly token: (claims?: Record<string, unknown>, signing?: Signing) => Promise<string>;
  /** The status of a request with it. */
  readonly me: (token: string) => Promise<number>;
}

async function site(t: Test, config = configOf()): Promise<Site> {
  const clock = { now: Date.UTC(2026, 10, 30, 12) };
  const provider = new Issuer();
  provider.keys = [await published(rsa.publicKey, "k1", { alg: "RS256" })];
  const running = await startService(t, { now: () => clock.now, oidc: { config, send: provider.send } });
  await addOrganization(running, "ExampleTel");
  const token: Site["token"] = async (claims = {}, { key = rsa.privateKey, header = {} } = {}) => {
    const at = Math.floor(clock.now / 1_000);
    const all = { iss: issuer, sub: "alice", aud: audience, iat: at, exp: at + 600, client_id: "cli", groups: ["tel"], preferred_username: "alice@corp", ...claims };
    const made = await new SignJWT(JSON.parse(JSON.stringify(all))).setProtectedHeader({ alg: "RS256", kid: "k1", typ: "at+jwt", ...header } as JWTHeaderParameters).sign(key);
    running.secrets.add(made);
    return made;
  };
  return { running, provider, clock, token, me: async (given) => (await running.ask("GET", "/v1/me", { token: given })).status };
}

t.test("a good token is taken, and says who and what its bearer is", async (t) => {
  const { running: { ask }, token } = await site(t);
  const answer = await ask("GET", "/v1/me", { token: await token() });
  t.strictSame(answer.json, {
    name: `oidc:${issuer}#alice`, platformRole: null, memberships: [{ organization: "ExampleTel", role: "contributor" }],
    identity: { issuer, subject: "alice", name: "alice@corp" },
  });
  t.equal((await ask("GET", "/v1/organizations/ExampleTel", { token: await token({ aud: ["other", audience], groups: [], scope: "openid bundles" }) })).status, 200, "one audience of several, and a word of a scope");
  t.equal((await ask("GET", "/v1/organizations/ExampleTel", { token: await token({ groups: undefined, realm_access: { roles: ["viewer"] } }) })).status, 200, "a claim within a claim");
});

t.test("rights are those of each token, and end with it", async (t) => {
  const { running, token, clock, me } = await site(t);
  const { ask } = running;
  const contributor = await token();
  await addCloudlet(running, contributor, specOf("berlin-1"));
  t.equal((await ask("POST", "/v1/cloudlets", { token: await token({ groups: ["auditors"] }), yaml: specOf("berlin-2") })).status, 403, "an auditor changes nothing");
  t.equal((await ask("GET", "/v1/users", { token: await token({ groups: ["auditors"] }) })).status, 200);
  t.equal((await ask("GET", "/v1/users", { token: contributor })).status, 403);
  t.equal((await ask("GET", "/v1/users", { token: await token({ groups: "platform" }) })).status, 200, "one group as a text");
  const none = await ask("GET", "/v1/releases", { token: await token({ groups: ["telx", "TEL", " tel"], scope: "bundlesx" }) });
  t.equal(none.status, 403, "to whom no rule applies, not even what everybody may who is logged in");
  clock.now += 659_000;
  t.equal(await me(contributor), 200, "within the skew of the clocks");
  clock.now += 1_000;
  t.equal(await me(contributor), 401, "and then no more");
});

t.test("what a provider's token can't do, as an administrator neither", async (t) => {
  const { running, token } = await site(t);
  const { ask } = running;
  const admin = await token({ groups: ["platform"] });
  t.equal((await ask("POST", "/v1/tokens", { token: admin, json: { name: "ci", scopes: ["user:write"], days: 366 } })).status, 403, "make a token that outlives it");
  t.equal((await ask("GET", "/v1/tokens", { token: admin })).status, 200);
  t.equal((await ask("DELETE", "/v1/sessions/current", { token: admin })).status, 403);
  t.equal((await ask("PUT", "/v1/me/password", { token: admin, json: { current: "x", password: "correct horse battery staple" } })).status, 403);
  const described = running.service.app.swagger() as { readonly paths: Record<string, Record<string, { security?: unknown }>>; readonly components: { readonly securitySchemes: object }; readonly security: unknown };
  t.match(described.components.securitySchemes, { provider1: { type: "openIdConnect", openIdConnectUrl: `${issuer}/.well-known/openid-configuration` } });
  t.strictSame(described.security, [{ token: [] }, { provider1: [] }]);
  t.strictSame(described.paths["/v1/tokens"]?.["post"]?.security, [{ token: [] }], "and the description says so");
});

t.test("somebody who is shut out stays out, whatever their tokens say; others and those of the same name go on", async (t) => {
  const { running, token, me } = await site(t);
  const { ask, admin, person } = running;
  await person("alice");
  const alice = await token({ groups: ["platform"] });
  t.equal(await me(alice), 200);
  t.equal(await me(await token({ sub: "bob" })), 200);
  const { items } = (await ask("GET", "/v1/identities?subject=alice", { token: admin })).json as { readonly items: readonly Record<string, unknown>[] };
  t.match(items, [{ issuer, subject: "alice", actor: `oidc:${issuer}#alice`, name: "alice@corp", disabled: false }]);
  t.equal(items.length, 1, "once, however many requests there were");
  const path = `/v1/identities/${String(items[0]?.["id"])}`;
  t.equal((await ask("PATCH", path, { token: await token({ sub: "bob" }), json: { disabled: true } })).status, 403);
  t.match((await ask("PATCH", path, { token: admin, json: { disabled: true } })).json, { disabled: true });
  t.equal(await me(alice), 401);
  t.equal(await me(await token({ groups: ["auditors"], preferred_username: "somebody else" })), 401);
  t.equal(await me(await token({ sub: "bob" })), 200);
  t.match((await ask("GET", "/v1/users/alice", { token: admin })).json, { disabled: false }, "the user of that name is somebody else");
  await ask("PATCH", path, { token: admin, json: { disabled: false } });
  t.equal(await me(alice), 200);
  t.equal((await ask("PATCH", "/v1/identities/AAAAAAAAAAAAAAAAAAAAAA", { token: admin, json: { disabled: true } })).status, 404);
});

t.test("the audit trail names issuer and subject; nobody can make it name somebody else", async (t) => {
  const { running, token, me } = await site(t);
  const { ask, admin } = running;
  for (const subject of ["alice", "root", "user:root", `x#oidc:${issuer}`, "ä ü/?#%", "'; drop table users; --"]) {
    t.equal(await me(await token({ sub: subject, preferred_username: "root" })), 200, subject);
  }
  for (const subject of ["", "a".repeat(256), "a\u0000b", "a\nb", "\ud800", 7, null, ["alice"], undefined]) {
    t.equal(await me(await token({ sub: subject })), 401, `${JSON.stringify(subject)} names nobody`);
  }
  const added = await addCloudlet(running, await token({ sub: "user:root" }), specOf("berlin-1"));
  const { items } = (await ask("GET", `/v1/audit?actor=${encodeURIComponent(`oidc:${issuer}#user%3Aroot`)}`, { token: admin })).json as { readonly items: readonly Record<string, unknown>[] };
  t.match(items, [{ action: "identity:add", detail: { issuer, subject: "user:root", name: "root" } }, { action: "cloudlet:create", subject: `cloudlet:${added}` }]);
  const { items: all } = (await ask("GET", "/v1/audit?limit=200", { token: admin })).json as { readonly items: readonly { readonly actor: string }[] };
  t.equal(new Set(all.map(({ actor }) => actor).filter((actor) => actor.startsWith("oidc:"))).size, 6);
  t.match((await ask("GET", "/v1/audit/verification", { token: admin })).json, { good: true });
});

t.test("tokens that are not good", async (t) => {
  const { running: { ask, log }, token, me, clock, provider } = await site(t);
  const at = Math.floor(clock.now / 1_000);
  const bad: readonly (readonly [string, Record<string, unknown>, Signing?])[] = [
    ["another audience", { aud: "https://other.example.com" }], ["no audience", { aud: undefined }], ["an audience that begins like ours", { aud: `${audience}.evil.example` }],
    ["no end", { exp: undefined }], ["an end that is a text", { exp: String(at + 600) }], ["expired", { iat: at - 700, exp: at - 61 }], ["good for ever", { exp: 1e300 }],
    ["good for longer than a day", { exp: at + 86_401 }], ["made long ago, and still good", { iat: at - 86_400, exp: at + 1 }],
    ["not yet", { nbf: at + 61 }], ["from the future", { iat: at + 61 }], ["no time of making", { iat: undefined }],
    ["another issuer", { iss: "https://evil.example.com" }], ["an issuer with two slashes", { iss: `${issuer}//` }], ["no issuer", { iss: undefined }], ["an issuer that is a list", { iss: [issuer] }],
    ["an ID token", {}, { header: { typ: "JWT" } }], ["no type", {}, { header: { typ: undefined } }], ["a logout token", {}, { header: { typ: "logout+jwt" } }],
    ["an ID token that is said to be an access token", { nonce: "n" }], ["the same with a hash", { at_hash: "x" }], ["events", { events: {} }], ["what Keycloak calls a refresh token", { typ: "Refresh" }],
    ["bound to a key of the bearer's", { cnf: { jkt: "x" } }],
    ["another key under that name", {}, { key: other.privateKey }],
    ["an algorithm that is not taken", {}, { header: { alg: "RS512" } }],
    ["a key in the header", {}, { key: other.privateKey, header: { jwk: await exportJWK(other.publicKey), kid: undefined } }],
    ["an address of keys in the header", {}, { key: other.privateKey, header: { jku: "https://evil.example.com/keys" } }],
    ["an address of certificates in the header", {}, { key: other.privateKey, header: { x5u: "https://evil.example.com/certificate" } }],
  ];
  for (const [what, claims, signing] of bad) {
    const given = await token(claims, signing ?? {}).catch((error: Error) => error.message);
    const answer = await ask("GET", "/v1/me", { token: given });
    t.equal(answer.status, 401, `${what}: ${answer.text}`);
    t.match(answer.headers["www-authenticate"], /error="invalid_token"/);
    t.notOk(/evil|alice/.test(answer.text), "and nothing of it is in the answer");
  }
  // The public half as if it were a secret, as some libraries once took it.
  const pem = rsa.publicKey.export({ type: "spki", format: "pem" });
  t.equal(await me(await token({}, { key: Buffer.from(pem), header: { alg: "HS256" } })), 401, "HS256");
  const plain = new UnsecuredJWT({ sub: "alice", groups: ["platform"] }).setIssuer(issuer).setAudience(audience).setIssuedAt(at).setExpirationTime(at + 600).encode();
  t.equal(await me(plain), 401, "no signature");
  const critical = `${Buffer.from(JSON.stringify({ alg: "RS256", kid: "k1", typ: "at+jwt", crit: ["x"], x: 1 })).toString("base64url")}.${(await token()).split(".")[1]}`;
  t.equal(await me(`${critical}.${sign("sha256", Buffer.from(critical), rsa.privateKey).toString("base64url")}`), 401, "an extension that it says must be understood");
  const good = await token();
  const [header = "", payload = "", signature = ""] = good.split(".");
  for (const [what, given] of [["cut", good.slice(0, -4)], ["no signature", `${header}.${payload}.`], ["with another's signature", `${header}.${Buffer.from('{"sub":"root"}').toString("base64url")}.${signature}`], ["five parts", `${good}.a.b`], ["no JSON", "e30.e30.e30"], ["a list", `W10.W10.${signature}`], ["huge", `${header}.${"a".repeat(13_000)}.${signature}`]] as const) {
    t.equal(await me(given), 401, what);
  }
  t.equal(await me(good), 200, "and the one that is good still is");
  t.equal(await me(await token({ iss: `${issuer}/` })), 200, "a slash at its end makes no other issuer");
  t.equal(await me(await token({}, { header: { typ: "application/AT+JWT" } })), 200, "the type may be spelled out");
  t.ok(provider.asked <= 1, `the keys were fetched ${provider.asked} times for all of that`);
  t.ok(log.some((line) => /"oidc-refused"/.test(line)), "why is in the log");
});

t.test("without a provider a token of one is what any text is", async (t) => {
  const { token } = await site(t);
  const running = await startService(t);
  t.equal((await running.ask("GET", "/v1/me", { token: await token() })).status, 401);
});

t.test("types, algorithms and clocks are as the file has them; a key with its name left out is found where there is one", async (t) => {
  const { token, me, provider, clock } = await site(t, configOf("    tokenTypes: [JWT]\n    algorithms: [ES256]\n    clockSkewSeconds: 0\n"));
  provider.keys = [await published(ec.publicKey, undefined), await published(rsa.publicKey, "k1")];
  const signed = async (claims: Record<string, unknown>, header: Readonly<Record<string, unknown>> = {}): Promise<number> => me(await token(claims, { key: ec.privateKey, header: { alg: "ES256", typ: "JWT", kid: undefined, ...header } }));
  t.equal(await signed({}), 200);
  t.equal(await me(await token({}, { header: { typ: "JWT" } })), 401, "RS256");
  t.equal(await signed({}, { typ: "at+jwt" }), 401);
  t.equal(await signed({ iat: Math.floor(clock.now / 1_000) + 1 }), 401);
  t.equal(await signed({ exp: Math.floor(clock.now / 1_000) }), 401);
});

t.test("clients are looked at in either claim, and must agree", async (t) => {
  const config = configOf("    clients: [cli, console]\n    tokenTypes: [at+jwt, JWT]\n");
  const { token, me } = await site(t, config);
  const cases: readonly (readonly [number, Record<string, unknown>])[] = [
    [200, {}], [200, { client_id: undefined, azp: "console" }], [200, { azp: "cli" }], [401, { azp: "console" }], [401, { client_id: "other" }],
    [401, { client_id: undefined }], [401, { client_id: "cli", azp: "other" }], [401, { client_id: ["cli"] }],
  ];
  for (const [status, claims] of cases) t.equal(await me(await token(claims, { header: { typ: "JWT" } })), status, JSON.stringify(claims));
});

t.test("the issuer is asked when it must be: once for many, never at a stranger's will", async (t) => {
  const { token, me, provider, clock } = await site(t);
  const good = await token();
  t.strictSame(new Set(await Promise.all(Array.from({ length: 50 }, () => me(good)))), new Set([200]));
  t.equal(provider.asked, 1, "fifty at once");
  for (let index = 0; index < 50; index += 1) t.equal(await me(await token({}, { header: { kid: `made-up-${index}` } })), 401);
  t.equal(provider.asked, 1, "made-up keys, right after");
  clock.now += coolDownMs;
  await Promise.all(Array.from({ length: 20 }, async (_, index) => me(await token({}, { header: { kid: `made-up-${index}` } }))));
  t.equal(provider.asked, 2, "and later, once again for all of them");
  provider.keys = [await published(other.publicKey, "k2", { alg: "RS256" })];
  clock.now += coolDownMs;
  t.equal(await me(await token({}, { key: other.privateKey, header: { kid: "k2" } })), 200, "a new key is found at the first token that names it");
  t.equal(provider.asked, 3);
  t.equal(await me(await token()), 401, "and the one that was taken back is good no more");
});

t.test("an issuer that is away: what is known goes on for a day, and nobody is told that their token is bad", async (t) => {
  const { running: { ask, log }, token, me, provider, clock } = await site(t);
  provider.away = true;
  const answer = await ask("GET", "/v1/me", { token: await token() });
  t.equal(answer.status, 503);
  t.equal(answer.headers["retry-after"], "10");
  t.equal(await me(await token()), 503);
  t.equal(provider.asked, 0, "discovery was tried, and not at once again");
  provider.away = false;
  clock.now += retryMs;
  t.equal(await me(await token()), 200);
  provider.away = true;
  clock.now += freshMs + 1;
  t.equal(await me(await token()), 200, "nobody waits for keys that are old");
  t.equal(await me(await token({}, { header: { kid: "newer" } })), 503, "it may be signed with a newer key");
  t.equal(await me(await token({ aud: "other" })), 401, "what is known to be bad is bad");
  clock.now += staleMs - freshMs - 2;
  t.equal(await me(await token()), 200, "for a day");
  clock.now += 1;
  t.equal(await me(await token()), 503, "and not longer");
  t.ok(log.filter((line) => /"oidc-keys"/.test(line)).length < 10, "the log has it, and is not flooded");
});

t.test("answers of an issuer that are not taken", async (t) => {
  const answers: readonly (readonly [string, (provider: Issuer) => void])[] = [
    ["another issuer's discovery", (provider) => (provider.discovery = { issuer: "https://evil.example.com", jwks_uri: `${issuer}/keys` })],
    ["keys without TLS", (provider) => (provider.discovery = { issuer, jwks_uri: "http://id.example.com/keys" })],
    ["keys of this machine", (provider) => (provider.discovery = { issuer, jwks_uri: "http://127.0.0.1:8080/keys" })],
    ["keys of a file", (provider) => (provider.discovery = { issuer, jwks_uri: "file:///etc/keys" })],
    ["no place of keys", (provider) => (provider.discovery = { issuer })], ["nothing", (provider) => (provider.discovery = null)],
    ["a redirect", (provider) => (provider.status = 302)], ["an error", (provider) => (provider.status = 500)],
    ["no JSON", (provider) => (provider.raw = "<html>")], ["more than anybody needs", (provider) => (provider.raw = `"${"a".repeat(300_000)}"`)],
    ["secret keys", (provider) => (provider.keys = [{ kty: "oct", k: "AAAA", kid: "k1" }])], ["what is no key", (provider) => (provider.keys = ["x" as never])],
  ];
  const [config] = configOf().issuers;
  if (config === undefined) throw new Error("there is no issuer");
  for (const [what, change] of answers) {
    const provider = new Issuer();
    change(provider);
    await t.rejects(fetchKeys(config, provider.send, new AbortController().signal), Error, what);
  }
});

t.test("rules give the most of what applies, and nothing by accident", (t) => {
  const rules = configOf().issuers[0]?.rules ?? [];
  const given = (claims: Record<string, unknown>): unknown => {
    const rights = rightsOf(rules, claims);
    return rights === undefined ? undefined : { platformRole: rights.platformRole, roles: Object.fromEntries(rights.roles) };
  };
  t.strictSame(given({ groups: ["tel", "tel-managers", "auditors"] }), { platformRole: "auditor", roles: { ExampleTel: "manager" } });
  t.strictSame(given({ groups: ["tel-managers", "tel"], scope: "bundles" }), { platformRole: null, roles: { ExampleTel: "manager" } }, "in whatever order");
  t.strictSame(given({ groups: ["auditors", "platform"] }), { platformRole: "admin", roles: {} });
  for (const claims of [{}, { groups: null }, { groups: { platform: true } }, { groups: [["platform"]] }, { groups: "platform tel" }, { groups: [{ value: "platform" }] }, { scope: ["x"] }, { realm_access: ["viewer"] }, JSON.parse('{"__proto__": {"groups": ["platform"]}}') as Record<string, unknown>]) {
    t.equal(given(claims), undefined, JSON.stringify(claims));
  }
  t.end();
});

t.test("the guide's file is right as it stands, and names everything that there is", (t) => {
  const guide = readFileSync(join(root, "docs/service.md"), "utf8");
  const read = readOidcConfig(/^```yaml\n(apiVersion[^]*?)^```$/m.exec(guide)?.[1] ?? "");
  t.strictSame(read.issues, []);
  t.match(read.ok ? read.value.issuers[0] : undefined, { issuer, tokenTypes: ["at+jwt"], algorithms: ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"], nameClaim: "preferred_username", clockSkewSeconds: 60, lifetimeHours: 24 }, "the defaults");
  const { $defs } = JSON.parse(readFileSync(join(root, "schemas/oidc.schema.json"), "utf8")) as { readonly $defs: { readonly issuer: { readonly properties: object } } };
  const table = guide.slice(guide.indexOf("| of an issuer |"), guide.indexOf("**Rules.**"));
  t.strictSame([...table.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]).sort(), Object.keys($defs.issuer.properties).sort());
  t.end();
});

t.test("mistakes of the file, each at its place", (t) => {
  const text = (issuerLines: string, ruleLines = "      - {claim: groups, value: x, platformRole: admin}\n"): string =>
    `apiVersion: cloudlet-bundle/v1\nkind: OpenIdConnect\nissuers:\n  - issuer: ${issuer}\n    audience: ${audience}\n${issuerLines}    rules:\n${ruleLines}`;
  const cases: readonly (readonly [string, string, string])[] = [
    [text("").replace(issuer, "http://id.example.com"), "service/oidc-issuer", "/issuers/0/issuer"],
    [text("").replace(issuer, "id.example.com"), "service/oidc-issuer", "/issuers/0/issuer"],
    [text("").replace(issuer, "https://a:b@id.example.com"), "service/oidc-issuer", "/issuers/0/issuer"],
    [text("").replace(issuer, "https://id.example.com/?realm=x"), "service/oidc-issuer", "/issuers/0/issuer"],
    [`${text("")}  - {issuer: ${issuer}/, audience: x, rules: [{claim: a, value: b, platformRole: admin}]}\n`, "service/oidc-issuer", "/issuers/1/issuer"],
    [text("    keysUrl: http://id.example.com/keys\n"), "service/oidc-keys", "/issuers/0/keysUrl"],
    [text(`    keysUrl: ${issuer}/keys\n    keysFile: keys.json\n`), "service/oidc-keys", "/issuers/0/keysFile"],
    [text("    algorithms: [HS256]\n"), "schema/value", "/issuers/0/algorithms/0"],
    [text("    algorithms: [none]\n"), "schema/value", "/issuers/0/algorithms/0"],
    [text("    algorithms: []\n"), "schema/count", "/issuers/0/algorithms"],
    [text("    tokenTypes: [id_token]\n"), "schema/value", "/issuers/0/tokenTypes/0"],
    [text("    clockSkewSeconds: 301\n"), "schema/range", "/issuers/0/clockSkewSeconds"],
    [text("    secret: x\n"), "schema/unknown-key", "/issuers/0/secret"],
    [text("", "      - {claim: groups, value: x}\n"), "service/oidc-rule", "/issuers/0/rules/0"],
    [text("", "      - {claim: groups, value: x, role: viewer}\n"), "service/oidc-rule", "/issuers/0/rules/0"],
    [text("", "      - {claim: groups, value: x, platformRole: admin, role: viewer, organization: ExampleTel}\n"), "service/oidc-rule", "/issuers/0/rules/0"],
    [text("", "      - {claim: groups, value: x, role: boss, organization: ExampleTel}\n"), "schema/value", "/issuers/0/rules/0/role"],
    [text("", "      []\n"), "schema/count", "/issuers/0/rules"],
    ["[]", "document/not-keys", ""], [text("").replace("OpenIdConnect", "Cloudlet"), "document/kind", "/kind"],
  ];
  for (const [given, code, pointer] of cases) {
    t.match(readOidcConfig(given), { ok: false, issues: [{ code, pointer }] }, `${code} ${pointer}`);
    t.equal(readOidcConfig(given).issues.length, 1, `${code}, and no other: ${JSON.stringify(readOidcConfig(given).issues)}`);
  }
  t.end();
});

t.test("keys of a file: nobody is asked, a new file is noticed, and a private key is no key for this", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cloudlet-keys-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "keys.json");
  const [only] = configOf().issuers;
  if (only === undefined) throw new Error("there is no issuer");
  const config = { issuers: [{ ...only, keysFile: file }] };
  for (const [what, text] of [["nothing", undefined], ["no JSON", "x"], ["no set", "[]"], ["a private half", JSON.stringify({ keys: [await exportJWK(rsa.privateKey)] })]] as const) {
    if (text !== undefined) writeFileSync(file, text);
    await t.rejects(site(t, config), { name: "EnvironmentError", message: /keys\.json can't be used/ }, what);
  }
  writeFileSync(file, JSON.stringify({ keys: [await published(rsa.publicKey, "k1")] }));
  const { token, me, provider, clock } = await site(t, config);
  provider.away = true;
  t.equal(await me(await token()), 200);
  writeFileSync(file, JSON.stringify({ keys: [await published(other.publicKey, "k2")] }));
  clock.now += coolDownMs;
  t.equal(await me(await token({}, { key: other.privateKey, header: { kid: "k2" } })), 200);
  t.equal(await me(await token()), 401);
  t.equal(provider.asked, 0);
});
