/** The same from the console: somebody with a browser, from nothing to a running PlatformVM, and back to nothing. */

import type { Test } from "tap";
import { launch } from "../../console/browser.ts";
import { addressOf, begin, enter, giveLogin, leave, seeEnd } from "../../console/installing.ts";
import { openstackJson } from "../cloud.ts";
import { directService } from "../direct-service.ts";

/** Of one run of install.sh in the lab, on busy cores. */
const longMs = 900_000;

export async function run(t: Test): Promise<void> {
  const { running, cloudlet, credentials, password } = await directService(t, "cb console");
  const { ask, admin, log } = running;
  const url = await addressOf(running);
  const browser = await launch(t);
  const tab = `${url}/cloudlets/${cloudlet}/installations`;
  const desk = await enter(browser, url, await running.person("conny", { organization: "ExampleTel", role: "contributor" }), `/cloudlets/${cloudlet}`);
  const { page } = desk;
  /** As an operator's openrc has it. */
  const openrc = Object.entries(credentials).map(([name, value]) => `export ${name}='${value}'\n`).join("");

  await page.getByRole("link", { name: "installs by itself" }).click();
  await page.getByRole("link", { name: "Begin one …" }).click();
  await page.getByRole("radio", { name: "With an openrc or a clouds.yaml" }).check();
  await page.getByLabel("Text", { exact: true }).fill(openrc.replace(password, "not the password"));
  await page.getByRole("button", { name: "Look only" }).click();
  await seeEnd(t, page, "findings", longMs);
  await page.getByRole("region", { name: "What was found" }).getByText("credentials/refused").waitFor();
  await page.getByRole("button", { name: "Retry …" }).click();
  await page.getByRole("radio", { name: "With an openrc or a clouds.yaml" }).check();
  await page.getByLabel("Text", { exact: true }).fill(openrc);
  await page.getByRole("dialog").getByRole("button", { name: "Go on" }).click();
  await seeEnd(t, page, "done", longMs);
  t.notOk((await page.content()).includes(password));

  // A flavor that is not there, and then the one that is.
  await page.getByRole("link", { name: "Install …" }).click();
  await giveLogin(page, { variables: offered(credentials) });
  await page.getByRole("button", { name: "Add a parameter" }).click();
  await page.keyboard.type("flavor");
  await page.getByLabel("Value").fill("no.such.flavor");
  await page.getByRole("button", { name: "Install", exact: true }).click();
  await seeEnd(t, page, "findings", longMs);
  await page.getByRole("region", { name: "What was found" }).getByText(/no\.such\.flavor/).waitFor();
  const installed = await begin(page, tab, "cb console", { action: "install", login: { variables: offered(credentials) }, accessKey: "Issue another" });
  await page.getByRole("heading", { name: "It goes on" }).waitFor();
  await page.reload();
  await seeEnd(t, page, "done", longMs);
  await page.getByText("It is installed, and well.").waitFor();
  await page.getByRole("link", { name: "installed" }).waitFor();
  t.equal((openstackJson(["server", "list"]) as readonly unknown[]).length, 1, "the PlatformVM is there");
  const { receipt } = (await ask("GET", `/v1/installations/${installed}`, { token: admin })).json;
  t.match((await ask("GET", `/v1/cloudlets/${cloudlet}/receipts/${String(receipt)}`, { token: admin })).json, { action: "install", result: "complete", trust: "signature", servers: [{ health: "healthy" }] });

  await page.goto(tab);
  await page.getByRole("button", { name: "Keep credentials …" }).click();
  await page.getByLabel("A name for them").fill("site");
  await page.getByRole("radio", { name: "With an openrc or a clouds.yaml" }).check();
  await page.getByLabel("Text", { exact: true }).fill(openrc);
  await page.getByRole("dialog").getByRole("button", { name: "Keep" }).click();
  await page.getByRole("row", { name: /site/ }).waitFor();
  await begin(page, tab, "cb console", { action: "uninstall", login: { kept: "site" } });
  await seeEnd(t, page, "done", longMs);
  await page.getByText("Nothing of it is left at the site.").waitFor();
  await page.getByRole("link", { name: "removed" }).waitFor();
  t.notOk(log.join("").includes(password));
  await leave(t, desk);
}

/** Those that the form has a field for; the client's own defaults do for the others. */
function offered(credentials: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const { OS_AUTH_URL = "", OS_USERNAME = "", OS_PASSWORD = "", OS_USER_DOMAIN_NAME = "", OS_PROJECT_NAME = "", OS_PROJECT_DOMAIN_NAME = "" } = credentials;
  return { OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_USER_DOMAIN_NAME, OS_PROJECT_NAME, OS_PROJECT_DOMAIN_NAME, ...(credentials["OS_REGION_NAME"] === undefined ? {} : { OS_REGION_NAME: credentials["OS_REGION_NAME"] }) };
}
