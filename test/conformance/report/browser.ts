/** The report's page in a browser: opened from a file, with every request, message and dialog written down. */

import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Test } from "tap";

const root = join(import.meta.dirname, "../../..");

/** axe runs in the page, where the page's own policy would refuse it: only in a context that bypasses that. */
const axe = readFileSync(join(root, "node_modules/axe-core/axe.min.js"), "utf8");

export function launch(t: Test): Promise<Browser> {
  // Chromium's own sandbox does not start as root.
  const started = chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
  t.teardown(async () => (await started).close());
  return started;
}

/** An element, inside the browser. */
export interface Clickable {
  readonly click: () => void;
}

export interface Seen {
  readonly page: Page;
  /** What it asked for beside itself. */
  readonly requests: readonly string[];
  /** Messages of the console (violations of the policy are among them), errors and dialogs. */
  readonly complaints: readonly string[];
}

/** Whatever it asks for beside itself is refused and noted. */
export async function open(browser: Browser, file: string, options: BrowserContextOptions = {}): Promise<Seen> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const own = pathToFileURL(file).href;
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`error: ${error.message}`));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("popup", (popup) => complaints.push(`popup: ${popup.url()}`));
  await context.route("**/*", (route) => {
    if (route.request().url() === own) return route.continue();
    requests.push(route.request().url());
    return route.abort();
  });
  await page.goto(own, { waitUntil: "load" });
  return { page, requests, complaints };
}

export interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

/** What axe-core finds, and how many of its rules passed. */
export async function accessibility(browser: Browser, file: string, colorScheme: "light" | "dark"): Promise<{ readonly violations: readonly Violation[]; readonly passes: number }> {
  const { page } = await open(browser, file, { colorScheme, bypassCSP: true });
  // Of all that is folded up, the reader opens something.
  await page.locator("summary").evaluateAll((all) => all.slice(0, 6).forEach((each) => (each as unknown as Clickable).click()));
  await page.addScriptTag({ content: axe });
  const result = await page.evaluate(async () => {
    const { violations, passes } = await (globalThis as unknown as { axe: { run: () => Promise<{ violations: Violation[]; passes: unknown[] }> } }).axe.run();
    return { violations: violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.slice(0, 3).map(({ html }) => ({ html: html.slice(0, 200) })) })), passes: passes.length };
  });
  await page.context().close();
  return result;
}
