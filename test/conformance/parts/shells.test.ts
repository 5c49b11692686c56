/** parts.sh in four shells: it judges parts as `verify` does, and puts the bundle together in its folder. */

import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { execFileSync, spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { madeBundles } from "./made.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet parts's-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
t.setTimeout(600_000);
const { bundle, fingerprint, run } = await madeBundles(work, 32_768);
const shells = [["dash"], ["bash", "--posix"], ["busybox", "sh"], ["ksh"]] as const;
let turn = 0;
const least = Number(/at least (\d+) bytes/.exec((await run("split", bundle, "--size", "1")).stderr)?.[1]);
const size = String(least + 150_000);
const good = join(work, "good");
t.equal((await run("split", bundle, "--size", size, "--parity", "--out", good, "--quiet")).status, 0);
let count = 0;
const folder = (): string => join(work, `f${(count += 1)}`);
const named = (path: string, part: string): string => join(path, readdirSync(path).find((name) => name.includes(part)) ?? part);
const copy = (): string => {
  const path = folder();
  cpSync(good, path, { recursive: true });
  return path;
};

/** The small files, as an operator takes them out of any part. */
function unpacked(from = named(good, "part-1-of")): string {
  const path = folder();
  mkdirSync(path);
  execFileSync("tar", ["-xf", from, "-C", path, "--exclude=part.txt", "--exclude=part.bin"]);
  return path;
}
const small = unpacked();

function sh(shell: readonly string[], words: readonly string[], where = small): { readonly status: number; readonly said: string } {
  const [program = "", ...rest] = [...shell, join(where, "parts.sh"), "--trust", fingerprint, ...words];
  const child = spawnSync(program, rest, { encoding: "utf8", env: { ...process.env, TMPDIR: work } });
  return { status: child.status ?? 255, said: `${child.stdout}${child.stderr}` };
}
const next = (): readonly string[] => shells[(turn += 1) % shells.length] ?? ["sh"];

for (const shell of shells) {
  t.test(`${shell.join(" ")}: all parts at once, then the bundle is whole`, (t) => {
    const check = sh(shell, ["--parts", good, "--check"]);
    t.equal(check.status, 0, check.said);
    t.match(check.said, /^GOOD: these parts/m);
    t.match(check.said, "the parity of");
    t.notOk(existsSync(join(small, "blobs")), "checking writes nothing");
    const into = unpacked();
    const said = sh(shell, ["--parts", good], into);
    t.equal(said.status, 0, said.said);
    t.match(said.said, /^GOOD: the bundle is whole/m);
    t.equal(execFileSync("sh", ["-c", 'tar -xOf "$1" blobs/vm-image.qcow2 blobs/payload.tar | sha256sum; cat "$2/blobs/payload.tar" "$2/blobs/vm-image.qcow2" | sha256sum', "sh", bundle, into], { encoding: "utf8" }).split("\n").filter((line) => line !== "").filter((line, index, all) => all.indexOf(line) === index).length, 1);
    t.notOk(existsSync(`${into}.parts`));
    t.end();
  });
}

t.test("one medium after the other, in any order; it tells what is missing", (t) => {
  const into = unpacked(named(good, "part-2-of"));
  const parts = readdirSync(good).filter((name) => /part-\d/.test(name)).sort().reverse();
  for (const [index, name] of parts.entries()) {
    const said = sh(next(), ["--parts", join(good, name)], into);
    t.equal(said.status, index === parts.length - 1 ? 0 : 1, said.said);
    if (index === 0) t.match(said.said, /^missing: part 1 2/m);
  }
  t.ok(existsSync(join(into, "blobs/payload.tar")));
  t.end();
});

t.test("install.sh takes the parts first, and does not go on without one", (t) => {
  const into = unpacked();
  const install = (parts: string): { readonly status: number | null; readonly said: string } => {
    const child = spawnSync(next()[0] === "ksh" ? "ksh" : "dash", [join(into, "install.sh"), "--check", "--trust", fingerprint, "--parts", parts], { encoding: "utf8", env: { PATH: process.env["PATH"], HOME: work, TMPDIR: work } });
    return { status: child.status, said: `${child.stdout}${child.stderr}` };
  };
  const one = install(named(good, "part-2-of"));
  t.equal(one.status, 1, one.said);
  t.match(one.said, /missing: part 1 3[\s\S]*verify\/parts/);
  const all = install(good);
  // It ends at the preflight, for there is no OpenStack here.
  t.match(all.said, /GOOD: the bundle is whole[\s\S]*GOOD: everything in it was signed[\s\S]*preflight/);
  t.ok(existsSync(join(into, "blobs/payload.tar")));
  t.notMatch(install(join(work, "absent")).said, "verify/parts", "what is whole needs no parts");
  t.end();
});

t.test("it is killed, or what it wrote is damaged: the next run makes it good", (t) => {
  const into = unpacked();
  t.equal(sh(next(), ["--parts", named(good, "part-1-of")], into).status, 1);
  const [blob = ""] = readdirSync(join(into, "blobs"));
  writeFileSync(join(into, "blobs", blob), Buffer.alloc(10_000, 1));
  const said = sh(next(), ["--parts", good], into);
  t.equal(said.status, 0, said.said);
  t.end();
});

t.test("a full disk: what is there needs no more room, and what is not is told with the figures", (t) => {
  const into = unpacked();
  const tools = folder();
  mkdirSync(tools);
  writeFileSync(join(tools, "df"), "#!/bin/sh\nprintf 'Filesystem blocks used free\\nx 1 1 0\\n'\n", { mode: 0o755 });
  const full = (shell: readonly string[]): { readonly status: number | null; readonly said: string } => {
    const [program = "", ...rest] = [...shell, join(into, "parts.sh"), "--trust", fingerprint, "--parts", good];
    const child = spawnSync(program, rest, { encoding: "utf8", env: { ...process.env, PATH: `${tools}:${process.env["PATH"] ?? ""}`, TMPDIR: work } });
    return { status: child.status, said: `${child.stdout}${child.stderr}` };
  };
  for (const shell of [["dash"], ["bash", "--posix"], ["ksh"]]) t.match(full(shell), { status: 3, said: /0 bytes free, part \d needs \d{5}/ });
  t.equal(sh(next(), ["--parts", good], into).status, 0);
  for (const shell of [["dash"], ["bash", "--posix"], ["ksh"]]) t.match(full(shell), { status: 0 });
  t.end();
});

t.test("a longer file from before is cut, folders may begin with a dash", (t) => {
  const into = unpacked();
  mkdirSync(join(into, "blobs"));
  for (const name of ["payload.tar", "vm-image.qcow2"]) writeFileSync(join(into, "blobs", name), Buffer.alloc(3_000_001, 7));
  cpSync(good, join(work, "-parts"), { recursive: true });
  const [program = "", ...rest] = [...next(), join(into, "parts.sh"), "--trust", fingerprint, "--parts", "-parts"];
  const child = spawnSync(program, rest, { encoding: "utf8", cwd: work, env: { ...process.env, TMPDIR: work } });
  t.equal(child.status, 0, `${child.stdout}${child.stderr}`);
  t.end();
});

t.test("what verify refuses, it refuses: flipped bits", async (t) => {
  const path = copy();
  const file = named(path, "part-2-of");
  const bytes = readFileSync(file);
  const head = bytes.indexOf(Buffer.concat([Buffer.from("part.txt"), Buffer.alloc(20)]));
  const places = [3, 120, 5_000, Math.floor(head / 2), head - 1, head + 3, head + 150, head + 300, head + 520, head + 600, head + 900, head + 1_023, head + 1_030, head + 1_200, head + 1_536, head + 1_600, head + 80_000, bytes.byteLength - 1_500, bytes.byteLength - 1_024, bytes.byteLength - 1];
  for (const at of places) {
    const bad = Buffer.from(bytes);
    bad.writeUInt8(bad.readUInt8(at) ^ 1, at);
    writeFileSync(file, bad);
    const [ours, shell] = [await run("verify", file, "--trust", fingerprint, "--quiet"), next()];
    const theirs = sh(shell, ["--parts", file, "--check"]);
    t.equal(ours.status, 1, `byte ${at}`);
    t.equal(theirs.status, 1, `byte ${at}: ${shell.join(" ")}: ${theirs.said}`);
    t.match(theirs.said, "part-2-of");
  }
  t.end();
});

t.test("truncated, longer, a lie about its range, another bundle, no part; nothing is written of it", async (t) => {
  const path = copy();
  const file = named(path, "part-2-of");
  const bytes = readFileSync(file);
  const head = bytes.indexOf(Buffer.concat([Buffer.from("part.txt"), Buffer.alloc(20)]));
  const text = bytes.toString("latin1", head + 512, head + 1_024);
  const lied = (from: string | RegExp, to: string | ((all: string, first: string) => string)): Buffer => {
    const lie = Buffer.from(bytes);
    lie.write(text.replace(from, to as string).trimEnd().padEnd(511, " ").padEnd(512, "\n"), head + 512, "latin1");
    return lie;
  };
  const cases: readonly (readonly [string, Buffer])[] = [
    ["part/size", bytes.subarray(0, -1)],
    ["part/size", Buffer.concat([bytes, Buffer.alloc(512)])],
    ["part/form", bytes.subarray(0, head + 400)],
    ["part/description", lied("part 2", "part 1")],
    ["part/description", lied(/^start (\d+)$/m, "start 512")],
    ["part/description", lied(/^limit (\d+)$/m, "limit 900000")],
    ["part/description", lied(/^size (\d+)$/m, "size 1")],
    ["part/form", lied(/^start (\d+)$/m, "start $(id)")],
    ["part/form", lied(/^parts (\d+)$/m, "parts 99999999999999999999")],
    ["part/description", lied("bundle berlin-1", "bundle munich-1")],
    ["part/form", lied("part 2", "part 02")],
    ["part/form", lied(/^limit (\d+)$/m, (_, limit: string) => `limit 0${Number(limit).toString(8)}`)],
    ["part/form", lied(/^limit (\d+)$/m, "limit 0800000")],
    ["part/form", Buffer.from("no tar at all")],
    ["part/form", Buffer.alloc(0)],
  ];
  for (const [code, bad] of cases) {
    writeFileSync(file, bad);
    const into = unpacked();
    const said = sh(next(), ["--parts", file], into);
    t.equal(said.status, 1, said.said);
    t.match(said.said, code);
    t.notOk(existsSync(join(into, "blobs")), code);
  }
  writeFileSync(file, bytes);
  const two = folder();
  await run("split", "two.tar", "--size", size, "--out", two, "--quiet");
  copyFileSync(named(two, "part-2-of"), join(path, "x.part-2-of-9.tar"));
  t.match(sh(next(), ["--parts", path, "--check"]).said, /part\/other-bundle: x\.part-2/);
  t.match(sh(next(), ["--parts", two], unpacked()).said, "part/other-bundle");
  const mixed = folder();
  await run("split", bundle, "--size", String(least + 250_000), "--only", "2", "--out", mixed, "--quiet");
  const together = sh(next(), ["--parts", named(good, "part-1-of"), "--parts", mixed, "--check"]);
  t.match(together, { status: 1, said: "part/other-split" }, "as verify says of a folder with parts of two splits");
  t.match(sh(next(), ["--parts", good, "--parts", named(good, "part-2-of"), "--check"]), { status: 1, said: "part/twice" });
  t.match(sh(next(), ["--parts", bundle, "--check"]), { status: 1, said: "part/form" }, "a whole bundle is no part");
  const none = folder();
  mkdirSync(none);
  copyFileSync(bundle, join(none, "bundle.tar"));
  for (const from of [none, folder()]) {
    mkdirSync(from, { recursive: true });
    t.match(sh(next(), ["--parts", from, "--check"]), { status: 1, said: "there is no part" }, "where nothing was looked at, nothing is good");
  }
  t.match(sh(next(), ["--parts", good, "--parts", bundle, "--check"]), { status: 1, said: "part/form: one.tar" });
  t.equal(sh(next(), ["--parts", none, "--parts", good, "--check"]).status, 0, "in a folder, other tars are passed over");
  t.end();
});

t.test("links are not written through, a wrong key is refused, usage is told", (t) => {
  const into = unpacked();
  const target = folder();
  mkdirSync(target);
  symlinkSync(target, join(into, "blobs"));
  t.equal(sh(next(), ["--parts", good], into).status, 3);
  t.strictSame(readdirSync(target), []);
  const wrong = spawnSync("dash", [join(small, "parts.sh"), "--trust", `SHA256:${"0".repeat(64)}`, "--parts", good, "--check"], { encoding: "utf8" });
  t.equal(wrong.status, 1, wrong.stderr);
  t.match(wrong.stdout, "verify/other-key");
  for (const words of [["--parts"], ["--nonsense"], []]) t.equal(sh(next(), words).status, 2);
  t.equal(spawnSync("dash", [join(small, "parts.sh"), "--parts", good]).status, 2);
  t.match(sh(next(), ["--help"]).said, "usage: parts.sh");
  t.equal(sh(next(), ["--parts", join(work, "absent")]).status, 3);
  t.end();
});
