/** Parts of a bundle under a trust policy, signed by two: split, proven, joined, and made again without anybody's key. */

import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { generateKey, publicHalf } from "../../../src/seal/keys.ts";
import { madeBundles } from "./made.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet policed-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
t.setTimeout(300_000);
const { run, sources } = await madeBundles(work);
const done = async (...words: readonly string[]): Promise<string> => {
  const said = await run(...words);
  if (said.status !== 0) throw new Error(said.stderr);
  return said.stdout;
};

for (const [index, name] of ["alice", "bob"].entries()) {
  const key = generateKey((bytes) => new Uint8Array(bytes).fill(20 + index));
  writeFileSync(join(work, `${name}.pem`), key, { mode: 0o600 });
  writeFileSync(join(work, `${name}.pub.pem`), publicHalf(key).publicKeyPem);
}
const keys = ["--key", "alice.pem", "--key", "bob.pem"];
mkdirSync(join(work, "policies"));
await done("trust", "init", "policies", "--signer", "alice.pub.pem", "--signer", "bob.pub.pem", "--threshold", "2", "--until", "never", ...keys);
await done("build", ...sources.slice(1), "--policy", "policies", "--locked", ...keys, "--out", "policed.tar", "--quiet");
const whole = readFileSync(join(work, "policed.tar"));
const least = Number(/at least (\d+) bytes/.exec((await run("split", "policed.tar", "--size", "1")).stderr)?.[1]);
await done("split", "policed.tar", "--size", String(least + 150_000), "--parity", "--out", "parts", "--quiet");
const parts = readdirSync(join(work, "parts")).filter((name) => name.endsWith(".tar"));

t.test("each part, and all together, are proven by the policy alone", async (t) => {
  t.ok(parts.length > 3, parts.join(", "));
  t.match(await done("verify", "parts", "--trust", "policies/0001.policy", "--quiet"), /^GOOD: /m);
  for (const part of parts) t.match(await done("verify", join("parts", part), "--trust", "policies/0001.policy", "--quiet"), /^GOOD: /m);
  await done("join", "parts", "--trust", "policies/0001.policy", "--out", "joined.tar", "--quiet");
  t.ok(readFileSync(join(work, "joined.tar")).equals(whole));
});

t.test("any part is made again from the sources and any other, to the byte, without a key", async (t) => {
  for (const [index, part] of parts.entries()) {
    const like = join("parts", parts[(index + 1) % parts.length] ?? "");
    const only = /\.parity-of-/.test(part) ? "parity" : (/\.part-(\d+)-of-/.exec(part)?.[1] ?? "");
    await done("split", ...sources, "--like", like, "--only", only, "--out", "again", "--quiet");
    t.ok(readFileSync(join(work, "again", part)).equals(readFileSync(join(work, "parts", part))), `${part} like ${like}`);
  }
});

t.test("other documents do not get these signatures", async (t) => {
  const said = await run("split", ...sources, "--release", "two.yaml", "--like", join("parts", parts[0] ?? ""), "--only", "1", "--out", "never");
  t.equal(said.status, 1);
  t.match(said.stderr, "part/other-seal");
});

t.test("where one of the two has not signed, no part is believed", async (t) => {
  await done("build", ...sources.slice(1), "--policy", "policies", "--locked", "--key", "alice.pem", "--out", "half.tar", "--quiet");
  await done("split", "half.tar", "--size", String(least + 150_000), "--out", "half", "--quiet");
  const said = await run("join", "half", "--trust", "policies/0001.policy", "--out", "never.tar", "--quiet");
  t.equal(said.status, 1);
  t.match(said.stderr, "verify/threshold");
});
