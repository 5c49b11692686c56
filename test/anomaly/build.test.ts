/** `build` when the disk fills, when its output can't be written, and when it is killed at any moment. */

import { spawn, spawnSync } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { makeReferenceInputs } from "../../scripts/make-reference-inputs.ts";

const root = join(import.meta.dirname, "../..");
const work = mkdtempSync(join(tmpdir(), "cloudlet-build-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
await makeReferenceInputs(join(work, "out/inputs"));
mkdirSync(join(work, "a/b"), { recursive: true });
for (const name of ["cloudlet.yaml", "release.yaml", "release.lock.json"]) copyFileSync(join(root, "bundles/openstack-single", name), join(work, "a/b", name));

const out = join(work, "made");
const command = (path: string, store = "store"): readonly string[] => [
  join(root, "src/cli/start.ts"), "build", join(work, "a/b/cloudlet.yaml"), "--release", join(work, "a/b/release.yaml"),
  "--store", join(work, store), "--unsigned", "--quiet", "--out", path,
];
const whole = join(out, "whole.tar");
t.equal(spawnSync(process.execPath, command(whole)).status, 0);
const reference = readFileSync(whole);

t.test("a file that may not grow any more ends with status 3, a clear word, and nothing left", (t) => {
  const path = join(out, "full.tar");
  const run = spawnSync("sh", ["-c", 'ulimit -f 300 && exec "$@"', "sh", process.execPath, ...command(path)], { encoding: "utf8" });
  t.equal(run.status, 3, run.stderr);
  t.match(run.stderr, /larger than this user or disk may have/);
  t.notMatch(run.stderr, /at .*\.ts:/, "no stack trace");
  t.strictSame(readdirSync(out).filter((name) => name.includes("full")), []);
  t.end();
});

t.test("what stood under the name before still stands there after a failure", (t) => {
  const path = join(out, "kept.tar");
  copyFileSync(whole, path);
  spawnSync("sh", ["-c", 'ulimit -f 300 && exec "$@"', "sh", process.execPath, ...command(path)]);
  t.ok(readFileSync(path).equals(reference));
  t.end();
});

t.test("a blob that is gone or short is named, with status 3", (t) => {
  cpSync(join(work, "store"), join(work, "short"), { recursive: true });
  const blobs = join(work, "short/blobs/sha256");
  const big = readdirSync(blobs, { recursive: true, encoding: "utf8" }).find((name) => name.includes("/") && !name.endsWith(".sha512") && readFileSync(join(blobs, name)).byteLength > 300_000) ?? "";
  spawnSync("sh", ["-c", `chmod u+w '${join(blobs, big)}' && truncate -s 1000 '${join(blobs, big)}'`]);
  const run = spawnSync(process.execPath, [...command(join(out, "short.tar"), "short"), "--locked"], { encoding: "utf8" });
  t.equal(run.status, 3, run.stderr);
  t.match(run.stderr, /sha256:3|store/);
  t.strictSame(readdirSync(out).filter((name) => name.includes("short")), []);
  t.end();
});

t.test("killed at any moment, nothing stands under the final name; the next run completes and tidies up", async (t) => {
  const path = join(out, "killed.tar");
  let killed = 0;
  for (let round = 0; round < 8; round += 1) {
    rmSync(path, { force: true });
    const child = spawn(process.execPath, command(path, `store-${round}`), { stdio: "ignore" });
    const ended = new Promise<string | null>((resolve) => child.once("close", (_, signal) => resolve(signal)));
    setTimeout(() => child.kill("SIGKILL"), 120 + round * 45);
    if ((await ended) === "SIGKILL") killed += 1;
    if (readdirSync(out).includes("killed.tar")) t.ok(readFileSync(path).equals(reference), `round ${round}: whole`);
    t.equal(spawnSync(process.execPath, command(path, `store-${round}`)).status, 0, `round ${round}: again`);
    t.ok(readFileSync(path).equals(reference), `round ${round}: the same bytes`);
  }
  t.ok(killed > 0, `${killed} of 8 were killed`);
  t.strictSame(readdirSync(out).filter((name) => name.endsWith(".part")), [], "nothing is left beside it");
});

t.test("Ctrl-C ends with status 3 and leaves nothing", async (t) => {
  const child = spawn(process.execPath, command(join(out, "stopped.tar"), "store-stopped"), { stdio: ["ignore", "ignore", "pipe"] });
  setTimeout(() => child.kill("SIGINT"), 250);
  const status = await new Promise((resolve) => child.once("close", (code, signal) => resolve(code ?? signal)));
  t.ok(status === 3 || status === 0 || status === "SIGINT", `ended with ${String(status)}`);
  t.strictSame(readdirSync(out).filter((name) => name.endsWith(".part")), []);
});
