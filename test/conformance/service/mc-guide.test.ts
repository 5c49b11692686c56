/** The page of MobiledgeX's API is run as it stands, and lists the calls that there are. */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { table } from "../../../src/service/access/roles.ts";
import { addOrganization, root, startService, uploadRelease } from "../../unit/service/running.ts";

const page = readFileSync(join(root, "docs/reference/mobiledgex-api.md"), "utf8");
const blocks = [...page.matchAll(/^```sh\n([^]*?)^```$/gm)].map((match) => match[1] ?? "");

t.test("every example works, one after another", async (t) => {
  const work = mkdtempSync(join(tmpdir(), "cloudlet-mc-"));
  t.teardown(() => rmSync(work, { recursive: true, force: true }));
  const running = await startService(t);
  await addOrganization(running, "ExampleTel");
  await running.person("conny", { organization: "ExampleTel", role: "contributor" });
  const password = [...running.secrets].find((each) => each.startsWith("conny's")) ?? "";
  await uploadRelease(running);
  await running.service.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = running.service.app.server.address() as AddressInfo;
  const script = blocks.join("\n").replace("http://127.0.0.1:8080", `http://127.0.0.1:${port}`).replace('"correct horse battery staple"}\'', `"'"$PASSWORD"'"}'`);
  const child = spawn("sh", ["-euxc", script], { cwd: work, env: { ...process.env, PASSWORD: password }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const status = await new Promise((resolve) => child.once("close", resolve));
  t.equal(status, 0, said.slice(-3_000));
});

t.test("the table has every call, and every action it names is one", async (t) => {
  const running = await startService(t);
  const listed = [...page.matchAll(/^\| `([A-Z][a-z]\w+)` \|/gm)].map((match) => match[1] ?? "");
  t.equal(listed.length, 10);
  for (const name of listed) t.ok(running.service.app.hasRoute({ method: "POST", url: `/api/v1/auth/ctrl/${name}` }), name);
  const routes = running.service.app.printRoutes({ commonPrefix: false }).split("\n").filter((line) => line.includes("/api/v1/auth/ctrl/"));
  t.equal(routes.length, listed.length, "and there is no other");
  for (const [, action = ""] of page.matchAll(/`([a-z-]+:[a-z]+)`/g)) t.ok(action in table, action);
});
