/** Texts that would like to be a program, in every field that takes a text and on every screen: they are shown, and nothing comes of them. */

import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import t, { type Test } from "tap";
import { addCloudlet, addOrganization, bundleOf, specOf, startService, uploadRelease } from "../../unit/service/running.ts";
import { launch, sitDown } from "./browser.ts";
import { writeYaml } from "../editor/yaml.ts";

t.setTimeout(180_000);
const hostile = `"'><img src=x onerror=window.pwned=1><script>window.pwned=1</script><svg onload=window.pwned=1>{{7*7}}\${7*7}`;
const running = await startService(t);
const { service, ask, admin } = running;
await service.app.listen({ host: "127.0.0.1", port: 0 });
const url = `http://127.0.0.1:${(service.app.server.address() as AddressInfo).port}`;
await addOrganization(running, "ExampleTel");
const release = await uploadRelease(running);
const told = JSON.stringify(hostile);
const spec = `${specOf("berlin-1").replace(/name: provider/, `name: ${told}`)}# ${hostile}\n`;
const cloudlet = await addCloudlet(running, admin, spec);
const bundle = await bundleOf(running, admin, cloudlet, release);
const browser = await launch(t);
const { page, strayed, complaints } = await sitDown(browser, url);
await page.addInitScript(`sessionStorage.setItem("cloudlet-bundle.session", ${JSON.stringify(admin)})`);

/** Nothing has run, and nothing of it has become an element. The editor of YAML has images of its own, without a source. */
async function isHarmless(t: Test, of: Page, where: string): Promise<void> {
  t.equal(await of.evaluate("typeof window.pwned"), "undefined", `${where}: nothing has run`);
  t.equal(await of.locator("img:not(.cm-widgetBuffer), iframe, object, embed, body script:not([src]), [onerror], [onload]").count(), 0, `${where}: nothing has become an element`);
}

t.test("a spec that is full of it is kept, and shown as the text that it is", async (t) => {
  t.equal(bundle["state"], "ready");
  for (const [path, shown] of [[`/cloudlets/${cloudlet}/spec`, /onerror/], [`/bundles/${String(bundle["id"])}`, /berlin-1/]] as const) {
    await page.goto(`${url}${path}`, { waitUntil: "networkidle" });
    await page.getByText(shown).locator("visible=true").first().waitFor();
    await isHarmless(t, page, path);
  }
  const [report] = await Promise.all([page.context().waitForEvent("page"), page.getByRole("button", { name: "Open the report" }).click()]);
  await report.getByText("onerror").locator("visible=true").first().waitFor();
  await isHarmless(t, report, "the report");
  await report.close();
});

t.test("what is written into fields comes back in messages, and does nothing", async (t) => {
  await page.goto(`${url}/cloudlets/new`);
  await writeYaml(page, `apiVersion: cloudlet-bundle/v1\nkind: Cloudlet\nname: ${told}\norganization: ${told}\nregion: ${told}\n${told}: 1\nplatform: {type: ${told}}\n`);
  await page.getByRole("region", { name: "What the check says" }).getByText(/\d+ mistakes/).waitFor();
  t.ok((await page.getByText("onerror").count()) >= 2, "the messages name it");
  await isHarmless(t, page, "the editor");
  await page.getByLabel("Take the spec from a file").setInputFiles({ name: `${hostile.replaceAll("/", "")}.yaml`, mimeType: "application/yaml", buffer: Buffer.from(`apiVersion: cloudlet-bundle/v1\nname: ${told}\n`) });
  await page.getByText(/onerror.*is taken/).waitFor();
  await page.getByLabel("Import a cloudlet of MobiledgeX").setInputFiles({ name: "a.yaml", mimeType: "application/yaml", buffer: Buffer.from(`cloudlet:\n  key: {organization: ExampleTel, name: ${told}}\n  ${told}: full\n`) });
  await page.getByRole("region", { name: "Start from" }).getByText("onerror").first().waitFor();
  await isHarmless(t, page, "the import");

  for (const [path, button, field, send] of [["/organizations", "New organization …", "Name", "Add"], ["/people", "Invite somebody …", "Name", "Invite"]] as const) {
    await page.goto(`${url}${path}`);
    await page.getByRole("button", { name: button }).click();
    await page.getByRole("dialog").getByLabel(field).fill(hostile);
    await page.getByRole("dialog").getByRole("button", { name: send, exact: true }).click();
    await page.locator("[role=dialog] .wrong, [role=dialog] .note.bad").first().waitFor();
    await isHarmless(t, page, path);
  }
  await page.goto(`${url}/account`);
  await page.getByRole("button", { name: "New token …" }).click();
  await page.getByLabel("What it is for").fill(hostile.slice(0, 90));
  await page.getByRole("button", { name: "Make the token" }).click();
  await page.getByRole("button", { name: "I have it" }).or(page.getByRole("dialog").getByRole("alert")).first().waitFor();
  await isHarmless(t, page, "/account");
});

t.test("a receipt that is full of it is refused with its mistake, or shown as the text that it is", async (t) => {
  await page.goto(`${url}/cloudlets/${cloudlet}/receipts`);
  const receipt = { apiVersion: "cloudlet-bundle/v1", kind: "Receipt", action: "install", result: "complete", cloudlet: "berlin-1", organization: "ExampleTel", bundle: bundle["sums"], started: "2026-11-30T10:00:00Z", finished: "2026-11-30T10:10:00Z" };
  // The action is install.sh's own word, and when it began is told nowhere.
  const texts = [...Object.keys(receipt).filter((field) => field !== "action" && field !== "started").map((field) => JSON.stringify({ ...receipt, [field]: hostile })), `{"__proto__":${JSON.stringify(receipt)}}`, "[".repeat(50_000), hostile];
  for (const [index, text] of texts.entries()) {
    await page.getByLabel("receipt.json").setInputFiles({ name: "receipt.json", mimeType: "application/json", buffer: Buffer.from(text) });
    await page.getByRole("button", { name: "Upload" }).click();
    await page.locator("main").getByRole("alert").locator(".note.bad").waitFor();
    await isHarmless(t, page, `receipt ${index}: ${text.slice(0, 60)}`);
  }
  await page.getByText("There are none yet").waitFor();
  t.match((await ask("GET", `/v1/cloudlets/${cloudlet}`, { token: admin })).json, { state: "defined" });
  await page.getByLabel("receipt.json").setInputFiles({ name: "receipt.json", mimeType: "application/json", buffer: Buffer.from(JSON.stringify({ ...receipt, action: hostile })) });
  await page.getByRole("button", { name: "Upload" }).click();
  await page.getByRole("row", { name: /onerror/ }).waitFor();
  await isHarmless(t, page, "the table of receipts");
});

t.test("addresses that are full of it show a page", async (t) => {
  const word = encodeURIComponent(hostile);
  for (const path of [
    `/${word}`, `/cloudlets/${word}`, `/cloudlets/${cloudlet}/${word}`, `/cloudlets?organization=${word}&name=${word}&state=${word}&region=${word}`, `/cloudlets/map?platform=${word}`, `/bundles/${word}/diff/${word}`, `/bundles?state=${word}`,
    `/organizations/${word}`, `/releases/${word}`, `/audit-trail?actor=${word}&action=${word}&organization=${word}`, `/set-up?name=${word}#${word}`, "/cloudlets/%E0%A4%A", "//example.net/cloudlets", "/cloudlets/..%2f..%2fetc",
  ]) {
    await page.goto(`${url}${path}`);
    await page.getByRole("heading", { level: 1 }).or(page.getByRole("alert")).or(page.locator("pre")).first().waitFor();
    await isHarmless(t, page, path.slice(0, 40));
  }
});

t.test("nothing was complained of so far, and nothing has left", (t) => {
  t.strictSame(strayed, []);
  t.strictSame(complaints.filter((each) => !/status of 4\d\d/.test(each)), []);
  t.end();
});

t.test("if something got in all the same, the policy would refuse what it wants to do", async (t) => {
  await page.goto(url, { waitUntil: "networkidle" });
  const refused = await page.evaluate(`(async () => {
    const seen = [];
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => seen.push(effectiveDirective));
    const add = (name, attributes, text = "") => { const made = document.createElement(name); Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value)); made.textContent = text; document.body.append(made); return made; };
    add("script", {}, "window.pwned = 1");
    add("script", { src: "data:text/javascript,window.pwned=1" });
    add("style", {}, "body { display: none }");
    add("img", { src: "http://127.0.0.2:9/picture.png", onerror: "window.pwned = 1" });
    add("iframe", { src: "http://127.0.0.2:9/" });
    add("object", { data: "/icon.svg" });
    add("form", { action: "http://127.0.0.2:9/" }).submit();
    add("base", { href: "http://127.0.0.2:9/" });
    // Not at once: what the debugger asks for itself may be evaluated.
    setTimeout(() => { try { eval("window.pwned = 1"); } catch { /* refused */ } });
    try { new Worker("data:text/javascript,1"); } catch { /* refused */ }
    await fetch("http://127.0.0.2:9/").catch(() => undefined);
    await new Promise((done) => setTimeout(done, 500));
    return [...new Set(seen)].sort();
  })()`);
  t.strictSame(refused, ["base-uri", "connect-src", "form-action", "frame-src", "img-src", "object-src", "script-src", "script-src-attr", "script-src-elem", "style-src-elem", "worker-src"]);
  t.equal(await page.evaluate("typeof window.pwned"), "undefined");
});
