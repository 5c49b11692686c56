/** The page of `diff` in Chromium: nothing leaves, nothing runs, everybody can read it. */

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import { buildBundle } from "../bundle.ts";
import { accessibility, launch, open } from "./browser.ts";

/** What these tests ask of it, inside the browser. */
declare const document: {
  readonly documentElement: { readonly scrollWidth: number };
  readonly querySelectorAll: (selector: string) => { readonly length: number };
};

const root = join(import.meta.dirname, "../../..");
const work = join(root, "out/conformance/report");
mkdirSync(work, { recursive: true });
t.setTimeout(600_000);
const browser = await launch(t);

/** Writes the page of what differs and gives its path. */
async function pageOf(name: string, specs: readonly [string, string]): Promise<string> {
  const tars: string[] = [];
  for (const [index, spec] of specs.entries()) tars.push((await buildBundle(`diff-${name}-${index}`, spec)).tar);
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "bin/cloudlet-bundle.js"), "diff", ...tars, "--html"], { encoding: "utf8", maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`diff ended with ${status}: ${stderr}`);
  const file = join(work, `diff-${name}.html`);
  writeFileSync(file, stdout);
  return file;
}

function specOf(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

const opened = specOf("test/golden/everything/spec.yaml");
const pairs: readonly (readonly [name: string, specs: readonly [string, string], shown: string])[] = [
  ["port", [opened, opened.replace("9092", "9091")], "/firewall/ingress/0/ports/from"],
  ["cloudlets", [specOf("bundles/openstack-single/cloudlet.yaml"), specOf("bundles/openstack-two-networks/cloudlet.yaml")], "site/heat-template.yaml"],
  ["hostile", [specOf("test/golden/hostile-names/spec.yaml"), specOf("test/golden/hostile-names/spec.yaml").replace(/O'Brien/g, "</pre><script>window.pwned=1</script>O'Brien")], "<script>window.pwned=1</script>"],
];

for (const [name, specs, shown] of pairs) {
  t.test(name, async (t) => {
    const file = await pageOf(name, specs);
    for (const bypassCSP of [false, true]) {
      const { page, requests, complaints } = await open(browser, file, { bypassCSP, viewport: { width: 320, height: 640 } });
      t.ok((await page.locator("main").innerText()).includes(shown), `it shows ${shown}`);
      const found = await page.evaluate(() => ({ pwned: (globalThis as { pwned?: unknown }).pwned === undefined, strangers: document.querySelectorAll("script, iframe, img, object, form, [style]").length, width: document.documentElement.scrollWidth }));
      t.strictSame(found, { pwned: true, strangers: 0, width: 320 }, "nothing of a bundle's texts is markup, and a narrow screen scrolls downwards only");
      t.strictSame([...requests, ...complaints], [], "nothing is asked for or complained of");
      await page.context().close();
    }
    for (const scheme of ["light", "dark"] as const) {
      const { violations, passes } = await accessibility(browser, file, scheme);
      t.ok(passes > 15, `axe has looked: ${passes} rules passed`);
      t.strictSame(violations, [], `and found nothing, ${scheme}`);
    }
  });
}
