/** Hostile words reach our script on the host as they are, through every shell; what a host says reaches no terminal as it is. */

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleepFor } from "node:timers/promises";
import t from "tap";
import { plainText } from "../../../src/deliver/plain-text.ts";
import { answersIn, remoteCommand } from "../../../src/deliver/remote-shell.ts";

const hostile = ["", " ", "a b", "'", "''", "\"$HOME\"", "`id`", "$(id)", "\\", "\\'", "-rf", "--", "a\nb", "*", "~", "ü€😀", "!x", "%s", "#", ";exit 3", "\u0001"];
const script = readFileSync(join(import.meta.dirname, "../../../templates/push/host.sh"), "utf8");

const short = `printf '<%s>' "$@"; cat # ü\n`;

t.test("words", (t) => {
  for (const shell of [["dash"], ["bash"], ["busybox", "sh"], ["ksh93"]]) {
    const [program = "", ...rest] = shell;
    const run = spawnSync(program, [...rest, "-c", remoteCommand(Buffer.byteLength(short), hostile)], { encoding: "utf8", input: `${short}and no byte more` });
    t.equal(run.stdout.split("says:\n")[1], `${hostile.map((each) => `<${each}>`).join("")}and no byte more`, shell.join(" "));
  }
  t.end();
});

t.test("a folder of any name is made, found, and removed; one that is not ours is not touched", (t) => {
  const home = mkdtempSync(join(tmpdir(), "cloudlet-push-"));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  for (const shell of [["dash"], ["bash"], ["busybox", "sh"], ["ksh93"]]) {
    const [program = "", ...rest] = shell;
    const call = (verb: string, folder: string, ...words: readonly string[]) => {
      const run = spawnSync(program, [...rest, "-c", remoteCommand(Buffer.byteLength(script), [verb, folder, ...words])], { encoding: "utf8", env: { PATH: process.env["PATH"], HOME: home }, input: script });
      return { status: run.status, answers: answersIn(run.stdout.split("says:\n")[1] ?? ""), stderr: run.stderr };
    };
    // Each call reads the script byte by byte: one odd name for every shell, all of them in the usual one.
    for (const name of program === "dash" ? hostile.filter((each) => each !== "" && !each.includes("\n")) : ["-it's \"$HOME\" `id`;\\ *"]) {
      if (program !== "dash") t.equal(call("survey", name).answers.get("state"), "absent", name);
      t.equal(call("prepare", name).status, 0, name);
      const there = call("survey", name).answers;
      t.equal(there.get("state"), "ours", name);
      t.match(there.get("free"), /^\d+$/);
      t.equal(call("measure", name, "id").status, 0, name);
      if (program !== "dash") {
        t.equal(call("send", name, "id", "0").status, 0, name);
        t.equal(call("send", name, "id", "7").status, 8, "not at the end of what is there");
      }
      const removed = call("remove", name);
      t.ok(removed.answers.has("removed"), `${name}: ${removed.stderr}`);
      if (program !== "dash") t.equal(call("remove", name).status, 7, name);
    }
    mkdirSync(join(home, "theirs"));
    writeFileSync(join(home, "theirs/file"), "");
    t.equal(call("survey", "theirs").answers.get("state"), "foreign");
    for (const verb of ["prepare", "remove", "measure", "start", "cancel"]) t.equal(call(verb, "theirs", "id", "").status, 9, verb);
    t.equal(readFileSync(join(home, "theirs/file"), "utf8"), "");
    rmSync(join(home, "theirs"), { recursive: true });
  }
  t.end();
});

t.test("two pushes at once: one that sends is left alone, one whose line is dead is ended before its bytes are counted", async (t) => {
  const home = mkdtempSync(join(tmpdir(), "cloudlet-push-"));
  t.teardown(() => rmSync(home, { recursive: true, force: true }));
  const begin = (verb: string, ...words: readonly string[]) => {
    const child = spawn("dash", ["-c", remoteCommand(Buffer.byteLength(script), [verb, "two", ...words])], { env: { PATH: process.env["PATH"], HOME: home }, stdio: ["pipe", "pipe", "ignore"] });
    child.stdin.on("error", () => undefined).write(script);
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    return { child, ended };
  };
  const run = (verb: string, ...words: readonly string[]): Promise<number | null> => {
    const { child, ended } = begin(verb, ...words);
    child.stdin.end();
    return ended;
  };
  t.equal(await run("prepare"), 0);
  const first = begin("send", "a", "0");
  const sending = setInterval(() => first.child.stdin.write("more "), 50);
  while (!existsSync(join(home, "two/bundle.tar.part"))) await sleepFor(20);
  t.equal(await run("measure", "b"), 8, "it grows");
  t.equal(await run("remove"), 0);
  clearInterval(sending);
  t.not(await first.ended, 0, "removing ends what writes");
  t.equal(await run("prepare"), 0);
  const dead = begin("send", "a", "0");
  dead.child.stdin.write("half of it");
  while (statSync(join(home, "two/bundle.tar.part"), { throwIfNoEntry: false })?.size !== 10) await sleepFor(20);
  t.equal(await run("measure", "b"), 0, "it does not");
  t.equal(await dead.ended, null, "killed");
  const own = begin("send", "b", "10");
  while (!readFileSync(join(home, "two/writer"), { encoding: "utf8", flag: "a+" }).endsWith("b\n")) await sleepFor(20);
  t.equal(await run("measure", "b"), 0, "one's own is ended at once");
  t.equal(await own.ended, null);
});

t.test("answers, and text for a terminal", (t) => {
  t.strictSame([...answersIn("part 12\ntar \nlacks\nsha256 ab\n noise\nstate ours\npart 13\n")], [["part", "12"], ["tar", ""], ["lacks", ""], ["sha256", "ab"], ["state", "ours"]]);
  t.equal(plainText("a\u001b]0;owned\u0007b\u001b[31mred\u001b[0m\r\nc\td\u009b2J\u202e"), "a]0;ownedbred\nc\td2J");
  t.end();
});
