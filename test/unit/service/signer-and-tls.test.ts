/** A key that somebody else holds, and a connection that nobody else reads. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { get } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verify } from "node:crypto";
import t from "tap";
import { pemSigner, type Signer } from "../../../src/seal/sign.ts";
import { commandSigner } from "../../../src/store/command-signer.ts";
import { waitingIn } from "./place.ts";
import { addCloudlet, addOrganization, bundleOf, specOf, startService, uploadRelease } from "./running.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet-signer-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
const key = join(work, "key.pem");
const openssl = (...words: readonly string[]): void => void execFileSync("openssl", words, { stdio: ["ignore", "ignore", "ignore"] });
openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", key);
openssl("pkey", "-in", key, "-pubout", "-out", join(work, "pub.pem"));
openssl("req", "-x509", "-key", key, "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2", "-out", join(work, "cert.pem"));
const publicKeyPem = readFileSync(join(work, "pub.pem"), "utf8");

function signerOf(command: string): Signer {
  const made = commandSigner({ command, publicKeyPem, environment: process.env, signal: new AbortController().signal });
  if (!made.ok) throw new Error("no signer");
  return made.value;
}

t.test("an external command signs; the state folder has no key of its own", async (t) => {
  const running = await startService(t, { signer: signerOf(`openssl dgst -sha256 -sign '${key}'`) });
  await addOrganization(running, "ExampleTel");
  const bundle = await bundleOf(running, running.admin, await addCloudlet(running, running.admin, specOf("berlin-1")), await uploadRelease(running));
  t.match(bundle, { state: "ready" });
  const file = async (path: string): Promise<Buffer> => (await running.ask("GET", `/v1/bundles/${String(bundle["id"])}/files/${path}`, { token: running.admin })).bytes;
  t.ok(verify("sha256", await file("SHA256SUMS"), publicKeyPem, await file("SHA256SUMS.sig")));
  t.notOk(existsSync(join(running.folder, "keys/signing-key.pem")));
  t.match((await running.ask("GET", "/v1/signing-keys", { token: running.admin })).json, { items: [{ current: true, publicKey: publicKeyPem }] });
});

t.test("one that fails is a failed bundle, which can be asked for again", async (t) => {
  const flag = join(work, "works");
  const running = await startService(t, { signer: signerOf(`test -e '${flag}' && openssl dgst -sha256 -sign '${key}'`) });
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, running.admin, specOf("berlin-1"));
  const release = await uploadRelease(running);
  t.match(await bundleOf(running, running.admin, cloudlet, release), { state: "failed", failure: { title: /the signing command ended with status 1/ } });
  execFileSync("touch", [flag]);
  t.match(await bundleOf(running, running.admin, cloudlet, release), { state: "ready" });
});

t.test("asked to stop while it signs, the bundle goes back into the queue, and is made at the next start", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cloudlet-stopped-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const made = pemSigner(readFileSync(key, "utf8"));
  if (!made.ok) throw new Error("no signer");
  const stop = new AbortController();
  const waiting: Signer = { ...made.value, sign: () => new Promise((_, reject) => stop.signal.addEventListener("abort", () => reject(new Error("nobody has touched the key")))) };
  const first = await startService(t, { folder, signer: waiting });
  await addOrganization(first, "ExampleTel");
  const cloudlet = await addCloudlet(first, first.admin, specOf("berlin-1"));
  const id = String((await first.ask("POST", "/v1/bundles", { token: first.admin, json: { cloudlet, release: await uploadRelease(first) } })).json["id"]);
  const state = async (running: typeof first): Promise<unknown> => (await running.ask("GET", `/v1/bundles/${id}`, { token: first.admin })).json["state"];
  for (let tries = 0; tries < 500 && !/"sealing"/.test(JSON.stringify(await first.service.context.db.selectFrom("events").selectAll().execute())); tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(await state(first), "building");
  const closing = first.close();
  stop.abort();
  await closing;
  t.strictSame(await waitingIn(folder), { jobs: [{ attempts: 0 }], bundles: [{ state: "queued", layout: null }] });
  const second = await startService(t, { folder, signer: made.value });
  for (let tries = 0; tries < 500 && (await state(second)) !== "ready"; tries += 1) await new Promise((resolve) => setTimeout(resolve, 20));
  t.equal(await state(second), "ready");
});

t.test("HTTPS alone, where there is a certificate", async (t) => {
  const cert = readFileSync(join(work, "cert.pem"));
  const running = await startService(t, { tls: { cert, key: readFileSync(key) } });
  const { service, admin } = running;
  await addOrganization(running, "ExampleTel");
  const bundle = await bundleOf(running, admin, await addCloudlet(running, admin, specOf("berlin-1")), await uploadRelease(running));
  const path = `/v1/bundles/${String(bundle["id"])}/download`;
  await service.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = service.app.server.address() as AddressInfo;
  const answer = await new Promise<{ readonly status: number | undefined; readonly headers: object; readonly bytes: Buffer }>((resolve, reject) => {
    get({ host: "127.0.0.1", servername: "localhost", port, path, ca: cert, headers: { authorization: `Bearer ${admin}` } }, (got) => {
      const parts: Buffer[] = [];
      got.on("data", (part: Buffer) => parts.push(part));
      got.on("end", () => resolve({ status: got.statusCode, headers: got.headers, bytes: Buffer.concat(parts) }));
    }).on("error", reject);
  });
  t.match(answer, { status: 200, headers: { "strict-transport-security": /max-age/ } });
  t.ok(answer.bytes.equals((await running.ask("GET", path, { token: admin })).bytes), "the same bytes");
  await t.rejects(fetch(`http://127.0.0.1:${port}/v1/health`));
});
