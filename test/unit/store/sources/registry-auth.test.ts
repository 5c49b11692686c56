/** What a registry learns of us, and nobody else: tokens, passwords, helpers, and where they may go. */

import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import type { Outcome } from "../../../../src/core/issue.ts";
import { openStore } from "../../../../src/store/blob-store.ts";
import { readContainer } from "../../../../src/store/sources/container.ts";
import { sendThrough, type Environment } from "../../../../src/store/sources/http-send.ts";
import type { ContainerRead } from "../../../../src/store/sources/image.ts";
import { challengesOf } from "../../../../src/store/sources/registry-auth.ts";
import { findCredentials } from "../../../../src/store/sources/registry-credentials.ts";
import { parseReference, type RegistryReference } from "../../../../src/store/sources/registry-reference.ts";
import { makeImage, startFake, type Fake } from "./fake-registry.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-registry-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const signal = new AbortController().signal;
let places = 0;
const place = (): string => join(folder, String((places += 1)));
const image = await makeImage(["gzip", "gzip", "plain"]);
const base64 = (text: string): string => Buffer.from(text).toString("base64");

async function pull(fake: Fake, environment: Environment = {}): Promise<Outcome<ContainerRead>> {
  return readContainer({
    source: `docker://${fake.host}/edge/crm:1`,
    folder,
    digest: image.id,
    architecture: "amd64",
    store: await openStore(place()),
    network: { send: sendThrough(environment), environment },
    pointer: "/containers/0",
    progress: () => undefined,
    signal,
    patience: { tries: 3, pauseMs: 5, idleMs: 2_000 },
  });
}

/** The environment of somebody whose `docker login` wrote this. */
function loggedIn(config: unknown): Environment {
  const home = place();
  mkdirSync(join(home, ".docker"), { recursive: true });
  writeFileSync(join(home, ".docker/config.json"), typeof config === "string" ? config : JSON.stringify(config));
  return { HOME: home, PATH: process.env["PATH"] };
}

/** A registry that wants a token, and its realm in front of it, which gives one for `ask`'s answer. */
async function guarded(work: (fake: Fake) => Promise<void>, how: { readonly realm?: string; readonly lasts?: number; readonly wants?: string } = {}): Promise<void> {
  const fake = await startFake([image]);
  let tokens = 0;
  let uses = 0;
  fake.fault = (request, response, plain) => {
    const url = new URL(request.url ?? "", `http://${fake.host}`);
    if (url.pathname === "/token") {
      if (how.wants !== undefined && request.headers.authorization !== how.wants) return void response.writeHead(401).end();
      uses = 0;
      return void response.end(JSON.stringify({ token: `token-${(tokens += 1)}` }));
    }
    if (request.headers.authorization === `Bearer token-${tokens}` && (uses += 1) <= (how.lasts ?? Infinity)) return plain({ cut: 200_000 });
    const realm = how.realm ?? `http://${fake.host}/token`;
    response.writeHead(401, { "www-authenticate": `Bearer realm="${realm}",service="reg \\"one\\"",scope="repository:edge/crm:pull"` }).end();
  };
  await work(fake).finally(() => fake.close());
}

t.test("a token for nobody in particular", async (t) => {
  await guarded(async (fake) => {
    t.ok((await pull(fake)).ok);
    const asked = fake.seen.filter((each) => each.path.startsWith("/token"));
    t.equal(asked.length, 1, "one token does for all");
    t.equal(asked[0]?.path, "/token?scope=repository%3Aedge%2Fcrm%3Apull&service=reg+%22one%22");
    t.equal(asked[0]?.authorization, undefined);
  });
});

t.test("a token for a user; it runs out on the way", async (t) => {
  const wants = `Basic ${base64("ann:se:cret")}`;
  await guarded(
    async (fake) => {
      const outcome = await pull(fake, loggedIn({ auths: { [fake.host]: { auth: base64("ann:se:cret") } } }));
      t.ok(outcome.ok, JSON.stringify(outcome.issues));
      const asked = fake.seen.filter((each) => each.path.startsWith("/token"));
      t.ok(asked.length >= 3, `${asked.length} tokens`);
      t.ok(asked.every((each) => each.authorization === wants && each.path.endsWith("&account=ann")));
      t.ok(fake.seen.every((each) => each.path.startsWith("/token") || !each.authorization?.startsWith("Basic")), "the password goes to the realm alone");
    },
    { wants, lasts: 3 },
  );
  await guarded(
    async (fake) => {
      const outcome = await pull(fake, loggedIn({ auths: { [fake.host]: { auth: base64("ann:wrong") } } }));
      t.match(outcome.issues[0], { code: "resolve/image-refused", message: /no token to the user ann/, hint: /docker login/ });
      t.notMatch(JSON.stringify(outcome), /wrong"|YW5uOndyb25n/, "the password is not shown");
      t.match((await pull(fake)).issues[0], { code: "resolve/image-refused", message: /whoever has no credentials/ });
    },
    { wants },
  );
});

t.test("an identity token is changed for a token of access", async (t) => {
  await guarded(async (fake) => {
    t.ok((await pull(fake, loggedIn({ auths: { [fake.host]: { identitytoken: "refresh-me" } } }))).ok);
    const [asked] = fake.seen.filter((each) => each.path.startsWith("/token"));
    t.equal(asked?.method, "POST");
    t.equal(asked?.path, "/token", "nothing of it in the address");
    t.strictSame(Object.fromEntries(new URLSearchParams(asked?.body)), {
      scope: "repository:edge/crm:pull",
      service: 'reg "one"',
      grant_type: "refresh_token",
      client_id: "cloudlet-bundle",
      refresh_token: "refresh-me",
    });
  });
});

t.test("realms where no credentials may go", async (t) => {
  for (const realm of ["http://registry.example/token", "ftp://127.0.0.1/token", "https://user:pass@registry.example/token", "nowhere", ""]) {
    await guarded(
      async (fake) => {
        const outcome = await pull(fake, loggedIn({ auths: { [fake.host]: { auth: base64("ann:secret") } } }));
        t.match(outcome.issues[0], { code: "resolve/image-refused", message: /where no credentials may go/ }, realm);
      },
      { realm },
    );
  }
});

t.test("basic authentication, of the registry alone", async (t) => {
  const storage = await startFake([image]);
  const fake = await startFake([image]);
  const wants = `Basic ${base64("ann:secret")}`;
  fake.fault = (request, response, plain) => {
    if (request.headers.authorization !== wants) response.writeHead(401, { "www-authenticate": 'Negotiate, Basic realm="x"' }).end();
    else if (request.url?.includes("/blobs/")) response.writeHead(307, { location: `http://${storage.host}${request.url}` }).end();
    else plain();
  };
  const environment = loggedIn({ auths: { [`https://${fake.host}/v1/`]: { auth: base64("ann:secret") } } });
  t.ok((await pull(fake, environment)).ok);
  t.equal(fake.seen[0]?.authorization, undefined, "nothing is said before it is asked");
  t.ok(storage.seen.length > 0 && storage.seen.every((each) => each.authorization === undefined), "the storage learns nothing");
  t.match((await pull(fake)).issues[0], { code: "resolve/image-refused" });
  t.match((await pull(fake, loggedIn({ auths: { "elsewhere.example": { auth: base64("ann:secret") } } }))).issues[0], { code: "resolve/image-refused" });
  t.match((await pull(fake, loggedIn({ auths: { [fake.host]: { auth: base64("ann:wrong") } } }))).issues[0], { code: "resolve/image-refused" });
  storage.close();
  fake.close();
});

t.test("challenges", (t) => {
  t.strictSame(challengesOf('Bearer realm="https://a.example/t?x=1,2", service=s ,scope="a b" , Basic realm="x"'), [
    { scheme: "bearer", parameters: { realm: "https://a.example/t?x=1,2", service: "s", scope: "a b" } },
    { scheme: "basic", parameters: { realm: "x" } },
  ]);
  t.strictSame(challengesOf("Negotiate, BASIC Realm=x"), [
    { scheme: "negotiate", parameters: {} },
    { scheme: "basic", parameters: { realm: "x" } },
  ]);
  t.strictSame(challengesOf(""), []);
  t.strictSame(challengesOf('realm="x"'), [], "a parameter of nothing");
  t.end();
});

function reference(source: string): RegistryReference {
  const found = parseReference(source);
  if (found === undefined) throw new Error(source);
  return found;
}

t.test("where credentials are found", async (t) => {
  const found = (source: string, environment: Environment): ReturnType<typeof findCredentials> => findCredentials(reference(source), environment, signal);
  const entry = (user: string): object => ({ auth: base64(`${user}:p`) });
  const user = (name: string): object => ({ kind: "password", user: name, password: "p" });
  const environment = loggedIn({
    auths: {
      "registry.example": entry("all"),
      "registry.example/edge": entry("edge"),
      "https://index.docker.io/v1/": entry("hub"),
      "empty.example": {},
      "broken.example": { auth: base64("nocolon") },
    },
  });
  t.strictSame(await found("docker://registry.example/edge/crm", environment), user("edge"), "the nearest");
  t.strictSame(await found("docker://registry.example/edges/crm", environment), user("all"));
  t.strictSame(await found("docker://docker.io/busybox", environment), user("hub"));
  for (const host of ["empty.example", "broken.example", "registry.example:5000", "other.example"]) {
    t.equal(await found(`docker://${host}/crm`, environment), undefined, host);
  }
  const named = place();
  writeFileSync(named, JSON.stringify({ auths: { "registry.example": entry("named") } }));
  t.strictSame(await found("docker://registry.example/edge/crm", { ...environment, REGISTRY_AUTH_FILE: named }), user("named"));
  t.equal(await found("docker://registry.example/edge/crm", { ...environment, DOCKER_CONFIG: place() }), undefined, "no file in the folder that is named");
  t.equal(await found("docker://registry.example/edge/crm", {}), undefined, "no home");
  await t.rejects(found("docker://registry.example/crm", { REGISTRY_AUTH_FILE: place() }), { name: "EnvironmentError" });
  await t.rejects(found("docker://registry.example/crm", loggedIn("{")), { name: "EnvironmentError", message: /no JSON/ });
  await t.rejects(found("docker://registry.example/crm", loggedIn("[]")), { name: "EnvironmentError", message: /no JSON/ });
});

t.test("credential helpers", async (t) => {
  const programs = place();
  mkdirSync(programs);
  const helper = (name: string, script: string): void => {
    const path = join(programs, `docker-credential-${name}`);
    writeFileSync(path, `#!/bin/sh\nread -r registry || :\n${script}\n`);
    chmodSync(path, 0o755);
  };
  helper("good", `[ "$1" = get ] && printf '{"ServerURL":"%s","Username":"%s","Secret":"s"}' "$registry" "$registry"`);
  helper("identity", `printf '{"Username":"<token>","Secret":"s"}'`);
  helper("empty", `echo 'credentials not found in native keychain'; exit 1`);
  helper("locked", `echo 'the secret is s3cret'; echo 's3cret' >&2; exit 1`);
  const found = (config: object): ReturnType<typeof findCredentials> => {
    const environment = loggedIn(config);
    return findCredentials(reference("docker://registry.example:5000/edge/crm"), { ...environment, PATH: `${programs}:${environment["PATH"]}` }, signal);
  };
  t.strictSame(await found({ credHelpers: { "registry.example:5000": "good" }, credsStore: "locked" }), { kind: "password", user: "registry.example:5000", password: "s" });
  t.strictSame(await found({ credsStore: "identity" }), { kind: "identity", token: "s" });
  const both = { credsStore: "empty", auths: { "registry.example:5000": { auth: base64("ann:p") } } };
  t.strictSame(await found(both), { kind: "password", user: "ann", password: "p" });
  t.equal(await found({ credsStore: "empty" }), undefined);
  t.equal(await found({ credHelpers: { "other.example": "locked" } }), undefined);
  const locked = await found({ credsStore: "locked" }).catch((error: unknown) => error as Error & { hint?: string });
  t.match(locked, { name: "EnvironmentError", message: "docker-credential-locked does not give credentials" });
  t.notMatch(`${(locked as Error).message} ${(locked as { hint?: string }).hint}`, /s3cret/);
  await t.rejects(found({ credsStore: "absent" }), { name: "EnvironmentError", message: /is not installed/ });
  await t.rejects(found({ credsStore: "../bin/sh" }), { name: "EnvironmentError", message: /no name of a credential helper/ });
});

t.test("through a proxy, except to this machine", async (t) => {
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("from afar");
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const send = sendThrough({ http_proxy: address, no_proxy: "near.invalid" });
  const answer = await send(new URL("http://images.invalid/disk"), { headers: {}, signal });
  t.equal(answer.status, 200);
  answer.discard();
  t.strictSame(asked, ["http://images.invalid/disk"]);
  await t.rejects(send(new URL("http://near.invalid/"), { headers: {}, signal }), { code: /ENOTFOUND|EAI_AGAIN/ });
  const fake = await startFake([image]);
  t.ok((await pull(fake, { HTTP_PROXY: address, HTTPS_PROXY: address })).ok);
  t.equal(asked.length, 1, "the registry of this machine is asked without it");
  const short = sendThrough({ HTTP_PROXY: address.replace("http://", "") });
  t.equal((await short(new URL("http://images.invalid/short"), { headers: {}, signal })).status, 200, "a proxy as curl takes it");
  const unusable = sendThrough({ HTTP_PROXY: "socks5://user:secret@127.0.0.1:1", SSL_CERT_FILE: place() });
  const refused = await unusable(new URL("http://images.invalid/"), { headers: {}, signal }).catch((error: unknown) => error as Error);
  t.match(refused, { name: "EnvironmentError", message: "the proxy that HTTP_PROXY names can't be used" });
  const untrusted = sendThrough({ SSL_CERT_FILE: place() });
  await t.rejects(untrusted(new URL("https://images.invalid/"), { headers: {}, signal }), { name: "EnvironmentError", message: /SSL_CERT_FILE/ });
  fake.close();
  proxy.closeAllConnections();
  proxy.close();
});
