/** Direct access from the console: in a browser, at a real service, with a client of the tests' own in place of OpenStack's. */

import { readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Page } from "playwright-core";
import t from "tap";
import { addInstallationEvents } from "../../../src/service/state/installations.ts";
import { addCloudlet, addOrganization, bundleOf, root, specOf, startService, uploadRelease } from "../../unit/service/running.ts";
import { login, password, standIn } from "../service/stand-in.ts";
import { launch, look, sitDown } from "./browser.ts";
import { addressOf, begin, enter, giveLogin, leave, seeEnd, until } from "./installing.ts";

t.setTimeout(400_000);
const client = standIn(t);
const running = await startService(t, { installer: { clients: `${client.bin}${delimiter}/usr/bin:/bin`, graceMs: 1_500 } });
const { ask, admin, service } = running;
running.secrets.add(password);
await addOrganization(running, "ExampleTel");
const cloudlet = await addCloudlet(running, admin, specOf("berlin-1"));
const release = await uploadRelease(running);
const bundle = String((await bundleOf(running, admin, cloudlet, release))["id"]);
const conny = await running.person("conny", { organization: "ExampleTel", role: "contributor" });
const url = await addressOf(running);
const browser = await launch(t);
const tab = `${url}/cloudlets/${cloudlet}/installations`;
const desk = await enter(browser, url, conny, `/cloudlets/${cloudlet}/installations`);
const { page } = desk;
const variables = login;

const pressed = (of: Page, name: string | RegExp): Promise<void> => of.getByRole("button", { name }).click();
const focused = (of: Page): Promise<string> => of.evaluate("document.activeElement.textContent") as Promise<string>;

/** Nothing of the login is left in what the browser keeps of the page. */
async function keepsNoSecret(t: Tap, of: Page, ...secrets: readonly string[]): Promise<void> {
  const kept = [of.url(), await of.content(), await of.evaluate("JSON.stringify([sessionStorage, localStorage, history.state, [...document.querySelectorAll('input, textarea')].map((field) => field.value)])")].join("\n");
  for (const secret of secrets) t.notOk(kept.includes(secret), "no secret in page, fields, storage or address");
}
type Tap = Parameters<typeof look>[0];

t.test("nothing was begun yet; what is missing stands at its field, and the focus is there", async (t) => {
  await page.getByText("There are none yet").waitFor();
  await page.getByText("None are kept").waitFor();
  await page.getByRole("link", { name: "Begin one …" }).click();
  await page.getByRole("heading", { level: 1, name: "Begin an installation of berlin-1" }).waitFor();
  t.match(await focused(page), /^Begin an installation/);
  await page.getByRole("radio", { name: "Install", exact: true }).check();
  await page.getByRole("radio", { name: "Issue it" }).waitFor();
  await page.getByRole("button", { name: "Install", exact: true }).click();
  await page.getByText("Without it there is no login.").waitFor();
  await until(page, "document.activeElement.name === 'OS_AUTH_URL'");
  await look(t, page, "installation-new-wrong");
  t.match((await ask("GET", "/v1/installations", { token: admin })).json, { items: [] });
});

t.test("a wrong login: begun by keyboard, found out, and retried with a better one", async (t) => {
  client.set("refuses");
  await page.goto(`${tab}/new`);
  await page.getByRole("radio", { name: "Install", exact: true }).focus();
  await page.keyboard.press("ArrowUp");
  t.ok(await page.getByRole("radio", { name: "Look only" }).isChecked(), "arrow keys choose");
  await page.locator("[name=OS_AUTH_URL]").focus();
  for (const name of ["OS_AUTH_URL", "OS_USERNAME", "OS_PASSWORD", "OS_USER_DOMAIN_NAME", "OS_PROJECT_NAME", "OS_PROJECT_DOMAIN_NAME"] as const) {
    await until(page, `document.activeElement.name === "${name}"`);
    await page.keyboard.type(variables[name]);
    await page.keyboard.press("Tab");
  }
  await page.locator("[name=OS_USERNAME]").press("Enter");
  await seeEnd(t, page, "findings");
  const found = page.getByRole("region", { name: "What was found" });
  await found.getByText("credentials/refused").waitFor();
  t.match(await found.innerText(), /in the way logging in: .*HTTP 401/i);
  t.match(await found.innerText(), /User, password, project or their domains are wrong/);
  await keepsNoSecret(t, page, password);
  await look(t, page, "installation-findings");
  t.match(await page.getByText("given for this run, and not kept").count(), 1);

  client.set("fine");
  await pressed(page, "Retry …");
  const dialog = page.getByRole("dialog", { name: "Retry" });
  await dialog.getByText("The login was for one run, and is given again.").waitFor();
  await look(t, page, "installation-retry");
  await giveLogin(page, { variables });
  await dialog.getByRole("button", { name: "Go on" }).click();
  await found.getByText("flavor/too-small").waitFor();
  await page.getByText("for the 2. time").waitFor();
  t.equal(await found.getByText("credentials/refused").count(), 0, "of the last attempt alone");
  await keepsNoSecret(t, page, password);
  await page.goBack();
  await page.getByRole("row", { name: /Look only.*findings/ }).waitFor();
  await look(t, page, "installations");

  client.set("hangs");
  const { json } = await ask("POST", "/v1/installations", { token: admin, json: { cloudlet, bundle, action: "check", credentials: login } });
  await page.reload();
  await page.getByRole("row", { name: /Look only.*(queued|running).*root/ }).waitFor();
  await ask("POST", `/v1/installations/${String(json["id"])}/cancel`, { token: admin });
  await page.getByRole("row", { name: /Look only.*cancelled.*root/ }).waitFor();
});

t.test("while it runs: lines, a reload, a connection that breaks, and who listens is not flooded; then it is stopped, and goes on", async (t) => {
  client.set("hangs");
  const id = await begin(page, tab, "berlin-1", { action: "install", login: { variables } });
  const lines = page.getByRole("region", { name: "Lines of: What install.sh says" });
  await lines.getByText("preflight", { exact: true }).waitFor();
  await page.getByText("At: preflight.").waitFor();
  await keepsNoSecret(t, page, password);
  await look(t, page, "installation-running");
  await page.reload();
  await lines.getByText("preflight", { exact: true }).waitFor();
  await page.getByRole("heading", { name: "It goes on" }).waitFor();

  // The reader looks back, and the end is not forced on them.
  const said = (from: number, to: number): { time: number; state: null; message: string }[] => Array.from({ length: to - from }, (_, index) => ({ time: Date.now(), state: null, message: index % 50 === 0 ? `stage ${from + index}` : `    line ${from + index}` }));
  const say = async (from: number, to: number): Promise<void> => {
    await service.context.db.transaction().execute((transaction) => addInstallationEvents(transaction, id, said(from, to)));
    service.context.news.tell(id);
  };
  await page.evaluate(`window.told = []; new MutationObserver(() => window.told.push(document.querySelector("section[aria-label='What install.sh says'] [role=status]").textContent)).observe(document.querySelector("section[aria-label='What install.sh says'] [role=status]"), { childList: true, characterData: true, subtree: true })`);
  for (let at = 0; at < 1_200; at += 100) await say(at, at + 100);
  await lines.getByText("line 1199", { exact: true }).waitFor();
  t.ok(((await page.evaluate("window.told.length")) as number) <= 3, "a thousand lines, a few words for who listens");
  t.match(await lines.innerText(), /earlier lines are in the saved log/);
  t.ok(await lines.evaluate((box: { scrollHeight: number; scrollTop: number; clientHeight: number }) => box.scrollHeight - box.scrollTop - box.clientHeight < 8), "it is at its end");
  t.equal(await page.getByRole("button", { name: "Follow the end" }).getAttribute("aria-pressed"), "true");
  await lines.focus();
  await page.keyboard.press("Home");
  await until(page, "document.querySelector('[aria-pressed]').getAttribute('aria-pressed') === 'false'");
  // The browser takes its time to get there.
  await until(page, "document.querySelector('.run-log').scrollTop === 0");
  const before = await lines.evaluate((box: { scrollTop: number }) => box.scrollTop);
  await say(1_200, 1_201);
  await lines.getByText("stage 1200", { exact: true }).waitFor({ state: "attached" });
  t.equal(await lines.evaluate((box: { scrollTop: number }) => box.scrollTop), before, "where the reader has left it");
  await pressed(page, "Follow the end");
  await until(page, "(() => { const box = document.querySelector('.run-log'); return box.scrollHeight - box.scrollTop - box.clientHeight < 8; })()");
  const [saved] = await Promise.all([page.waitForEvent("download"), pressed(page, "Save the log")]);
  t.equal(saved.suggestedFilename(), "berlin-1-install.log");
  t.match(readFileSync(await saved.path(), "utf8"), /^verify\n[^]*\nstage 0\n[^]*\nstage 1200\n$/);

  // A desk of its own: the browser complains of what is refused here.
  const { page: cut, context: cutOff } = await sitDown(browser, url);
  let isAway = true;
  await cutOff.route(/\/events$/, (route) => (isAway ? route.abort() : route.fallback()));
  await cut.evaluate(`sessionStorage.setItem("cloudlet-bundle.session", ${JSON.stringify(conny)})`);
  await cut.goto(page.url());
  await cut.getByText("The connection to the service is interrupted; it is tried again.").first().waitFor();
  isAway = false;
  await cut.getByText("stage 1200", { exact: true }).waitFor();
  t.equal(await cut.getByText("The connection to the service is interrupted").count(), 0);
  await cutOff.close();

  await pressed(page, "Stop it …");
  await page.getByRole("alertdialog").getByRole("button", { name: "Stop it" }).click();
  await seeEnd(t, page, "cancelled");
  await until(page, "document.activeElement.textContent === 'It was stopped'");
  t.match((await ask("GET", `/v1/installations/${id}`, { token: admin })).json, { state: "cancelled" });

  client.set("refuses");
  await pressed(page, "Retry …");
  await giveLogin(page, { variables });
  await page.getByRole("dialog").getByRole("button", { name: "Go on" }).click();
  await seeEnd(t, page, "findings");
  t.match((await ask("GET", `/v1/installations/${id}`, { token: admin })).json, { state: "findings", attempts: 2 });
});

t.test("one at a time; a key that was issued is not issued again", async (t) => {
  await page.goto(`${tab}/new?action=install`);
  t.ok(await page.getByRole("radio", { name: "I have it" }).isChecked(), "it was issued by the run before");
  t.equal(await page.getByRole("radio", { name: "Issue it" }).count(), 0);
  await giveLogin(page, { variables });
  await page.getByRole("button", { name: "Install", exact: true }).click();
  await page.getByText("Give it here, or choose another way.").waitFor();
  await until(page, "document.activeElement.name === 'ACCESS_KEY'");
  await look(t, page, "installation-key");

  client.set("hangs");
  const { json } = await ask("POST", "/v1/installations", { token: admin, json: { cloudlet, bundle, action: "check", credentials: login } });
  await page.getByRole("radio", { name: "None" }).check();
  await page.getByRole("button", { name: "Install", exact: true }).click();
  await page.getByRole("alert").getByText("Another installation of this cloudlet is queued or running.").waitFor();
  t.equal(await page.locator("[name=OS_PASSWORD]").inputValue(), password, "what was typed is still there to be sent again");
  await ask("POST", `/v1/installations/${String(json["id"])}/cancel`, { token: admin });
});

t.test("a session that ends while the form is filled in, and a page that is left", async (t) => {
  client.set("refuses");
  const token = (await page.evaluate("sessionStorage.getItem('cloudlet-bundle.session')")) as string;
  await page.goto(`${tab}/new?action=check`);
  await page.getByRole("radio", { name: "With an openrc or a clouds.yaml" }).check();
  await page.getByLabel("Text", { exact: true }).fill(`export OS_AUTH_URL=https://keystone.example.net:5000/v3\nexport OS_USERNAME=conny\nread -sr OS_PASSWORD\n`);
  await page.getByRole("button", { name: "Look only" }).click();
  await page.getByRole("alert").getByText("Line 3 of the openrc is not NAME=value: nothing in it is run.").waitFor();
  await look(t, page, "installation-openrc");
  const file = join(client.bin, "openrc.sh");
  writeFileSync(file, `export OS_AUTH_URL=https://keystone.example.net:5000/v3\nexport OS_USERNAME=conny\nexport OS_PASSWORD='${password}'\n`);
  await page.getByLabel("Or choose the file").setInputFiles(file);
  await page.getByText("was read.").waitFor();
  await keepsNoSecret(t, page, password);
  await ask("DELETE", "/v1/sessions/current", { token });
  await page.getByRole("button", { name: "Look only" }).click();
  const again = page.getByRole("dialog", { name: "Your session has ended" });
  await again.getByLabel("Password").fill([...running.secrets].find((each) => each.startsWith("conny's")) ?? "");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/installations\/[A-Za-z0-9_-]{22}$/);
  await seeEnd(t, page, "findings");

  await page.goto(`${tab}/new?action=install`);
  await giveLogin(page, { variables });
  await page.getByRole("radio", { name: "I have it" }).check();
  await page.locator("[name=ACCESS_KEY]").fill("-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----");
  await page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))");
  await until(page, "document.querySelector('[name=OS_PASSWORD]').value === '' && document.querySelector('[name=ACCESS_KEY]').value === ''");
  await page.reload();
  await keepsNoSecret(t, page, password, "MC4CAQAw");
});

t.test("site credentials: kept, replaced, used, deleted, and never shown", async (t) => {
  await page.goto(tab);
  await pressed(page, "Keep credentials …");
  const dialog = page.getByRole("dialog");
  await page.keyboard.type("to the site");
  await giveLogin(page, { variables });
  await dialog.getByRole("button", { name: "Keep" }).click();
  await dialog.getByText("letters, digits and any of . _ -, at most 64").waitFor();
  await page.getByLabel("A name for them").fill("site");
  await dialog.getByRole("button", { name: "Keep" }).click();
  await page.getByText("The credentials site are kept.").waitFor();
  await page.getByRole("row", { name: /site/ }).waitFor();
  await keepsNoSecret(t, page, password);
  await look(t, page, "credentials");
  await pressed(page, "Replace: site");
  await page.getByRole("radio", { name: "With an openrc or a clouds.yaml" }).check();
  await page.getByLabel("Text", { exact: true }).fill(`clouds: {edge: {auth: {auth_url: "https://keystone.example.net:5000/v3", username: conny, password: "${password}", project_name: edge}, cacert: /etc/ssl/site.pem}}\n`);
  await dialog.getByRole("button", { name: "Replace" }).click();
  await dialog.getByText(/the clouds.yaml names a file in "cacert"/i).waitFor();
  await page.getByLabel("Text", { exact: true }).fill(`clouds: {edge: {auth: {auth_url: "https://keystone.example.net:5000/v3", username: conny, password: "${password}", project_name: edge}}}\n`);
  await dialog.getByRole("button", { name: "Replace" }).click();
  await page.getByText("The credentials site are replaced.").waitFor();
  client.set("refuses");
  await begin(page, tab, "berlin-1", { action: "check", login: { kept: "site" } });
  await seeEnd(t, page, "findings");
  t.match(client.environment(), /^OS_CLOUD=edge$/m);
  await page.getByText("kept credentials", { exact: false }).waitFor();
  await pressed(page, "Retry …");
  t.ok(await page.getByRole("radio", { name: "With kept credentials" }).isChecked(), "there is nothing to give again");
  await page.getByRole("dialog").getByRole("button", { name: "Go on" }).click();
  await page.getByText("for the 2. time").waitFor();
  await seeEnd(t, page, "findings");
});

t.test("uninstalled, after the name was written; the receipt is the cloudlet's, and the state follows", async (t) => {
  client.set("fine");
  await page.goto(tab);
  await page.getByRole("link", { name: "Begin one …" }).click();
  await page.getByRole("radio", { name: "Uninstall", exact: true }).check();
  t.equal(await page.getByRole("heading", { name: "Parameters" }).count(), 0, "all is as it was: no parameters");
  await pressed(page, "Uninstall …");
  const dialog = page.getByRole("alertdialog");
  await dialog.getByLabel("Write the cloudlet's name to go on").fill("berlin");
  await page.keyboard.press("Enter");
  await dialog.getByText("Write berlin-1.").waitFor();
  await look(t, page, "installation-uninstall");
  await page.keyboard.press("Escape");
  t.match(await focused(page), /^Uninstall …$/, "the focus is where it was");
  await begin(page, tab, "berlin-1", { action: "uninstall", login: { kept: "site" } });
  await seeEnd(t, page, "done");
  await page.getByText("Nothing of it is left at the site.").waitFor();
  t.equal(await page.getByRole("button", { name: "Retry …" }).count(), 0);
  await look(t, page, "installation-done");
  const [receipt] = await Promise.all([page.waitForEvent("download"), pressed(page, "Save its receipt")]);
  t.match(JSON.parse(readFileSync(await receipt.path(), "utf8")), { kind: "Receipt", action: "uninstall", result: "removed" });
  await page.getByRole("link", { name: "removed" }).click();
  await page.getByRole("heading", { level: 1, name: "berlin-1" }).waitFor();
  await page.getByText("The operator's last receipt says that it was removed.").waitFor();

  await page.goto(tab);
  await pressed(page, "Delete: site");
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByText("None are kept").waitFor();
  t.match((await ask("GET", `/v1/cloudlets/${cloudlet}/credentials`, { token: admin })).json, { items: [] });
});

t.test("a viewer and an auditor see all of it, and are offered nothing; a stranger sees nothing", async (t) => {
  await ask("PUT", `/v1/cloudlets/${cloudlet}/credentials`, { token: admin, json: { name: "site", credentials: login } });
  client.set("hangs");
  const id = String((await ask("POST", "/v1/installations", { token: admin, json: { cloudlet, bundle, action: "check", credential: "site" } })).json["id"]);
  for (const [name, more] of [["vera", { organization: "ExampleTel", role: "viewer" }], ["audrey", { platformRole: "auditor" as const }]] as const) {
    const reader = await enter(browser, url, await running.person(name, more), `/cloudlets/${cloudlet}/installations`);
    const { page: theirs } = reader;
    await theirs.getByRole("row", { name: /Uninstall.*done.*conny/ }).waitFor();
    await theirs.getByRole("row", { name: /site.*root/ }).waitFor();
    const offered = async (): Promise<number> => (await theirs.getByRole("button", { name: /^(Begin|Keep|Replace|Delete|Retry|Stop|Uninstall|Install)/ }).count()) + (await theirs.getByRole("link", { name: /^(Begin|Uninstall|Install|Upgrade)/ }).filter({ hasNotText: "Installations" }).count());
    t.equal(await offered(), 0, `${name}: the list`);
    await theirs.goto(`${url}/installations/${id}`);
    await theirs.getByRole("region", { name: "Lines of: What install.sh says" }).getByText("preflight", { exact: true }).waitFor();
    t.equal(await offered(), 0, `${name}: one that runs`);
    await theirs.goto(`${tab}/new`);
    await theirs.getByText("Your role does not install.").waitFor();
    await leave(t, reader);
  }
  await ask("POST", `/v1/installations/${id}/cancel`, { token: admin });
  await addOrganization(running, "OtherTel");
  const stranger = await enter(browser, url, await running.person("otto", { organization: "OtherTel", role: "manager" }), `/installations/${id}`);
  const { page: other } = stranger;
  await other.getByText("There is no such thing").waitFor();
  for (const path of [`/cloudlets/${cloudlet}/installations`, `/cloudlets/${cloudlet}/installations/new`]) {
    await other.goto(`${url}${path}`);
    await other.getByText("There is no such thing").waitFor();
    t.notOk((await other.content()).includes("berlin-1"), path);
  }
  await leave(t, stranger);
});

t.test("a platform without a login has no login in the form, and no credentials to keep", async (t) => {
  await desk.context.route(/\/v1\/installation-platforms/, (route) => route.fulfill({ json: { items: [{ platform: "libvirt", login: "none", variables: [], available: true, reason: null }] } }));
  await page.goto(tab);
  await page.getByRole("link", { name: "Begin one …" }).waitFor();
  t.equal(await page.getByRole("heading", { name: "Site credentials" }).count(), 0);
  await page.getByRole("link", { name: "Begin one …" }).click();
  await page.getByText("No login is needed").waitFor();
  // The cloudlet is OpenStack's in truth, so the service asks for one.
  const [sent] = await Promise.all([page.waitForRequest((request) => request.method() === "POST"), page.getByRole("button", { name: "Look only" }).click()]);
  await page.getByRole("alert").getByText("This needs credentials for the site").waitFor();
  t.strictSame(sent.postDataJSON(), { cloudlet, bundle, action: "check", parameters: {} });
  await desk.context.unrouteAll();
});

t.test("where the service does not install, the tab says why", async (t) => {
  const pool = await addCloudlet(running, admin, readFileSync(join(root, "bundles/vcd-single/cloudlet.yaml"), "utf8").replace(/^organization: .*$/m, "organization: ExampleTel"));
  await page.goto(`${url}/cloudlets/${pool}/installations`);
  await page.getByRole("heading", { name: "The service does not install this cloudlet" }).waitFor();
  await page.getByText(/on vcd somebody at the site runs install\.sh/).waitFor();
  t.equal(await page.getByRole("link", { name: "Begin one …" }).count(), 0);
  await look(t, page, "installations-elsewhere");
  await page.goto(`${url}/cloudlets/${pool}/installations/new`);
  await page.getByText(/on vcd somebody at the site runs install\.sh/).waitFor();

  // Scaled out there are no such resources.
  await desk.context.route(/\/v1\/(installations\?|cloudlets\/[^/]+\/credentials)/, (route) => route.fulfill({ status: 404, contentType: "application/problem+json", body: JSON.stringify({ type: "urn:cloudlet-bundle:problem:not-found", title: "There is no such thing", status: 404, detail: "There is no such thing" }) }));
  await desk.context.route(/\/v1\/installation-platforms/, (route) => route.fulfill({ json: { items: [{ platform: "openstack", login: "variables", variables: [], available: false, reason: "This service is scaled out and has no state folder, which an installation needs: install from one that has." }] } }));
  await page.goto(tab);
  await page.getByText("This service is scaled out").waitFor();
  t.equal(await page.getByRole("alert").getByText("There is no such thing").count(), 0);
  await desk.context.unrouteAll();
  await leave(t, desk);
});
