/** What the service says of where it installs by itself. */

import t from "tap";
import type { JsonObject } from "../../../src/core/json.ts";
import { loginPlatforms, loginVariables } from "../../../src/service/direct/direct-platform.ts";
import { readLogin } from "../../../src/service/direct/site-login.ts";
import { platforms } from "../../../src/platforms/registry.ts";
import { addCloudlet, addOrganization, specOf, startService } from "./running.ts";
import { isScaled } from "./place.ts";

t.test("every platform once, with what a login is made of, and why not", async (t) => {
  const running = await startService(t);
  const { ask, admin, person } = running;
  const { items } = (await ask("GET", "/v1/installation-platforms", { token: admin })).json as { readonly items: readonly JsonObject[] };
  t.strictSame(items.map((item) => item["platform"]), platforms.map((platform) => platform.name));
  const of = (name: string): JsonObject => items.find((item) => item["platform"] === name) ?? {};
  for (const name of loginPlatforms) t.match(of(name), { login: "variables", available: !isScaled, reason: isScaled ? /scaled out/ : null }, name);
  t.match(of("libvirt"), { login: "none", variables: [], available: false, reason: isScaled ? /scaled out/ : /serve --libvirt/ });
  for (const name of ["vcd", "vmpool"]) t.match(of(name), { login: "none", available: false, reason: /somebody at the site/ }, name);

  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, admin, specOf("berlin-1"));
  const viewer = await person("vera", { organization: "ExampleTel" });
  const stranger = await person("stan");
  t.match((await ask("GET", `/v1/installation-platforms?cloudlet=${cloudlet}`, { token: viewer })).json, { items: [{ platform: "openstack" }] });
  t.equal((await ask("GET", `/v1/installation-platforms?cloudlet=${cloudlet}`, { token: stranger })).status, 404);
  t.equal((await ask("GET", "/v1/installation-platforms", { token: stranger })).status, 200);
  t.equal((await ask("GET", "/v1/installation-platforms")).status, 401);
});

t.test("each variable of a form is one that a login may have", (t) => {
  for (const platform of loginPlatforms) {
    for (const { name, isText } of loginVariables[platform]) {
      const needed = Object.fromEntries(loginVariables[platform].filter((each) => each.isNeeded).map((each) => [each.name, "https://site.example.net"]));
      const read = readLogin(platform, { ...needed, [name]: isText ? "-----BEGIN\nx\n-----END\n" : "https://x" });
      t.ok(read.ok, `${name}: ${JSON.stringify(read.issues)}`);
    }
    t.notOk(readLogin(platform, {}).ok, "without what is needed there is no login");
  }
  t.end();
});
