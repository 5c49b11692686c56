/** The spec editor in Chromium: a cloudlet by the form alone, mistakes at their fields, templates, an import, the picture, hostile texts. */

import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import t, { type Test } from "tap";
import { load } from "js-yaml";
import { platforms } from "../../../src/platforms/registry.ts";
import { starterSpec } from "../../../src/spec/starter.ts";
import { addOrganization, startService } from "../../unit/service/running.ts";
import { launch, look, sitDown } from "./browser.ts";
import { writeYaml, yamlIn } from "./yaml.ts";

t.setTimeout(240_000);
const running = await startService(t);
const { service, ask, admin } = running;
await service.app.listen({ host: "127.0.0.1", port: 0 });
const url = `http://127.0.0.1:${(service.app.server.address() as AddressInfo).port}`;
await addOrganization(running, "ExampleTel");
const browser = await launch(t);

const verdict = (page: Page, text: string | RegExp): Promise<void> => page.getByRole("region", { name: "What the check says" }).getByRole("status").filter({ hasText: text }).waitFor();

/** A page with an empty editor; at the end, nothing may have been complained of. */
function scene(name: string, play: (t: Test, page: Page) => Promise<void>): void {
  t.test(name, async (t) => {
    const { page, complaints } = await sitDown(browser, url, admin, "/cloudlets/new");
    t.teardown(() => page.context().close());
    await page.getByRole("heading", { name: "Form" }).waitFor();
    await play(t, page);
    t.strictSame(complaints, [], "nothing is complained of");
  });
}

scene("an OpenStack cloudlet with two external networks, by the form and the keyboard alone", async (t, page) => {
  const form = page.getByRole("region", { name: "Spec as a form" });
  const fill = async (name: string, value: string): Promise<void> => form.getByLabel(name, { exact: true }).first().fill(value);
  const open = async (title: string): Promise<void> => {
    const summary = form.locator("summary", { hasText: new RegExp(`^${title}( \\(required\\))?`) }).first();
    if (!(await summary.locator("..").evaluate((details) => (details as unknown as { readonly open: boolean }).open))) {
      await summary.focus();
      await page.keyboard.press("Enter");
    }
  };
  await fill("Name (required)", "berlin-7");
  await fill("Organization (required)", "ExampleTel");
  await fill("Region (required)", "EU");
  await fill("Dynamic IPs (required)", "8");
  await open("Location");
  await fill("Latitude (required)", "952");
  await fill("Longitude (required)", "13.405");
  await open("Platform");
  await form.getByLabel("Type (required)").selectOption("openstack");
  await open("Compute");
  await fill("Flavor", "m1.medium");
  await open("Networks");
  await open("External");
  await form.getByRole("button", { name: "Add external network" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.type("ue-net");
  await form.getByRole("button", { name: "Add external network" }).focus();
  await page.keyboard.press("Enter");
  const second = form.getByRole("group", { name: /^External network 2/ }).first();
  await second.locator("input").first().waitFor();
  t.equal(await second.locator(":focus").count(), 1, "the focus is in the new one");
  await second.getByLabel("Name (required)").fill("dmz-net");
  await second.getByLabel("Purpose").selectOption("internet");
  await second.getByLabel("Address", { exact: true }).selectOption("static");
  await second.getByLabel("Ip (required)", { exact: true }).or(second.getByLabel("IP (required)", { exact: true })).fill("203.0.113.10");
  await second.getByLabel("Prefix (required)").fill("28");
  await second.getByLabel("Gateway").fill("203.0.113.1");

  await verdict(page, "1 mistake");
  const latitude = form.getByLabel("Latitude (required)");
  t.equal(await latitude.getAttribute("aria-invalid"), "true", "the mistake is at its field");
  t.match(await form.locator(".field", { has: page.getByLabel("Latitude (required)") }).innerText(), /at most 90|90/);
  t.equal(await page.locator(".cm-lint-marker-error").count(), 1, "and in the margin of the YAML");
  await look(t, page, "mistake");
  await page.getByRole("button", { name: "Location › Latitude" }).click();
  t.equal(await form.locator(".field", { has: page.getByLabel("Latitude (required)") }).locator("input:focus").count(), 1, "the list of mistakes leads there");
  await latitude.fill("52.52");
  await verdict(page, "No mistake");
  await page.locator("svg[role=img]").getByText("dmz-net", { exact: true }).waitFor();
  t.strictSame(load(await yamlIn(page)), {
    apiVersion: "cloudlet-bundle/v1", kind: "Cloudlet", name: "berlin-7", organization: "ExampleTel", region: "EU", dynamicIps: 8, location: { latitude: 52.52, longitude: 13.405 },
    platform: { type: "openstack" }, compute: { flavor: "m1.medium" },
    networks: { external: [{ name: "ue-net" }, { name: "dmz-net", purpose: "internet", address: { mode: "static", ip: "203.0.113.10", prefix: 28, gateway: "203.0.113.1" } }] },
  });
  await look(t, page, "form");
  await second.getByRole("button", { name: "Move External network 2: dmz-net up" }).focus();
  await page.keyboard.press("Enter");
  t.match(await yamlIn(page), /dmz-net[^]*ue-net/, "and back");
  await page.getByRole("button", { name: /^Remove External network 2: ue-net/ }).click();
  t.notMatch(await yamlIn(page), /ue-net/);
  await verdict(page, "No mistake");
  await page.getByRole("button", { name: "Create cloudlet" }).click();
  await page.waitForURL(/\/cloudlets\/[\w-]{22}/);
  t.match((await ask("GET", "/v1/cloudlets?name=berlin-7", { token: admin })).json, { items: [{ platform: "openstack" }] });
});

scene("each template is valid; the form changes its own line of it and nothing else", async (t, page) => {
  for (const { name } of platforms) {
    await page.getByLabel("Start from a template").selectOption(name);
    await page.getByRole("button", { name: "Use template" }).click();
    await page.getByText(`This is the starter for ${name}.`).waitFor();
    await verdict(page, "No mistake");
    t.equal(await yamlIn(page), starterSpec(name).replace(/\n$/, "\n"), name);
    t.equal(await page.getByLabel("Name (required)", { exact: true }).first().inputValue(), "berlin-1");
    await page.getByLabel("Dynamic IPs (required)").fill("23");
    t.equal(await yamlIn(page), starterSpec(name).replace("dynamicIps: 8 ", "dynamicIps: 23 "), `${name}: one line`);
    await page.locator("svg[role=img]").getByText("PlatformVM", { exact: true }).waitFor();
  }
  await look(t, page, "template");
  await page.getByRole("button", { name: "Back to what was there" }).click();
});

scene("the YAML fills the form; what can't be read leaves it alone until it can", async (t, page) => {
  await writeYaml(page, starterSpec("openstack").replace("name: berlin-1 ", "name: hamburg-2 "));
  t.equal(await page.getByLabel("Name (required)", { exact: true }).first().inputValue(), "hamburg-2");
  await verdict(page, "No mistake");
  await writeYaml(page, "name: [\n");
  await page.getByText("The form comes back when the YAML can be read.").waitFor();
  await verdict(page, "1 mistake");
  t.equal(await page.getByRole("button", { name: "Create cloudlet" }).isDisabled(), true);
  await page.keyboard.press("Tab");
  t.equal(await page.locator(".yaml-editor .cm-content:focus").count(), 0, "Tab leads out of the editor");
});

scene("on a machine that is slow, nothing that is written is lost or moved", async (t, page) => {
  await writeYaml(page, starterSpec("openstack"));
  await verdict(page, "No mistake");
  const slow = await page.context().newCDPSession(page);
  await slow.send("Emulation.setCPUThrottlingRate", { rate: 8 });
  await page.keyboard.press("Control+End");
  const words = "# what an operator writes in one go";
  await page.keyboard.type(words);
  await slow.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  await verdict(page, "No mistake");
  t.equal(await yamlIn(page), `${starterSpec("openstack")}${words}`);
});

scene("a file of mcctl is imported, and what could not be carried over is named", async (t, page) => {
  const object = "region: EU\ncloudlet:\n  key: {organization: ExampleTel, name: berlin-9}\n  location: {latitude: 52.52, longitude: 13.405}\n  platformtype: PlatformTypeOpenstack\n  numdynamicips: 8\n  infraapiaccess: RestrictedAccess\n  infraconfig: {flavorname: m1.medium, externalnetworkname: ue-net}\n  accessvars: {OS_PASSWORD: hunter2, OS_AUTH_URL: 'https://keystone.example.net/v3', OS_USERNAME: crm}\n  moonphase: full\n";
  await page.getByLabel("Import a cloudlet of MobiledgeX").setInputFiles({ name: "berlin-9.yaml", mimeType: "application/yaml", buffer: Buffer.from(object) });
  await page.getByText("berlin-9.yaml is imported. Not all of it could be carried over:").waitFor();
  t.match(await page.getByRole("region", { name: "Start from" }).innerText(), /Line 10: .*moonphase/);
  t.equal(await page.getByLabel("Name (required)", { exact: true }).first().inputValue(), "berlin-9");
  t.notMatch(await page.locator("body").innerText(), /hunter2/);
  await verdict(page, "No mistake");
  await look(t, page, "import");
  await page.getByLabel("Import a cloudlet of MobiledgeX").setInputFiles({ name: "two.yaml", mimeType: "application/yaml", buffer: Buffer.from("- {}\n- {}\n") });
  await page.getByText("import one at a time").waitFor();
});

scene("the picture follows the form, and hostile texts run nothing", async (t, page) => {
  const hostile = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
  await page.getByRole("button", { name: "Use template" }).click();
  await verdict(page, "No mistake");
  const first = page.getByRole("group", { name: /^External network 1/ }).first();
  await first.getByLabel("Name (required)").fill("renamed-net");
  await page.locator("svg[role=img]").getByText("renamed-net", { exact: true }).waitFor();
  await first.getByLabel("Name (required)").fill(hostile);
  await page.locator("svg[role=img] text", { hasText: "<img src=x" }).waitFor();
  t.equal(await page.evaluate("typeof window.pwned"), "undefined");
  t.equal(await page.locator("main script, main img").count(), 0);
  t.match(load(await yamlIn(page)), { networks: { external: [{ name: hostile }] } });
});
