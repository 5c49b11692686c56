/** GetCloudletManifest and the access keys: once, until they are revoked; two with high availability; private halves in the answer alone. */

import { createPrivateKey, createPublicKey } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import { manifestOf } from "../../../src/service/mc/manifest.ts";
import { readYaml } from "../../../src/spec/read-yaml.ts";
import { call, key, show, smallest, type Called } from "./mc-running.ts";
import { addCloudlet, addOrganization, bundleOf, fillStore, releaseText, root, startService, uploadRelease, type Running } from "./running.ts";

const registered = "Cloudlet has access key registered, please revoke the current access key first so a new one can be generated for the manifest";

interface Item {
  readonly id: number;
  readonly title: string;
  readonly contenttype: string;
  readonly contentsubtype: string;
  readonly content: string;
}

function itemsOf(answer: Called): readonly Item[] {
  const { value, issues } = readYaml(String(answer.json["manifest"]));
  if (issues.length > 0) throw new Error(JSON.stringify(issues));
  return (value as unknown as { readonly manifestitems: readonly Item[] }).manifestitems;
}

/** The private halves that the lines of the secrets file hold. */
function keysIn(items: readonly Item[]): readonly (readonly [string, string])[] {
  const lines = items.find(({ content }) => content.startsWith("ACCESS_KEY="))?.content ?? "";
  return [...lines.matchAll(/^(\w+)=base64:(.+)$/gm)].map(([, name = "", text = ""]) => [name, Buffer.from(text, "base64").toString()]);
}

const publicOf = (privatePem: string): string => createPublicKey(createPrivateKey(privatePem)).export({ type: "spki", format: "pem" }) as string;

/** The public halves that the service holds now. */
async function current({ service }: Running): Promise<readonly string[]> {
  return (await service.context.db.selectFrom("access_keys").selectAll().where("revoked", "is", null).orderBy("slot").execute()).map((row) => row.public_key);
}

t.test("the manifest, once; refused; revoked; once more", async (t) => {
  const running = await startService(t);
  const { ask, admin, service } = running;
  await addOrganization(running, "ExampleTel");
  await call(running, admin, "CreateCloudlet", { Region: "EU", Cloudlet: smallest });
  const early = await call(running, admin, "GetCloudletManifest", key);
  t.match(early.refusal, /no release with a lock yet/);
  t.strictSame(await current(running), [], "nothing is registered for a manifest that was not made");
  const release = await uploadRelease(running);
  const both = await Promise.all([call(running, admin, "GetCloudletManifest", key), call(running, admin, "GetCloudletManifest", { region: "EU", cloudletkey: { organization: "ExampleTel", name: "berlin-1" } })]);
  t.strictSame(both.map(({ status }) => status).sort(), [200, 400], "of two at once one gets it");
  const first = both.find(({ status }) => status === 200) as Called;
  const items = itemsOf(first);
  t.strictSame(items.map(({ id }) => id), items.map((_, index) => index + 1));
  for (const item of items) {
    t.ok(["none", "url", "code", "command"].includes(item.contenttype), item.contenttype);
    t.ok(["none", "bash", "yaml"].includes(item.contentsubtype), item.contentsubtype);
  }
  t.match(items.find(({ contentsubtype }) => contentsubtype === "yaml")?.content, /heat_template_version/);
  const keys = keysIn(items);
  t.strictSame(keys.map(([name]) => name), ["ACCESS_KEY"]);
  t.strictSame(await current(running), keys.map(([, pem]) => publicOf(pem)));
  const order = ["Download the bundle", "Unpack the bundle", "The access key", "For these steps", "Write the secrets", "Create the stack"];
  t.strictSame(order.map((begin) => items.findIndex(({ title }) => title.startsWith(begin))).every((at, index, all) => at >= 0 && (index === 0 || at > (all[index - 1] ?? 0))), true);
  const perFile = items.find(({ title }) => title.startsWith("For these steps"))?.content ?? "";
  t.match(perFile, new RegExp(`cat >../secrets/ACCESS_KEY <<'EOF'\\n-----BEGIN PRIVATE KEY-----`));

  const [, path = ""] = /^https?:\/\/[^/]+(\/v1\/bundles\/[^/]+\/download)$/.exec(items[0]?.content ?? "") ?? [];
  const cloudlet = String(((await ask("GET", "/v1/cloudlets", { token: admin })).json["items"] as readonly JsonObject[])[0]?.["id"]);
  t.equal((await bundleOf(running, admin, cloudlet, release))["state"], "ready", "the bundle was asked for");
  t.equal((await ask("GET", path, { token: admin, headers: { range: "bytes=0-9" } })).status, 206);
  const inBundle = readYaml((await ask("GET", path.replace("download", "files/site/manifest.yaml"), { token: admin })).text).value as unknown as { readonly manifestitems: readonly Item[] };
  for (const { title, content } of inBundle.manifestitems) t.ok(items.some((item) => item.title === title && item.content === content), `${title}: as in the bundle`);

  const again = await call(running, admin, "GetCloudletManifest", key);
  t.strictSame([again.status, again.text], [400, JSON.stringify({ message: registered })]);
  t.match((await show(running, admin))[0], { crm_access_public_key: publicOf(keys[0]?.[1] ?? ""), crm_access_key_upgrade_required: true });
  t.strictSame((await call(running, admin, "RevokeAccessKey", key)).json, {});
  t.notOk("crm_access_public_key" in ((await show(running, admin))[0] ?? {}));
  const second = await call(running, admin, "GetCloudletManifest", key);
  t.equal(second.status, 200);
  t.not(keysIn(itemsOf(second))[0]?.[1], keys[0]?.[1], "another key");
  t.equal((await call(running, admin, "GetCloudletManifest", key)).refusal, registered);

  const secret = (keys[0]?.[1] ?? "").split("\n")[1] ?? "x";
  for (const table of ["access_keys", "audit", "documents", "events", "bundles"] as const) t.notMatch(JSON.stringify(await service.context.db.selectFrom(table).selectAll().execute()), secret, table);
  t.notMatch(running.log.join(""), secret);
  const actions = (await service.context.db.selectFrom("audit").select("action").orderBy("number").execute()).map(({ action }) => action);
  t.strictSame(actions.filter((action) => action.startsWith("access-key")), ["access-key:issue", "access-key:revoke", "access-key:issue"]);
});

t.test("high availability: two keys, and revoking clears both", async (t) => {
  const running = await startService(t);
  const { admin } = running;
  await addOrganization(running, "ExampleTel");
  await addCloudlet(running, admin, readFileSync(join(root, "bundles/openstack-ha/cloudlet.yaml"), "utf8"));
  await uploadRelease(running);
  const ha = { Region: "EU", CloudletKey: { organization: "ExampleTel", name: "munich-3" } };
  const keys = keysIn(itemsOf(await call(running, admin, "GetCloudletManifest", ha)));
  t.strictSame(keys.map(([name]) => name), ["ACCESS_KEY", "ACCESS_KEY_SECONDARY"]);
  t.not(keys[0]?.[1], keys[1]?.[1]);
  t.strictSame(await current(running), keys.map(([, pem]) => publicOf(pem)));
  t.match((await show(running, admin))[0], { platform_high_availability: true, crm_access_public_key: publicOf(keys[0]?.[1] ?? ""), secondary_crm_access_public_key: publicOf(keys[1]?.[1] ?? "") });
  await call(running, admin, "RevokeAccessKey", ha);
  t.strictSame(await current(running), []);
  t.equal((await call(running, admin, "GetCloudletManifest", ha)).status, 200, "so it can be fetched again");
  const generated = await call(running, admin, "GenerateAccessKey", ha);
  const pems = String(generated.json["message"]).match(/-----BEGIN PRIVATE KEY-----[^]+?-----END PRIVATE KEY-----\n/g) ?? [];
  t.strictSame(await current(running), pems.map(publicOf), "two new ones, the first one first");
});

t.test("GenerateAccessKey takes the place of what there was", async (t) => {
  const running = await startService(t);
  const { admin } = running;
  await addOrganization(running, "ExampleTel");
  await call(running, admin, "CreateCloudlet", { Region: "EU", Cloudlet: smallest });
  await uploadRelease(running);
  const [one, two] = [await call(running, admin, "GenerateAccessKey", key), await call(running, admin, "GenerateAccessKey", key)];
  t.match(one.json["message"], /^-----BEGIN PRIVATE KEY-----\n/);
  t.strictSame(await current(running), [publicOf(String(two.json["message"]))]);
  t.equal((await call(running, admin, "GetCloudletManifest", key)).refusal, registered);
});

t.test("vSphere and vCloud Director have theirs; where a bundle has none it is said, and no key is made", async (t) => {
  const running = await startService(t);
  const { admin, ask } = running;
  await addOrganization(running, "ExampleTel");
  for (const folder of ["vsphere-single", "vcd-single"]) {
    const spec = readFileSync(join(root, `bundles/${folder}/cloudlet.yaml`), "utf8");
    await addCloudlet(running, admin, spec);
    const name = /^name: (.*)$/m.exec(spec)?.[1] ?? "";
    const body = { Region: "EU", CloudletKey: { organization: "ExampleTel", name } };
    if (folder === "vsphere-single") {
      await uploadRelease(running);
      t.match((await call(running, admin, "GetCloudletManifest", body)).refusal, /VMDK/, "its lock has none");
      t.strictSame(await current(running), []);
      const id = String(((await ask("GET", "/v1/releases", { token: admin })).json["items"] as readonly JsonObject[])[0]?.["id"]);
      const put = await ask("PUT", `/v1/releases/${id}/lock`, { token: admin, body: await fillStore(running.folder, { vmdk: true }), headers: { "content-type": "application/json" } });
      t.equal(put.status, 200, put.text);
    }
    const items = itemsOf(await call(running, admin, "GetCloudletManifest", body));
    const at = items.findIndex(({ title }) => title.startsWith("Write the secrets"));
    t.equal(items[at + 1]?.title.startsWith("The access key"), true, `${folder}: its lines go into the copy of the template`);
    t.equal(keysIn(items).length, 1);
  }
  const spec = readFileSync(join(root, "bundles/libvirt-single/cloudlet.yaml"), "utf8");
  await addCloudlet(running, admin, spec);
  const before = (await current(running)).length;
  const none = await call(running, admin, "GetCloudletManifest", { Region: "EU", CloudletKey: { organization: "ExampleTel", name: /^name: (.*)$/m.exec(spec)?.[1] } });
  t.match([none.status, none.refusal], [400, /not supported for PLATFORM_TYPE_LIBVIRT/]);
  t.equal((await current(running)).length, before);
});

t.test("the manifest of every golden cloudlet is whole, hostile names and all", (t) => {
  const key = { slot: "ACCESS_KEY", privateKeyPem: "-----BEGIN PRIVATE KEY-----\nxyz\n-----END PRIVATE KEY-----\n" } as const;
  const golden = join(root, "test/golden");
  const paths = readdirSync(golden).map((name) => join(golden, name, "expected/site/manifest.yaml")).filter((path) => existsSync(path));
  t.ok(paths.length > 8, `${paths.length} of them`);
  for (const path of paths) {
    const steps = readFileSync(path, "utf8");
    const before = (readYaml(steps).value as unknown as { readonly manifestitems: readonly Item[] }).manifestitems;
    const { value, issues } = readYaml(manifestOf(steps, [key], "http://localhost/x"));
    t.strictSame(issues, [], path);
    const after = (value as unknown as { readonly manifestitems: readonly Item[] }).manifestitems;
    t.strictSame(after.filter(({ title }) => before.some((each) => each.title === title)).map(({ id: _, ...item }) => item), before.map(({ id: _, ...item }) => item), path);
  }
  t.end();
});

t.test("which release: the newest, or the newest of the version that the cloudlet asks for", async (t) => {
  const running = await startService(t);
  const { admin, ask } = running;
  await addOrganization(running, "ExampleTel");
  for (const [sequence, version] of [[1, "2026-11-24"], [3, "2026-11-26"], [2, "2026-11-25"]] as const) {
    const yaml = releaseText.replace('name: "2026.11"', `name: "r${sequence}"`).replace("sequence: 1", `sequence: ${sequence}`).replace('containerVersion: "2026-11-24"', `containerVersion: "${version}"`);
    const made = (await ask("POST", "/v1/releases", { token: admin, yaml })).json;
    const put = await ask("PUT", `/v1/releases/${String(made["id"])}/lock`, { token: admin, body: await fillStore(running.folder, { text: yaml }), headers: { "content-type": "application/json" } });
    t.equal(put.status, 200, put.text);
  }
  await ask("POST", "/v1/releases", { token: admin, yaml: releaseText.replace('name: "2026.11"', 'name: "r9"').replace("sequence: 1", "sequence: 9") });
  for (const [name, more, wanted] of [["a", {}, "r3"], ["b", { container_version: "2026-11-25" }, "r2"], ["c", { vm_image_version: "5.0.0", container_version: "2026-11-24" }, "r1"]] as const) {
    await call(running, admin, "CreateCloudlet", { Region: "EU", Cloudlet: { ...smallest, key: { ...smallest.key, name }, ...more } });
    const made = await call(running, admin, "GetCloudletManifest", { Region: "EU", CloudletKey: { ...smallest.key, name } });
    t.equal(made.status, 200, made.text);
    const { release_id } = await running.service.context.db.selectFrom("bundles").innerJoin("cloudlets", "cloudlets.id", "bundles.cloudlet_id").select("bundles.release_id").where("cloudlets.name", "=", name).executeTakeFirstOrThrow();
    t.equal((await ask("GET", `/v1/releases/${release_id}`, { token: admin })).json["name"], wanted, name);
  }
  await call(running, admin, "CreateCloudlet", { Region: "EU", Cloudlet: { ...smallest, key: { ...smallest.key, name: "e" }, container_version: "unknown" } });
  t.match((await call(running, admin, "GetCloudletManifest", { Region: "EU", CloudletKey: { ...smallest.key, name: "e" } })).refusal, /wants container version unknown/);
  t.equal((await current(running)).length, 3, "and no key is made");
});

t.test("who may: not a viewer, nobody of elsewhere, no token without both scopes", async (t) => {
  const running = await startService(t);
  const { admin, ask } = running;
  for (const name of ["ExampleTel", "Other"]) await addOrganization(running, name);
  await call(running, admin, "CreateCloudlet", { Region: "EU", Cloudlet: smallest });
  await uploadRelease(running);
  const viewer = await running.person("viewer", { organization: "ExampleTel" });
  const stranger = await running.person("stranger", { organization: "Other", role: "manager" });
  const auditor = await running.person("auditor", { platformRole: "auditor" });
  const contributor = await running.person("contributor", { organization: "ExampleTel", role: "contributor" });
  const token = async (...scopes: readonly string[]): Promise<string> => String((await ask("POST", "/v1/tokens", { token: contributor, json: { name: scopes.join(" "), days: 1, scopes } })).json["token"]);
  for (const each of [viewer, stranger, auditor, await token("cloudlet:read"), await token("access-key:write"), await token("bundle:request")]) {
    const answer = await call(running, each, "GetCloudletManifest", key);
    t.strictSame([answer.status, answer.refusal], [403, "Forbidden"]);
  }
  for (const each of [viewer, stranger, auditor]) for (const name of ["GenerateAccessKey", "RevokeAccessKey"]) t.equal((await call(running, each, name, key)).refusal, "Forbidden");
  t.equal((await call(running, stranger, "GetCloudletManifest", { Region: "EU", CloudletKey: { organization: "ExampleTel", name: "no-such" } })).refusal, "Forbidden", "the same answer for what is not there");
  t.equal((await call(running, contributor, "GetCloudletManifest", { Region: "EU", CloudletKey: { organization: "ExampleTel", name: "no-such" } })).refusal, 'Cloudlet key {"organization":"ExampleTel","name":"no-such"} not found');
  t.equal((await call(running, contributor, "GetCloudletManifest", { Region: "US", CloudletKey: smallest.key })).refusal, 'Cloudlet key {"organization":"ExampleTel","name":"berlin-1"} not found', "of another region");
  t.equal((await call(running, await token("access-key:write", "bundle:request"), "GetCloudletManifest", key)).status, 200);
});
