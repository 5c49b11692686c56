/** Cloudlets: specs with their mistakes at their places, changes that nobody loses, lists, and who may know of which. */

import t from "tap";
import { addCloudlet, addOrganization, releaseText, specOf, startService, uploadRelease, type Method } from "./running.ts";

t.test("a spec is kept as it was written; its mistakes come all at once, at their lines", async (t) => {
  const running = await startService(t);
  const { ask, admin } = running;
  await addOrganization(running, "ExampleTel");
  const made = await ask("POST", "/v1/cloudlets", { token: admin, yaml: specOf("berlin-1") });
  t.equal(made.status, 201);
  t.match(made.json, { name: "berlin-1", organization: "ExampleTel", platform: "openstack", state: "defined", revision: 1, warnings: [] });
  const path = made.headers["location"] ?? "";
  t.equal((await ask("GET", `${path}/spec`, { token: admin })).text, specOf("berlin-1"));
  const wrong = specOf("berlin-2").replace("latitude: 52.52", "latitude: 952").replace("mode: dhcp", "mode: magic");
  const refused = await ask("POST", "/v1/cloudlets", { token: admin, yaml: wrong });
  t.equal(refused.status, 422);
  t.match(refused.json["issues"], [{ code: "schema/range", pointer: "/location/latitude", line: 8, column: 13 }, { pointer: "/networks/external/0/address/mode", line: 21 }]);
  t.equal((await ask("GET", "/v1/cloudlets?name=berlin-2", { token: admin })).text, '{"items":[]}');
  const looked = await ask("POST", "/v1/cloudlets/validate", { token: admin, yaml: wrong });
  t.match(looked.json, { valid: false, issues: [{ line: 8 }, {}] });
  t.match((await ask("POST", "/v1/cloudlets/validate", { token: admin, yaml: specOf("x") })).json, { valid: true, issues: [] });
  t.match((await ask("POST", "/v1/cloudlets/validate", { token: admin, body: "{}", headers: { "content-type": "application/json" } })).json, { valid: false });
  t.equal((await ask("POST", "/v1/cloudlets", { token: admin, yaml: specOf("berlin-1") })).status, 409);
  t.equal((await ask("POST", "/v1/cloudlets", { token: admin, body: "x", headers: { "content-type": "text/html" } })).status, 415);
  t.equal((await ask("POST", "/v1/cloudlets", { token: admin, yaml: "#".repeat(1_100_000) })).status, 413);
  t.equal((await ask("POST", "/v1/cloudlets", { token: admin, body: Buffer.from([0xff, 0xfe, 0, 0]), headers: { "content-type": "application/yaml" } })).status, 422);
});

t.test("a change needs the tag of what was seen; of two at once one is refused", async (t) => {
  const running = await startService(t);
  const { ask, admin } = running;
  await addOrganization(running, "ExampleTel");
  await addOrganization(running, "Other");
  const path = `/v1/cloudlets/${await addCloudlet(running, admin, specOf("berlin-1"))}`;
  const seen = (await ask("GET", path, { token: admin })).headers["etag"] ?? "";
  const change = (dynamicIps: number, tag: string | undefined): ReturnType<typeof ask> => ask("PUT", path, { token: admin, yaml: specOf("berlin-1").replace("dynamicIps: 8", `dynamicIps: ${dynamicIps}`), ...(tag === undefined ? {} : { headers: { "if-match": tag } }) });
  t.equal((await change(9, undefined)).status, 428);
  t.equal((await change(9, '"other"')).status, 412);
  const both = await Promise.all([change(9, seen), change(10, seen)]);
  t.strictSame(both.map(({ status }) => status).sort(), [200, 412]);
  const now = await ask("GET", path, { token: admin });
  t.equal(now.json["revision"], 2);
  t.not(now.headers["etag"], seen);
  t.equal((await ask("PUT", path, { token: admin, yaml: specOf("other"), headers: { "if-match": now.headers["etag"] ?? "" } })).status, 422, "another name is another cloudlet");
  t.equal((await ask("PUT", path, { token: admin, yaml: specOf("berlin-1", "Other"), headers: { "if-match": now.headers["etag"] ?? "" } })).status, 422, "it stays where it is");
  t.equal((await ask("DELETE", path, { token: admin })).status, 428);
  t.equal((await ask("DELETE", path, { token: admin, headers: { "if-match": seen } })).status, 412);
  t.equal((await ask("DELETE", "/v1/organizations/ExampleTel", { token: admin })).status, 409);
  t.equal((await ask("DELETE", path, { token: admin, headers: { "if-match": now.headers["etag"] ?? "" } })).status, 204);
  t.equal((await ask("GET", path, { token: admin })).status, 404);
});

t.test("lists: filters, pages without gaps or repeats, only what one may know of", async (t) => {
  const running = await startService(t);
  const { ask, admin, person } = running;
  await addOrganization(running, "A");
  await addOrganization(running, "B");
  for (const organization of ["A", "B"]) for (let index = 0; index < 7; index += 1) await addCloudlet(running, admin, specOf(`c${index}`, organization).replace("region: EU", index % 2 === 0 ? "region: EU" : "region: US"));
  const all: string[] = [];
  for (let cursor: string | undefined = ""; cursor !== undefined; ) {
    const { json } = await ask("GET", `/v1/cloudlets?limit=3${cursor === "" ? "" : `&cursor=${cursor}`}`, { token: admin });
    for (const each of json["items"] as readonly { readonly organization: string; readonly name: string }[]) all.push(`${each.organization}/${each.name}`);
    cursor = json["next"] as string | undefined;
  }
  t.strictSame(all, ["A", "B"].flatMap((organization) => Array.from({ length: 7 }, (_, index) => `${organization}/c${index}`)));
  const count = async (token: string, query: string): Promise<number> => ((await ask("GET", `/v1/cloudlets?${query}`, { token })).json["items"] as readonly unknown[]).length;
  t.equal(await count(admin, "region=US"), 6);
  t.equal(await count(admin, "organization=B&region=EU"), 4);
  t.equal(await count(admin, "platform=vsphere"), 0);
  t.equal(await count(admin, "state=installed"), 0);
  const viewer = await person("vera", { organization: "B" });
  t.equal(await count(viewer, "limit=200"), 7);
  t.equal(await count(viewer, "organization=A"), 0);
  t.equal(await count(await person("nemo"), ""), 0);
  t.equal(await count(await person("aud", { platformRole: "auditor" }), ""), 14);
  t.equal((await ask("GET", "/v1/cloudlets?limit=0", { token: admin })).status, 400);
  t.equal((await ask("GET", "/v1/cloudlets?nonsense=1", { token: admin })).status, 400);
});

t.test("whoever is elsewhere can't tell another organization's cloudlet from none", async (t) => {
  const running = await startService(t);
  const { ask, admin, person } = running;
  await addOrganization(running, "ExampleTel");
  await addOrganization(running, "Rival");
  const cloudlet = await addCloudlet(running, admin, specOf("berlin-1"));
  const release = await uploadRelease(running);
  const bundle = String((await ask("POST", "/v1/bundles", { token: admin, json: { cloudlet, release } })).json["id"]);
  const rival = await person("riva", { organization: "Rival", role: "manager" });
  const none = "AAAAAAAAAAAAAAAAAAAAAA";
  const asked: readonly (readonly [Method, (cloudlet: string, bundle: string) => string, object?])[] = [
    ["GET", (id) => `/v1/cloudlets/${id}`],
    ["GET", (id) => `/v1/cloudlets/${id}/spec`],
    ["PUT", (id) => `/v1/cloudlets/${id}`, { yaml: specOf("berlin-1") }],
    ["DELETE", (id) => `/v1/cloudlets/${id}`],
    ["GET", (id) => `/v1/cloudlets/${id}/access-keys`],
    ["POST", (id) => `/v1/cloudlets/${id}/access-keys`],
    ["DELETE", (id) => `/v1/cloudlets/${id}/access-keys`],
    ["GET", (id) => `/v1/cloudlets/${id}/receipts`],
    ["POST", (id) => `/v1/cloudlets/${id}/receipts`, { json: {} }],
    ["GET", (id) => `/v1/cloudlets/${id}/receipts/x`],
    ["GET", (_, id) => `/v1/bundles/${id}`],
    ["GET", (_, id) => `/v1/bundles/${id}/events`],
    ["GET", (_, id) => `/v1/bundles/${id}/download`],
    ["HEAD", (_, id) => `/v1/bundles/${id}/download`],
    ["GET", (_, id) => `/v1/bundles/${id}/files`],
    ["GET", (_, id) => `/v1/bundles/${id}/files/SHA256SUMS`],
    ["GET", (_, id) => `/v1/bundles/${id}/provenance`],
  ];
  for (const [method, path, body] of asked) {
    const theirs = await ask(method, path(cloudlet, bundle), { token: rival, ...body });
    const nothing = await ask(method, path(none, none), { token: rival, ...body });
    t.equal(theirs.status, 404, `${method} ${path("C", "B")}`);
    t.equal(theirs.text, nothing.text, `${method} ${path("C", "B")}: the same body`);
    const plain = ({ date: _, ...headers }: typeof theirs.headers): object => headers;
    t.strictSame(plain(theirs.headers), plain(nothing.headers), `${method} ${path("C", "B")}: the same headers`);
  }
  const requested = await ask("POST", "/v1/bundles", { token: rival, json: { cloudlet, release } });
  t.equal(requested.text, (await ask("POST", "/v1/bundles", { token: rival, json: { cloudlet: none, release } })).text);
  t.strictSame((await ask("GET", `/v1/bundles?cloudlet=${cloudlet}`, { token: rival })).json, { items: [] });
  const written = await ask("POST", "/v1/cloudlets", { token: rival, yaml: specOf("berlin-9") });
  const nowhere = await ask("POST", "/v1/cloudlets", { token: rival, yaml: specOf("berlin-9", "Nowhere789") });
  t.equal(written.status, 422);
  t.equal(written.text.replaceAll(/\d+/g, "n"), nowhere.text.replaceAll(/\d+/g, "n"), "nor an organization");
  t.equal((await ask("GET", "/v1/organizations/ExampleTel", { token: rival })).text, (await ask("GET", "/v1/organizations/Nowhere", { token: rival })).text);
  // The same two look-ups in both cases, in turn, and the fastest of each: what is slower says what else the machine did.
  const times = { there: [] as number[], absent: [] as number[] };
  for (let round = 0; round < 30; round += 1) {
    for (const [list, id] of [[times.there, cloudlet], [times.absent, none]] as const) {
      const began = performance.now();
      await ask("GET", `/v1/cloudlets/${id}`, { token: rival });
      list.push(performance.now() - began);
    }
  }
  const [there, absent] = [Math.min(...times.there), Math.min(...times.absent)];
  t.ok(Math.abs(there - absent) < Math.max(there, absent) * 0.75 + 1, `there ${there} ms, absent ${absent} ms`);
});

t.test("viewers and auditors read and change nothing; contributors don't manage members", async (t) => {
  const running = await startService(t);
  const { ask, admin, person } = running;
  await addOrganization(running, "ExampleTel");
  const id = await addCloudlet(running, admin, specOf("berlin-1"));
  const tag = (await ask("GET", `/v1/cloudlets/${id}`, { token: admin })).headers["etag"] ?? "";
  for (const token of [await person("vera", { organization: "ExampleTel" }), await person("aud", { platformRole: "auditor" })]) {
    t.equal((await ask("GET", `/v1/cloudlets/${id}`, { token })).status, 200);
    t.equal((await ask("POST", "/v1/cloudlets", { token, yaml: specOf("berlin-2") })).status, 403);
    t.equal((await ask("PUT", `/v1/cloudlets/${id}`, { token, yaml: specOf("berlin-1"), headers: { "if-match": tag } })).status, 403);
    t.equal((await ask("DELETE", `/v1/cloudlets/${id}`, { token, headers: { "if-match": tag } })).status, 403);
    t.equal((await ask("POST", `/v1/cloudlets/${id}/access-keys`, { token })).status, 403);
    t.equal((await ask("POST", "/v1/releases", { token, yaml: releaseText })).status, 403);
  }
  const contributor = await person("conny", { organization: "ExampleTel", role: "contributor" });
  t.equal((await ask("POST", "/v1/cloudlets", { token: contributor, yaml: specOf("berlin-2") })).status, 201);
  t.equal((await ask("PUT", "/v1/organizations/ExampleTel/members/vera", { token: contributor, json: { role: "manager" } })).status, 403);
});
