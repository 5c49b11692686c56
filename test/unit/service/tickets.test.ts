/** Tickets: a browser's link to one download, with the rights of whoever asked for it, and a report that can do nothing. */

import t from "tap";
import { addCloudlet, addOrganization, bundleOf, specOf, startService, uploadRelease } from "./running.ts";

let clock = Date.UTC(2026, 10, 30);
const running = await startService(t, { now: () => clock });
const { ask, admin, person, service } = running;
await addOrganization(running, "ExampleTel");
await addOrganization(running, "OtherTel");
const release = await uploadRelease(running);
const cloudlet = await addCloudlet(running, admin, specOf("berlin-1"));
const viewer = await person("vera", { organization: "ExampleTel" });
const stranger = await person("otto", { organization: "OtherTel", role: "manager" });
const bundle = await bundleOf(running, admin, cloudlet, release);
const size = Number(bundle["size"]);
const path = `/v1/bundles/${String(bundle["id"])}/tickets`;

async function ticket(token: string, purpose = "download"): Promise<string> {
  const answer = await ask("POST", path, { token, json: { purpose } });
  if (answer.status !== 201) throw new Error(answer.text);
  return String(answer.json["url"]);
}

t.test("one download, in as many ranges as it takes", async (t) => {
  const url = await ticket(viewer);
  const whole = (await ask("GET", `/v1/bundles/${String(bundle["id"])}/download`, { token: viewer })).bytes;
  const head = await ask("HEAD", url);
  t.equal(Number(head.headers["content-length"]), size);
  const first = await ask("GET", url, { headers: { range: "bytes=0-99999" } });
  const again = await ask("GET", url, { headers: { range: "bytes=0-99999" } });
  t.ok(again.bytes.equals(first.bytes), "as long as it has not come to its end, it may begin anew");
  const rest = await ask("GET", url, { headers: { range: "bytes=100000-", "if-range": head.headers["etag"] ?? "" } });
  t.ok(Buffer.concat([first.bytes, rest.bytes]).equals(whole));
  t.equal((await ask("GET", url)).status, 404, "it has ended");
  t.equal((await ask("GET", url, { headers: { range: "bytes=0-5" } })).status, 404);
  t.equal((await ask("GET", url, { headers: { range: `bytes=${size - 10}-` } })).status, 206, "its last bytes may have been lost");
  clock += 11 * 60_000;
  t.equal((await ask("GET", url, { headers: { range: `bytes=${size - 10}-` } })).status, 404, "not for long");
});

t.test("the rights are those of the moment", async (t) => {
  t.equal((await ask("POST", path, { token: stranger, json: { purpose: "download" } })).status, 404, "whoever may not see it gets none");
  const url = await ticket(viewer);
  await ask("PUT", "/v1/organizations/ExampleTel/members/vera", { token: admin, json: { role: "contributor" } });
  t.equal((await ask("HEAD", url)).status, 200);
  await ask("DELETE", "/v1/organizations/ExampleTel/members/vera", { token: admin });
  t.equal((await ask("GET", url)).status, 404, "who was taken out of the organization");
  await ask("PUT", "/v1/organizations/ExampleTel/members/vera", { token: admin, json: { role: "viewer" } });
  t.equal((await ask("HEAD", url)).status, 200);
  await ask("DELETE", "/v1/sessions/current", { token: viewer });
  t.equal((await ask("GET", url)).status, 404, "whose session has ended");
});

t.test("it ends by itself, and what is none tells nothing", async (t) => {
  const url = await ticket(admin);
  clock += 6 * 3_600_000 - 1;
  t.equal((await ask("HEAD", url)).status, 200);
  clock += 1;
  t.equal((await ask("HEAD", url)).status, 404);
  const good = await ticket(admin);
  for (const wrong of ["cbd_", "cbs_", `${good.slice(13, -10)}x`, "..%2f", "%00", "a".repeat(400)]) t.equal((await ask("GET", `/v1/tickets/${encodeURIComponent(wrong)}/download`)).status, 404, wrong);
  t.equal((await ask("GET", good.replace(/download$/, "report"))).status, 404, "each has its purpose");
  t.equal((await ask("POST", path, { token: admin, json: { purpose: "everything" } })).status, 400);
});

t.test("the database has the hash alone", async (t) => {
  const url = await ticket(admin);
  const secret = url.split("/")[3] ?? "";
  const rows = await service.context.db.selectFrom("tickets").selectAll().execute();
  t.ok(rows.length > 0);
  t.notMatch(JSON.stringify(rows), secret);
  t.ok(rows.every(({ expires }) => expires > clock - 6 * 3_600_000));
  await ask("DELETE", `/v1/cloudlets/${cloudlet}`, { token: admin, headers: { "if-match": "*" } });
  t.equal((await ask("GET", url)).status, 404, "what was removed is gone");
});

t.test("the report is a page without rights", async (t) => {
  const other = await addCloudlet(running, admin, specOf("paris-1"));
  const made = await bundleOf(running, admin, other, release);
  const answer = await ask("POST", `/v1/bundles/${String(made["id"])}/tickets`, { token: admin, json: { purpose: "report" } });
  const url = String(answer.json["url"]);
  for (let tries = 0; tries < 2; tries += 1) {
    const page = await ask("GET", url);
    t.equal(page.status, 200);
    t.match(page.headers["content-security-policy"], /^sandbox; default-src 'none';/);
    t.notMatch(page.headers["content-security-policy"], /allow-|script-src/);
    t.match(page.headers["content-type"], "text/html");
    t.match(page.text, /paris-1/);
  }
  clock += 15 * 60_000;
  t.equal((await ask("GET", url)).status, 404);
});

t.test("where the cloudlets are, for whoever may know of them", async (t) => {
  const { items } = (await ask("GET", "/v1/locations?limit=1", { token: admin })).json as unknown as { readonly items: readonly object[] };
  t.match(items, [{ name: "paris-1", organization: "ExampleTel", latitude: 52.52, longitude: 13.405, state: "defined" }]);
  t.strictSame((await ask("GET", "/v1/locations", { token: stranger })).json["items"], []);
  t.equal((await ask("GET", "/v1/locations")).status, 401);
});
