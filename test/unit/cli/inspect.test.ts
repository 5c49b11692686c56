/** `inspect` on a terminal: a hostile file's escape sequences are shown, not sent. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { main } from "../../../src/cli/main.ts";
import type { Io } from "../../../src/cli/io.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-inspect-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, "a.txt"), "a\tb\n\u001b]0;title\u0007ü\u202e\n");

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function run(stdoutIsTerminal: boolean): Promise<string> {
  let out = "";
  const io: Io = {
    out: (text) => (out += text),
    outBytes: async (bytes) => void (out += new TextDecoder().decode(bytes)),
    err: (text) => t.fail(text),
    stdoutIsTerminal,
    stderrIsTerminal: false,
    columns: 80,
    environment: {},
    workingFolder: folder,
    now: () => 0,
    random: (bytes) => new Uint8Array(bytes),
    signal: new AbortController().signal,
    stdin: nothing(),
    packageFolder: join(import.meta.dirname, "../../.."),
  };
  t.equal(await main(["inspect", ".", "a.txt"], io), 0);
  return out;
}

t.test("what a terminal gets, and what a file gets", async (t) => {
  t.equal(await run(true), "a\tb\n\\u001b]0;title\\u0007ü\\u202e\n");
  t.equal(await run(false), "a\tb\n\u001b]0;title\u0007ü\u202e\n");
});
