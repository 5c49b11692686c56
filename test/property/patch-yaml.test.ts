/** Edits of YAML texts by their values: the patched text says what was asked for, and what wasn't touched is as it was, to the byte. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import t from "tap";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { below, keysOf } from "../../src/core/pointer.ts";
import { valueAt } from "../../src/evidence/record.ts";
import { platforms } from "../../src/platforms/registry.ts";
import { patchYaml } from "../../src/spec/patch-yaml.ts";
import { marksOf, readYaml } from "../../src/spec/read-yaml.ts";
import { starterSpec } from "../../src/spec/starter.ts";

const root = join(import.meta.dirname, "../..");

const odd = `# Everything that YAML lets one write, and people do.
---
name: 'single ''quoted'''   # a comment behind
text: "double \\"quoted\\""
block: |  # header's comment
  first line
   second line

folded: >-
  one
  two
empty:
nothing: ~
flow: {a: 1, b: [x, y,], "c d": {e: f}}   # behind braces
long: {
  a: 1, # in braces
  b: 2 }
list:
- at the key's own column   # one
# between
- {mode: dhcp}
- name: deep   # on the dash's line
  # a comment inside
  more:
      far: in
      list:

        - 1

        - 2
-
  name: below its dash
lists: [ ]
nested:
  - - a
    - b
  - - c
"quoted key": yes it is
last: 1`;

const texts = [
  odd,
  ...platforms.map(({ name }) => starterSpec(name)),
  ...readdirSync(join(root, "bundles")).sort().map((name) => readFileSync(join(root, "bundles", name, "cloudlet.yaml"), "utf8")),
  readFileSync(join(root, "test/golden/everything/spec.yaml"), "utf8"),
];

interface Node {
  readonly pointer: string;
  readonly value: Json;
}

function nodesOf(value: Json, pointer = ""): readonly Node[] {
  if (typeof value !== "object" || value === null) return [{ pointer, value }];
  return [{ pointer, value }, ...Object.entries(value).flatMap(([key, each]) => nodesOf(each as Json, below(pointer, key)))];
}

/** The value with another one at the pointer; without it where there is none. */
function edited(value: Json, pointer: string, other: Json | undefined): Json {
  const copy = structuredClone(value) as Record<string, Json>;
  const keys = [...keysOf(pointer)];
  const last = keys.pop();
  if (last === undefined) return other ?? null;
  const parent = keys.reduce((here, key) => here[key] as unknown as Record<string, Json>, copy);
  if (other !== undefined) parent[last] = other;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete parent[last];
  return copy as unknown as Json;
}

const hostileTexts = ["", " ", "yes", "0o17", "1_000", "~", "null", "2026-01-01", "a: b", "a #b", "#", "- x", "{x", "]", "'", '"', "\n", "line\nline\n", "\t", "é", "\u202e", "\u2028", "😀", "\u0085x", "%", "@", "`", "!!str", "&a", "*a", "---", "...", "<<", "=", "190:20:30", "\\", "2001:db8::1/64", "ssh-ed25519 AAAA x@y", "203.0.113.0/24", "__proto__", "constructor"];
const scalar = fc.oneof(fc.constantFrom<Json[]>(...hostileTexts), fc.string({ maxLength: 12 }), fc.integer(), fc.boolean(), fc.constant(null)) as fc.Arbitrary<Json>;
const key = fc.oneof(fc.constantFrom("added", "x-1", "a: b", "yes", "é"), fc.string({ minLength: 1, maxLength: 8 })).filter((each) => each !== "__proto__");
const anything = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.dictionary(key, scalar, { maxKeys: 3, noNullPrototype: true }), fc.array(fc.dictionary(key, scalar, { maxKeys: 3, noNullPrototype: true }), { maxLength: 2 }), fc.constant({}), fc.constant([]), fc.constant({ mode: "static", ip: "203.0.113.10", prefix: 28 })) as fc.Arbitrary<Json>;

function read(text: string): Json {
  const { value, issues } = readYaml(text);
  if (value === undefined || issues.length > 0) throw new Error(`${JSON.stringify(issues)}\n${text}`);
  return value;
}

function commentsOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => /^\s*#/.test(line));
}

/** All of `some` are among `all`, in this order. */
function isWithin(some: readonly string[], all: readonly string[]): boolean {
  let at = 0;
  for (const line of all) if (line === some[at]) at += 1;
  return at === some.length;
}

const place = fc.nat();

t.test("any number of edits: the text says what was asked for", (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...texts), fc.array(fc.tuple(place, fc.oneof({ weight: 3, arbitrary: anything }, fc.constant(undefined)), fc.boolean(), key), { minLength: 1, maxLength: 6 }), (text, edits) => {
      let value = read(text);
      for (const [index, other, isNew, name] of edits) {
        const nodes = nodesOf(value);
        const { pointer, value: here } = nodes[index % nodes.length] as Node;
        if (pointer === "" && !isNew) continue;
        if (isNew && Array.isArray(here)) value = edited(value, pointer, [...(here as Json[]), other ?? "x"]);
        else if (isNew && typeof here === "object" && here !== null) value = edited(value, pointer, { ...(here as JsonObject), [name]: other ?? 1 });
        else value = edited(value, pointer, other);
      }
      const patched = patchYaml(text, value);
      t.strictSame(read(patched ?? ""), value);
      if (text.startsWith("#") && typeof value === "object" && Object.keys(value as object).some((each) => Object.hasOwn(read(text) as object, each))) t.ok(patched?.startsWith(text.slice(0, text.indexOf("\n"))), `${patched}`);
      return true;
    }),
    { numRuns: 1_500, seed: 20261130 },
  );
  t.end();
});

t.test("one scalar for another: only its own lines are other ones", (t) => {
  for (const text of texts) {
    const value = read(text);
    const marks = marksOf(text);
    for (const { pointer, value: here } of nodesOf(value)) {
      const mark = marks.get(pointer);
      if (typeof here === "object" || mark === undefined || String(here).includes("\n") || /^\/(folded|empty|nothing)/.test(pointer)) continue;
      const other = typeof here === "number" ? here + 1 : typeof here === "boolean" ? !here : `${here}x`;
      const patched = patchYaml(text, edited(value, pointer, other)) ?? "";
      t.strictSame(valueAt(read(patched), pointer), other);
      t.equal(patched.slice(0, mark.start), text.slice(0, mark.start), pointer);
      t.equal(patched.slice(patched.length - (text.length - mark.end)), text.slice(mark.end), pointer);
    }
  }
  t.end();
});

t.test("a new entry or item leaves every line that there is, in a block", (t) => {
  for (const text of texts) {
    const value = read(text);
    const marks = marksOf(text);
    for (const { pointer, value: here } of nodesOf(value)) {
      if (typeof here !== "object" || here === null || Object.keys(here).length === 0 || /^[[{]/.test(text.slice(marks.get(pointer)?.start))) continue;
      const parents = keysOf(pointer).map((_, index) => below("", ...keysOf(pointer).slice(0, index)));
      if (parents.some((each) => /^[[{]/.test(text.slice(marks.get(each)?.start)))) continue;
      const more: Json = Array.isArray(here) ? [...(here as Json[]), { name: "new", address: { mode: "dhcp" } }] : { ...(here as JsonObject), added: ["x", "y"] };
      const patched = patchYaml(text, edited(value, pointer, more)) ?? "";
      t.strictSame(valueAt(read(patched), pointer), more);
      t.ok(isWithin(text.trimEnd().split("\n"), patched.split("\n")), `${pointer}\n${patched}`);
    }
  }
  t.end();
});

t.test("what is removed takes its own lines along and no comment of another line", (t) => {
  for (const text of texts) {
    const value = read(text);
    const marks = marksOf(text);
    for (const { pointer } of nodesOf(value)) {
      if (pointer === "" || /^\/(nested|list\/2\/name|flow|long)|\/name$/.test(pointer)) continue;
      const patched = patchYaml(text, edited(value, pointer, undefined)) ?? "";
      const mark = marks.get(pointer);
      const own = commentsOf(text.slice(mark?.key?.start ?? mark?.start, mark?.end));
      t.ok(isWithin(commentsOf(text).filter((line) => !own.includes(line)), commentsOf(patched)), `${pointer}\n${patched}`);
    }
  }
  t.end();
});

t.test("hostile texts are kept as they are", (t) => {
  for (const text of hostileTexts) {
    const patched = patchYaml("# a spec\nname: x # its name\nlist: [a]\n", { name: text, list: [text] }) ?? "";
    t.strictSame(read(patched), { name: text, list: [text] }, encodeURIComponent(text));
    t.match(patched, /^# a spec\nname: .* # its name\n/);
  }
  t.end();
});

t.test("a text that is no sound YAML is not patched", (t) => {
  for (const text of ["", "a: [", "a: 1\na: 2\n", "a: &x 1\n", "\u0000"]) t.equal(patchYaml(text, { a: 3 }), undefined);
  t.end();
});
