/**
 * The pictures of docs/console.md: each is made here, of a service that is furnished the same way each time. UPDATE_TOUR=1 writes them
 * and what is read on them (needs pngquant); else the page's pictures must be these, and show what the screens show.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import t from "tap";
import { launch } from "./browser.ts";
import { furnish } from "./furnished.ts";
import { differingShare } from "./pictures.ts";
import { readOn, textsIn, textsOf } from "./tour-texts.ts";

t.setTimeout(240_000);
const root = join(import.meta.dirname, "../../..");
const kept = join(root, "docs/images/console");
const made = join(root, "out/tour");
const isUpdate = process.env["UPDATE_TOUR"] === "1";
/** Bytes: a page with twenty pictures is to be there at once. */
const [largest, largestInAll] = [80_000, 1_000_000];
/** Of all squares of the picture: a digest of another build, say, and letters that are drawn with another edge. */
const tolerated = 0.03;

const { url, tokens, ids, bundles, refused } = await furnish(t);
const browser = await launch(t);
const blank = await (await browser.newContext()).newPage();
const berlin = `/cloudlets/${ids.get("berlin-1") ?? ""}`;
const [before, after] = [String(bundles.before["id"]), String(bundles.after["id"])];

interface Scene {
  readonly name: string;
  /** Nobody is signed in when left out. */
  readonly who?: string;
  readonly path: string;
  /** What somebody does on the page, until it is as the picture has it; gives what the picture is of, where that isn't the window. */
  readonly play: (page: Page) => Promise<Locator | void>;
  readonly width?: number;
  readonly height?: number;
  readonly isDark?: boolean;
}

const verdict = (page: Page, text: string): Promise<void> => page.getByRole("region", { name: "What the check says" }).getByText(text).waitFor();

const scenes: readonly Scene[] = [
  { name: "set-up", path: "/set-up?name=conny", height: 640, play: (page) => page.getByRole("button", { name: "Set password and sign in" }).waitFor() },
  { name: "cloudlets", who: "ada", path: "/cloudlets", height: 660, play: (page) => page.getByRole("row", { name: /berlin-1/ }).waitFor() },
  { name: "map", who: "ada", path: "/cloudlets/map", height: 880, play: (page) => page.getByRole("link", { name: /bergen-1/ }).waitFor() },
  { name: "narrow", who: "conny", path: "/cloudlets", width: 390, height: 760, isDark: true, play: async (page) => {
    await page.getByRole("row", { name: /berlin-1/ }).waitFor();
    await page.evaluate("scrollTo(0, 0)");
  } },
  { name: "mistake", who: "conny", path: "/cloudlets/new", width: 1_280, height: 820, play: async (page) => {
    await page.getByRole("button", { name: "Use template" }).click();
    await page.getByRole("img", { name: /berlin-1/ }).waitFor();
    await page.getByLabel("Latitude (required)").fill("952");
    await verdict(page, "1 mistake");
    await page.getByRole("button", { name: "Show the mistake" }).click();
    // Until the last of what was drawn late is there.
    await page.locator(".cm-lint-marker-error").waitFor();
  } },
  { name: "networks", who: "conny", path: "/cloudlets/new", width: 1_280, height: 1_000, play: async (page) => {
    await page.getByRole("button", { name: "Use template" }).click();
    await verdict(page, "No mistake");
    await page.getByRole("button", { name: "Add external network" }).click();
    const second = page.getByRole("group", { name: /^External network 2/ }).first();
    await second.getByLabel("Name (required)").fill("dmz-net");
    await second.getByLabel("Purpose").selectOption("internet");
    await page.getByRole("img", { name: /berlin-1/ }).getByText("dmz-net", { exact: true }).waitFor();
    await verdict(page, "No mistake");
    return page.getByRole("region", { name: "Networks", exact: true });
  } },
  { name: "cloudlet", who: "conny", path: berlin, height: 560, play: (page) => page.getByText("What comes next").waitFor() },
  { name: "spec", who: "conny", path: `${berlin}/spec`, height: 760, play: (page) => page.getByRole("img", { name: /berlin-1/ }).waitFor() },
  { name: "bundle", who: "conny", path: `/bundles/${after}`, height: 880, play: (page) => page.getByText("How the operator verifies it").waitFor() },
  { name: "reading", who: "conny", path: `/bundles/${after}`, width: 1_340, play: async (page) => {
    await page.getByText("Read it, with what caused each line").click();
    await page.getByLabel("Search in names").fill("heat-template");
    await page.getByRole("row", { name: /heat-template/ }).click();
    const line = page.locator(".file-lines li", { hasText: "ue-net" }).first();
    await line.focus();
    await page.getByRole("complementary", { name: "What caused the line" }).getByText("/networks/external/0/name").first().waitFor();
    return page.locator(".bundle-browser");
  } },
  { name: "diff", who: "conny", path: `/bundles/${before}/diff/${after}`, height: 700, play: (page) => page.getByRole("heading", { name: /spec \/dynamicIps/ }).waitFor() },
  { name: "installations", who: "conny", path: `${berlin}/installations`, height: 760, play: (page) => page.getByRole("row", { name: /berlin/ }).waitFor() },
  { name: "installation-new", who: "conny", path: `${berlin}/installations/new?action=install`, height: 880, play: (page) => page.getByText("Kept credentials", { exact: true }).waitFor() },
  { name: "installation", who: "conny", path: `/installations/${refused}`, height: 1_020, play: (page) => page.getByRole("status").getByText("findings: see the lines above").waitFor() },
  { name: "delivery-new", who: "conny", path: `${berlin}/deliveries/new?action=deliver`, height: 1_000, play: async (page) => {
    await page.getByLabel("Host", { exact: true }).fill("ops@jump.example.net");
    await page.getByLabel("Its host key").fill(`SHA256:${"A".repeat(43)}`);
    await page.getByText("How to come by the host key").click();
    await page.getByText("asks the line itself, and so proves nothing").waitFor();
    await page.getByLabel("Its host key").focus();
    await page.evaluate("document.activeElement.closest('.card').scrollIntoView()");
  } },
  { name: "access-keys", who: "conny", path: `${berlin}/access-keys`, height: 560, play: (page) => page.getByText("BEGIN PUBLIC KEY").waitFor() },
  { name: "receipts", who: "conny", path: `${berlin}/receipts`, height: 660, play: (page) => page.getByRole("row", { name: /complete/ }).waitFor() },
  { name: "release", who: "ada", path: "/releases", height: 620, play: async (page) => {
    await page.getByRole("link", { name: "2026.11" }).click();
    await page.getByText("It is ready").waitFor();
  } },
  { name: "organization", who: "maria", path: "/organizations/ExampleTel", height: 560, play: (page) => page.getByRole("row", { name: /conny/ }).waitFor() },
  { name: "people", who: "ada", path: "/people", height: 560, play: (page) => page.getByRole("row", { name: /newcomer/ }).waitFor() },
  { name: "audit-trail", who: "audrey", path: "/audit-trail?organization=ExampleTel", height: 800, play: async (page) => {
    await page.getByRole("row", { name: /cloudlet:change/ }).waitFor();
    await page.getByRole("button", { name: "Verify the trail" }).click();
    await page.getByText("as they were written.").waitFor();
  } },
  { name: "token", who: "conny", path: "/account", height: 720, play: async (page) => {
    await page.getByRole("row", { name: /nightly build/ }).waitFor();
    await page.getByRole("button", { name: "New token …" }).click();
    await page.getByLabel("What it is for").fill("inventory");
  } },
];

mkdirSync(made, { recursive: true });
const context = await browser.newContext({ reducedMotion: "reduce", locale: "en-GB", timezoneId: "Europe/Berlin" });
context.setDefaultTimeout(30_000);
const seen = new Map<string, string>();
for (const scene of scenes) {
  // A tab has a session of its own.
  const page = await context.newPage();
  await page.setViewportSize({ width: scene.width ?? 1_120, height: scene.height ?? 720 });
  await page.emulateMedia({ colorScheme: scene.isDark === true ? "dark" : "light" });
  const token = scene.who === undefined ? undefined : tokens.get(scene.who);
  if (token !== undefined) await page.addInitScript(`sessionStorage.setItem("cloudlet-bundle.session", ${JSON.stringify(token)})`);
  await page.goto(`${url}${scene.path}`);
  const part = (await scene.play(page)) ?? undefined;
  // A caret blinks, and what is scrolled may still move.
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
  await (part ?? page).screenshot({ path: join(made, `${scene.name}.png`), caret: "hide", animations: "disabled" });
  seen.set(scene.name, readOn(await (part ?? page.locator("body")).ariaSnapshot()));
  await page.close();
}
await context.close();

if (isUpdate) {
  rmSync(kept, { recursive: true, force: true });
  mkdirSync(kept, { recursive: true });
  for (const { name } of scenes) execFileSync("pngquant", ["--strip", "--speed", "1", "--nofs", "--output", join(kept, `${name}.png`), "48", join(made, `${name}.png`)]);
  writeFileSync(join(import.meta.dirname, "tour-texts.txt"), textsOf(seen));
}

t.test("the page has every picture with a word on what it shows, and no other", (t) => {
  const named = [...readFileSync(join(root, "docs/console.md"), "utf8").matchAll(/!\[([^\]]*)\]\(images\/console\/([\w-]+)\.png\)/g)].map(([, words = "", name = ""]) => ({ name, words }));
  t.strictSame(named.map(({ name }) => name).sort(), scenes.map(({ name }) => name).sort());
  t.strictSame(readdirSync(kept).sort(), scenes.map(({ name }) => `${name}.png`).sort());
  t.strictSame(named.filter(({ words }) => words.length < 20), []);
  t.end();
});

t.test("the pictures are small", (t) => {
  const sizes = readdirSync(kept).map((name) => ({ name, size: statSync(join(kept, name)).size }));
  t.strictSame(sizes.filter(({ size }) => size > largest), []);
  t.ok(sizes.reduce((sum, { size }) => sum + size, 0) <= largestInAll);
  t.end();
});

t.test("each picture shows what its screen shows", async (t) => {
  const texts = textsIn(readFileSync(join(import.meta.dirname, "tour-texts.txt"), "utf8"));
  for (const { name } of scenes) {
    t.equal(seen.get(name), texts.get(name), `${name}: what is read on it; if this is meant: UPDATE_TOUR=1 node test/conformance/console/tour.test.ts`);
    const share = await differingShare(blank, readFileSync(join(made, `${name}.png`)), readFileSync(join(kept, `${name}.png`)));
    t.ok(share <= tolerated, `${name}: ${(share * 100).toFixed(1)} % of the picture is another`);
  }
});

t.test("another picture is told from it", async (t) => {
  const picture = (name: string): Buffer => readFileSync(join(made, `${name}.png`));
  t.ok((await differingShare(blank, picture("access-keys"), picture("organization"))) > tolerated, "of the same size");
  t.equal(await differingShare(blank, picture("access-keys"), picture("map")), 1, "of another size");
});
