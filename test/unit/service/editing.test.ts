/** What the editor of specs asks for: starters, imports of MobiledgeX objects, pictures. */

import t from "tap";
import { platforms } from "../../../src/platforms/registry.ts";
import { specOf, startService } from "./running.ts";

const { ask, admin, person } = await startService(t);
const viewer = await person("vera");

t.test("each platform has a starter, and it is valid as it is", async (t) => {
  const listed = await ask("GET", "/v1/starters", { token: viewer });
  t.strictSame(listed.json, { items: platforms.map(({ name }) => ({ platform: name })) });
  for (const { name } of platforms) {
    const { status, text, headers } = await ask("GET", `/v1/starters/${name}`, { token: viewer });
    t.equal(status, 200);
    t.equal(headers["content-type"], "application/yaml");
    t.match((await ask("POST", "/v1/cloudlets/validate", { token: viewer, yaml: text })).json, { valid: true, issues: [] }, name);
  }
  t.equal((await ask("GET", "/v1/starters/abacus", { token: viewer })).status, 404);
  t.equal((await ask("GET", "/v1/starters/__proto__", { token: viewer })).status, 404);
  t.equal((await ask("GET", "/v1/starters")).status, 401);
});

const object = `region: EU
cloudlet:
  key: {organization: ExampleTel, name: berlin-1}
  location: {latitude: 52.52, longitude: 13.405}
  platformtype: PlatformTypeOpenstack
  numdynamicips: 8
  infraapiaccess: RestrictedAccess
  infraconfig: {flavorname: m1.medium, externalnetworkname: ue-net}
  accessvars: {OS_PASSWORD: hunter2, OS_AUTH_URL: "https://keystone.example.net:5000/v3", OS_USERNAME: crm}
  moonphase: full
`;

t.test("an imported object is a spec, and what could not be carried over is named; no secret comes back", async (t) => {
  const { status, json, text } = await ask("POST", "/v1/imports", { token: viewer, yaml: object });
  t.equal(status, 200, text);
  t.match(json["spec"], /name: berlin-1/);
  t.match((json["warnings"] as unknown as readonly { readonly pointer: string }[]).find(({ pointer }) => pointer === "/cloudlet/moonphase"), { line: 10, code: "import/unknown-field" });
  t.match(json["secrets"], ["OS_PASSWORD"]);
  t.notMatch(text, /hunter2/);
  t.match((await ask("POST", "/v1/cloudlets/validate", { token: viewer, yaml: String(json["spec"]) })).json, { valid: true });
  const refused = await ask("POST", "/v1/imports", { token: viewer, yaml: "- {}\n- {}\n" });
  t.equal(refused.status, 422);
  t.match(refused.json["issues"], [{ code: "import/several-cloudlets", line: 1 }]);
  t.equal((await ask("POST", "/v1/imports", { token: viewer, body: "x", headers: { "content-type": "text/plain" } })).status, 415);
  t.equal((await ask("POST", "/v1/imports", { yaml: object })).status, 401);
});

t.test("the picture has every network and rule, and hostile names stay text", async (t) => {
  const { status, text, headers } = await ask("POST", "/v1/cloudlets/picture", { token: viewer, yaml: specOf("berlin-1") });
  t.equal(status, 200);
  t.equal(headers["content-type"], "image/svg+xml");
  t.match(text, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
  t.match(text, /provider/);
  t.match(text, /May reach: /);
  const hostile = specOf("berlin-1").replace(/name: provider/, 'name: "<script>alert(1)</script>"');
  const drawn = await ask("POST", "/v1/cloudlets/picture", { token: viewer, yaml: hostile });
  t.equal(drawn.status, 200, drawn.text);
  t.notMatch(drawn.text, /<script/);
  t.match(drawn.text, /&lt;script&gt;alert\(1\)/);
  t.equal((await ask("POST", "/v1/cloudlets/picture", { token: viewer, yaml: "name: x\n" })).status, 422);
  for (const { name } of platforms) {
    const starter = (await ask("GET", `/v1/starters/${name}`, { token: admin })).text;
    t.equal((await ask("POST", "/v1/cloudlets/picture", { token: admin, yaml: starter })).status, 200, name);
  }
});
