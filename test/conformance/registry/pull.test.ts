/** The reference containers out of Debian's registry: the same lock and bundle as from archives, with passwords and a CA too. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { join } from "node:path";
import t from "tap";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";
import { push, remove, root, run, startRegistry, workFolder, writeRelease, type Registry } from "./engine.ts";

t.setTimeout(300_000);
const folder = workFolder();
t.teardown(() => remove(folder));
const inputs = join(folder, "inputs");
await makeReferenceInputs(inputs);
const archive = (name: string): string => `docker-archive:${join(inputs, `${name}.docker.tar`)}`;
const names = ["crm", "shepherd", "prometheus"];
const images = join(folder, "registry");
const key = join(folder, "key.pem");
await run(["keygen", "--out", key]);

const registry = await startRegistry(images);
t.teardown(registry.stop);
for (const name of names) push(archive(name), `docker://${registry.host}/edge/${name}:1`);

interface Locked {
  readonly release: { readonly digest: string };
}

let places = 0;
/** Locks the release with these sources in a folder and a store of its own. */
async function lock(source: (name: string) => string, environment: Readonly<Record<string, string>> = {}): Promise<{ readonly ran: Awaited<ReturnType<typeof run>>; readonly place: string; readonly lock: () => Locked }> {
  const place = join(folder, `place-${(places += 1)}`);
  mkdirSync(place);
  writeRelease(join(place, "release.yaml"), inputs, source);
  const ran = await run(["lock", join(place, "release.yaml"), "--store", join(place, "store")], environment);
  return { ran, place, lock: () => JSON.parse(readFileSync(join(place, "release.lock.json"), "utf8")) as Locked };
}

/** The release names other sources, so its own digest is another one; all else must not be. */
function withoutRelease({ release: _, ...rest }: Locked): object {
  return rest;
}

const fromArchives = await lock(archive);
const inRegistry = (name: string): string => `docker://${registry.host}/edge/${name}:1`;

t.test("by tag: the same lock as from archives, and a bundle of the same payload", async (t) => {
  t.equal(fromArchives.ran.status, 0, fromArchives.ran.stderr);
  const pulled = await lock(inRegistry);
  t.equal(pulled.ran.status, 0, pulled.ran.stderr);
  t.strictSame(withoutRelease(pulled.lock()), withoutRelease(fromArchives.lock()));
  const sums = [];
  for (const { place } of [pulled, fromArchives]) {
    // One release for both, so that nothing but the origin of the blobs differs.
    writeRelease(join(place, "release.yaml"), inputs, archive);
    const out = join(place, "bundle.cloudlet.tar");
    const ran = await run(["build", join(root, "bundles/openstack-single/cloudlet.yaml"), "--release", join(place, "release.yaml"), "--store", join(place, "store"), "--key", key, "--out", out, "--quiet"]);
    t.equal(ran.status, 0, ran.stderr);
    sums.push(createHash("sha256").update(readFileSync(out)).digest("hex"));
  }
  t.equal(sums[0], sums[1], "the bundle is the same to the byte");
});

t.test("by digest, and out of an index that skopeo wrote", async (t) => {
  const raw = execFileSync("skopeo", ["inspect", "--raw", "--tls-verify=false", `docker://${registry.host}/edge/crm:1`]);
  const sum = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  const digest = sum(raw);
  const config = execFileSync("skopeo", ["inspect", "--config", "--raw", "--tls-verify=false", `docker://${registry.host}/edge/crm:1`]);
  t.match(readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8"), sum(config), "the image ID, as docs/reference/store.md finds it");
  const byDigest = await lock((name) => (name === "crm" ? `docker://${registry.host}/edge/crm@${digest}` : archive(name)));
  t.equal(byDigest.ran.status, 0, byDigest.ran.stderr);
  t.strictSame(withoutRelease(byDigest.lock()), withoutRelease(fromArchives.lock()));
  const wrong = await lock((name) => (name === "crm" ? `docker://${registry.host}/edge/shepherd@${digest}` : archive(name)));
  t.equal(wrong.ran.status, 1);
  t.match(wrong.ran.stderr, /resolve\/image-(missing|digest)/);
  const other = await lock((name) => (name === "crm" ? `docker://${registry.host}/edge/shepherd:1` : archive(name)));
  t.equal(other.ran.status, 1, "another image than the release says");
  t.match(other.ran.stderr, /resolve\/image-digest/);
  const index = { schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [{ mediaType: "application/vnd.docker.distribution.manifest.v2+json", digest, size: raw.byteLength, platform: { os: "linux", architecture: "amd64" } }] };
  const put = await fetch(`http://${registry.host}/v2/edge/crm/manifests/all`, { method: "PUT", headers: { "content-type": index.mediaType }, body: JSON.stringify(index) });
  t.equal(put.status, 201);
  const fromIndex = await lock((name) => (name === "crm" ? `docker://${registry.host}/edge/crm:all` : archive(name)));
  t.equal(fromIndex.ran.status, 0, fromIndex.ran.stderr);
  t.strictSame(withoutRelease(fromIndex.lock()), withoutRelease(fromArchives.lock()));
});

t.test("with a password, which is asked for by name where it is wrong or missing", async (t) => {
  const htpasswd = join(folder, "htpasswd");
  execFileSync("htpasswd", ["-Bbc", htpasswd, "ann", "se:cret"], { stdio: "ignore" });
  const guarded = await startRegistry(images, { htpasswd });
  t.teardown(guarded.stop);
  const source = (name: string): string => `docker://${guarded.host}/edge/${name}:1`;
  t.match((await lock(source)).ran, { status: 1, stderr: /resolve\/image-refused/ });
  const login = (password: string): string => {
    const place = join(folder, `auth-${(places += 1)}`);
    mkdirSync(place);
    // Written as the tool of the trade writes it, where it accepts the password.
    const file = join(place, "config.json");
    if (password === "se:cret") execFileSync("skopeo", ["login", "--authfile", file, "--tls-verify=false", "--username", "ann", "--password-stdin", guarded.host], { input: password, stdio: ["pipe", "ignore", "inherit"] });
    else writeFileSync(file, JSON.stringify({ auths: { [guarded.host]: { auth: Buffer.from(`ann:${password}`).toString("base64") } } }));
    return place;
  };
  const refused = await lock(source, { DOCKER_CONFIG: login("wrong") });
  t.match(refused.ran, { status: 1, stderr: /resolve\/image-refused/ });
  const good = login("se:cret");
  for (const environment of [{ DOCKER_CONFIG: good }, { REGISTRY_AUTH_FILE: join(good, "config.json") }]) {
    const pulled = await lock(source, environment);
    t.equal(pulled.ran.status, 0, pulled.ran.stderr);
    t.strictSame(withoutRelease(pulled.lock()), withoutRelease(fromArchives.lock()));
    t.notMatch(`${pulled.ran.stdout}${pulled.ran.stderr}`, /se:cret/);
  }
});

/** A CA and a certificate of it for this address. */
function certificates(address: string): { readonly ca: string; readonly certificate: string; readonly key: string } {
  const at = (name: string): string => join(folder, name);
  const openssl = (...words: readonly string[]): void => void execFileSync("openssl", words, { stdio: "ignore" });
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-x509", ...curve, "-keyout", at("ca.key"), "-out", at("ca.pem"), "-days", "2", "-subj", "/CN=Site CA");
  openssl("req", ...curve, "-keyout", at("tls.key"), "-out", at("tls.csr"), "-subj", `/CN=${address}`);
  writeFileSync(at("tls.ext"), `subjectAltName=IP:${address}\n`);
  openssl("x509", "-req", "-in", at("tls.csr"), "-CA", at("ca.pem"), "-CAkey", at("ca.key"), "-CAcreateserial", "-out", at("tls.pem"), "-days", "2", "-extfile", at("tls.ext"));
  return { ca: at("ca.pem"), certificate: at("tls.pem"), key: at("tls.key") };
}

t.test("over TLS with the site's own CA", async (t) => {
  // Loopback too, but none of the names that are spoken to without TLS.
  const address = "127.0.0.2";
  const tls = certificates(address);
  const safe: Registry = await startRegistry(images, { address, tls });
  t.teardown(safe.stop);
  const source = (name: string): string => `docker://${safe.host}/edge/${name}:1`;
  t.match((await lock(source)).ran, { status: 3, stderr: /is not trusted: .*\n.*SSL_CERT_FILE/ }, "not trusted");
  const plain = await startRegistry(images, { address });
  t.teardown(plain.stop);
  t.match((await lock((name) => `docker://${plain.host}/edge/${name}:1`)).ran, { status: 3, stderr: /does not speak TLS/ });
  for (const environment of [{ SSL_CERT_FILE: tls.ca }, { NODE_EXTRA_CA_CERTS: tls.ca }]) {
    const pulled = await lock(source, environment);
    t.equal(pulled.ran.status, 0, pulled.ran.stderr);
    t.strictSame(withoutRelease(pulled.lock()), withoutRelease(fromArchives.lock()));
  }
  t.match((await lock((name) => source(name).replace("127.0.0.2", "127.0.0.3"), { SSL_CERT_FILE: tls.ca })).ran, { status: 3 }, "nobody there");
});

t.test("through the site's proxy", async (t) => {
  const address = "127.0.0.2";
  const tls = certificates("192.0.2.1");
  const safe = await startRegistry(images, { address, tls });
  t.teardown(safe.stop);
  const tunnels: string[] = [];
  // 192.0.2.1 is nobody's (RFC 5737): only the proxy knows the way.
  const proxy = createServer((_, response) => void response.writeHead(405).end()).on("connect", (request, client) => {
    tunnels.push(`${request.url} ${request.headers["proxy-authorization"] ?? ""}`);
    const upstream = connect(Number(safe.host.split(":")[1]), address, () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
    for (const socket of [client, upstream]) socket.on("error", () => void client.destroy()).on("close", () => void upstream.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const { port } = proxy.address() as AddressInfo;
  const pulled = await lock((name) => `docker://192.0.2.1/edge/${name}:1`, { HTTPS_PROXY: `http://site:word@127.0.0.1:${port}`, SSL_CERT_FILE: tls.ca });
  t.equal(pulled.ran.status, 0, pulled.ran.stderr);
  t.strictSame(withoutRelease(pulled.lock()), withoutRelease(fromArchives.lock()));
  t.ok(tunnels.length > 0);
  t.strictSame([...new Set(tunnels)], [`192.0.2.1:443 Basic ${Buffer.from("site:word").toString("base64")}`]);
});
