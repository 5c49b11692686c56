/** Deltas: base and delta are the new bundle to the byte; whatever is not what it must be makes nothing. */

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import { parseRecipe, recipeText, type Recipe } from "../../../src/pack/delta.ts";
import { madeBundles } from "./made.ts";

const work = mkdtempSync(join(tmpdir(), "cloudlet delta-"));
t.teardown(() => rmSync(work, { recursive: true, force: true }));
t.setTimeout(300_000);
const { bundle, other, fingerprint, run } = await madeBundles(work);
const target = readFileSync(other);
const file = join(work, "d.tar");
const made = await run("delta", bundle, other, "--out", file, "--quiet", "--json");
t.equal(made.status, 0, made.stderr);
const delta = readFileSync(file);
const apply = (base: string, from: string, out: string): ReturnType<typeof run> => run("delta", "--apply", base, from, "--trust", fingerprint, "--out", out, "--quiet");

t.test("it holds only what is new", async (t) => {
  const { size, copied } = JSON.parse(made.stdout) as { readonly size: number; readonly copied: number };
  t.equal(size, delta.byteLength);
  // The image is the same, and of the payload all layers are.
  t.ok(copied > 400_000, `${copied} bytes copied`);
  t.notOk(delta.includes(readFileSync(bundle).subarray(-300_000, -299_900)) && copied < 400_000);
  const steps = (JSON.parse(execFileSync("tar", ["-xOf", file, "delta.json"], { encoding: "utf8" })) as { readonly steps: readonly string[] }).steps;
  t.ok(steps.some((step) => step.startsWith("base ")));
  const none = await run("delta", bundle, bundle, "--out", join(work, "none.tar"), "--quiet", "--json");
  t.ok((JSON.parse(none.stdout) as { readonly size: number }).size < 100_000, "of the same bundle, only headers and the seal");
});

t.test("round trip: from a tar, a folder, and parts; there and back", async (t) => {
  const unpacked = join(work, "unpacked");
  mkdirSync(unpacked);
  execFileSync("tar", ["-xf", bundle, "-C", unpacked]);
  const parts = join(work, "parts");
  const least = Number(/at least (\d+) bytes/.exec((await run("split", bundle, "--size", "1")).stderr)?.[1]);
  await run("split", bundle, "--size", String(least + 150_000), "--out", parts, "--quiet");
  for (const base of [bundle, unpacked, parts]) {
    const out = join(work, "b");
    const said = await apply(base, file, out);
    t.equal(said.status, 0, said.stderr);
    t.match(said.stdout, `signed by    ${fingerprint}`);
    t.ok(readFileSync(out).equals(target));
    rmSync(out);
  }
  t.equal((await run("delta", other, unpacked, "--out", join(work, "back.tar"), "--quiet")).status, 0);
  t.equal((await apply(other, join(work, "back.tar"), join(work, "a"))).status, 0);
  t.ok(readFileSync(join(work, "a")).equals(readFileSync(bundle)));
});

t.test("it is not applied where the base is not proven complete, or another one", async (t) => {
  const out = join(work, "never");
  const damaged = join(work, "damaged.tar");
  for (const at of [0.3, 0.8, 0.999]) {
    const bytes = readFileSync(bundle);
    bytes.writeUInt8(bytes.readUInt8(Math.floor(bytes.byteLength * at)) ^ 1, Math.floor(bytes.byteLength * at));
    writeFileSync(damaged, bytes);
    t.match((await apply(damaged, file, out)).stderr, "delta/base");
  }
  truncateSync(damaged, readFileSync(bundle).byteLength - 100_000);
  t.match((await apply(damaged, file, out)).stderr, "delta/base");
  t.match((await apply(other, file, out)).stderr, "delta/other-base");
  // Who signed the base plays no part: what is made of it is judged.
  t.match((await run("delta", "--apply", bundle, file, "--out", out)).stderr, /verify\/no-trust/);
  t.match((await run("delta", "--apply", bundle, file, "--trust", `SHA256:${"1".repeat(64)}`, "--out", out)).stderr, /verify\/other-key[\s\S]*delta\/target/);
  t.equal((await run("delta", damaged, other, "--out", out)).status, 1);
  t.notOk(existsSync(out));
});

t.test("a delta that is damaged, cut or lies makes nothing", async (t) => {
  const out = join(work, "never");
  const bad = join(work, "bad.tar");
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: delta.byteLength - 1 }), fc.integer({ min: 0, max: 7 }), async (at, bit) => {
      const bytes = Buffer.from(delta);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
      writeFileSync(bad, bytes);
      const said = await apply(bundle, bad, out);
      // Padding and the last blocks of a delta say nothing; then the bundle is the right one.
      const isRight = said.status === 0 && readFileSync(out).equals(target);
      if (existsSync(out)) rmSync(out);
      return isRight || (said.status === 1 && /delta\/(form|target|other-base)/.test(said.stderr));
    }),
    { numRuns: 25, seed: 3 },
  );
  copyFileSync(file, bad);
  truncateSync(bad, delta.byteLength - 600);
  t.match((await apply(bundle, bad, out)).stderr, "delta/form");
  t.match((await apply(bundle, bundle, out)).stderr, "delta/form");
  t.notOk(existsSync(out));
  t.strictSame(readdirSync(work).filter((name) => name.startsWith(".")), []);
});

t.test("what no sum lists is that of the target, too, where nobody looks at signatures", async (t) => {
  const pem = Buffer.from("-----END PUBLIC KEY-----");
  const key = delta.indexOf(pem, delta.indexOf(Buffer.concat([Buffer.from("SHA256SUMS.pub"), Buffer.alloc(80)])));
  const signature = delta.indexOf(Buffer.concat([Buffer.from("SHA256SUMS.sig"), Buffer.alloc(80)])) + 512;
  for (const at of [key, signature + 20]) {
    const bytes = Buffer.from(delta);
    bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
    writeFileSync(join(work, "bad.tar"), bytes);
    const said = await run("delta", "--apply", bundle, "bad.tar", "--trust", "none", "--out", "never", "--quiet");
    t.match(said, { status: 1, stderr: "delta/target" });
    t.notOk(existsSync(join(work, "never")));
  }
  const unasked = await run("delta", "--apply", bundle, file, "--out", "never", "--quiet");
  t.match(unasked, { status: 1, stderr: "verify/no-trust" });
  t.notMatch(unasked.stderr, "delta/target", "a delta that is good is not called damaged");
});

t.test("a recipe is possible, or it is none", (t) => {
  const side = { name: "a.tar", size: 1_000, sums: "0".repeat(64) };
  const recipe: Recipe = { base: side, target: { ...side, size: 300, seal: "1".repeat(64) }, steps: [{ from: "delta", start: 0, end: 100 }, { from: "base", start: 900, end: 1_000 }, { from: "delta", start: 100, end: 200 }] };
  t.strictSame(parseRecipe(recipeText(recipe)), recipe);
  const wrong: readonly Recipe[] = [
    { ...recipe, base: { ...side, size: 999 } },
    { ...recipe, target: { ...recipe.target, size: 1_000 } },
    { ...recipe, target: { ...recipe.target, seal: "1" } },
    { ...recipe, target: side as Recipe["target"] },
    { ...recipe, steps: [...recipe.steps].reverse() },
    { ...recipe, steps: [] },
    { ...recipe, base: { ...side, name: "../a.tar" } },
    { ...recipe, target: { ...recipe.target, name: "/etc/a.tar" } },
    { ...recipe, target: { ...recipe.target, name: ".a.tar" } },
    { ...recipe, base: { ...side, sums: "" } },
    { ...recipe, steps: [{ from: "delta", start: 5, end: 5 }, ...recipe.steps] },
  ];
  for (const each of wrong) t.equal(parseRecipe(recipeText(each)), undefined, JSON.stringify(each));
  for (const text of ["", "[]", "null", "{}", recipeText(recipe).replace("\n", ""), recipeText(recipe).replace("base 900", "disk 900")]) t.equal(parseRecipe(text), undefined, text.slice(0, 20));
  t.end();
});
