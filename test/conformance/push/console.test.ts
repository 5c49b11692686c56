/** Deliveries from the console: in a browser, at a real service, to a real sshd over a line that is cut. */

import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import t from "tap";
import { addCloudlet, addOrganization, bundleOf, specOf, startService, uploadRelease } from "../../unit/service/running.ts";
import { launch, look } from "../console/browser.ts";
import { addressOf, enter, leave, until } from "../console/installing.ts";
import { jumpHost, keyAt, work } from "./host.ts";
import { wire } from "./wire.ts";

t.setTimeout(200_000);
const passphrase = "a passphrase of the page 5d02";
const key = keyAt(join(work, "console-identity"), passphrase);
const host = await jumpHost("console", { net: 4, authorized: [key] });
const line = await wire(host);
const running = await startService(t, { deliverer: { reach: "any", cancelMs: 20_000 } });
const { admin } = running;
t.teardown(async () => {
  line.close();
  await host.close();
});
const privateKey = readFileSync(key, "utf8");
const keyLine = privateKey.split("\n")[1] ?? "";
for (const secret of [passphrase, keyLine]) running.secrets.add(secret);
await addOrganization(running, "ExampleTel");
const cloudlet = await addCloudlet(running, admin, specOf("berlin-1"));
await bundleOf(running, admin, cloudlet, await uploadRelease(running));
const conny = await running.person("conny", { organization: "ExampleTel", role: "contributor" });
const vera = await running.person("vera", { organization: "ExampleTel" });
const url = await addressOf(running);
const browser = await launch(t);
const tab = `${url}/cloudlets/${cloudlet}/deliveries`;
const { page, ...desk } = await enter(browser, url, conny, `/cloudlets/${cloudlet}/deliveries`);
const to = `root@127.0.0.1:${line.port}`;
const fingerprint = execFileSync("ssh-keygen", ["-lf", "-"], { input: host.hostKey, encoding: "utf8" }).split(" ")[1] ?? "";

const heading = (name: string): Promise<void> => page.getByRole("heading", { level: 2, name }).waitFor({ timeout: 60_000 });

/** Nothing of the login is left in what the browser keeps of the page. */
async function keepsNoSecret(t: Tap, of: Page): Promise<void> {
  const kept = [of.url(), await of.content(), await of.evaluate("JSON.stringify([sessionStorage, localStorage, history.state, [...document.querySelectorAll('input, textarea')].map((field) => field.value)])")].join("\n");
  for (const secret of [passphrase, keyLine]) t.notOk(kept.includes(secret), "no secret in page, fields, storage or address");
}
type Tap = Parameters<typeof look>[0];

t.test("what is missing stands at its field; the help says how to come by the host key", async (t) => {
  await page.getByText("There are none yet").waitFor();
  await page.getByRole("link", { name: "Begin one …" }).click();
  await page.getByRole("heading", { level: 1, name: "Begin a delivery of berlin-1" }).waitFor();
  await page.getByRole("button", { name: "Bring it only" }).click();
  await page.getByText("Without it nobody can tell whether it is the host.").waitFor();
  await until(page, "document.activeElement.name === 'host'");
  await page.getByText("How to come by the host key").click();
  await page.getByText("asks the line itself, and so proves nothing").waitFor();
  await page.getByRole("radio", { name: "Install", exact: true }).check();
  await page.getByRole("radio", { name: "Issue it" }).waitFor();
  await look(t, page, "delivery-new-wrong");
  await page.getByRole("radio", { name: "Bring it only" }).check();
  await page.getByLabel("Host", { exact: true }).fill(to);
  await page.getByLabel("Its host key").fill("yes");
  await page.getByLabel("Private key", { exact: true }).fill(privateKey);
  await page.getByRole("button", { name: "Bring it only" }).click();
  await page.getByText(/line 1 is neither a line of known_hosts/).first().waitFor();
});

t.test("by keyboard, with another's host key: refused, and nothing was sent", async (t) => {
  await page.getByLabel("Its host key").fill(`SHA256:${"A".repeat(43)}`);
  await page.getByLabel("Passphrase").fill("not it");
  await page.getByLabel("Passphrase").press("Enter");
  await heading("It has failed");
  await page.getByText(/has no host key with the fingerprint .*Nothing was sent/).first().waitFor();
  await keepsNoSecret(t, page);
  await look(t, page, "delivery-refused");
  t.strictSame(readdirSync(host.home), []);
});

t.test("progress while the line is cut; stopped, then gone on with after a wrong passphrase", async (t) => {
  line.cutEach({ bytes: 200_000 });
  await page.getByRole("link", { name: "Begin another one …" }).click();
  await page.getByLabel("Host", { exact: true }).fill(to);
  await page.getByLabel("Its host key").fill(fingerprint);
  await page.getByLabel("Private key", { exact: true }).fill(privateKey);
  await page.getByLabel("Passphrase").fill(passphrase);
  await page.getByRole("button", { name: "Bring it only" }).click();
  const lines = page.getByRole("region", { name: "Lines of: What it says" });
  await lines.getByText(/the line was cut; again in/).first().waitFor({ timeout: 30_000 });
  await page.getByRole("progressbar", { name: "How far it is" }).waitFor({ timeout: 30_000 });
  await page.getByText(/^(Sending|Comparing what is there already): .* of /).waitFor();
  await keepsNoSecret(t, page);
  await look(t, page, "delivery-running");
  await page.getByRole("button", { name: "Stop it …" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Stop it" }).click();
  await heading("It was stopped");
  line.cutEach({});

  for (const [given, then] of [["not this one", "It has failed"], [passphrase, "It is done"]] as const) {
    await page.getByRole("button", { name: "Retry …" }).click();
    const dialog = page.getByRole("dialog", { name: "Retry" });
    await dialog.getByLabel("Private key", { exact: true }).fill(privateKey);
    await dialog.getByLabel("Passphrase").fill(given);
    await dialog.getByRole("button", { name: "Go on" }).click();
    await dialog.waitFor({ state: "hidden" });
    await heading(then);
    if (given !== passphrase) await page.getByText(/the passphrase of the private key is wrong/i).first().waitFor();
  }
  await lines.getByText(/bytes sent; \d+ were there/).waitFor();
  await lines.getByText(/verified there, signed by SHA256:/).waitFor();
  await keepsNoSecret(t, page);
  await look(t, page, "delivery-done");
});

t.test("what was brought is taken away; the list, and what a viewer sees of it", async (t) => {
  await page.getByRole("link", { name: "Take away what was brought …" }).click();
  t.equal(await page.getByLabel("Host", { exact: true }).inputValue(), to, "to the same host");
  t.match(await page.getByLabel("Its host key").inputValue(), fingerprint);
  await page.getByLabel("Private key", { exact: true }).fill(privateKey);
  await page.getByLabel("Passphrase").fill(passphrase);
  await page.getByRole("button", { name: "Take away what was brought" }).click();
  await heading("It is done");
  t.strictSame(readdirSync(host.home), []);
  const done = page.url();
  await page.goBack();
  await page.getByRole("row", { name: /Bring it only.*3 times/ }).waitFor();
  await look(t, page, "deliveries");
  const viewer = await enter(browser, url, vera, `/cloudlets/${cloudlet}/deliveries`);
  await viewer.page.getByRole("row", { name: /Take away what was brought/ }).waitFor();
  t.equal(await viewer.page.getByRole("link", { name: "Begin one …" }).count(), 0);
  await viewer.page.goto(done);
  await viewer.page.getByRole("heading", { level: 2, name: "It is done" }).waitFor();
  t.equal(await viewer.page.getByRole("link", { name: /…$/ }).count(), 0, "nothing is offered that they may not");
  await viewer.page.goto(`${tab}/new`);
  await viewer.page.getByText("Your role does not deliver.").waitFor();
  await leave(t, viewer);
  await leave(t, { page, ...desk });
});

t.test("where nobody has switched it on, the page says so", async (t) => {
  const off = await startService(t);
  await addOrganization(off, "ExampleTel");
  const there = await addCloudlet(off, off.admin, specOf("berlin-1"));
  t.equal((await off.ask("GET", "/v1/deliveries", { token: off.admin })).status, 404);
  const address = await addressOf(off);
  const other = await enter(browser, address, off.admin, `/cloudlets/${there}/deliveries`);
  await other.page.getByText("This service delivers nothing").waitFor();
  await look(t, other.page, "deliveries-off");
  await leave(t, other);
});
