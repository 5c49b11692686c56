/** The console in a browser, logged in: pictures, accessibility, and every complaint written down. */

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import type { Test } from "tap";

const root = join(import.meta.dirname, "../../..");
/** Chromium's debugger runs it, whatever the page's policy says. */
const axe = readFileSync(join(root, "node_modules/axe-core/axe.min.js"), "utf8");
const pictures = join(root, "out/conformance/editor");

export function launch(t: Test): Promise<Browser> {
  // Chromium's own sandbox does not start as root.
  const started = chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"] });
  t.teardown(async () => (await started).close());
  return started;
}

export interface Desk {
  readonly page: Page;
  /** Errors, dialogs, whatever the policy has refused, and what was asked of anybody else. */
  readonly complaints: readonly string[];
}

export async function sitDown(browser: Browser, url: string, token: string, path: string): Promise<Desk> {
  const context = await browser.newContext({ viewport: { width: 1_400, height: 1_000 }, reducedMotion: "reduce", locale: "en-GB" });
  context.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  context.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("data:")) complaints.push(`asked for ${request.url()}`);
  });
  context.on("console", (message) => {
    // A refusal of the service's is told to the user, and by the browser as well.
    if (message.type() === "error" && !/the server responded with a status of 4\d\d/.test(message.text())) complaints.push(`${message.text()} (${message.location().url}:${message.location().lineNumber}:${message.location().columnNumber})`);
  });
  context.on("weberror", (error) => complaints.push(error.error().stack ?? error.error().message));
  context.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const page = await context.newPage();
  await page.addInitScript(`sessionStorage.setItem("cloudlet-bundle.session", ${JSON.stringify(token)})`);
  await page.goto(`${url}${path}`);
  return { page, complaints };
}

/** Light, dark and narrow: a picture of each, nothing that axe finds, nothing that runs out at the side. */
export async function look(t: Test, page: Page, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  await page.evaluate(axe);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.screenshot({ path: join(pictures, `${name}-${colorScheme}.png`), fullPage: true });
    t.strictSame(await violations(page), [], `${name}, ${colorScheme}: axe finds nothing`);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize({ width: 320, height: 720 });
  t.ok(((await page.evaluate("document.documentElement.scrollWidth")) as number) <= 320, `${name}: nothing runs out at the side of 320 pixels`);
  await page.screenshot({ path: join(pictures, `${name}-narrow.png`), fullPage: true });
  await page.setViewportSize({ width: 1_400, height: 1_000 });
}

interface Found {
  readonly id: string;
  readonly html: string;
}

async function violations(page: Page): Promise<readonly Found[]> {
  return page.evaluate(async () => {
    interface Result { readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[] }[] }
    const { run } = (globalThis as unknown as { readonly axe: { readonly run: () => Promise<Result> } }).axe;
    return (await run()).violations.flatMap(({ id, nodes }) => nodes.slice(0, 3).map(({ html, failureSummary }) => ({ id, html: html.slice(0, 160), why: failureSummary })));
  });
}
