/** Bundles in Chromium: browsed with the keyboard, every line with what caused it; two compared; hostile texts run nothing. */

import type { AddressInfo } from "node:net";
import t from "tap";
import { addCloudlet, addOrganization, bundleOf, specOf, startService, uploadRelease } from "../../unit/service/running.ts";
import { launch, look, sitDown } from "./browser.ts";

t.setTimeout(120_000);
const running = await startService(t);
const { service, ask, admin } = running;
await service.app.listen({ host: "127.0.0.1", port: 0 });
const url = `http://127.0.0.1:${(service.app.server.address() as AddressInfo).port}`;
await addOrganization(running, "ExampleTel");
const release = await uploadRelease(running);
const hostile = "<img src=x onerror=window.pwned=1></pre><script>window.pwned=1</script>";
const cloudlet = await addCloudlet(running, admin, specOf("berlin-1"));
const before = String((await bundleOf(running, admin, cloudlet, release))["id"]);
const etag = (await ask("GET", `/v1/cloudlets/${cloudlet}`, { token: admin })).headers["etag"] ?? "";
const changed = specOf("berlin-1").replace("dynamicIps: 8", "dynamicIps: 9").replace(/name: provider/, `name: ${JSON.stringify(hostile)}`);
const put = await ask("PUT", `/v1/cloudlets/${cloudlet}`, { token: admin, yaml: changed, headers: { "if-match": etag } });
if (put.status !== 200) throw new Error(put.text);
const after = String((await bundleOf(running, admin, cloudlet, release))["id"]);
const browser = await launch(t);

t.test("a bundle is read line by line, with what caused each", async (t) => {
  const { page, complaints } = await sitDown(browser, url, admin, `/bundles/${after}`);
  t.teardown(() => page.context().close());
  const fetched: string[] = [];
  page.on("response", (response) => void fetched.push(response.url()));
  await page.getByText("Read it, with what caused each line").click();
  const tree = page.getByRole("treegrid", { name: "Files" });
  await tree.getByRole("row", { name: "site/" }).waitFor();
  const search = page.getByLabel("Search in names");
  await search.fill("heat-temp");
  await page.getByText(/^1 of \d+ files$/).waitFor();
  await search.press("Tab");
  // Along the tree with the arrows: the folder is the first, the file in it the second.
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "site/heat-template.yaml" }).waitFor();
  const lines = page.locator(".file-lines li");
  const wanted = lines.filter({ hasText: "onerror" }).first();
  await wanted.focus();
  const origins = page.getByRole("complementary", { name: "What caused the line" });
  await origins.getByText("/networks/external/0/name").first().waitFor();
  const number = Number(await wanted.getAttribute("data-line"));
  await page.keyboard.press("ArrowUp");
  await origins.getByRole("heading", { name: `Line ${number - 1}`, exact: true }).waitFor();
  await lines.nth(number + 1).hover();
  await origins.getByRole("heading", { name: `Line ${number + 2}`, exact: true }).waitFor();
  await look(t, page, "browser");
  await wanted.focus();
  await origins.getByRole("button", { name: /^spec\/.*json:\d+|\.json:\d+/ }).first().click();
  await page.getByRole("heading", { name: /cloudlet.*\.json|spec.*\.json/ }).waitFor();
  await page.locator(".file-lines li.here", { hasText: "onerror" }).waitFor();
  await search.fill("vm-image/");
  await search.fill("");
  await search.fill("payload");
  await tree.getByRole("row").last().click();
  t.equal(await page.evaluate("typeof window.pwned"), "undefined");
  t.equal(await page.locator("main script, main img").count(), 0);
  t.ok(fetched.every((each) => !each.endsWith("/download")), "no tar is fetched");
  t.strictSame(complaints, [], "nothing is complained of");
});

t.test("two bundles are compared, by groups, with a filter", async (t) => {
  const { page, complaints } = await sitDown(browser, url, admin, `/bundles/${after}`);
  t.teardown(() => page.context().close());
  await page.getByLabel("What changed since").selectOption(before);
  await page.waitForURL(`**/bundles/${before}/diff/${after}`);
  const main = page.locator("main");
  await main.getByRole("heading", { name: "exposure severity high" }).waitFor();
  await main.getByRole("heading", { name: "spec /dynamicIps" }).waitFor();
  t.match(await main.locator("article", { hasText: "/dynamicIps" }).first().innerText(), /8 → 9/);
  await main.locator("article", { hasText: "/networks/external" }).first().locator("summary").click();
  await main.locator(".diff-lines", { hasText: "onerror" }).first().waitFor();
  await look(t, page, "diff");
  await main.getByLabel("Show only what has").fill("dynamicIps");
  await main.getByText(/^\d+ of \d+ differences$/).waitFor();
  t.equal(await main.getByRole("heading", { name: "exposure severity high" }).count(), 0);
  await main.getByLabel("Show only what has").fill("");
  await main.getByRole("checkbox", { name: /^sizing/ }).uncheck();
  t.equal(await main.getByRole("heading", { name: "spec /dynamicIps" }).count(), 0);
  t.equal(await page.evaluate("typeof window.pwned"), "undefined");
  t.equal(await page.locator("main script, main img").count(), 0);
  t.strictSame(complaints, [], "nothing is complained of");
});
