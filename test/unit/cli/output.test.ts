/** What can't be written is told by the exit status: a cut result with status 0 would be taken for all of it. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";

const work = mkdtempSync(join(tmpdir(), "cloudlet-output-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
const start = join(import.meta.dirname, "../../../src/cli/start.ts");

/** A line of bash in which `$run` is the program, which has no need of Node's warnings. */
function bash(line: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const child = spawnSync("bash", ["-c", line], { cwd: work, encoding: "utf8", env: { ...process.env, NODE_NO_WARNINGS: "1", run: process.execPath, start } });
  return { status: child.status, stdout: child.stdout, stderr: child.stderr };
}

t.test("a full disk", (t) => {
  const full = bash('"$run" "$start" --help >/dev/full');
  t.strictSame([full.status, full.stderr], [3, "cloudlet-bundle: standard output: no space is left on the disk\n"]);
  // The last piece fits in part: write(2) takes that part, and nothing more.
  const cut = bash('ulimit -f 1; "$run" "$start" --help >help');
  t.strictSame([cut.status, statSync(join(work, "help")).size], [3, 1_024], cut.stderr);
  t.match(cut.stderr, /^cloudlet-bundle: standard output: the file is larger/);
  t.end();
});

t.test("a closed pipe: never the status of what went well", (t) => {
  t.strictSame(bash('"$run" "$start" verify /dev/null --trust none | true; echo "${PIPESTATUS[0]}"'), { status: 0, stdout: "141\n", stderr: "" });
  t.equal(bash('"$run" "$start" verify /dev/null --trust none >/dev/null').status, 1);
  t.end();
});

t.test("where messages can't be written, the result is what it was", (t) => {
  t.strictSame(bash('"$run" "$start" nonsense 2>/dev/full'), { status: 2, stdout: "", stderr: "" });
  const whole = bash('"$run" "$start" --help 2>/dev/full');
  t.equal(whole.status, 0);
  t.equal(bash('"$run" "$start" --help >file').status, 0);
  t.equal(readFileSync(join(work, "file"), "utf8"), whole.stdout);
  t.end();
});
