/**
 * The description and the service, held against each other by a tool that knows neither: Schemathesis makes requests out of
 * /v1/openapi.json, right ones and wrong ones, and judges each answer by it. As an administrator, as somebody of one operator, and
 * without a token.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t, { type Test } from "tap";
import { addCloudlet, addOrganization, bundleOf, specOf, startService, uploadRelease, type Running } from "../../unit/service/running.ts";

const program = join(process.env["LAB_DIR"] ?? "/var/tmp/lab-openapi", "python/bin/schemathesis");
const isFull = process.env["CONFORMANCE_FULL"] === "1";

/** Another one with each commit, the same one for one commit. */
const seed = Number.parseInt((process.env["CONFORMANCE_SEED"] ?? "20261130").slice(0, 7), 16) || 1;

/** Of each of the three runs. */
const seconds = isFull ? 180 : 18;

interface Caller {
  readonly what: string;
  readonly token: string | undefined;
  /** What would end the run's own session, and nothing else. */
  readonly without: readonly string[];
}

t.setTimeout((3 * seconds + 240) * 1_000);

t.test("every answer is as it is described, whoever asks", async (t) => {
  const running = await startService(t, { limits: { downloads: 1_000 } });
  const url = await furnished(running);
  const callers: readonly Caller[] = [
    { what: "an administrator", token: running.admin, without: ["logOut"] },
    { what: "somebody of one operator", token: await running.person("conny", { organization: "ExampleTel", role: "manager" }), without: ["logOut"] },
    { what: "nobody", token: undefined, without: [] },
  ];
  for (const { what, token, without } of callers) {
    const { status, said } = await fuzz(t, url, token, without);
    t.equal(status, 0, `${what}: ${said.slice(-12_000)}`);
    // A run that got nowhere proves nothing.
    t.match(said, /\b[1-9]\d{2,} (?:generated|test cases)/, `${what}: ${said.slice(-3_000)}`);
    if (token !== undefined) t.equal((await running.ask("GET", "/v1/me", { token })).status, 200, `${what} is still logged in`);
  }
  t.strictSame(running.log.filter((line) => /"defect"/.test(line)), [], "nothing is the service's own fault");
});

/** Something of everything, so that right requests find something. */
async function furnished(running: Running): Promise<string> {
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, running.admin, specOf("berlin-1"));
  await bundleOf(running, running.admin, cloudlet, await uploadRelease(running));
  await running.service.app.listen({ host: "127.0.0.1", port: 0 });
  return `http://127.0.0.1:${(running.service.app.server.address() as AddressInfo).port}`;
}

async function fuzz(t: Test, url: string, token: string | undefined, without: readonly string[]): Promise<{ readonly status: unknown; readonly said: string }> {
  const folder = mkdtempSync(join(tmpdir(), "cloudlet-openapi-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const words = [
    "--config-file", join(import.meta.dirname, "schemathesis.toml"), "run", `${url}/v1/openapi.json`, "--seed", String(seed), "--max-time", String(seconds), "--workers", "1", "--no-color",
    ...(token === undefined ? [] : ["--header", `Authorization: Bearer ${token}`]),
    // hooks.py has its own in their place.
    "--exclude-checks", "positive_data_acceptance,negative_data_rejection,use_after_free",
    ...without.flatMap((name) => ["--exclude-operation-id", name]),
  ];
  const child = spawn(program, words, { cwd: folder, env: { ...process.env, SCHEMATHESIS_HOOKS: "hooks", PYTHONPATH: import.meta.dirname, PYTHONDONTWRITEBYTECODE: "1" }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const status = await new Promise((resolve) => child.once("close", resolve));
  return { status, said };
}
