/** Parts: split and join give the same bytes whatever the size; every attack on a part is found and told by name. */

import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { madeBundles } from "./made.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet parts-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
t.setTimeout(300_000);
const { bundle, fingerprint, run, sources } = await madeBundles(work);
const whole = readFileSync(bundle);
const least = Number(/at least (\d+) bytes/.exec((await run("split", bundle, "--size", "1")).stderr)?.[1]);
let count = 0;
const folder = (): string => join(work, `f${(count += 1)}`);
const tars = (path: string): readonly string[] => readdirSync(path).filter((name) => name.endsWith(".tar")).sort();

/** The bundle in parts, in a new folder. */
async function split(size: number, ...more: readonly string[]): Promise<string> {
  const out = folder();
  const said = await run("split", bundle, "--size", String(size), "--out", out, "--quiet", ...more);
  t.equal(said.status, 0, said.stderr);
  return out;
}

const size = least + 100_000;
const good = await split(size, "--parity");
const copy = (): string => {
  const path = folder();
  cpSync(good, path, { recursive: true });
  return path;
};
const named = (path: string, part: number): string => join(path, tars(path).find((name) => name.includes(`part-${part}-of`)) ?? "");
const flip = (path: string, at: number): void => {
  const bytes = readFileSync(path);
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  writeFileSync(path, bytes);
};
const verify = (path: string): ReturnType<typeof run> => run("verify", path, "--trust", fingerprint, "--quiet");
const joined = (path: string, out: string, ...more: readonly string[]): ReturnType<typeof run> => run("join", path, ...more, "--trust", fingerprint, "--out", out, "--quiet");

t.test("split at any size and join: the same bytes", async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: least, max: whole.byteLength + 10_000 }), fc.boolean(), async (size, parity) => {
      const out = await split(size, ...(parity ? ["--parity"] : []));
      for (const name of tars(out)) if (statSync(join(out, name)).size > size) return false;
      const said = await joined(out, join(out, "j"));
      const same = said.status === 0 && readFileSync(join(out, "j")).equals(whole);
      rmSync(out, { recursive: true });
      return same;
    }),
    { numRuns: 15, seed: 1 },
  );
  t.equal((await run("split", bundle, "--size", String(least - 1))).status, 1);
  t.match((await run("split", bundle, "--size", String(size), "--only", "1", "1", "99")).stderr, /--only 99: there are parts 1 to/);
  t.match((await run("split", bundle, "--size", String(least - 1))).stderr, "part/too-small");
});

t.test("all good parts are good, each alone and together; the small files come out with tar", async (t) => {
  t.ok(tars(good).length >= 5, `${tars(good).length} parts`);
  const all = await verify(good);
  t.equal(all.status, 0, all.stdout);
  t.match(all.stdout, /^GOOD: all of .*SHA256:/m);
  for (const name of tars(good)) {
    const said = await verify(join(good, name));
    t.equal(said.status, 0, said.stdout);
  }
  const small = folder();
  mkdirSync(small);
  execFileSync("tar", ["-xf", named(good, 2), "-C", small, "--exclude=part.txt", "--exclude=part.bin"]);
  t.ok(existsSync(join(small, "install.sh")) && !existsSync(join(small, "blobs")) && !existsSync(join(small, "part.bin")));
  t.match(readFileSync(join(good, "START-HERE.txt"), "utf8"), /part-1-of-/);
  const inspected = await run("inspect", good, "site.env");
  t.equal(inspected.stdout, execFileSync("tar", ["-xOf", bundle, "site.env"], { encoding: "utf8" }));
  t.equal((await run("rebuild", good, "--quiet")).status, 0, "rebuild reads the parts as one tar");
});

t.test("a flipped bit anywhere in a part is found, and its part named", async (t) => {
  const path = copy();
  const file = named(path, 2);
  const bytes = readFileSync(file);
  const name = file.slice(path.length + 1);
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: bytes.byteLength - 1 }), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
      const bad = Buffer.from(bytes);
      bad.writeUInt8(bad.readUInt8(at) ^ (1 << bit), at);
      writeFileSync(file, bad);
      const [alone, all] = [await verify(file), await verify(path)];
      return alone.status === 1 && all.status === 1 && `${all.stdout}${all.stderr}`.includes(name);
    }),
    { numRuns: 30, seed: 2 },
  );
  const parity = join(path, tars(path).find((each) => each.includes("parity")) ?? "");
  writeFileSync(file, bytes);
  flip(parity, statSync(parity).size - 5_000);
  t.match((await verify(path)).stdout, /parity +refused +part\/bytes/);
});

t.test("a bad or missing part is brought back by the parity, two are not", async (t) => {
  for (let part = 1; part < tars(good).length; part += 1) {
    const path = copy();
    if (part % 2 === 0) flip(named(path, part), statSync(named(path, part)).size - 60_000);
    else rmSync(named(path, part));
    const said = await joined(path, join(path, "j"));
    t.equal(said.status, 0, said.stderr);
    t.match(said.stdout, `brought back`);
    t.match(said.stdout, `part-${part}-of`);
    t.ok(readFileSync(join(path, "j")).equals(whole));
  }
  const path = copy();
  rmSync(named(path, 1));
  rmSync(named(path, 3));
  const two = await joined(path, join(path, "j"));
  t.equal(two.status, 1);
  t.match(two.stderr, /missing: part 1 \(.*part-1-of-.*part 3 \(/);
  t.notOk(existsSync(join(path, "j")));
  t.match((await verify(path)).stdout, /part 3 +refused +part\/missing/);
  // The parity is not signed: one that lies makes nothing.
  const lies = copy();
  rmSync(named(lies, 2));
  const parity = join(lies, tars(lies).find((each) => each.includes("parity")) ?? "");
  flip(parity, statSync(parity).size - 60_000);
  const lied = await joined(lies, join(lies, "j"));
  t.equal(lied.status, 1);
  t.match(lied.stderr, "part/bytes");
  t.notOk(existsSync(join(lies, "j")));
});

t.test("without parity: a bad part is named; made good, the join goes on from what it has", async (t) => {
  const path = copy();
  rmSync(join(path, tars(path).find((each) => each.includes("parity")) ?? ""));
  const bad = named(path, 3);
  flip(bad, statSync(bad).size - 60_000);
  const first = await joined(path, join(path, "j"));
  t.equal(first.status, 1);
  t.match(first.stderr, /part\/bytes/);
  t.match(first.stderr, /part-3-of/);
  t.notOk(existsSync(join(path, "j")));
  t.equal(readdirSync(path).filter((name) => name.endsWith(".unfinished")).length, 1);
  // Months later: the one part again, from the bundle, and from the sources with another part as the model.
  const again = folder();
  t.equal((await run("split", bundle, "--like", named(path, 1), "--only", "3", "--out", again, "--quiet")).status, 0);
  t.ok(readFileSync(named(again, 3)).equals(readFileSync(named(good, 3))), "from the bundle");
  const remade = folder();
  const said = await run("split", ...sources, "--like", named(path, 1), "--only", "3", "--out", remade, "--quiet");
  t.equal(said.status, 0, said.stderr);
  t.strictSame(tars(remade).length, 1);
  t.ok(readFileSync(named(remade, 3)).equals(readFileSync(named(good, 3))), "from the sources, with another part's signature");
  const signed = folder();
  t.equal((await run("split", ...sources, "--key", "key.pem", "--size", String(size), "--only", "3", "parity", "--out", signed, "--quiet")).status, 0);
  t.ok(readFileSync(named(signed, 3)).equals(readFileSync(named(good, 3))), "from the sources and the key");
  t.strictSame(readFileSync(join(signed, tars(signed).find((each) => each.includes("parity")) ?? "")), readFileSync(join(good, tars(good).find((each) => each.includes("parity")) ?? "")));
  copyFileSync(named(again, 3), bad);
  const second = await joined(path, join(path, "j"));
  t.equal(second.status, 0, second.stderr);
  t.match(second.stdout, /^kept +\d{6} bytes/m);
  t.ok(readFileSync(join(path, "j")).equals(whole));
  t.strictSame(readdirSync(path).filter((name) => name.startsWith(".")), []);
});

t.test("what a run that was cut off has left is believed by its digests alone", async (t) => {
  const path = copy();
  const junk = Buffer.from(whole);
  // The big files stand behind the small ones: what was written of them is good, then bad, then missing.
  const behind = whole.byteLength - 600_000;
  junk.fill(7, behind, behind + 100_000);
  // A process number that no process has: above what Linux gives out.
  writeFileSync(join(path, ".j.99999999.unfinished"), junk.subarray(0, behind + 200_000));
  const said = await joined(path, join(path, "j"));
  t.equal(said.status, 0, said.stderr);
  t.match(said.stdout, /^kept /m);
  t.ok(readFileSync(join(path, "j")).equals(whole));
});

t.test("parts of two bundles, two splits, twice the same, and what is no part", async (t) => {
  const mixed = copy();
  const two = folder();
  t.equal((await run("split", "two.tar", "--size", String(size), "--out", two, "--quiet")).status, 0);
  copyFileSync(named(two, 2), join(mixed, "x.part-2-of-5.tar"));
  for (const said of [await verify(mixed), await joined(mixed, join(mixed, "j"))]) {
    t.equal(said.status, 1);
    t.match(`${said.stdout}${said.stderr}`, "part/other-bundle");
    t.match(`${said.stdout}${said.stderr}`, "x.part-2-of-5.tar");
  }
  const other = copy();
  copyFileSync(named(await split(least + 50_000), 2), join(other, "y.part-2-of-9.tar"));
  t.match((await joined(other, join(other, "j"))).stderr, /part\/other-split/);
  const twice = copy();
  copyFileSync(named(twice, 2), join(twice, "again.tar"));
  t.match((await joined(twice, join(twice, "j"))).stderr, /again\.tar and .*part-2-of.* are both part 2/);
  const renamed = copy();
  const [a, b] = [named(renamed, 1), named(renamed, 2)];
  renameSync(a, `${a}.x`);
  renameSync(b, a);
  renameSync(`${a}.x`, b);
  t.equal((await joined(renamed, join(renamed, "j"))).status, 0, "names say nothing");
  t.ok(readFileSync(join(renamed, "j")).equals(whole));
  writeFileSync(join(renamed, "z.part-9-of-9.tar"), "no part at all");
  t.match((await verify(renamed)).stdout, /part\/form: z\.part-9-of-9\.tar/);
  t.equal((await joined(bundle, join(work, "none"))).status, 1);
  t.notOk(existsSync(join(work, "none")));
});

t.test("a big file among the small ones, which nobody would look at, makes no part of it", async (t) => {
  const header = whole.lastIndexOf(Buffer.concat([Buffer.from("blobs/payload.tar"), Buffer.alloc(20)]));
  const bytes = Number.parseInt(whole.toString("latin1", header + 124, header + 135), 8);
  const smuggled = Buffer.concat([whole.subarray(header, header + 512), Buffer.alloc(Math.ceil(bytes / 512) * 512)]).fill("X", 512, 512 + bytes);
  for (const entry of [smuggled, whole.subarray(header, header + smuggled.byteLength)]) {
    const path = copy();
    for (const name of tars(path)) {
      const part = readFileSync(join(path, name));
      const head = part.indexOf(Buffer.concat([Buffer.from("part.txt"), Buffer.alloc(20)]));
      writeFileSync(join(path, name), Buffer.concat([part.subarray(0, head), entry, part.subarray(head)]));
    }
    for (const said of [await verify(path), await verify(named(path, 2)), await joined(path, join(path, "j"))]) {
      t.equal(said.status, 1, said.stdout);
      t.match(`${said.stdout}${said.stderr}`, "part/small-files");
      t.match(`${said.stdout}${said.stderr}`, /blobs\/payload\.tar is there.*verify\/extra-file/);
    }
    t.notOk(existsSync(join(path, "j")));
  }
});

t.test("a bad copy of a part in another folder does not spoil the good one of the same name", async (t) => {
  const path = folder();
  mkdirSync(path);
  const bad = join(path, named(good, 2).slice(good.length + 1));
  copyFileSync(named(good, 2), bad);
  truncateSync(bad, statSync(bad).size - 1_000);
  const said = await joined(path, join(path, "j"), good);
  t.equal(said.status, 0, said.stderr);
  t.match(said.stderr, "part/size");
  t.ok(readFileSync(join(path, "j")).equals(whole));
});

t.test("truncated, longer, and a description that lies", async (t) => {
  const path = copy();
  const file = named(path, 2);
  const bytes = readFileSync(file);
  const head = bytes.indexOf(Buffer.concat([Buffer.from("part.txt"), Buffer.alloc(20)]));
  const text = bytes.toString("latin1", head + 512, head + 1024);
  for (const cut of [bytes.byteLength - 1, bytes.byteLength - 1_024, head + 3_000, head + 1_100]) {
    truncateSync(file, cut);
    const said = await verify(file);
    t.equal(said.status, 1, `cut at ${cut}`);
    t.match(`${said.stdout}${said.stderr}`, /part\/(size|form)/);
    t.match((await joined(path, join(path, "j"))).stdout, "brought back", "the parity stands in");
    rmSync(join(path, "j"));
    writeFileSync(file, bytes);
  }
  writeFileSync(file, Buffer.concat([bytes, Buffer.alloc(512)]));
  t.match((await verify(file)).stdout, "part/size");
  const [, start = "", end = ""] = /^start (\d+)\nend (\d+)$/m.exec(text) ?? [];
  const lies: readonly (readonly [string, string])[] = [
    ["part 2", "part 3"],
    [`start ${start}`, `start ${Number(start) + 512}`],
    [`start ${start}\nend ${end}`, `start ${Number(start) - 512}\nend ${Number(end) - 512}`],
    [`limit ${size}`, `limit ${size + 512}`],
    [`limit ${size}`, "limit 1"],
    ["bundle berlin", "bundle ../../berlin"],
    ["bundle berlin", "bundle -rf"],
    [`size ${whole.byteLength}`, `size ${whole.byteLength + 512}`],
    ["parts 5", "parts 6"],
  ];
  for (const [from, to] of lies) {
    t.ok(text.includes(from), from);
    const lie = Buffer.from(bytes);
    lie.write(text.replace(from, to).trimEnd().padEnd(511, " ").padEnd(512, "\n"), head + 512, "latin1");
    writeFileSync(file, lie);
    const said = await verify(file);
    t.equal(said.status, 1, to);
    t.match(`${said.stdout}${said.stderr}`, /part\/(description|form|size)/, to);
  }
});

t.test("a split that is stopped, or finds a bundle that is damaged, leaves nothing under a final name", async (t) => {
  const damaged = join(work, "damaged.tar");
  copyFileSync(bundle, damaged);
  flip(damaged, whole.byteLength - 100_000);
  const out = folder();
  const said = await run("split", damaged, "--size", String(whole.byteLength + 10_000), "--out", out, "--quiet");
  t.equal(said.status, 1);
  t.match(said.stderr, /part\/bytes/);
  t.match(said.stderr, /blobs\/vm-image\.qcow2/);
  t.strictSame(readdirSync(out), []);
  t.match(await run("split", damaged, "--size", String(size), "--only", "parity", "--out", out, "--quiet"), { status: 1, stderr: "part/bytes" }, "nor is a parity made of it");
  t.strictSame(readdirSync(out), []);
  flip(damaged, whole.indexOf("#!/bin/sh") + 50);
  t.match((await run("split", damaged, "--size", "10MB", "--out", out)).stderr, /part\/small-files/);
});

t.test("unproven: the same bytes, and what is damaged is left to verify", async (t) => {
  const out = folder();
  const made = await run("split", bundle, "--size", String(size), "--parity", "--unproven", "--out", out, "--quiet");
  t.match(made, { status: 0, stdout: "Their bytes are not proven" }, made.stderr);
  for (const name of tars(good)) t.ok(readFileSync(join(out, name)).equals(readFileSync(join(good, name))), name);
  const said = await joined(out, join(out, "j"), "--unproven");
  t.match(said, { status: 0, stdout: "bytes        not proven" }, said.stderr);
  t.ok(readFileSync(join(out, "j")).equals(whole));

  const bad = named(out, 3);
  flip(bad, statSync(bad).size - 60_000);
  const spoiled = await joined(out, join(out, "spoiled"), "--unproven", "--json");
  t.match(JSON.parse(spoiled.stdout), { proven: false });
  t.match(await verify(join(out, "spoiled")), { status: 1, stdout: "blobs/vm-image.qcow2" });
  t.match(JSON.parse((await joined(out, join(out, "k"), "--json")).stdout), { proven: true }, "the parity brings it back for who looks");
  rmSync(bad);
  const without = await joined(out, join(out, "l"), "--unproven");
  t.equal(without.status, 0, without.stderr);
  t.ok(readFileSync(join(out, "l")).equals(whole), "what comes from the parity is compared in any case");
  truncateSync(named(out, 2), statSync(named(out, 2)).size - 20_000);
  t.equal((await joined(out, join(out, "m"), "--unproven")).status, 1, "the form of a part is looked at in any case");
  t.notOk(existsSync(join(out, "m")));
});

t.test("nobody is trusted unasked", async (t) => {
  t.equal((await run("verify", good)).status, 1);
  const unasked = await run("join", good, "--out", join(work, "no"));
  t.match(unasked.stderr, /verify\/no-trust[\s\S]*--trust none leaves the signature unchecked/);
  t.notMatch(unasked.stderr, "Copy the part again");
  for (const words of [["verify", ""], ["join", "", "--trust", "none"], ["join", good, "--trust", "none", "--out", ""], ["inspect", ""]]) t.match(await run(...words), { status: 3, stderr: /is empty/ }, words.join(" "));
  t.equal((await run("join", good, "--trust", `SHA256:${"0".repeat(64)}`, "--out", join(work, "no"))).status, 1);
  t.notOk(existsSync(join(work, "no")));
  t.match((await run("join", good, "--trust", "none", "--out", join(work, "unchecked"))).stdout, "not checked");
});

t.test("a folder in the place of the file that is to be written is told before anything is", async (t) => {
  const out = join(folder(), "taken");
  mkdirSync(out, { recursive: true });
  for (const words of [["join", good, "--trust", fingerprint], ["delta", bundle, "two.tar"], ["sign", bundle, "--key", "key.pem"]]) {
    t.match(await run(...words, "--out", out, "--quiet"), { status: 3, stderr: /taken: this is a folder/ }, words.join(" "));
  }
  t.match(await run("split", bundle, "--size", String(size), "--out", bundle, "--quiet"), { status: 3, stderr: /something else has this name already/ });
  t.strictSame([readdirSync(out), readdirSync(join(out, ".."))], [[], ["taken"]]);
});

t.test("a wrong command line says what is wrong", async (t) => {
  for (const words of [["split", bundle], ["split"], ["split", bundle, "--size", "12 parsecs"], ["split", bundle, ...sources, "--size", "1GB"], ["split", bundle, "--size", "1GB", "--like", named(good, 1)], ["split", bundle, "--size", "1GB", "--only", "7"], ["split", bundle, "--size", "1GB", "--only", "x"], ["split", bundle, "--size", "1GB", "--key", "key.pem"]]) {
    const said = await run(...words);
    t.equal(said.status, 2, words.join(" "));
    t.match(said.stderr, "cloudlet-bundle split: ");
  }
  t.match((await run("split", ...sources, "--release", "two.yaml", "--like", named(good, 1), "--only", "1")).stderr, "part/other-seal");
  t.match((await run("split", "two.tar", "--like", named(good, 1), "--only", "1")).stderr, "part/other-bundle");
  const model = readFileSync(named(good, 1));
  const at = model.indexOf(`limit ${size}`);
  model.write(`limit ${String(size + 300_000).slice(0, String(size).length)}`, at);
  const damaged = join(work, "damaged model.tar");
  writeFileSync(damaged, model);
  t.match(await run("split", bundle, "--like", damaged, "--only", "2"), { status: 1, stderr: "part/description" }, "a model that says another size would give parts that go with no others");
});
