/**
 * The whole story in a browser, at a real service: set up, a cloudlet with two external networks by the form, a mistake seen at its
 * field and mended, the bundle built, downloaded over a line that is cut, verified, its receipt uploaded. The administrator has
 * mouse and keyboard; the contributor has a keyboard alone. What else there is on the screens: screens.test.ts.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import type { Page } from "playwright-core";
import t from "tap";
import { yamlIn } from "../editor/yaml.ts";
import { launch, look, sitDown, type Desk } from "./browser.ts";
import { keyboardAt } from "./keyboard.ts";
import { serve } from "./served.ts";
import { weakLine } from "./weak-line.ts";

t.setTimeout(300_000);
const served = await serve(t);
/** Of the bundle's two megabytes. */
const line = await weakLine(t, served.url, 300_000);
const browser = await launch(t);
const desks: Desk[] = [];
const password = "correct horse battery staple";
const invitations = new Map<string, string>();
const saved = join(served.work, "berlin-1.tar");
let [cloudletUrl, bundleUrl] = ["", ""];

async function desk(url = served.url): Promise<Page> {
  const made = await sitDown(browser, url);
  desks.push(made);
  return made.page;
}

/** With the link that the administrator has handed over, and the keyboard. */
async function accept(page: Page, name: string, url = served.url): Promise<void> {
  await page.goto((invitations.get(name) ?? "").replace(served.url, url));
  await page.waitForFunction("document.activeElement.name === 'password'");
  await page.keyboard.type(password);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await heading(page, "Cloudlets");
}

const heading = (page: Page, name: string): Promise<void> => page.getByRole("heading", { level: 1, name }).waitFor();
const click = (page: Page, name: string | RegExp): Promise<void> => page.getByRole("button", { name }).click();

t.test("the administrator sets the service up: organizations, people, a release", async (t) => {
  const page = await desk();
  await page.getByRole("link", { name: "I have an invitation" }).click();
  await page.getByLabel("Invitation").fill(served.invitation);
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByLabel("Password again").fill(password);
  await click(page, "Set password and sign in");
  await heading(page, "Cloudlets");
  for (const organization of ["ExampleTel", "OtherTel"]) {
    await page.getByRole("link", { name: "Organizations" }).first().click();
    await click(page, "New organization …");
    await page.getByLabel("Name").fill(organization);
    await click(page, "Add");
    await heading(page, organization);
  }
  for (const [name, role, organization] of [["conny", "", "ExampleTel"], ["otto", "", "OtherTel"], ["audrey", "auditor", ""]] as const) {
    await page.getByRole("link", { name: "People" }).click();
    await click(page, "Invite somebody …");
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Role on the platform").selectOption(role);
    await page.getByRole("dialog").getByRole("button", { name: "Invite", exact: true }).click();
    invitations.set(name, await page.getByRole("group", { name: "link" }).innerText());
    await click(page, "I have it");
    if (organization === "") continue;
    await page.getByRole("link", { name: "Organizations" }).click();
    await page.getByRole("link", { name: organization }).click();
    await click(page, "Take somebody in …");
    await page.getByLabel("Name").fill(name);
    await click(page, "Take in");
    await page.getByRole("row", { name: new RegExp(name) }).waitFor();
  }
  await page.getByRole("link", { name: "Releases" }).click();
  await click(page, "Upload a release …");
  await page.getByLabel("Release (release.yaml)").setInputFiles(served.files.release);
  await page.getByLabel("Lock (release.lock.json)").setInputFiles(served.files.lock);
  await page.getByRole("dialog").getByRole("button", { name: "Upload" }).click();
  await page.getByText("It is ready").waitFor();
  t.equal(invitations.size, 3);
});

const conny = await desk(line.url);
const keys = keyboardAt(conny);

t.test("a contributor describes a cloudlet with two external networks by the form, and sees the mistake at its field", async (t) => {
  await accept(conny, "conny", line.url);
  await keys.press("link", "New cloudlet");
  await heading(conny, "New cloudlet");
  await keys.write("Name (required)", "berlin-1");
  await keys.write("Organization (required)", "ExampleTel");
  await keys.write("Region (required)", "EU");
  await keys.write("Dynamic IPs (required)", "8");
  await keys.open("Location");
  await keys.write("Latitude (required)", "952");
  await keys.write("Longitude (required)", "13.405");
  await keys.open("Platform");
  await keys.choose("Type (required)", "openstack");
  await keys.open("Compute");
  await keys.write("Flavor", "m1.medium");
  await keys.open("Networks");
  await keys.open("External");
  await keys.press("button", "Add external network");
  // The focus is in the new one.
  await keys.write("Name (required)", "ue-net");
  await keys.press("button", "Add external network");
  await keys.write("Name (required)", "dmz-net");
  await keys.choose("Purpose", "internet");
  await keys.choose("Address", "static");
  await keys.write("IP (required)", "203.0.113.10");
  await keys.write("Prefix (required)", "28");
  await keys.write("Gateway", "203.0.113.1");
  const latitude = conny.getByLabel("Latitude (required)");
  await conny.getByText("1 mistake.").waitFor();
  t.equal(await latitude.getAttribute("aria-invalid"), "true");
  t.match(await conny.locator(".field", { has: latitude }).innerText(), /must be at most 90/);
  t.equal(await conny.getByRole("button", { name: "Create cloudlet" }).isDisabled(), true);
  await look(t, conny, "story-mistake");
  await keys.press("button", "Show the mistake");
  await keys.write("Latitude (required)", "52.52");
  await conny.getByText("No mistake was found.").waitFor();
  await conny.getByRole("img", { name: /berlin-1/ }).getByText("dmz-net", { exact: true }).waitFor();
  t.match(load(await yamlIn(conny)), {
    name: "berlin-1", location: { latitude: 52.52, longitude: 13.405 }, platform: { type: "openstack" }, compute: { flavor: "m1.medium" },
    networks: { external: [{ name: "ue-net" }, { name: "dmz-net", purpose: "internet", address: { mode: "static", ip: "203.0.113.10", prefix: 28, gateway: "203.0.113.1" } }] },
  });
  await keys.press("button", "Create cloudlet");
  await heading(conny, "berlin-1");
  cloudletUrl = conny.url();
});

t.test("the bundle is built, and downloaded by the browser over a line that is cut and comes back", async (t) => {
  await keys.press("link", "Ask for the bundle");
  await conny.getByText("There are none yet").waitFor();
  await keys.press("button", "Ask for the bundle");
  await conny.getByRole("heading", { name: "The bundle is ready" }).waitFor();
  bundleUrl = conny.url();
  await look(t, conny, "story-bundle");
  const [download] = await Promise.all([conny.waitForEvent("download"), keys.press("button", /^Download \(/)]);
  await download.saveAs(saved);
  t.equal(line.downloads[0], 0);
  t.ok((line.downloads[1] ?? 0) > 0, `it went on where it was cut: ${line.downloads.join(", ")}`);
});

t.test("verify.sh finds the very file good, with the fingerprint of the page; one changed byte is found", async (t) => {
  const fingerprint = await conny.getByRole("group", { name: "fingerprint" }).innerText();
  t.equal(fingerprint, served.fingerprint);
  const folder = join(served.work, "bundle");
  mkdirSync(folder);
  execFileSync("tar", ["-xf", saved, "-C", folder]);
  const verify = (bundle: string) => spawnSync("sh", [join(folder, "verify.sh"), "--bundle", bundle, "--trust", fingerprint], { encoding: "utf8" });
  const good = verify(saved);
  t.equal(good.status, 0, good.stdout + good.stderr);
  t.match(good.stdout, /GOOD/);
  const bytes = readFileSync(saved);
  const middle = Math.floor(bytes.byteLength / 2);
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  writeFileSync(join(served.work, "changed.tar"), bytes);
  t.not(verify(join(served.work, "changed.tar")).status, 0);
});

t.test("the receipt is uploaded, and the state is seen", async (t) => {
  const sums = createHash("sha256").update(readFileSync(join(served.work, "bundle/SHA256SUMS"))).digest("hex");
  const path = join(served.work, "receipt.json");
  writeFileSync(path, JSON.stringify({ apiVersion: "cloudlet-bundle/v1", kind: "Receipt", action: "install", result: "complete", cloudlet: "berlin-1", organization: "ExampleTel", bundle: `sha256:${sums}`, started: "2026-11-30T10:00:00Z", finished: "2026-11-30T10:10:00Z" }));
  await keys.press("link", "berlin-1");
  await heading(conny, "berlin-1");
  await keys.press("link", "Receipts");
  await keys.take("receipt.json", path);
  await keys.press("button", "Upload");
  await conny.getByRole("row", { name: /complete/ }).waitFor();
  await conny.getByText("installed", { exact: true }).waitFor();
  await look(t, conny, "story-receipts");
  await keys.press("link", "Cloudlets");
  await conny.getByRole("row", { name: /berlin-1.*installed/ }).waitFor();
});

t.test("somebody of another organization sees nothing of it", async (t) => {
  const page = await desk();
  await accept(page, "otto");
  await page.getByText("There are no cloudlets yet").waitFor();
  for (const path of [cloudletUrl, `${cloudletUrl}/spec`, bundleUrl].map((url) => new URL(url).pathname)) {
    await page.goto(`${served.url}${path}`);
    await page.getByText("There is no such thing").waitFor();
    t.notMatch(await page.content(), /berlin-1|ExampleTel/, path);
  }
});

t.test("an auditor reads it, is offered no change, and can make none", async (t) => {
  const page = await desk();
  await accept(page, "audrey");
  await page.getByRole("link", { name: "berlin-1" }).click();
  await page.getByText("The operator's last receipt says that it is installed.").waitFor();
  t.equal(await page.locator("main").getByRole("button").count(), 0, "there is nothing to press");
  const token = String(await page.evaluate("sessionStorage.getItem('cloudlet-bundle.session')"));
  const id = new URL(cloudletUrl).pathname.slice("/cloudlets/".length);
  const asked = async (method: string, path: string, body?: string): Promise<number> => (await fetch(`${served.url}/v1/${path}`, { method, headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) }, ...(body === undefined ? {} : { body }) })).status;
  t.equal(await asked("GET", `cloudlets/${id}`), 200);
  for (const [method, path, body] of [["DELETE", `cloudlets/${id}`], ["POST", `cloudlets/${id}/access-keys`], ["POST", "organizations", '{"name":"HerTel"}']] as const) t.equal(await asked(method, path, body), 403, `${method} ${path}`);
});

t.test("nothing left the service, the policy had nothing to refuse, and the log has no defect and no secret", (t) => {
  for (const { strayed, complaints } of desks) t.strictSame([strayed, complaints], [[], []]);
  t.notMatch(served.log(), /"defect"|cb[isd]_/);
  t.end();
});
