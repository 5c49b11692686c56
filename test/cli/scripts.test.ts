/**
 * The command line, told as text: each file of test/cli/cases is a session with the files it starts from.
 *
 *   # comment                            -- NAME --        a file that is there at the start, up to the next such line
 *   > cloudlet-bundle WORDS…             runs a command; words may be in single quotes; $FOLDER is the session's folder
 *   > cloudlet-bundle WORDS… < FILE      the same, with FILE on standard input
 *   > sh WORDS…                          runs a line in a shell, where a session needs another tool, or a real process: "$NODE" "$ROOT/src/cli/start.ts"
 *   status N                             its exit status (0 where a session says nothing)
 *   stdout TEXT   stderr TEXT            it says this somewhere
 *   not stdout TEXT   not stderr TEXT    it does not
 *   silent stdout   silent stderr        it says nothing
 *   exists PATH   absent PATH   mode 0600 PATH   same A B   file PATH holds TEXT
 */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import t, { type Test } from "tap";
import { main } from "../../src/cli/main.ts";
import type { Io } from "../../src/cli/io.ts";
import { makeReferenceInputs } from "../../scripts/make-reference-inputs.ts";

const root = join(import.meta.dirname, "../..");
const cases = join(import.meta.dirname, "cases");
await makeReferenceInputs(join(root, "out/inputs"));

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

for (const name of readdirSync(cases).filter((each) => each.endsWith(".txt")).sort()) {
  t.test(name.replace(/\.txt$/, ""), async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "cloudlet-cli-"));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const { script, files } = parts(readFileSync(join(cases, name), "utf8"));
    for (const [path, text] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    let ran: Ran = { status: 0, stdout: "", stderr: "" };
    let statusSeen = true;
    for (const [index, line] of script.entries()) {
      if (line.trim() === "" || line.startsWith("#")) continue;
      const where = `${name}:${index + 1} ${line}`;
      if (line.startsWith("> ")) {
        if (!statusSeen) t.equal(ran.status, 0, `before ${where}: status\n${ran.stderr}`);
        ran = await run(line.slice(2), folder);
        statusSeen = false;
      } else if (line.startsWith("status ")) {
        t.equal(ran.status, Number(line.slice(7)), `${where}\n${ran.stdout}${ran.stderr}`);
        statusSeen = true;
      } else {
        expect(t, where, line, ran, folder);
      }
    }
    if (!statusSeen) t.equal(ran.status, 0, `${name}: status at the end\n${ran.stderr}`);
  });
}

function expect(t: Test, where: string, line: string, ran: Ran, folder: string): void {
  const [verb = "", ...rest] = line.split(" ");
  const text = rest.join(" ");
  const [first = "", second = ""] = rest;
  switch (verb) {
    case "stdout":
    case "stderr":
      t.ok(ran[verb].includes(text), `${where}\n${ran[verb]}`);
      return;
    case "not":
      t.notOk(ran[first as "stdout" | "stderr"].includes(rest.slice(1).join(" ")), where);
      return;
    case "silent":
      t.equal(ran[first as "stdout" | "stderr"], "", where);
      return;
    case "exists":
      t.ok(existsSync(join(folder, text)), where);
      return;
    case "absent":
      t.notOk(existsSync(join(folder, text)), where);
      return;
    case "mode":
      t.equal(statSync(join(folder, second)).mode & 0o7777, Number.parseInt(first, 8), where);
      return;
    case "same":
      t.ok(readFileSync(join(folder, first)).equals(readFileSync(join(folder, second))), where);
      return;
    case "file":
      t.ok(readFileSync(join(folder, first), "utf8").includes(rest.slice(2).join(" ")), where);
      return;
    default:
      t.fail(`${where}: no such expectation`);
  }
}

async function run(command: string, folder: string): Promise<Ran> {
  if (command.startsWith("sh ")) {
    const child = spawnSync("sh", ["-c", command.slice(3)], { cwd: folder, encoding: "utf8", env: { ...process.env, ROOT: root, NODE: process.execPath } });
    return { status: child.status ?? 255, stdout: child.stdout, stderr: child.stderr };
  }
  const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map((match) => (match[1] ?? match[2] ?? "").replaceAll("$ROOT", root).replaceAll("$FOLDER", folder));
  if (words[0] !== "cloudlet-bundle") throw new Error(`not a command of this test: ${command}`);
  const input = words.indexOf("<") < 0 ? undefined : words.splice(words.indexOf("<"), 2)[1];
  let stdout = "";
  let stderr = "";
  const io: Io = {
    out: (text) => (stdout += text),
    outBytes: async (bytes) => void (stdout += new TextDecoder().decode(bytes)),
    err: (text) => (stderr += text),
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    columns: 80,
    environment: { HOME: folder },
    workingFolder: folder,
    now: () => 1_800_000_000_000,
    random: (bytes) => new Uint8Array(bytes).map((_, index) => (index * 37 + 11) % 251),
    signal: new AbortController().signal,
    stdin: one(input === undefined ? new Uint8Array() : readFileSync(join(folder, input))),
    packageFolder: root,
  };
  return { status: await main(words.slice(1), io), stdout, stderr };
}

async function* one(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function parts(text: string): { script: readonly string[]; files: readonly (readonly [string, string])[] } {
  const sections = text.split(/^-- (.+) --\n/m);
  const files: [string, string][] = [];
  for (let index = 1; index < sections.length; index += 2) files.push([sections[index] ?? "", sections[index + 1] ?? ""]);
  return { script: (sections[0] ?? "").split("\n"), files };
}
