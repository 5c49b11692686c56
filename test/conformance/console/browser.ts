/** A browser at the console: whatever leaves the service, and whatever the page complains of, is written down. */

import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import type { Test } from "tap";

const root = join(import.meta.dirname, "../../..");
const axe = readFileSync(join(root, "node_modules/axe-core/axe.min.js"), "utf8");
const pictures = join(root, "out/console");

export function launch(t: Test): Promise<Browser> {
  // Chromium's own sandbox does not start as root; names are resolved for nobody.
  const started = chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"] });
  t.teardown(async () => (await started).close());
  return started;
}

export interface Desk {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What left for elsewhere. */
  readonly strayed: readonly string[];
  /** Errors, and whatever the policy has refused. */
  readonly complaints: readonly string[];
}

export async function sitDown(browser: Browser, url: string): Promise<Desk> {
  const context = await browser.newContext({ viewport: { width: 1_280, height: 900 }, acceptDownloads: true, reducedMotion: "reduce", locale: "en-GB", timezoneId: "Europe/Berlin", permissions: ["clipboard-read", "clipboard-write"] });
  context.setDefaultTimeout(30_000);
  const strayed: string[] = [];
  const complaints: string[] = [];
  context.on("request", (request) => {
    if (!request.url().startsWith(url) && !request.url().startsWith("blob:") && !request.url().startsWith("data:")) strayed.push(request.url());
  });
  context.on("console", (message) => {
    // What the service refuses is meant to be seen by the user, and the browser tells of it, too.
    if (message.type() === "error" && !/Failed to load resource: the server responded with a status of 4\d\d/.test(message.text())) complaints.push(message.text());
  });
  context.on("weberror", (error) => complaints.push(error.error().message));
  context.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const page = await context.newPage();
  await page.goto(url, { waitUntil: "networkidle" });
  return { page, context, strayed, complaints };
}

interface Found {
  readonly id: string;
  readonly impact: string | null;
  readonly html: string;
}

/** Light, dark and narrow: a picture of each, nothing that axe finds, nothing that runs out at the side. */
export async function look(t: Test, page: Page, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  await page.evaluate(axe);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.screenshot({ path: join(pictures, `${name}-${colorScheme}.png`), fullPage: true });
    t.strictSame(await violations(page, colorScheme === "dark" ? ["color-contrast"] : []), [], `${name}, ${colorScheme}: axe finds nothing`);
  }
  await page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
  await page.setViewportSize({ width: 320, height: 720 });
  t.ok((await page.evaluate("document.documentElement.scrollWidth")) as number <= 320, `${name}: nothing runs out at the side of 320 pixels`);
  await page.screenshot({ path: join(pictures, `${name}-narrow.png`), fullPage: true });
  await page.setViewportSize({ width: 1_280, height: 900 });
}

async function violations(page: Page, rules: readonly string[]): Promise<readonly Found[]> {
  return page.evaluate(async (only) => {
    interface Result { readonly violations: readonly { readonly id: string; readonly impact: string | null; readonly nodes: readonly { readonly html: string }[] }[] }
    const { run } = (globalThis as unknown as { readonly axe: { readonly run: (options: object) => Promise<Result> } }).axe;
    const { violations } = await run(only.length === 0 ? {} : { runOnly: only });
    return violations.flatMap(({ id, impact, nodes }) => nodes.slice(0, 3).map(({ html }) => ({ id, impact, html: html.slice(0, 160) })));
  }, rules);
}
