/** Why a bundle's lines are there and what changed between two, over HTTP: as the verbs tell it, and only to who may see both. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { addCloudlet, addOrganization, bundleOf, root, specOf, startService, uploadRelease } from "./running.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-insights-"));
const running = await startService(t);
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const { ask, admin, person } = running;
await addOrganization(running, "ExampleTel");
await addOrganization(running, "Other");
const release = await uploadRelease(running);
const [one, two, foreign] = [specOf("berlin-1"), specOf("berlin-2").replace("dynamicIps: 8", "dynamicIps: 9"), specOf("berlin-3", "Other")];
const made = [];
for (const spec of [one, two, foreign]) made.push(await bundleOf(running, admin, await addCloudlet(running, admin, spec), release));
const [a = "", b = "", c = ""] = made.map((bundle) => String(bundle["id"]));
const viewer = await person("vera", { organization: "ExampleTel" });

interface Line {
  readonly line: number;
  readonly text: string;
}

async function tarOf(id: string): Promise<string> {
  const path = join(folder, `${id}.tar`);
  writeFileSync(path, (await ask("GET", `/v1/bundles/${id}/download`, { token: admin })).bytes);
  return path;
}

function cli(...words: readonly string[]): unknown {
  return JSON.parse(execFileSync(process.execPath, [join(root, "src/cli/start.ts"), ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], maxBuffer: 64 * 1_048_576 }));
}

t.test("a file is explained as the verb explains it", async (t) => {
  const tar = await tarOf(a);
  for (const file of ["site/site.env", "site/user-data", "install.sh", "evidence/lock.json"]) {
    const { status, json, text } = await ask("GET", `/v1/bundles/${a}/explanation?file=${encodeURIComponent(file)}`, { token: viewer });
    if (status === 404) continue;
    t.equal(status, 200, text);
    const told = cli("explain", tar, file, "--json") as { readonly lines: readonly Line[] };
    const lines = json["lines"] as unknown as readonly Line[];
    t.strictSame({ file, source: json["source"], lines }, { ...told, lines: told.lines.slice(0, 1_000) }, file);
    t.equal(json["count"], told.lines.length);
  }
});

t.test("lines come a thousand at a time, blobs have none, and what is not there is not there", async (t) => {
  const explain = (file: string, more = "", token = viewer): ReturnType<typeof ask> => ask("GET", `/v1/bundles/${a}/explanation?file=${encodeURIComponent(file)}${more}`, { token });
  const listed = (await ask("GET", `/v1/bundles/${a}/files`, { token: viewer })).json["files"] ?? (await ask("GET", `/v1/bundles/${a}/files`, { token: viewer })).json["items"];
  const files = listed as unknown as readonly { readonly path: string; readonly role: string }[];
  for (const { path, role } of files) {
    const { status, json } = await explain(path);
    t.equal(status, 200, path);
    t.equal(json["isText"], role !== "vm-image" && role !== "payload", path);
    t.ok((json["lines"] as unknown as readonly Line[]).length <= 1_000);
  }
  const late = await explain("install.sh", "&from=10");
  t.match(late.json["lines"], [{ line: 10 }]);
  t.strictSame((await explain("install.sh", "&from=999999999")).json["lines"], []);
  t.equal((await explain("install.sh", "&from=0")).status, 400);
  t.equal((await explain("../../etc/passwd")).status, 404);
  t.equal((await ask("GET", `/v1/bundles/${a}/explanation`, { token: viewer })).status, 400);
  t.equal((await explain("install.sh", "", await person("otto", { organization: "Other" }))).status, 404);
});

t.test("two bundles are compared as the verb compares them", async (t) => {
  const { status, json, text } = await ask("GET", `/v1/bundles/${a}/diff/${b}`, { token: viewer });
  t.equal(status, 200, text);
  const told = cli("diff", await tarOf(a), await tarOf(b), "--json") as { readonly differences: readonly object[] };
  const differences = json["differences"] as unknown as readonly { readonly lines: Record<"before" | "after", readonly { readonly file: string; readonly lines: readonly number[]; readonly shown: readonly Line[] }[]> }[];
  const without = differences.map((each) => ({ ...each, lines: Object.fromEntries((["before", "after"] as const).map((side) => [side, each.lines[side].map(({ file, lines }) => ({ file, lines }))])) }));
  t.strictSame(without, told.differences);
  t.match(differences.find((each) => (each as { readonly name?: string }).name === "/dynamicIps"), { group: "sizing", severity: "low", before: 8, after: 9 });
  t.ok(differences.some((each) => each.lines.after.some(({ shown }) => shown.some(({ text: line }) => line.includes("berlin-2")))), "with the lines' texts");
  t.strictSame((await ask("GET", `/v1/bundles/${a}/diff/${a}`, { token: viewer })).json, { before: a, after: a, differences: [] });
});

t.test("both must be visible to the caller", async (t) => {
  t.equal((await ask("GET", `/v1/bundles/${a}/diff/${c}`, { token: viewer })).status, 404);
  t.equal((await ask("GET", `/v1/bundles/${c}/diff/${a}`, { token: viewer })).status, 404);
  t.equal((await ask("GET", `/v1/bundles/${a}/diff/${c}`, { token: admin })).status, 200);
  t.equal((await ask("GET", `/v1/bundles/${a}/diff/${b}`)).status, 401);
});
