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

interface Run {
  readonly what: string;
  readonly token: string | undefined;
  /** Numbers of requests and not times where it can be, so that a busy machine asks the same as an idle one. */
  readonly words: readonly string[];
  /** How many requests must have been made: a run that got nowhere proves nothing. */
  readonly fewest: number;
}

/** For each operation and kind of request. */
const examples = (some: number): readonly string[] => ["--max-examples", String(isFull ? 40 : some)];

t.setTimeout(isFull ? 3_600_000 : 540_000);

t.test("every answer is as it is described, whoever asks", async (t) => {
  const running = await startService(t, { limits: { downloads: 1_000 } });
  const { url, known } = await furnished(running);
  const { admin } = running;
  const manager = await running.person("conny", { organization: "ExampleTel", role: "manager" });
  const runs: readonly Run[] = [
    { what: "an administrator", token: admin, words: ["--phases", "coverage,fuzzing", ...examples(1)], fewest: 150 },
    // One request after another on what the one before has made; there is no end to it but time.
    { what: "an administrator, step by step", token: admin, words: ["--phases", "stateful", "--max-time", isFull ? "120" : "10"], fewest: 1 },
    { what: "somebody of one operator", token: manager, words: ["--phases", "fuzzing", ...examples(2)], fewest: 80 },
    { what: "nobody", token: undefined, words: ["--phases", "fuzzing", ...examples(1)], fewest: 70 },
  ];
  for (const { what, token, words, fewest } of runs) {
    const { status, said, ms } = await fuzz(t, { url, known, token, words });
    t.equal(status, 0, `${what}: ${said.slice(-12_000)}`);
    const cases = Number(/^ +(\d+) generated/m.exec(said)?.[1] ?? 0);
    t.comment(`${what}: ${cases} requests, ${Math.round(ms / 1_000)} s`);
    t.ok(cases >= fewest, `${what}: ${cases} requests`);
    if (token !== undefined) t.equal((await running.ask("GET", "/v1/me", { token })).status, 200, `${what} is still logged in`);
  }
  t.strictSame(running.log.filter((line) => /"defect"/.test(line)), [], "nothing is the service's own fault");
});

/** By the path of an operation, the parameters that lead to something. */
type Known = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Something of everything, so that right requests find something. */
async function furnished(running: Running): Promise<{ readonly url: string; readonly known: Known }> {
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, running.admin, specOf("berlin-1"));
  const release = await uploadRelease(running);
  const bundle = String((await bundleOf(running, running.admin, cloudlet, release))["id"]);
  await running.service.app.listen({ host: "127.0.0.1", port: 0 });
  const first: Known = {
    "/v1/bundles/{id}": { id: bundle, other: bundle, path: "SHA256SUMS" }, "/v1/cloudlets/{id}": { id: cloudlet }, "/v1/releases/{id}": { id: release },
    "/v1/organizations/{organization}": { organization: "ExampleTel", user: "conny" }, "/v1/signing-keys/{fingerprint}": { fingerprint: running.service.context.signer.fingerprint },
    "/v1/starters/{platform}": { platform: "openstack" },
  };
  const { paths } = running.service.app.swagger() as { readonly paths: object };
  const known = Object.fromEntries(Object.keys(paths).flatMap((path) => Object.entries(first).filter(([begin]) => path.startsWith(begin)).map(([, parameters]) => [path, parameters] as const)));
  return { url: `http://127.0.0.1:${(running.service.app.server.address() as AddressInfo).port}`, known };
}

interface Result {
  readonly status: unknown;
  readonly said: string;
  readonly ms: number;
}

async function fuzz(t: Test, { url, known, token, words }: Pick<Run, "token" | "words"> & { readonly url: string; readonly known: Known }): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "cloudlet-openapi-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const begun = performance.now();
  const child = spawn(program, [
    "--config-file", join(import.meta.dirname, "schemathesis.toml"), "run", `${url}/v1/openapi.json`, "--seed", String(seed), "--workers", "1", "--continue-on-failure", "--no-color", ...words,
    // hooks.py has its own in their place.
    "--exclude-checks", "positive_data_acceptance,negative_data_rejection,use_after_free",
    // Logging out would end the run's own session, and nothing else.
    ...(token === undefined ? [] : ["--header", `Authorization: Bearer ${token}`, "--exclude-operation-id", "logOut"]),
  ], {
    cwd: folder, env: { ...process.env, SCHEMATHESIS_HOOKS: "hooks", KNOWN: JSON.stringify(known), PYTHONPATH: import.meta.dirname, PYTHONDONTWRITEBYTECODE: "1" }, stdio: ["ignore", "pipe", "pipe"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const status = await new Promise((resolve) => child.once("close", resolve));
  return { status, said, ms: performance.now() - begun };
}
