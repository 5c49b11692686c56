/** Bundles: made once, the same bytes as `build` writes, and every stretch of them over HTTP. */

import { execFileSync, spawnSync } from "node:child_process";
import { createHash, verify } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { preAuthenticationEncoding } from "../../../src/seal/dsse.ts";
import { rangeOf } from "../../../src/service/http/ranges.ts";
import { randomFrom } from "../../random.ts";
import { hidden, shorten } from "./place.ts";
import { addCloudlet, addOrganization, bundleOf, fillStore, root, specOf, startService, uploadRelease, type Running } from "./running.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-service-bundles-"));
const running = await startService(t, { folder: join(folder, "state") });
const { ask, admin, service, person } = running;
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
await service.app.listen({ host: "127.0.0.1", port: 0 });
const { port } = service.app.server.address() as AddressInfo;
await addOrganization(running, "ExampleTel");
const release = await uploadRelease(running);
const cloudlet = await addCloudlet(running, admin, specOf("berlin-1"));
const viewer = await person("vera", { organization: "ExampleTel" });
const bundle = await bundleOf(running, admin, cloudlet, release);
const path = `/v1/bundles/${String(bundle["id"])}`;
const built = buildByHand(running, specOf("berlin-1"), await fillStore(running.folder));
const whole = readFileSync(built);

/** What the command line makes of the same, with the service's key and store. */
function buildByHand({ folder: state }: Running, spec: string, lock: string): string {
  const specPath = join(folder, "cloudlet.yaml");
  writeFileSync(specPath, spec);
  writeFileSync(join(folder, "release.yaml"), readFileSync(join(root, "bundles/openstack-single/release.yaml")));
  writeFileSync(join(folder, "release.lock.json"), lock);
  const out = join(folder, "by-hand.tar");
  execFileSync(process.execPath, [join(root, "src/cli/start.ts"), "build", specPath, "--release", join(folder, "release.yaml"), "--store", join(state, "blobs"), "--locked", "--key", join(state, "keys/signing-key.pem"), "--out", out, "--quiet"], { stdio: ["ignore", "ignore", "inherit"] });
  return out;
}

/** Over a real connection; `stopAfter` closes it when so many bytes have come. */
function fetched(of: string, headers: Readonly<Record<string, string>> = {}, stopAfter = Infinity): Promise<{ readonly status: number; readonly headers: IncomingMessage["headers"]; readonly bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, path: of, headers: { authorization: `Bearer ${viewer}`, ...headers } }, (answer) => {
      const parts: Buffer[] = [];
      let size = 0;
      const done = (): void => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes: Buffer.concat(parts) });
      answer.on("data", (chunk: Buffer) => {
        parts.push(chunk);
        size += chunk.byteLength;
        if (size >= stopAfter) {
          answer.destroy();
          done();
        }
      });
      answer.on("end", done);
      answer.on("error", () => undefined);
    });
    request.on("error", reject);
    request.end();
  });
}

t.test("the bytes are those that build writes, and verify finds them good", async (t) => {
  const { status, headers, bytes } = await fetched(`${path}/download`);
  t.equal(status, 200);
  t.ok(bytes.equals(whole), "byte for byte");
  t.equal(Number(headers["content-length"]), whole.byteLength, "the length was known before");
  t.match(headers, { "accept-ranges": "bytes", "content-disposition": /berlin-1-ExampleTel-2026\.11\.cloudlet\.tar/, etag: /^"[0-9a-f]{64}"$/ });
  const tar = join(folder, "downloaded.cloudlet.tar");
  writeFileSync(tar, bytes);
  const verdict = spawnSync(process.execPath, [join(root, "src/cli/start.ts"), "verify", tar, "--trust", String(bundle["fingerprint"])], { encoding: "utf8" });
  t.equal(verdict.status, 0, verdict.stdout + verdict.stderr);
});

t.test("any range is that stretch of the file", async (t) => {
  const random = randomFrom(20261130);
  const { length: size } = whole;
  const cases = [[0, 0], [0, 511], [size - 1, size - 1], [0, size - 1], [511, 512], ...Array.from({ length: 120 }, () => {
    const start = Math.floor(random() * size);
    return [start, Math.min(size - 1, start + Math.floor(random() ** 3 * 300_000))];
  })];
  let wrong = 0;
  for (const [first = 0, last = 0] of cases) {
    const { status, headers, bytes } = await ask("GET", `${path}/download`, { token: viewer, headers: { range: `bytes=${first}-${last}` } });
    const isRight = status === 206 && headers["content-range"] === `bytes ${first}-${last}/${size}` && bytes.equals(whole.subarray(first, last + 1));
    if (!isRight) wrong += 1;
  }
  t.equal(wrong, 0, `${cases.length} ranges`);
  t.ok((await ask("GET", `${path}/download`, { token: viewer, headers: { range: "bytes=-1000" } })).bytes.equals(whole.subarray(-1000)));
  t.ok((await ask("GET", `${path}/download`, { token: viewer, headers: { range: `bytes=${size - 5}-` } })).bytes.equals(whole.subarray(-5)));
});

t.test("ranges and preconditions as RFC 9110 has them", async (t) => {
  const size = whole.byteLength;
  const tag = (await ask("HEAD", `${path}/download`, { token: viewer })).headers["etag"] ?? "";
  const status = async (headers: Readonly<Record<string, string>>): Promise<number> => (await ask("GET", `${path}/download`, { token: viewer, headers })).status;
  const over = await ask("GET", `${path}/download`, { token: viewer, headers: { range: `bytes=${size}-` } });
  t.equal(over.status, 416);
  t.equal(over.headers["content-range"], `bytes */${size}`);
  t.equal(await status({ range: "bytes=9-2" }), 200, "no range at all");
  t.equal(await status({ range: "bytes=0-1,5-6" }), 200, "several are answered with the whole");
  t.equal(await status({ range: "lines=1-2" }), 200);
  t.equal(await status({ range: "bytes=0-1", "if-range": tag }), 206);
  t.equal(await status({ range: "bytes=0-1", "if-range": '"other"' }), 200);
  t.equal(await status({ range: "bytes=0-1", "if-range": `W/${tag}` }), 200, "a weak tag is none");
  t.equal(await status({ "if-none-match": tag }), 304);
  t.equal(await status({ "if-none-match": `"x", W/${tag}` }), 304);
  t.equal(await status({ "if-match": '"other"' }), 412);
  t.equal(await status({ "if-match": "*" }), 200);
  const head = await ask("HEAD", `${path}/download`, { token: viewer, headers: { range: "bytes=0-1" } });
  t.match(head, { status: 200, text: "" });
  t.equal(Number(head.headers["content-length"]), size);
  t.equal((await ask("POST", `${path}/download`, { token: viewer })).status, 405);
  t.strictSame(["bytes=0-", "bytes=5-5", "bytes=-3", "bytes=-0", "bytes=10-", "bytes=x", undefined].map((each) => rangeOf(each, 10)), [{ start: 0, end: 10 }, { start: 5, end: 6 }, { start: 7, end: 10 }, "unsatisfiable", "unsatisfiable", "whole", "whole"]);
  t.end();
});

t.test("interrupted again and again, and resumed, it is the same file", async (t) => {
  const tag = (await fetched(`${path}/download`, {}, 1)).headers.etag ?? "";
  let got = Buffer.alloc(0);
  let connections = 0;
  while (got.byteLength < whole.byteLength && connections < 50) {
    connections += 1;
    const answer = await fetched(`${path}/download`, { range: `bytes=${got.byteLength}-`, "if-range": tag }, 150_000 + connections * 777);
    t.equal(answer.status, 206);
    got = Buffer.concat([got, answer.bytes]);
  }
  t.ok(connections > 3, `${connections} connections`);
  t.ok(got.equals(whole));
});

t.test("many at once get what is theirs", async (t) => {
  const all = await Promise.all(Array.from({ length: 12 }, (_, index) => fetched(`${path}/download`, index % 2 === 0 ? {} : { range: `bytes=${index * 100_003}-` })));
  for (const [index, { bytes }] of all.entries()) t.ok(bytes.equals(index % 2 === 0 ? whole : whole.subarray(index * 100_003)), `reader ${index}`);
});

t.test("single files, without the rest", async (t) => {
  const { items } = (await ask("GET", `${path}/files`, { token: viewer })).json as unknown as { readonly items: readonly { readonly path: string; readonly sha256: string; readonly size: number }[] };
  t.ok(items.length > 40);
  for (const file of items) {
    const { status, bytes } = await ask("GET", `${path}/files/${file.path}`, { token: viewer });
    const sum = createHash("sha256").update(bytes).digest("hex");
    if (status !== 200 || sum !== file.sha256 || bytes.byteLength !== file.size) t.fail(file.path);
  }
  const sums = (await ask("GET", `${path}/files/SHA256SUMS`, { token: viewer })).bytes;
  const signature = (await ask("GET", `${path}/files/SHA256SUMS.sig`, { token: viewer })).bytes;
  const key = (await ask("GET", `/v1/signing-keys/${encodeURIComponent(String(bundle["fingerprint"]))}`, { token: viewer })).text;
  t.ok(verify("sha256", sums, key, signature), "the signature is good by the key that is served");
  t.equal(`sha256:${createHash("sha256").update(sums).digest("hex")}`, bundle["sums"]);
  t.equal((await ask("GET", `${path}/files/SHA256SUMS`, { token: viewer, headers: { range: "bytes=0-63" } })).text, sums.toString().slice(0, 64));
  for (const other of ["nothing", "../service.db", "..%2fservice.db", "site"]) t.equal((await ask("GET", `${path}/files/${other}`, { token: viewer })).status, 404, other);
  t.match((await ask("GET", `${path}/files/evidence/report.html`, { token: viewer })).headers, { "content-type": "application/octet-stream", "content-disposition": /attachment/ });
});

t.test("the provenance in its envelope is signed", async (t) => {
  const answer = await ask("GET", `${path}/provenance`, { token: viewer });
  const { payload, payloadType, signatures } = JSON.parse(answer.text) as { readonly payload: string; readonly payloadType: string; readonly signatures: readonly { readonly sig: string }[] };
  const statement = Buffer.from(payload, "base64");
  t.ok(statement.equals((await ask("GET", `${path}/files/evidence/provenance.json`, { token: viewer })).bytes));
  t.ok(verify("sha256", preAuthenticationEncoding(payloadType, statement), service.context.signer.publicKeyPem, Buffer.from(signatures[0]?.sig ?? "", "base64")));
  t.equal(answer.text, readFileSync(built.replace(/\.tar$/, ".provenance.dsse.json"), "utf8"), "as build writes it");
});

t.test("twenty requests for four bundles make four", async (t) => {
  const made = async (): Promise<number> => Number((await service.context.db.selectFrom("audit").select(({ fn }) => fn.countAll<number>().as("n")).where("action", "=", "bundle:ready").executeTakeFirstOrThrow()).n);
  const before = await made();
  const cloudlets: string[] = [];
  for (const name of ["one", "two", "three", "four"]) cloudlets.push(await addCloudlet(running, admin, specOf(name)));
  const asked = Array.from({ length: 20 }, (_, index) => bundleOf(running, admin, cloudlets[index % 4] ?? "", release));
  const bundles = await Promise.all(asked);
  t.equal(new Set(bundles.map((each) => each["id"])).size, 4);
  t.ok(bundles.every((each) => each["state"] === "ready"));
  t.equal(await made() - before, 4);
  t.equal((await ask("POST", "/v1/bundles", { token: admin, json: { cloudlet, release } })).json["id"], bundle["id"], "and the first one is there still");
  const listed = (await ask("GET", "/v1/bundles?limit=200", { token: viewer })).json["items"] as readonly unknown[];
  t.equal(listed.length, 5);
  const paged = (await ask("GET", "/v1/bundles?limit=2", { token: viewer })).json;
  t.match((await ask("GET", `/v1/bundles?limit=200&cursor=${String(paged["next"])}`, { token: viewer })).json["items"], { length: 3 });
});

t.test("another spec is another bundle; another comment is the same", async (t) => {
  const { headers } = await ask("GET", `/v1/cloudlets/${cloudlet}`, { token: admin });
  const commented = await ask("PUT", `/v1/cloudlets/${cloudlet}`, { token: admin, yaml: `# said otherwise\n${specOf("berlin-1")}`, headers: { "if-match": headers["etag"] ?? "" } });
  t.equal((await bundleOf(running, admin, cloudlet, release))["id"], bundle["id"]);
  await ask("PUT", `/v1/cloudlets/${cloudlet}`, { token: admin, yaml: specOf("berlin-1").replace("dynamicIps: 8", "dynamicIps: 9"), headers: { "if-match": commented.headers["etag"] ?? "" } });
  t.not((await bundleOf(running, admin, cloudlet, release))["id"], bundle["id"]);
  t.ok((await fetched(`${path}/download`)).bytes.equals(whole), "the old one is as it was");
});

t.test("progress comes as it happens, goes on after the last event that was heard, and ends", async (t) => {
  const id = await addCloudlet(running, admin, specOf("events"));
  const { json } = await ask("POST", "/v1/bundles", { token: admin, json: { cloudlet: id, release } });
  const events = `/v1/bundles/${String(json["id"])}/events`;
  const first = await fetched(events);
  t.equal(first.status, 200);
  t.match(first.headers["content-type"], "text/event-stream");
  const text = first.bytes.toString();
  t.strictSame([...text.matchAll(/^event: (.*)$/gm)].map((match) => match[1]), ["queued", "building", "building", "building", "ready"]);
  t.strictSame([...text.matchAll(/^id: (.*)$/gm)].map((match) => match[1]), ["1", "2", "3", "4", "5"]);
  const rest = (await fetched(events, { "last-event-id": "3" })).bytes.toString();
  t.equal(rest, text.slice(text.indexOf("id: 4\n")));
  t.equal((await fetched(events, { "last-event-id": "5" })).status, 204);
});

t.test("no more downloads at once than there is room for", async (t) => {
  const small = await startService(t, { limits: { downloads: 2 } });
  await addOrganization(small, "ExampleTel");
  const id = String((await bundleOf(small, small.admin, await addCloudlet(small, small.admin, specOf("berlin-1")), await uploadRelease(small)))["id"]);
  const answers = await Promise.all(Array.from({ length: 6 }, () => small.ask("GET", `/v1/bundles/${id}/download`, { token: small.admin })));
  t.ok(answers.some(({ status }) => status === 503) && answers.some(({ status }) => status === 200), answers.map(({ status }) => status).join(" "));
  t.equal((await small.ask("GET", `/v1/bundles/${id}/download`, { token: small.admin })).status, 200, "and then there is room again");
});

t.test("a blob that is gone is told before the first byte, and a download is in the audit trail", async (t) => {
  const { items } = (await ask("GET", `${path}/files`, { token: admin })).json as unknown as { readonly items: readonly { readonly role: string; readonly sha256: string }[] };
  const hex = items.find(({ role }) => role === "vm-image")?.sha256 ?? "";
  const back = await hidden(running.folder, `sha256:${hex}`);
  t.match((await ask("GET", `${path}/download`, { token: admin })).json, { status: 409, detail: new RegExp(hex) });
  t.equal((await ask("GET", `${path}/files/SHA256SUMS`, { token: admin })).status, 200, "what is not in it goes on");
  t.equal((await ask("GET", `${path}/download`, { token: admin, headers: { range: "bytes=0-1000" } })).status, 206);
  await back();
  const noted = async (): Promise<number> => ((await ask("GET", "/v1/audit?action=bundle:download&actor=user:vera&limit=200", { token: admin })).json["items"] as readonly unknown[]).length;
  const before = await noted();
  await ask("GET", `${path}/download`, { token: viewer });
  await ask("GET", `${path}/download`, { token: viewer, headers: { range: "bytes=5-" } });
  await ask("HEAD", `${path}/download`, { token: viewer });
  t.equal(await noted() - before, 1);
});

t.test("a blob that is shorter than it was cuts the connection, so that nobody takes half for the whole", async (t) => {
  const small = await startService(t);
  await addOrganization(small, "ExampleTel");
  const id = String((await bundleOf(small, small.admin, await addCloudlet(small, small.admin, specOf("berlin-1")), await uploadRelease(small)))["id"]);
  const { items } = (await small.ask("GET", `/v1/bundles/${id}/files`, { token: small.admin })).json as unknown as { readonly items: readonly { readonly role: string; readonly sha256: string }[] };
  const hex = items.find(({ role }) => role === "vm-image")?.sha256 ?? "";
  await shorten(small.folder, `sha256:${hex}`);
  await small.service.app.listen({ host: "127.0.0.1", port: 0 });
  const at = `http://127.0.0.1:${(small.service.app.server.address() as AddressInfo).port}/v1/bundles/${id}/download`;
  const answer = await fetch(at, { headers: { authorization: `Bearer ${small.admin}` } });
  t.equal(answer.status, 200);
  await t.rejects(answer.arrayBuffer());
  t.match(small.log.join(""), /"event":"download".*shorter than it must be/);
  t.equal((await small.ask("GET", "/v1/health")).status, 200);
});

t.test("what is not ready can't be downloaded; a cloudlet takes its bundles with it", async (t) => {
  const lacking = await addCloudlet(running, admin, specOf("gone"));
  const made = String((await bundleOf(running, admin, lacking, release))["id"]);
  await service.context.db.updateTable("bundles").set({ state: "queued", layout: null }).where("id", "=", made).execute();
  t.equal((await ask("GET", `/v1/bundles/${made}/download`, { token: admin })).status, 409);
  const { headers } = await ask("GET", `/v1/cloudlets/${lacking}`, { token: admin });
  t.equal((await ask("DELETE", `/v1/cloudlets/${lacking}`, { token: admin, headers: { "if-match": headers["etag"] ?? "" } })).status, 204);
  t.equal((await ask("GET", `/v1/bundles/${made}/download`, { token: admin })).status, 404);
});
