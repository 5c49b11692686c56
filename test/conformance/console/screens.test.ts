/** The console in a browser at a real service: from the first invitation to the receipt, with keyboard and mouse. */

import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync, mkdirSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { join } from "node:path";
import type { Page } from "playwright-core";
import t from "tap";
import { launch, look, sitDown } from "./browser.ts";
import { serve } from "./served.ts";
import { writeYaml, yamlIn } from "../editor/yaml.ts";

t.setTimeout(300_000);
const served = await serve(t);
const browser = await launch(t);
const desk = await sitDown(browser, served.url);
const { page } = desk;
const password = "correct horse battery staple";
const invitations = new Map<string, string>();
let bundleUrl = "";
let cloudletUrl = "";
let ticketUrl = "";

const heading = (of: Page, name: string | RegExp): Promise<void> => of.getByRole("heading", { level: 1, name }).waitFor();
const pressed = (of: Page, name: string | RegExp): Promise<void> => of.getByRole("button", { name }).click();

t.test("the page has a strict policy, and deep links have the page", async (t) => {
  const answer = await fetch(`${served.url}/cloudlets/some/where`);
  t.equal(answer.status, 200);
  t.match(answer.headers.get("content-type"), /text\/html/);
  t.equal(answer.headers.get("content-security-policy"), "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
  t.match(await answer.text(), /<div id="console">/);
  for (const path of ["/v1/nothing", "/assets/none.js", "/v1"]) t.equal((await fetch(`${served.url}${path}`)).status, 404, path);
  t.equal((await fetch(`${served.url}/cloudlets`, { method: "POST" })).status, 404);
  t.match(await (await fetch(`${served.url}/licences.txt`)).text(), /^react-dom [^]*MIT/m);
});

t.test("the first administrator sets a password, by keyboard", async (t) => {
  await heading(page, "Sign in");
  await look(t, page, "sign-in");
  await pressed(page, "Sign in");
  await page.getByRole("alert").getByText("No such name").waitFor();
  await page.getByRole("link", { name: "I have an invitation" }).press("Enter");
  await heading(page, "Set your password");
  await page.waitForFunction("document.activeElement.name === 'token'");
  await page.keyboard.type(served.invitation);
  await page.keyboard.press("Tab");
  await page.keyboard.type("root");
  await page.keyboard.press("Tab");
  await page.keyboard.type("too short");
  await page.keyboard.press("Tab");
  await page.keyboard.type("other");
  await page.keyboard.press("Enter");
  await page.getByText("A password has at least 15 characters.").waitFor();
  await look(t, page, "set-up");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByLabel("Password again").fill(password);
  await page.keyboard.press("Enter");
  await heading(page, "Cloudlets");
  await page.getByText("There are no cloudlets yet").waitFor();
  await look(t, page, "cloudlets-empty");
});

t.test("organizations and people, with what is wrong at its field", async (t) => {
  await page.getByRole("link", { name: "Organizations" }).first().click();
  await heading(page, "Organizations");
  t.equal(await page.evaluate("document.activeElement.textContent"), "Organizations", "the focus is on the heading");
  await look(t, page, "organizations-empty");
  for (const name of ["ExampleTel", "OtherTel"]) {
    await page.goto(`${served.url}/organizations`);
    await pressed(page, "New organization …");
    if (name === "ExampleTel") {
      await page.keyboard.type("!wrong");
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").getByText(/a letter or digit first/).waitFor();
      t.equal(await page.getByLabel("Name").getAttribute("aria-invalid"), "true");
      await look(t, page, "organization-wrong");
    }
    await page.getByLabel("Name").fill(name);
    await page.keyboard.press("Enter");
    await heading(page, name);
  }
  await page.goto(`${served.url}/people`);
  for (const [name, role] of [["conny", ""], ["otto", ""], ["audrey", "auditor"]] as const) {
    await pressed(page, "Invite somebody …");
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("Role on the platform").selectOption(role);
    await page.getByRole("dialog").getByRole("button", { name: "Invite", exact: true }).click();
    const invitation = page.getByRole("group", { name: "invitation" });
    await invitation.waitFor();
    invitations.set(name, await page.getByRole("group", { name: "link" }).innerText());
    t.match(await invitation.innerText(), /^cbi_[\w-]{43}$/);
    if (name === "conny") {
      await look(t, page, "invitation");
      await page.getByRole("button", { name: "Copy invitation" }).click();
      await page.getByText("Copied").waitFor();
      t.equal(await page.evaluate("navigator.clipboard.readText()"), await invitation.innerText());
      await page.keyboard.press("Escape");
      await invitation.waitFor();
    }
    await pressed(page, "I have it");
  }
  await page.getByRole("row", { name: /audrey/ }).getByText("auditor").waitFor();
  await look(t, page, "people");
  for (const [organization, name, role] of [["ExampleTel", "conny", "contributor"], ["OtherTel", "otto", "manager"]] as const) {
    await page.goto(`${served.url}/organizations/${organization}`);
    await pressed(page, "Take somebody in …");
    await page.getByLabel("Name").fill("nobody-such");
    await page.keyboard.press("Enter");
    await page.getByText("Nobody has an account under this name.").waitFor();
    await page.getByLabel("Name").fill(name);
    await page.getByRole("dialog").getByLabel("Role").selectOption(role);
    await page.keyboard.press("Enter");
    await page.getByRole("row", { name: new RegExp(name) }).waitFor();
  }
  await look(t, page, "organization");
});

t.test("a release with its lock", async (t) => {
  await page.goto(`${served.url}/releases`);
  await page.getByText("There are no releases yet").waitFor();
  await pressed(page, "Upload a release …");
  await page.getByLabel("Release (release.yaml)").setInputFiles(served.files.release);
  await look(t, page, "release-upload");
  await page.getByRole("dialog").getByRole("button", { name: "Upload" }).click();
  await page.getByText("Its lock is missing").waitFor();
  await look(t, page, "release-without-lock");
  await page.getByLabel("Lock (release.lock.json)").setInputFiles(served.files.lock);
  await pressed(page, "Upload");
  await page.getByText("It is ready").waitFor();
  await look(t, page, "release");
  await page.goto(`${served.url}/releases`);
  await page.getByRole("row", { name: /2026\.11/ }).waitFor();
  await look(t, page, "releases");
});

const conny = await sitDown(browser, served.url);

t.test("a contributor accepts the invitation, and writes a cloudlet with a mistake, which is shown at its line and mended", async (t) => {
  const { page } = conny;
  await page.goto(invitations.get("conny") ?? "");
  t.equal(await page.getByLabel("Invitation").inputValue(), /#(.*)/.exec(invitations.get("conny") ?? "")?.[1]);
  t.notMatch(page.url(), /cbi_/, "the invitation is not kept in the address");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByLabel("Password again").fill(password);
  await page.keyboard.press("Enter");
  await heading(page, "Cloudlets");
  t.equal(await page.getByRole("link", { name: "People" }).count(), 0, "what is not theirs is not offered");
  await page.getByRole("link", { name: "New cloudlet" }).first().click();
  const spec = readFileSync(served.files.spec, "utf8");
  const wrong = spec.replace(/latitude: .*/, "latitude: 952");
  const line = wrong.split("\n").findIndex((each) => /latitude/.test(each)) + 1;
  writeFileSync(join(served.work, "wrong.yaml"), wrong);
  await page.getByLabel("Take the spec from a file").setInputFiles(join(served.work, "wrong.yaml"));
  await page.getByText("1 mistake.").waitFor();
  t.equal(await page.getByRole("button", { name: "Create cloudlet" }).isDisabled(), true);
  t.equal(await page.locator(".cm-lint-marker-error").count(), 1);
  await look(t, page, "new-cloudlet-wrong");
  await page.reload();
  await page.getByText("This is the draft that you have begun in this tab.").waitFor();
  await page.getByRole("button", { name: `line ${line}` }).press("Enter");
  await page.keyboard.press("Home");
  await page.keyboard.press("Shift+End");
  await page.keyboard.type("latitude: 52.52");
  await page.getByText("No mistake was found.").waitFor();
  await pressed(page, "Create cloudlet");
  await heading(page, "berlin-1");
  cloudletUrl = page.url();
  await page.getByText("is created. Next: ask for its bundle.").waitFor();
  await look(t, page, "cloudlet");
});

t.test("two change the spec: nothing is overwritten, nothing is lost", async (t) => {
  await conny.page.goto(`${cloudletUrl}/spec`);
  await conny.page.getByRole("img", { name: /berlin-1/ }).waitFor();
  await look(t, conny.page, "spec");
  await pressed(conny.page, "Edit");
  const mine = (await yamlIn(conny.page)).replace(/dynamicIps: \d+/, "dynamicIps: 12");
  await writeYaml(conny.page, mine);
  await page.goto(`${cloudletUrl}/spec`);
  await pressed(page, "Edit");
  await writeYaml(page, (await yamlIn(page)).replace(/dynamicIps: \d+/, "dynamicIps: 10"));
  await page.getByText("No mistake was found.").waitFor();
  await pressed(page, "Keep the change");
  await page.getByText("Revision 2").waitFor();
  await conny.page.getByText("No mistake was found.").waitFor();
  await pressed(conny.page, "Keep the change");
  await conny.page.getByText("Somebody else has changed the spec meanwhile").waitFor();
  await pressed(conny.page, "Show their version");
  await conny.page.getByRole("heading", { name: "The version that is there now" }).waitFor();
  await look(t, conny.page, "conflict");
  await pressed(conny.page, "Close; keep mine below");
  t.equal(await yamlIn(conny.page), mine);
  await pressed(conny.page, "Keep the change");
  await conny.page.getByText("Revision 3").waitFor();
});

t.test("a session that ends loses nothing", async (t) => {
  const { page } = conny;
  await pressed(page, "Edit");
  await writeYaml(page, `${await yamlIn(page)}\n# a thought\n`);
  await page.getByText("No mistake was found.").waitFor();
  // The same token, signed out elsewhere.
  const token = (await page.evaluate("sessionStorage.getItem('cloudlet-bundle.session')")) as string;
  await fetch(`${served.url}/v1/sessions/current`, { method: "DELETE", headers: { authorization: `Bearer ${token}` } });
  await pressed(page, "Keep the change");
  await page.getByRole("dialog", { name: "Your session has ended" }).waitFor();
  await look(t, page, "session-ended");
  await page.getByLabel("Password").fill(password);
  await page.keyboard.press("Enter");
  await page.getByText("Revision 4").waitFor();
});

t.test("the bundle is asked for, watched, and downloaded with an interruption", async (t) => {
  const { page } = conny;
  await page.getByRole("link", { name: "Bundles", exact: true }).last().click();
  await page.getByText("There are none yet").waitFor();
  await look(t, page, "cloudlet-bundles");
  await pressed(page, "Ask for the bundle");
  await page.getByRole("heading", { name: "The bundle is ready" }).waitFor();
  bundleUrl = page.url();
  await page.getByText("Files in it").click();
  await page.getByLabel("Show only paths with").fill("evidence");
  await look(t, page, "bundle");
  const [download] = await Promise.all([page.waitForEvent("download"), pressed(page, /^Download \(/)]);
  const saved = join(served.work, "browser.tar");
  await download.saveAs(saved);
  await pressed(page, "Download elsewhere …");
  const command = await page.getByRole("group", { name: "command", exact: true }).innerText();
  await look(t, page, "download-elsewhere");
  await pressed(page, "Done");
  ticketUrl = /'(http[^']+)'$/.exec(command)?.[1] ?? "";
  const first = await fetched(ticketUrl, {}, 300_000);
  t.ok(first.bytes.byteLength < Number(first.headers["content-length"]), "it was interrupted");
  const rest = await fetched(ticketUrl, { range: `bytes=${first.bytes.byteLength}-`, "if-range": String(first.headers.etag) });
  t.equal(rest.status, 206);
  const whole = Buffer.concat([first.bytes, rest.bytes]);
  t.ok(whole.equals(readFileSync(saved)), "both are the same file");
  t.equal((await fetched(ticketUrl, {})).status, 404, "the link was for one download");
  const tar = join(served.work, download.suggestedFilename());
  writeFileSync(tar, whole);
  const folder = join(served.work, "bundle");
  mkdirSync(folder);
  execFileSync("tar", ["-xf", tar, "-C", folder]);
  const verdict = spawnSync("sh", [join(folder, "verify.sh"), "--bundle", tar, "--trust", served.fingerprint], { encoding: "utf8" });
  t.equal(verdict.status, 0, verdict.stdout + verdict.stderr);
  t.match(verdict.stdout, /GOOD/);
  t.equal(await page.getByRole("group", { name: "fingerprint" }).innerText(), served.fingerprint);
});

t.test("the report is a page in a sandbox", async (t) => {
  const { page, context } = conny;
  const [report] = await Promise.all([context.waitForEvent("page"), pressed(page, "Open the report")]);
  await report.waitForLoadState();
  t.match(await report.innerText("h1"), /berlin-1/);
  const answer = await fetch(report.url());
  t.match(answer.headers.get("content-security-policy"), /^sandbox; default-src 'none'/);
  t.match(answer.headers.get("content-disposition"), /^inline/);
  await report.close();
});

t.test("access keys are shown once", async (t) => {
  const { page } = conny;
  await page.goto(`${cloudletUrl}/access-keys`);
  await pressed(page, "Issue the access key");
  const secret = page.getByRole("group", { name: "secrets" });
  const first = await secret.innerText();
  t.match(first, /^ACCESS_KEY=base64:\S+/);
  await look(t, page, "access-key-issued");
  const [download] = await Promise.all([page.waitForEvent("download"), pressed(page, "Save as a file")]);
  t.equal(readFileSync(await download.path(), "utf8").trim(), first.trim());
  await pressed(page, "I have it");
  await look(t, page, "access-keys");
  t.equal((await page.content()).includes(first.trim().slice(20, 60)), false, "it is not on the page any more");
  await pressed(page, "Issue another instead …");
  await pressed(page, "Revoke and issue");
  t.not(await secret.innerText(), first);
  await pressed(page, "I have it");
  await pressed(page, "Revoke …");
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke", exact: true }).click();
  await page.getByText("Every key is revoked").waitFor();
});

t.test("a receipt is uploaded, and the state follows", async (t) => {
  const { page } = conny;
  const sums = createHash("sha256").update(readFileSync(join(served.work, "bundle/SHA256SUMS"))).digest("hex");
  const receipt = { apiVersion: "cloudlet-bundle/v1", kind: "Receipt", action: "install", result: "complete", cloudlet: "berlin-1", organization: "ExampleTel", bundle: `sha256:${sums}`, started: "2026-11-30T10:00:00Z", finished: "2026-11-30T10:10:00Z" };
  const path = join(served.work, "receipt.json");
  const others = join(served.work, "paris.json");
  writeFileSync(others, JSON.stringify({ ...receipt, cloudlet: "paris-1" }));
  await page.getByRole("link", { name: "Receipts" }).click();
  await page.getByLabel("receipt.json").setInputFiles(others);
  await pressed(page, "Upload");
  await page.getByRole("alert").getByText("This is the receipt of another cloudlet.").waitFor();
  writeFileSync(path, JSON.stringify(receipt));
  await page.getByLabel("receipt.json").setInputFiles(path);
  await pressed(page, "Upload");
  await page.getByRole("row", { name: /complete/ }).waitFor();
  await page.getByText("installed", { exact: true }).waitFor();
  await look(t, page, "receipts");
  await page.goto(`${served.url}/cloudlets?state=installed`);
  await page.getByRole("row", { name: /berlin-1/ }).waitFor();
  await look(t, page, "cloudlets");
  await page.getByRole("link", { name: "Map" }).click();
  const marker = page.getByRole("link", { name: "berlin-1, ExampleTel, installed" });
  await marker.focus();
  await look(t, page, "map");
  await page.getByRole("button", { name: "Fit" }).click();
  await look(t, page, "map-near");
  await marker.press("Enter");
  await heading(page, "berlin-1");
  await page.goto(`${served.url}/bundles`);
  await page.getByRole("row", { name: /berlin-1/ }).waitFor();
  await look(t, page, "bundles");
});

t.test("somebody of another organization sees nothing of it", async (t) => {
  const { page, strayed, complaints, context } = await sitDown(browser, served.url);
  await page.goto(invitations.get("otto") ?? "");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByLabel("Password again").fill(password);
  await page.keyboard.press("Enter");
  await heading(page, "Cloudlets");
  await page.getByText("There are no cloudlets yet").waitFor();
  for (const url of [cloudletUrl, bundleUrl, `${served.url}/organizations/ExampleTel`]) {
    await page.goto(url);
    await page.getByText("There is no such thing").waitFor();
    t.equal((await page.content()).includes("berlin-1"), false, url);
  }
  await look(t, page, "not-found");
  await page.goto(`${served.url}/bundles`);
  await page.getByText("There are no bundles yet").waitFor();
  await page.goto(`${served.url}/cloudlets/map`);
  await page.getByText("There are no cloudlets yet").waitFor();
  await page.goto(`${served.url}/audit-trail`);
  await page.getByRole("row", { name: /membership:set/ }).waitFor();
  t.equal((await page.getByRole("table").innerText()).includes("ExampleTel"), false, "a manager sees the trail of their own organization alone");
  t.strictSame([strayed, complaints], [[], []]);
  await context.close();
});

t.test("an auditor reads everything, and is offered no change", async (t) => {
  const { page, strayed, complaints, context } = await sitDown(browser, served.url);
  await page.goto(invitations.get("audrey") ?? "");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByLabel("Password again").fill(password);
  await page.keyboard.press("Enter");
  await page.getByRole("row", { name: /berlin-1/ }).waitFor();
  for (const [path, shown] of [["/cloudlets", "berlin-1"], [new URL(cloudletUrl).pathname, "What comes next"], [`${new URL(cloudletUrl).pathname}/spec`, "Revision 4"], [`${new URL(cloudletUrl).pathname}/bundles`, "ready"], [`${new URL(cloudletUrl).pathname}/access-keys`, "Every key is revoked"], [`${new URL(cloudletUrl).pathname}/receipts`, "complete"], ["/releases", "2026.11"], ["/organizations/ExampleTel", "contributor"], ["/people", "conny"]] as const) {
    await page.goto(`${served.url}${path}`);
    await page.getByText(shown).first().waitFor();
    t.equal(await page.getByRole("button", { name: /^(New|Edit|Upload|Remove|Issue|Revoke|Ask|Invite|Take|Change)/ }).count(), 0, `${path}: nothing to change`);
    t.equal(await page.getByRole("link", { name: /^New/ }).count(), 0, path);
  }
  await page.goto(`${served.url}/signing-keys`);
  await page.getByText(served.fingerprint).waitFor();
  await look(t, page, "signing-keys");
  await page.goto(`${served.url}/audit-trail`);
  await pressed(page, "Verify the trail");
  await page.getByText(/all \d+ entries are as they were written/).waitFor();
  await page.getByLabel("Who").fill("conny");
  await page.keyboard.press("Enter");
  await page.getByRole("row", { name: /bundle:request/ }).waitFor();
  await page.waitForFunction("!document.querySelector('table').innerText.includes('root')");
  await look(t, page, "audit-trail");
  const [download] = await Promise.all([page.waitForEvent("download"), pressed(page, "Export")]);
  const entries = readFileSync(await download.path(), "utf8").trim().split("\n").map((line) => JSON.parse(line) as { readonly action: string });
  t.ok(entries.some(({ action }) => action === "bundle:ticket"));
  t.strictSame([strayed, complaints], [[], []]);
  await context.close();
});

t.test("API tokens are shown once, and a new password ends the session", async (t) => {
  const { page } = conny;
  await page.getByRole("button", { name: "conny: account" }).press("Enter");
  await page.keyboard.press("Enter");
  await heading(page, "Your account");
  await pressed(page, "New token …");
  await page.getByLabel("What it is for").fill("ci");
  await look(t, page, "token-new");
  await pressed(page, "Make the token");
  const token = await page.getByRole("group", { name: "token" }).innerText();
  t.equal((await fetch(`${served.url}/v1/cloudlets`, { headers: { authorization: `Bearer ${token}` } })).status, 200);
  await pressed(page, "I have it");
  await page.getByRole("row", { name: /ci/ }).waitFor();
  await look(t, page, "account");
  await pressed(page, "Take back: ci");
  await page.getByRole("alertdialog").getByRole("button", { name: "Take back" }).click();
  await page.getByText("You have none").waitFor();
  t.equal((await fetch(`${served.url}/v1/cloudlets`, { headers: { authorization: `Bearer ${token}` } })).status, 401);
  await page.getByLabel("Password so far").fill(password);
  await page.getByLabel("New password", { exact: true }).fill(`${password} 2`);
  await page.getByLabel("New password again").fill(`${password} 2`);
  await page.keyboard.press("Enter");
  await heading(page, "Sign in");
});

t.test("no request left the service, and the policy had nothing to refuse", (t) => {
  for (const { strayed, complaints } of [desk, conny]) t.strictSame([strayed, complaints], [[], []]);
  t.notMatch(served.log(), /"defect"|cb[isd]_/, "the log has no defect and no secret");
  t.end();
});

/** Over a connection of its own; `stopAfter` closes it when so many bytes have come. */
function fetched(url: string, headers: Readonly<Record<string, string>>, stopAfter = Infinity): Promise<{ readonly status: number; readonly headers: IncomingMessage["headers"]; readonly bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { headers }, (answer) => {
      const parts: Buffer[] = [];
      let size = 0;
      const done = (): void => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, bytes: Buffer.concat(parts) });
      answer.on("data", (chunk: Buffer) => {
        parts.push(chunk);
        size += chunk.byteLength;
        if (size >= stopAfter) request.destroy();
      });
      answer.once("end", done);
      answer.once("close", done);
      answer.once("error", done);
    });
    request.once("error", (error) => (stopAfter === Infinity ? reject(error) : undefined));
    request.end();
  });
}
