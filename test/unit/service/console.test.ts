/** The web console's files: a page for every address that is none of the API's, and nothing else of the disk. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import fastify from "fastify";
import t from "tap";
import { consoleFiles, consolePolicy } from "../../../src/service/http/console.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-console-files-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, "dist/console/assets"), { recursive: true });
writeFileSync(join(folder, "dist/console/index.html"), "<p>page</p>");
writeFileSync(join(folder, "dist/console/assets/a-HASH.js"), "x".repeat(5_000));
writeFileSync(join(folder, "dist/secret.txt"), "secret");

function appOf(packageFolder: string): ReturnType<typeof fastify> {
  const app = fastify();
  const pages = consoleFiles(packageFolder);
  app.setNotFoundHandler((request, reply) => (pages.answer(request, reply) ? reply : reply.code(404).send("none")));
  return app;
}

const app = appOf(folder);

t.test("the page, wherever somebody comes in", async (t) => {
  for (const url of ["/", "/cloudlets/a/b?c=d", "/organizations/Tele.Com%20%26%20Co", "/x/../../secret.txt", "/%2e%2e/secret.txt", "/index.html", "/v1x"]) {
    const { statusCode, payload, headers } = await app.inject({ method: "GET", url });
    t.strictSame([statusCode, payload, headers["cache-control"], headers["content-security-policy"]], [200, "<p>page</p>", "no-cache", consolePolicy], url);
  }
  const head = await app.inject({ method: "HEAD", url: "/cloudlets" });
  t.strictSame([head.statusCode, head.payload, head.headers["content-length"]], [200, "", "11"]);
});

t.test("assets for ever, packed where that is taken", async (t) => {
  const plain = await app.inject({ method: "GET", url: "/assets/a-HASH.js" });
  t.match(plain.headers, { "cache-control": /immutable/, "content-type": "text/javascript; charset=utf-8" });
  const packed = await app.inject({ method: "GET", url: "/assets/a-HASH.js", headers: { "accept-encoding": "br, gzip" } });
  t.equal(packed.headers["content-encoding"], "gzip");
  t.equal(gunzipSync(packed.rawPayload).toString(), plain.payload);
});

t.test("what is the API's, or nobody's, is left to others", async (t) => {
  for (const url of ["/v1", "/v1/", "/v1/nothing", "/assets/other.js"]) t.equal((await app.inject({ method: "GET", url })).statusCode, 404, url);
  for (const method of ["POST", "PUT", "DELETE"] as const) t.equal((await app.inject({ method, url: "/" })).statusCode, 404, method);
  t.equal((await appOf(join(folder, "dist")).inject({ method: "GET", url: "/" })).statusCode, 404, "a checkout that was not built");
});
