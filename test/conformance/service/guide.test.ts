/** The guide of the API is run as it stands, and names what there is. */

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { table } from "../../../src/service/access/roles.ts";
import { openService } from "../../../src/service/service.ts";
import { readOidcConfig } from "../../../src/service/oidc/read-config.ts";
import { problemKinds } from "../../../src/service/http/problem.ts";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";
import { sendThrough } from "../../../src/store/sources/http-send.ts";
import { audience, startProvider } from "../oidc/provider.ts";
import { releaseText, root, specText } from "../../unit/service/running.ts";

const guide = readFileSync(join(root, "docs/reference/api.md"), "utf8");
const blocks = [...guide.matchAll(/^```sh\n([^]*?)^```$/gm)].map((match) => match[1] ?? "");

t.test("every example works, one after another", async (t) => {
  const work = mkdtempSync(join(tmpdir(), "cloudlet-guide-"));
  t.teardown(() => rmSync(work, { recursive: true, force: true }));
  const state = join(work, "state");
  const provider = await startProvider();
  t.teardown(provider.stop);
  const oidc = readOidcConfig(`apiVersion: cloudlet-bundle/v1\nkind: OpenIdConnect\nissuers:\n  - issuer: ${provider.issuer}\n    audience: ${audience}\n    rules: [{claim: client_id, value: ci, organization: ExampleTel, role: viewer}]\n`);
  if (!oidc.ok) throw new Error(JSON.stringify(oidc.issues));
  const service = await openService({
    folder: state, packageFolder: root, now: () => Date.now(), random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)), writeLog: () => undefined, passwordCost: { logN: 4, r: 1, p: 1 },
    oidc: { config: oidc.value, send: sendThrough({}) },
  });
  t.teardown(() => service.close(0));
  await service.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = service.app.server.address() as AddressInfo;
  await makeReferenceInputs(join(root, "out/inputs"));
  writeFileSync(join(work, "cloudlet.yaml"), specText.replace(/^#.*\n/, "# A spec.\n"));
  writeFileSync(join(work, "release.yaml"), releaseText.replaceAll("../../out/inputs", join(root, "out/inputs")));
  mkdirSync(join(work, "bin"));
  writeFileSync(join(work, "bin/cloudlet-bundle"), `#!/bin/sh\nexec '${process.execPath}' '${join(root, "src/cli/start.ts")}' "$@"\n`, { mode: 0o755 });
  const script = blocks.join("\n").replace("http://127.0.0.1:8080", `http://127.0.0.1:${port}`).replace("/var/lib/cloudlet-bundle", state).replace("cbi_EXAMPLE", service.invitation ?? "")
    .replace("https://id.example.com", provider.issuer).replace("CLIENT_SECRET=EXAMPLE", `CLIENT_SECRET=${provider.secret}`);
  const child = spawn("sh", ["-euc", script], { cwd: work, env: { ...process.env, PATH: `${join(work, "bin")}:${process.env["PATH"] ?? ""}` }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const status = await new Promise((resolve) => child.once("close", resolve));
  t.equal(status, 0, said.slice(-3_000));
  t.match(said, /Verified OK/);
  t.match(said, /event: ready/);
});

t.test("the guide has every kind of problem with its status, and every scope is an action", (t) => {
  const listed = [...guide.matchAll(/^\| `([a-z-]+)` \| (\d{3}) \|/gm)].map((match) => [match[1], Number(match[2])]);
  t.strictSame(listed, Object.entries(problemKinds));
  for (const [, scope = ""] of guide.matchAll(/"([a-z-]+:[a-z]+)"/g)) t.ok(scope in table, scope);
  t.end();
});

t.test("who may do what is the table of the program", (t) => {
  const words: Readonly<Record<string, string>> = { admin: "administrator", anyone: "whoever is logged in" };
  const rows = Object.entries(table).map(([action, who]) => `| \`${action}\` | ${who.map((each) => words[each] ?? each).join(", ")} |`);
  t.strictSame([...guide.matchAll(/^\| `[a-z-]+:[a-z]+` \| .*$/gm)].map((match) => match[0]), rows);
  t.end();
});
