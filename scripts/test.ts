/** Runs the fast layers and closes with one line: `N passed, N failed`. */

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const tap = join(root, "out/test.tap");

mkdirSync(join(root, "out"), { recursive: true });
rmSync(tap, { force: true });
const run = spawnSync("tap", ["run", "--reporter=terse", `--output-file=${tap}`, ...process.argv.slice(2)], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
  // More than a hundred processes read the same sources: what V8 made of them once is a tenth of their time.
  env: { ...process.env, NODE_COMPILE_CACHE: join(root, "out/compile-cache") },
});
const { passed, failed, skipped } = count(readFileSync(tap, "utf8"));
// A run that ended badly without a failing test (a crash of the runner) still counts as one.
const broken = run.status !== 0 && failed === 0 ? 1 : 0;
process.stdout.write(`\n${passed} passed, ${failed + broken} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
process.exitCode = run.status === 0 && passed > 0 ? 0 : 1;

/** From tap's last line, `# { total: 40, pass: 40 }`. */
function count(text: string): { passed: number; failed: number; skipped: number } {
  const line = text.match(/^# \{ total: .*\}$/gm)?.at(-1) ?? "";
  const figure = (name: string): number => Number(line.match(new RegExp(`\\b${name}: (\\d+)`))?.[1] ?? 0);
  return { passed: figure("pass"), failed: figure("fail"), skipped: figure("skip") + figure("todo") };
}
