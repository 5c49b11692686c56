/** Killed at any moment, or on a disk that is full: nothing half under a final name, and the same command makes it good. */

import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import t from "tap";
import { madeBundles } from "./made.ts";

const root = join(import.meta.dirname, "../../..");
const cli = join(root, "src/cli/start.ts");
const work = mkdtempSync(join(tmpdir(), "cloudlet cut-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
t.setTimeout(300_000);
const { bundle, other, fingerprint, run } = await madeBundles(work);
const whole = readFileSync(bundle);
const least = Number(/at least (\d+) bytes/.exec((await run("split", bundle, "--size", "1")).stderr)?.[1]);
const size = String(least + 120_000);
const good = join(work, "good");
await run("split", bundle, "--size", size, "--parity", "--out", good, "--quiet");
const delta = join(work, "d.tar");
await run("delta", bundle, other, "--out", delta, "--quiet");
const hidden = (folder: string): readonly string[] => readdirSync(folder).filter((name) => name.startsWith("."));

/** Milliseconds that the command takes when nobody stops it. */
function duration(words: readonly string[]): number {
  const begun = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [cli, ...words], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return performance.now() - begun;
}

const commands: readonly (readonly [string, (folder: string) => readonly string[], (folder: string) => void])[] = [
  ["split", (folder) => ["split", bundle, "--size", size, "--parity", "--out", folder, "--quiet"], (folder) => {
    for (const name of readdirSync(good)) if (!readFileSync(join(folder, name)).equals(readFileSync(join(good, name)))) throw new Error(name);
  }],
  ["join", (folder) => ["join", good, "--trust", fingerprint, "--out", join(folder, "j.tar"), "--quiet"], (folder) => {
    if (!readFileSync(join(folder, "j.tar")).equals(whole)) throw new Error("another bundle");
  }],
  ["delta --apply", (folder) => ["delta", "--apply", bundle, delta, "--trust", fingerprint, "--out", join(folder, "b.tar"), "--quiet"], (folder) => {
    if (!readFileSync(join(folder, "b.tar")).equals(readFileSync(other))) throw new Error("another bundle");
  }],
];

for (const [name, words, isRight] of commands) {
  t.test(`${name}, killed at six moments`, async (t) => {
    const probe = join(work, `probe ${name}`);
    mkdirSync(probe);
    const whole = duration(words(probe));
    isRight(probe);
    const folder = join(work, `killed ${name}`);
    mkdirSync(folder);
    for (const share of [0.3, 0.5, 0.6, 0.7, 0.8, 0.9]) {
      const child = spawn(process.execPath, [cli, ...words(folder)], { stdio: "ignore" });
      const ended = new Promise((resolve) => child.on("close", resolve));
      await pause(whole * share);
      child.kill("SIGKILL");
      await ended;
      // What has its name is whole.
      for (const file of readdirSync(folder).filter((each) => /\.part-.*\.tar$/.test(each))) t.ok(readFileSync(join(folder, file)).equals(readFileSync(join(good, file))), file);
    }
    const last = spawnSync(process.execPath, [cli, ...words(folder)], { encoding: "utf8" });
    t.equal(last.status, 0, last.stderr);
    isRight(folder);
    t.strictSame(hidden(folder), [], "and nothing is left of the others");
  });

  t.test(`${name}, where a file may not grow`, (t) => {
    const folder = join(work, `full ${name}`);
    mkdirSync(folder);
    const child = spawnSync("sh", ["-c", 'ulimit -f 700; exec "$@"', "sh", process.execPath, cli, ...words(folder)], { encoding: "utf8" });
    t.equal(child.status, 3, child.stdout);
    t.match(child.stderr, "ulimit -f");
    t.strictSame(readdirSync(folder).filter((each) => each.endsWith(".tar") && !each.startsWith(".")), []);
    const again = spawnSync(process.execPath, [cli, ...words(folder)], { encoding: "utf8" });
    t.equal(again.status, 0, again.stderr);
    isRight(folder);
    t.strictSame(hidden(folder), []);
    t.end();
  });
}

t.test("parts.sh, where a file may not grow", (t) => {
  const into = join(work, "into");
  mkdirSync(into);
  const [first = ""] = readdirSync(good).filter((each) => each.includes("part-1"));
  execFileSync("tar", ["-xf", join(good, first), "-C", into, "--exclude=part.txt", "--exclude=part.bin"]);
  const parts = join(work, "copied");
  cpSync(good, parts, { recursive: true });
  for (const shell of [["dash"], ["busybox", "sh"], ["bash"], ["ksh"]]) {
    rmSync(join(into, "blobs"), { recursive: true, force: true });
    // Blocks of 512 bytes in dash and ksh, of 1,024 in the others; the small files have to find room in the temporary folder.
    const child = spawnSync("sh", ["-c", 'ulimit -f 100; exec "$@"', "sh", ...shell, join(into, "parts.sh"), "--trust", fingerprint, "--parts", parts], { encoding: "utf8" });
    t.equal(child.status, 3, `${shell.join(" ")}: ${child.stdout}${child.stderr}`);
    t.notMatch(child.stdout, "GOOD");
  }
  const child = spawnSync("dash", [join(into, "parts.sh"), "--trust", fingerprint, "--parts", parts], { encoding: "utf8" });
  t.equal(child.status, 0, child.stdout);
  t.notOk(existsSync(`${into}.parts`));
  t.end();
});
