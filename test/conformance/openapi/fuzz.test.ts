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
  readonly name: string;
  /** The token that the requests go with. */
  readonly as: (running: Running) => Promise<string> | string | undefined;
  readonly phases: string;
  /** Schemathesis goes on until they are over: some hundred requests on an idle machine. */
  readonly seconds: number;
}

/** Of each run, even on a machine that is busy with much else: what got nowhere proves nothing. */
const fewest = 10;

t.setTimeout(isFull ? 1_800_000 : 300_000);

t.test("every answer is as it is described, whoever asks", async (t) => {
  const runs: readonly Run[] = [
    { what: "an administrator", name: "root", as: ({ admin }) => admin, phases: "coverage,fuzzing", seconds: 25 },
    { what: "an administrator, step by step", name: "root", as: ({ admin }) => admin, phases: "stateful", seconds: 12 },
    { what: "somebody of one operator", name: "conny", as: ({ person }) => person("conny", { organization: "ExampleTel", role: "manager" }), phases: "fuzzing", seconds: 12 },
    { what: "nobody", name: "", as: () => undefined, phases: "fuzzing", seconds: 10 },
  ];
  for (const run of runs) {
    const { what } = run;
    // Each its own service: what an administrator removes, nobody finds after it.
    const running = await startService(t, { limits: { downloads: 1_000 } });
    const { url, known } = await furnished(running);
    const token = await run.as(running);
    const { status, said } = await fuzz(t, run, { url, known, token });
    t.equal(status, 0, `${what}: ${said.slice(-12_000)}`);
    const cases = Number(/^ +(\d+) generated/m.exec(said)?.[1] ?? 0);
    t.ok(cases >= fewest, `${what}: ${cases} requests`);
    if (token !== undefined) t.equal((await running.ask("GET", "/v1/me", { token })).status, 200, `${what} is still logged in`);
    t.strictSame(running.log.filter((line) => /"defect"/.test(line)), [], `${what}: nothing is the service's own fault`);
  }
});

/** By the path of an operation, the parameters that lead to something. */
type Known = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** Who asks for nothing: others may be shut out. */
const other = "robin";

/** Something of everything, so that right requests find something. */
async function furnished(running: Running): Promise<{ readonly url: string; readonly known: Known }> {
  await addOrganization(running, "ExampleTel");
  const cloudlet = await addCloudlet(running, running.admin, specOf("berlin-1"));
  const release = await uploadRelease(running);
  await running.person(other, { organization: "ExampleTel" });
  const bundle = String((await bundleOf(running, running.admin, cloudlet, release))["id"]);
  await running.service.app.listen({ host: "127.0.0.1", port: 0 });
  const first: Known = {
    "/v1/bundles/{id}": { id: bundle, other: bundle, path: "SHA256SUMS" }, "/v1/cloudlets/{id}": { id: cloudlet }, "/v1/releases/{id}": { id: release },
    "/v1/organizations/{organization}": { organization: "ExampleTel", user: other }, "/v1/signing-keys/{fingerprint}": { fingerprint: running.service.context.signer.fingerprint },
    "/v1/starters/{platform}": { platform: "openstack" }, "/v1/users/{name}": { name: other },
  };
  const { paths } = running.service.app.swagger() as { readonly paths: object };
  const known = Object.fromEntries(Object.keys(paths).flatMap((path) => Object.entries(first).filter(([begin]) => path.startsWith(begin)).map(([, parameters]) => [path, parameters] as const)));
  return { url: `http://127.0.0.1:${(running.service.app.server.address() as AddressInfo).port}`, known };
}

interface Result {
  readonly status: unknown;
  readonly said: string;
}

interface Target {
  readonly url: string;
  readonly known: Known;
  readonly token: string | undefined;
}

async function fuzz(t: Test, { name, phases, seconds }: Run, { url, known, token }: Target): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), "cloudlet-openapi-"));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const child = spawn(program, [
    "--config-file", join(import.meta.dirname, "schemathesis.toml"), "run", `${url}/v1/openapi.json`, "--seed", String(seed), "--workers", "1", "--continue-on-failure", "--no-color", "--phases", phases, "--max-time", String(isFull ? 10 * seconds : seconds),
    // hooks.py has its own in their place.
    "--exclude-checks", "positive_data_acceptance,negative_data_rejection,use_after_free",
    // Logging out would end the run's own session, and nothing else.
    ...(token === undefined ? [] : ["--header", `Authorization: Bearer ${token}`, "--exclude-operation-id", "logOut"]),
  ], {
    cwd: folder, env: { ...process.env, SCHEMATHESIS_HOOKS: "hooks", KNOWN: JSON.stringify(known), OWN: name, OTHER: other, PYTHONPATH: import.meta.dirname, PYTHONDONTWRITEBYTECODE: "1" }, stdio: ["ignore", "pipe", "pipe"],
  });
  t.teardown(() => child.kill("SIGKILL"));
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (said += chunk.toString()));
  const status = await new Promise((resolve) => child.once("close", resolve));
  return { status, said };
}
