/** A person at the console who installs: what they press, for tests against any site. */

import { setTimeout as sleep } from "node:timers/promises";
import type { Browser, Page } from "playwright-core";
import type { Test } from "tap";
import type { Running } from "../../unit/service/running.ts";
import { sitDown, type Desk } from "./browser.ts";

/** The service that runs in this process, at an address of its own. */
export async function addressOf({ service }: Running): Promise<string> {
  return service.app.listen({ host: "127.0.0.1", port: 0 });
}

/** At a desk, as whoever has this token. */
export async function enter(browser: Browser, url: string, token: string, path: string): Promise<Desk> {
  const desk = await sitDown(browser, url);
  await desk.page.evaluate(`sessionStorage.setItem("cloudlet-bundle.session", ${JSON.stringify(token)})`);
  await desk.page.goto(`${url}${path}`);
  return desk;
}

export async function leave(t: Test, { context, strayed, complaints }: Desk): Promise<void> {
  t.strictSame([strayed, complaints], [[], []], "no request left the service, and the policy had nothing to refuse");
  await context.close();
}

export type Login = { readonly variables: Readonly<Record<string, string>> } | { readonly kept: string } | "none";

export async function giveLogin(page: Page, login: Login): Promise<void> {
  if (login === "none") return;
  if ("kept" in login) {
    await page.getByRole("radio", { name: "With kept credentials" }).check();
    await page.getByLabel("Kept credentials", { exact: true }).selectOption(login.kept);
    return;
  }
  await page.getByRole("radio", { name: "With a login, field by field" }).check();
  for (const [name, value] of Object.entries(login.variables)) await page.locator(`[name="${name}"]`).fill(value);
}

export const actionNames = { check: "Look only", install: "Install", upgrade: "Upgrade", rollback: "Go back", uninstall: "Uninstall" } as const;

/** From the cloudlet's tab; gives the installation's id. */
export async function begin(page: Page, tab: string, cloudlet: string, { action, login, accessKey }: { readonly action: keyof typeof actionNames; readonly login: Login; readonly accessKey?: string }): Promise<string> {
  await page.goto(tab);
  await page.getByRole("link", { name: "Begin one …" }).click();
  const name = actionNames[action];
  await page.getByRole("radio", { name, exact: true }).check();
  await giveLogin(page, login);
  if (accessKey !== undefined) await page.getByRole("radio", { name: accessKey, exact: true }).check();
  const isAsked = action === "upgrade" || action === "rollback" || action === "uninstall";
  await page.getByRole("button", { name: isAsked ? `${name} …` : name, exact: true }).click();
  if (isAsked) {
    const dialog = page.getByRole("alertdialog");
    if (action === "uninstall") await dialog.getByLabel("Write the cloudlet's name to go on").fill(cloudlet);
    await dialog.getByRole("button", { name, exact: true }).click();
  }
  await page.waitForURL(/\/installations\/[A-Za-z0-9_-]{22}$/);
  return page.url().slice(page.url().lastIndexOf("/") + 1);
}

/** Playwright's own waitForFunction makes code of a text again and again, which the page's policy refuses. */
export async function until(page: Page, expression: string, timeoutMs = 15_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; (await page.evaluate(expression)) !== true; await sleep(50)) if (Date.now() > end) throw new Error(`never so: ${expression}`);
}

const headings = { done: "It is done", findings: "Something stands in the way", failed: "It has failed", cancelled: "It was stopped" } as const;

/** Waits until the page says how it has ended; fails with the log where it is another end. */
export async function seeEnd(t: Test, page: Page, end: keyof typeof headings, timeoutMs = 30_000): Promise<void> {
  const any = page.getByRole("heading", { level: 2, name: new RegExp(`^(${Object.values(headings).join("|")}|It was interrupted)$`) });
  await any.waitFor({ timeout: timeoutMs });
  const said = await any.innerText();
  t.equal(said, headings[end], said === headings[end] ? end : (await page.getByRole("region", { name: "Lines of: What install.sh says" }).innerText()).slice(-4_000));
}
