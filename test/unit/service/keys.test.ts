/** Releases and locks, signing keys, access keys, receipts. */

import { createPrivateKey, createPublicKey } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, chmodSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { addCloudlet, addOrganization, bundleOf, fillStore, releaseText, root, specOf, startService, uploadRelease } from "./running.ts";

t.test("a release, its lock, and what the store lacks", async (t) => {
  const running = await startService(t);
  const { ask, admin, folder } = running;
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, admin, specOf("berlin-1"));
  const made = await ask("POST", "/v1/releases", { token: admin, yaml: releaseText });
  t.match(made.json, { name: "2026.11", sequence: 1, lockDigest: null });
  const id = String(made.json["id"]);
  t.match((await ask("POST", "/v1/bundles", { token: admin, json: { cloudlet, release: id } })).json, { status: 422, issues: [{ code: "service/not-to-be-built", pointer: "/release" }] });
  const put = (body: string): ReturnType<typeof ask> => ask("PUT", `/v1/releases/${id}/lock`, { token: admin, body, headers: { "content-type": "application/json" } });
  const lock = readFileSync(join(root, "bundles/openstack-single/release.lock.json"), "utf8");
  t.equal((await put(lock.replace(/("release": \{\s*"digest": "sha256:)\w/, "$10"))).status, 422);
  t.match((await put(lock.replace(/("release": \{\s*"digest": "sha256:)\w{4}/, "$10000"))).json, { issues: [{ code: "service/other-lock", pointer: "/release/digest", line: /\d/ }] });
  t.equal((await put("{}")).status, 422);
  t.match((await put(lock)).json, { vmdk: false, lockDigest: /sha256/ });
  const lacking = await ask("GET", `/v1/releases/${id}`, { token: admin });
  t.ok((lacking.json["missing"] as readonly string[]).length > 3, "nothing was fetched yet");
  const failed = await bundleOf(running, admin, cloudlet, id);
  t.match(failed, { state: "failed", failure: { title: /the blob store lacks/ } });
  await fillStore(folder);
  t.strictSame((await ask("GET", `/v1/releases/${id}`, { token: admin })).json["missing"], []);
  t.equal((await bundleOf(running, admin, cloudlet, id))["state"], "ready", "asked for again, it is made");
  t.equal((await ask("GET", `/v1/releases/${id}/release`, { token: admin })).text, releaseText);
  t.equal((await ask("POST", "/v1/releases", { token: admin, yaml: releaseText })).status, 409);
  t.equal((await ask("POST", "/v1/releases", { token: admin, yaml: releaseText.replace("sequence: 1", "sequence: -1") })).status, 422);
  t.equal((await ask("DELETE", `/v1/releases/${id}`, { token: admin })).status, 409, "there is a bundle of it");
  t.match((await ask("GET", "/v1/releases", { token: admin })).json, { items: [{ name: "2026.11" }] });
  t.equal((await ask("GET", "/v1/releases/none", { token: admin })).status, 404);
});

t.test("VMware's platforms want VMDKs in the lock", async (t) => {
  const running = await startService(t);
  const { ask, admin } = running;
  const spec = readFileSync(join(root, "bundles/vsphere-single/cloudlet.yaml"), "utf8");
  await addOrganization(running, /organization: (.*)/.exec(spec)?.[1] ?? "");
  const cloudlet = await addCloudlet(running, admin, spec);
  const release = await uploadRelease(running);
  t.match((await ask("POST", "/v1/bundles", { token: admin, json: { cloudlet, release } })).json, { status: 422, detail: /VMDK/ });
});

t.test("a spec that can't be drawn is a failed bundle with its issues", async (t) => {
  const running = await startService(t);
  const { ask, admin, folder } = running;
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, admin, specOf("berlin-1"));
  const yaml = releaseText.replace("minDiskGiB: 20", "minDiskGiB: 400");
  const made = (await ask("POST", "/v1/releases", { token: admin, yaml })).json;
  const lock = (await fillStore(folder)).replace(/("release": \{\s*"digest": ")[^"]*/, `$1${String(made["digest"])}`);
  await ask("PUT", `/v1/releases/${String(made["id"])}/lock`, { token: admin, body: lock, headers: { "content-type": "application/json" } });
  const bundle = await bundleOf(running, admin, cloudlet, String(made["id"]));
  t.match(bundle, { state: "failed", failure: { title: /can't be made/, issues: [{ code: "plan/image-does-not-fit", severity: "error", line: /\d/ }] } });
});

t.test("the service's own key: made once, 0600, refused when others may read it", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "cloudlet-service-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const first = await startService(t, { folder });
  const path = join(folder, "keys/signing-key.pem");
  t.equal(statSync(path).mode & 0o777, 0o600);
  const { items } = (await first.ask("GET", "/v1/signing-keys", { token: first.admin })).json as { readonly items: readonly { readonly fingerprint: string; readonly publicKey: string; readonly current: boolean }[] };
  t.match(items, [{ current: true, fingerprint: first.service.context.signer.fingerprint }]);
  const pem = createPublicKey(readFileSync(path, "utf8")).export({ type: "spki", format: "pem" });
  t.equal((await first.ask("GET", `/v1/signing-keys/${encodeURIComponent(items[0]?.fingerprint ?? "")}`, { token: first.admin })).text, pem);
  t.equal((await first.ask("GET", "/v1/signing-keys/x", { token: first.admin })).status, 404);
  await first.close();
  const second = await startService(t, { folder });
  t.equal(second.service.context.signer.fingerprint, first.service.context.signer.fingerprint);
  await second.close();
  chmodSync(path, 0o640);
  await t.rejects(startService(t, { folder }), /may be read by others/);
});

t.test("access keys: issued once, revoked, issued again; the private half is nowhere else", async (t) => {
  const running = await startService(t);
  const { ask, admin, service, person } = running;
  await addOrganization(running, "ExampleTel");
  const path = `/v1/cloudlets/${await addCloudlet(running, admin, specOf("berlin-1"))}/access-keys`;
  const both = await Promise.all([ask("POST", path, { token: admin }), ask("POST", path, { token: admin })]);
  t.strictSame(both.map(({ status }) => status).sort(), [201, 409], "of two at once one gets it");
  const { items, secrets } = both.find(({ status }) => status === 201)?.json as unknown as { readonly items: readonly { readonly privateKey: string; readonly publicKey: string }[]; readonly secrets: string };
  const [key] = items;
  t.equal(createPublicKey(createPrivateKey(key?.privateKey ?? "")).export({ type: "spki", format: "pem" }), key?.publicKey);
  t.match(secrets, /^ACCESS_KEY=base64:[A-Za-z0-9+/=]+\n$/);
  const body = (key?.privateKey ?? "").split("\n")[1] ?? "x";
  for (const table of ["access_keys", "audit", "documents", "events"] as const) t.notMatch(JSON.stringify(await service.context.db.selectFrom(table).selectAll().execute()), body, table);
  const auditor = await person("aud", { platformRole: "auditor" });
  t.notMatch((await ask("GET", path, { token: auditor })).text, body);
  t.match((await ask("GET", path, { token: auditor })).json, { items: [{ slot: "primary", revoked: null }] });
  t.strictSame((await ask("DELETE", path, { token: admin })).json, { revoked: 1 });
  t.strictSame((await ask("DELETE", path, { token: admin })).json, { revoked: 0 });
  const again = await ask("POST", path, { token: admin });
  t.equal(again.status, 201);
  t.notMatch(again.text, body);
  const list = (await ask("GET", path, { token: admin })).json["items"] as readonly { readonly revoked: string | null }[];
  t.strictSame(list.map(({ revoked }) => revoked === null), [false, true]);
});

t.test("high availability has two", async (t) => {
  const running = await startService(t);
  const { ask, admin } = running;
  const spec = readFileSync(join(root, "bundles/openstack-ha/cloudlet.yaml"), "utf8");
  await addOrganization(running, /organization: (.*)/.exec(spec)?.[1] ?? "");
  const answer = await ask("POST", `/v1/cloudlets/${await addCloudlet(running, admin, spec)}/access-keys`, { token: admin });
  t.match(answer.json, { items: [{ slot: "primary" }, { slot: "secondary" }], secrets: /^ACCESS_KEY=.*\nACCESS_KEY_SECONDARY=.*\n$/ });
});

t.test("receipts: the cloudlet's state follows what was finished last, whatever the order", async (t) => {
  const running = await startService(t);
  const { ask, admin } = running;
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, admin, specOf("berlin-1"));
  const bundle = await bundleOf(running, admin, cloudlet, await uploadRelease(running));
  const receipt = (more: object): string => `${JSON.stringify({
    apiVersion: "cloudlet-bundle/v1", kind: "Receipt", action: "install", result: "complete", cloudlet: "berlin-1", organization: "ExampleTel", region: "EU", platform: "openstack", name: "berlin-1-ExampleTel-pf",
    release: "2026.11", sequence: 1, bundle: bundle["sums"], trust: "signature", started: "2026-11-25T10:00:00Z", finished: "2026-11-25T10:10:00Z", health: "healthy", steps: [], ...more,
  }, null, 2)}\n`;
  const path = `/v1/cloudlets/${cloudlet}/receipts`;
  const send = (body: string): ReturnType<typeof ask> => ask("POST", path, { token: admin, body, headers: { "content-type": "application/json" } });
  const state = async (): Promise<unknown> => (await ask("GET", `/v1/cloudlets/${cloudlet}`, { token: admin })).json["state"];
  t.equal(await state(), "defined");
  const first = await send(receipt({}));
  t.equal(first.status, 201);
  t.equal(first.json["bundle"], bundle["id"], "it is known which bundle that was");
  t.equal(await state(), "installed");
  t.equal((await send(receipt({}))).status, 200, "the same one is no second one");
  t.equal((await send(receipt({ action: "uninstall", result: "removed", finished: "2026-11-27T10:10:00Z" }))).status, 201);
  t.equal(await state(), "removed");
  t.equal((await send(receipt({ action: "upgrade", finished: "2026-11-26T10:10:00Z" }))).status, 201);
  t.equal(await state(), "removed", "one that comes late changes nothing");
  t.equal((await send(receipt({ bundle: `sha256:${"0".repeat(64)}`, finished: "2026-11-28T10:10:00Z" }))).json["bundle"], null, "made elsewhere");
  t.match((await send(receipt({ cloudlet: "munich-1" }))).json, { status: 422, issues: [{ code: "service/receipt", line: 6 }] });
  t.match((await send(receipt({ result: "perhaps" }))).json, { issues: [{ pointer: "/result" }] });
  t.equal((await send("kind: Receipt")).status, 422);
  t.equal((await send("[")).status, 422);
  const { items } = (await ask("GET", path, { token: admin })).json as unknown as { readonly items: readonly { readonly id: string; readonly finished: string }[] };
  t.equal(items.length, 4);
  t.match((await ask("GET", `${path}/${first.json["id"] as string}`, { token: admin })).json, { kind: "Receipt", health: "healthy" });
  t.equal((await ask("GET", `${path}/sha256:00`, { token: admin })).status, 404);
});
