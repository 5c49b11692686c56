/** The same by hand: in a browser at the console, from nothing to a running PlatformVM in a simulated vCenter, and back to nothing. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import t from "tap";
import { launch, look } from "../console/browser.ts";
import { addressOf, begin, enter, giveLogin, leave, seeEnd } from "../console/installing.ts";
import { siteFor, version } from "./site.ts";

t.test(`vSphere, with govc ${version}`, { timeout: 600_000 }, async (t) => {
  const { running, simulator, front, guests, before, cloudlet, bundle, credentials } = await siteFor(t);
  const { ask, admin, folder, log } = running;
  const url = await addressOf(running);
  const browser = await launch(t);
  const tab = `${url}/cloudlets/${cloudlet}/installations`;
  const desk = await enter(browser, url, await running.person("conny", { organization: "ExampleTel", role: "contributor" }), `/bundles/${bundle}`);
  const { page } = desk;
  const variables = credentials;
  const longMs = 300_000;

  // From the bundle's own page, with the wrong password first.
  await page.getByRole("link", { name: "Install from here …" }).click();
  await giveLogin(page, { variables: { ...variables, GOVC_PASSWORD: "not the password" } });
  await page.getByRole("button", { name: "Look only" }).click();
  await seeEnd(t, page, "findings", longMs);
  await page.getByRole("region", { name: "What was found" }).getByText("credentials/refused").waitFor();
  await page.getByRole("button", { name: "Retry …" }).click();
  await giveLogin(page, { variables });
  await page.getByRole("dialog").getByRole("button", { name: "Go on" }).click();
  await seeEnd(t, page, "done", longMs);
  t.strictSame(await simulator.inventory(), before, "looking changes nothing");

  // Stopped in the midst of it: slow enough that the disks are on their way.
  front.diskBytesPerSecond = 20_000;
  await page.getByRole("link", { name: "Install …" }).click();
  t.ok(await page.getByRole("radio", { name: "Install", exact: true }).isChecked());
  await giveLogin(page, { variables });
  await page.getByRole("button", { name: "Install", exact: true }).click();
  await page.getByRole("heading", { name: "It goes on" }).waitFor();
  while ((await simulator.vms()).length === 0) await sleep(100);
  await page.getByRole("button", { name: "Stop it …" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Stop it" }).click();
  await seeEnd(t, page, "cancelled", longMs);
  front.diskBytesPerSecond = Infinity;
  await page.getByRole("button", { name: "Retry …" }).click();
  await giveLogin(page, { variables });
  await page.getByRole("dialog").getByRole("button", { name: "Go on" }).click();
  await page.reload();
  await seeEnd(t, page, "done", longMs);
  await page.getByText("It is installed, and well.").waitFor();
  await page.getByRole("link", { name: "installed" }).waitFor();
  await look(t, page, "installation-installed");
  const [vm, ...others] = await simulator.vms();
  t.ok(vm?.isOn, "the PlatformVM runs");
  t.strictSame(others, [], "once");
  const [receipt] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Save its receipt" }).click()]);
  t.match(JSON.parse(readFileSync(await receipt.path(), "utf8")), { action: "install", result: "complete", trust: "signature", guest: /^healthy/, bundle: (await ask("GET", `/v1/bundles/${bundle}`, { token: admin })).json["sums"] });
  await page.getByRole("link", { name: "access key" }).click();
  await page.getByText("good", { exact: true }).waitFor();

  await page.goto(tab);
  await page.getByRole("button", { name: "Keep credentials …" }).click();
  await page.getByLabel("A name for them").fill("vcenter");
  await giveLogin(page, { variables });
  await page.getByRole("dialog").getByRole("button", { name: "Keep" }).click();
  await page.getByRole("row", { name: /vcenter/ }).waitFor();
  const upgrade = await begin(page, tab, "cb direct", { action: "upgrade", login: { kept: "vcenter" } });
  await seeEnd(t, page, "done", longMs);
  t.match((await ask("GET", `/v1/installations/${upgrade}`, { token: admin })).json, { action: "upgrade", credential: "vcenter", exitStatus: 0 });
  t.equal((await simulator.vms()).length, 1);
  t.ok([...guests.booted.values()][0]?.extra["guestinfo.userdata"], "the guest was told what it needs");

  await page.getByRole("link", { name: "Uninstall …" }).click();
  await page.getByRole("button", { name: "Uninstall …" }).click();
  await page.getByLabel("Write the cloudlet's name to go on").fill("cb direct");
  await page.getByRole("alertdialog").getByRole("button", { name: "Uninstall" }).click();
  await seeEnd(t, page, "done", longMs);
  await page.getByRole("link", { name: "removed" }).waitFor();
  t.strictSame(await simulator.inventory(), before, "vCenter is as it was before");
  await page.goto(`${url}/cloudlets/${cloudlet}/receipts`);
  await page.getByRole("row", { name: /uninstall.*removed/ }).waitFor();
  t.strictSame(readdirSync(join(folder, "runs")), []);
  t.notOk((await page.content()).includes("lab-pass"));
  t.notOk(log.join("").includes("lab-pass"));
  t.match((await ask("GET", "/v1/audit/verification", { token: admin })).json, { good: true });
  await leave(t, desk);
});
