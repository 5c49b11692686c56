/** The report's page of each reference cloudlet in Chromium: nothing leaves, nothing runs, everybody can read it, the picture is right. */

import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import t, { type Test } from "tap";
import { textOf } from "../../golden/cases.ts";
import { bundleOf } from "../../unit/evidence/audit/bundle.ts";
import { hostileSpec, hostileTexts } from "../../unit/evidence/hostile-spec.ts";
import { buildBundle } from "../bundle.ts";
import { accessibility, launch, open, type Clickable } from "./browser.ts";

/** What these tests ask of it, inside the browser. */
declare const document: {
  readonly documentElement: { readonly scrollWidth: number };
  readonly querySelectorAll: (selector: string) => Iterable<{ readonly outerHTML: string }> & { readonly length: number };
};

/** What a report has none of, whatever stands in a spec. */
const strangers =
  "script, iframe, object, embed, img, image, foreignObject, form, input, base, link, audio, video, [style], [onload], [onerror], [onfocus], [onmouseover], a[href]:not([href^='#'])";

const root = join(import.meta.dirname, "../../..");
const ledger = join(root, "bundles");
const work = join(root, "out/conformance/report");
mkdirSync(work, { recursive: true });
t.setTimeout(600_000);
const browser = await launch(t);

interface Spec {
  readonly name: string;
  readonly networks?: {
    readonly external: readonly { readonly name: string; readonly address?: { readonly ip?: string; readonly prefix?: number; readonly ranges?: readonly string[] } }[];
    readonly internal?: { readonly name: string; readonly cidr: string };
  };
  readonly platform: { readonly parameters?: { readonly machines?: readonly { readonly name: string; readonly internalIp: string; readonly externalIp?: string }[] } };
  readonly firewall?: Partial<Record<"ingress" | "egress", readonly { readonly cidr: string; readonly ports?: { readonly from: number; readonly to: number } }[]>> & { readonly ssh?: { readonly from?: readonly string[] } };
}

/** A picture, inside the browser. */
interface Drawn {
  readonly textContent: string | null;
  readonly ownerDocument: { readonly getElementById: (id: string) => { readonly textContent: string | null } | null };
  readonly getAttribute: (name: string) => string | null;
  readonly getBoundingClientRect: () => { readonly left: number; readonly right: number };
  readonly querySelectorAll: (selector: string) => Iterable<Drawn>;
}

for (const cloudlet of readdirSync(ledger).sort()) {
  t.test(cloudlet, async (t) => {
    const text = readFileSync(join(ledger, cloudlet, "cloudlet.yaml"), "utf8");
    const { folder } = await buildBundle(`report-${cloudlet}`, text);
    const file = join(folder, "evidence/report.html");

    const { page, requests, complaints } = await open(browser, file);
    t.strictSame(requests, [], "no request leaves");
    const picture = page.locator("svg[role=img]");
    const shown = (await picture.locator("text").allTextContents()).join("\n");
    for (const word of wordsOf(load(text) as Spec)) t.ok(shown.includes(word), `the picture says ${word}`);
    const described = await picture.evaluate((found) => {
      const svg = found as unknown as Drawn;
      return ["aria-labelledby", "aria-describedby"].map((name) => svg.ownerDocument.getElementById(svg.getAttribute(name) ?? "")?.textContent ?? "");
    });
    t.ok(described.every((each) => each.length > 10), "and has a name and a description");
    const outside = await picture.evaluate((found) => {
      const svg = found as unknown as Drawn;
      const box = svg.getBoundingClientRect();
      return [...svg.querySelectorAll("text")].filter((each) => each.getBoundingClientRect().right > box.right + 1 || each.getBoundingClientRect().left < box.left - 1).map((each) => each.textContent);
    });
    t.strictSame(outside, [], "no text leaves its edges");
    await checkTable(t, page);
    await checkLinks(t, page);
    const pdf = await page.pdf({ format: "A4" });
    t.equal(pdf.subarray(0, 5).toString("latin1"), "%PDF-");
    t.ok(pdf.byteLength > 100_000, "on paper all of it is there, also what is folded up");
    t.strictSame(complaints, [], "no message in the console, no violation of the policy");
    await page.context().close();

    for (const width of [320, 768]) {
      const narrow = await open(browser, file, { viewport: { width, height: 640 } });
      const widest = await narrow.page.evaluate(() => document.documentElement.scrollWidth);
      t.ok(widest <= width, `${width} pixels wide, the page scrolls downwards only: ${widest}`);
      await narrow.page.context().close();
    }
    for (const scheme of ["light", "dark"] as const) {
      const { violations, passes } = await accessibility(browser, file, scheme);
      t.ok(passes > 20, `axe has looked: ${passes} rules passed`);
      t.strictSame(violations, [], `and found nothing, ${scheme}`);
    }
  });
}

/** What the spec says of networks and ports, as the picture has to say it. */
function wordsOf({ networks, firewall, platform }: Spec): readonly string[] {
  const rules = [...(firewall?.ingress ?? []), ...(firewall?.egress ?? [])];
  return [
    ...(networks?.external ?? []).flatMap(({ name, address }) => [name, ...(address?.ip === undefined ? [] : [address.ip, `/${address.prefix}`]), ...(address?.ranges ?? []).flatMap((range) => [range, `/${address?.prefix}`])]),
    ...(networks?.internal === undefined ? [] : [networks.internal.name, networks.internal.cidr]),
    ...(platform.parameters?.machines ?? []).flatMap(({ name, internalIp, externalIp }) => [name, internalIp, ...(externalIp === undefined ? [] : [externalIp])]),
    ...(firewall?.ssh?.from ?? []).flatMap((cidr) => [cidr, "tcp 22"]),
    ...rules.flatMap(({ cidr, ports }) => [cidr, ...(ports === undefined ? [] : [ports.from === ports.to ? String(ports.from) : `${ports.from}-${ports.to}`])]),
  ];
}

type Page = Awaited<ReturnType<typeof open>>["page"];

/** The table beside the picture says the same. */
async function checkTable(t: Test, page: Page): Promise<void> {
  const cards = await page.locator("svg[role=img] .m").allTextContents();
  const cells = (await page.locator("#exposure td").allTextContents()).join("\n");
  const cidrs = cards.filter((each) => /^[0-9a-f.:]+\/\d+$/.test(each));
  t.ok(cidrs.length > 0);
  t.strictSame(cidrs.filter((cidr) => !cells.includes(cidr)), [], "every block of the picture stands in the tables");
}

/** A finding leads to its line: what is folded up opens. */
async function checkLinks(t: Test, page: Page): Promise<void> {
  const link = page.locator("#exposure td a").last();
  const target = (await link.getAttribute("href")) ?? "";
  await link.click();
  const line = page.locator(`[id="${target.slice(1)}"]`);
  await line.waitFor({ state: "visible", timeout: 5_000 });
  t.ok(await line.isVisible(), `${target} is shown`);
}

t.test("a hostile spec runs nothing", async (t) => {
  for (let turn = 0; turn < hostileTexts.length; turn += 1) {
    const { files } = bundleOf("everything", { spec: () => hostileSpec(turn) });
    const file = join(work, `hostile-${turn}.html`);
    writeFileSync(file, textOf(files.find(({ path }) => path === "evidence/report.html")));
    // Once under the page's own policy, and once without it: escaping alone must do.
    for (const bypassCSP of [false, true]) {
      const { page, requests, complaints } = await open(browser, file, { bypassCSP, viewport: { width: 320, height: 640 } });
      await page.locator("summary").evaluateAll((all) => all.forEach((each) => (each as unknown as Clickable).click()));
      await page.mouse.move(100, 300);
      await page.keyboard.press("Tab");
      const found = await page.evaluate((selector) => ({
        pwned: (globalThis as { pwned?: unknown }).pwned === undefined ? "no" : "yes",
        strangers: [...document.querySelectorAll(selector)].map((each) => each.outerHTML.slice(0, 120)),
        sections: document.querySelectorAll("main > section").length,
        title: document.querySelectorAll("title").length,
        width: document.documentElement.scrollWidth,
      }), strangers);
      t.strictSame(found, { pwned: "no", strangers: [], sections: 12, title: 2, width: 320 }, `turn ${turn}${bypassCSP ? ", without the policy" : ""}`);
      t.strictSame([...requests, ...complaints], []);
      await page.context().close();
    }
  }
});

t.test("these tests see what they look for", async (t) => {
  const file = join(work, "bad.html");
  const { files } = bundleOf("minimal");
  const good = textOf(files.find(({ path }) => path === "evidence/report.html"));
  writeFileSync(file, good.replace("<main", '<img src="https://evil.invalid/x.png"><script>window.pwned=1;alert(1)</script><main'));
  const strict = await open(browser, file);
  t.ok(strict.complaints.some((each) => /Content Security Policy|violates/.test(each)), "the policy refuses them, and says so");
  t.equal(await strict.page.evaluate(() => (globalThis as { pwned?: unknown }).pwned), undefined);
  t.strictSame(strict.requests, [], "before anything is asked for");
  const loose = await open(browser, file, { bypassCSP: true });
  t.ok(loose.complaints.some((each) => each.startsWith("dialog: ")), "without it, they run");
  t.strictSame(loose.requests, ["https://evil.invalid/x.png"]);
  writeFileSync(file, good.replace("--soft:#545e66", "--soft:#c4c9cc").replace(/style-src '[^']*'/, "style-src 'unsafe-inline'"));
  const { violations } = await accessibility(browser, file, "light");
  t.match(violations, [{ id: "color-contrast", impact: "serious" }], "and axe sees text that is too pale");
});
