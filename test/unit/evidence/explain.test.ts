/** Every value has an origin that can be told, and what a field of the spec changes is what explain says it takes part in. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { dump, load } from "js-yaml";
import t from "tap";

import type { File } from "../../../src/core/file.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { below, keysOf } from "../../../src/core/pointer.ts";
import { constants } from "../../../src/evidence/constants.ts";
import { explainField, explainFile, explainOrigins, readPointer } from "../../../src/evidence/explain.ts";
import type { OriginExplained } from "../../../src/evidence/explain.ts";
import { readRecord, valueAt, type BundleRecord } from "../../../src/evidence/record.ts";
import { remake, templateLinesOf } from "../../../src/evidence/trace.ts";
import { defaultNamed, defaultsAt } from "../../../src/spec/default-reasons.ts";
import { PLATFORM_DEFAULTS, RELEASE_DEFAULTS, SPEC_DEFAULTS } from "../../../src/spec/defaults.ts";
import { assets, caseNames, compose, composeText, specText, textOf, wellRead } from "../../golden/cases.ts";

function recordOf(files: readonly File[]): BundleRecord {
  const text = (name: string): string => textOf(files.find((file) => file.path === `evidence/${name}.json`));
  return wellRead(readRecord({ spec: text("spec"), release: text("release"), lock: text("lock"), origins: text("origins") }));
}

function linesAt(files: readonly File[], path: string): readonly string[] {
  const file = files.find((each) => each.path === path);
  return file === undefined ? [] : textOf(file).split("\n");
}

t.test("every origin of every golden case can be told: a value with its line, or a reason", (t) => {
  for (const name of caseNames) {
    const record = recordOf(compose(name).files);
    const explained = explainOrigins(record);
    const untold = record.origins.origins.filter((origin) => !isTold(explained(origin)));
    t.strictSame(untold, [], name);
  }
  t.end();
});

function isTold(explained: OriginExplained): boolean {
  switch (explained.kind) {
    case "default":
    case "constant":
      return explained.reason !== undefined;
    default:
      return explained.value !== undefined && explained.places.length === 1;
  }
}

t.test("every constant of the sources has its words, and every default its own name", (t) => {
  const root = join(import.meta.dirname, "../../../src");
  const used = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && path !== "evidence/constants.ts")
    .flatMap((path) => [...readFileSync(join(root, path), "utf8").matchAll(/"constant:([a-z-]+)"/g)].map((match) => match[1] as string));
  // What a template is measured with never reaches a bundle.
  t.strictSame([...new Set(used)].filter((name) => name !== "harmless").sort(), Object.keys(constants).sort());
  const names = [...SPEC_DEFAULTS, ...Object.values(PLATFORM_DEFAULTS).flat(), ...RELEASE_DEFAULTS].map((each) => each.name);
  t.equal(new Set(names).size, names.length);
  t.strictSame(names.filter((name) => defaultNamed(name)?.fills === undefined), []);
  t.equal(defaultNamed("of-another-version"), undefined);
  t.strictSame(defaultsAt("/users/3/sudo").map((each) => each.name), ["users", "sudo"]);
  t.strictSame(defaultsAt("/compute/tenant").map((each) => each.name), ["tenant-vcpus", "tenant-memory", "tenant-disk", "tenant-gpus"]);
  t.end();
});

t.test("a line with its template, its stretches and their origins", (t) => {
  const { files } = compose("everything");
  const record = recordOf(files);
  const made = remake(record, assets);
  const path = "site.env";
  const text = textOf(files.find((file) => file.path === path));
  const templateLines = templateLinesOf(made, path, text);
  const specFile = { name: "cologne.yaml", text: specText("everything") };
  const lines = explainFile(record, { path, text, source: "templates/common/site.env", templateLines }, explainOrigins(record, specFile));
  t.equal(lines.length, text.split("\n").length - 1);
  const line = lines.find((each) => each.text.startsWith("CB_CLOUDLET="));
  t.match(line, { line: 3, template: { path: "templates/common/site.env", line: 3 }, values: [{ start: 13, end: 24, text: "'cologne-5'", shows: true }] });
  const [origin] = line?.values[0]?.origins ?? [];
  t.match(origin, { kind: "spec", pointer: "/name", value: "cologne-5" });
  const place = origin?.kind === "spec" ? origin.places : [];
  t.match(specText("everything").split("\n")[(place[0]?.line ?? 0) - 1], /^name: cologne-5$/);
  t.match(linesAt(files, "evidence/spec.json")[(place[1]?.line ?? 0) - 1], /^ {2}"name": "cologne-5",$/);
  t.strictSame(explainFile(record, { path, text, source: undefined, templateLines }, explainOrigins(record), 1)[0]?.values, [], "a comment is the template's own");
  t.equal(templateLinesOf(made, path, `${text}# by hand\n`), undefined, "of a text that this build does not make, no template's line is told");
  const script = textOf(files.find((file) => file.path === "install.sh"));
  t.strictSame(templateLinesOf(made, "install.sh", script)?.slice(0, 3), [1, 2, 3]);
  t.strictSame(remake({ ...record, documents: { ...record.documents, spec: { ...record.documents.spec, text: "{}" } } }, assets).size, 0);
  t.end();
});

t.test("every line of a rendered file knows its line of the template", (t) => {
  for (const name of caseNames) {
    const wrong = compose(name).files.flatMap((file) => {
      const template = assets.get(file.source.replace(/^templates\//, ""))?.split("\n") ?? [];
      const known = file.templateLines;
      if (known === undefined) return [];
      const own = new Set(file.spans.map((span) => span.line));
      return linesAt([file], file.path).slice(0, -1).flatMap((line, index) => {
        const from = template[(known[index] ?? 0) - 1];
        return from !== undefined && (own.has(index + 1) || from.includes("{{") || from.trimEnd() === line.trimEnd()) ? [] : [`${file.path}:${index + 1} ${line}`];
      });
    });
    t.strictSame(wrong, [], name);
  }
  t.end();
});

/** Each field of the spec that may have another value, or be left out, with the spec that then comes of it. */
function edits(spec: Json, pointer = ""): readonly (readonly [string, readonly JsonObject[], "altered" | "removed"])[] {
  const whole = spec as JsonObject;
  const value = valueAt(spec, pointer);
  const removed = pointer === "" ? [] : [[pointer, [edited(whole, pointer, undefined)], "removed"] as const];
  if (typeof value !== "object" || value === null) {
    return [...removed, [pointer, otherValues(value as Json).map((other) => edited(whole, pointer, other)), "altered"]];
  }
  return [...removed, ...Object.keys(value).flatMap((key) => edits(spec, below(pointer, key)))];
}

function edited(spec: JsonObject, pointer: string, value: Json | undefined): JsonObject {
  const copy = structuredClone(spec) as Record<string, unknown>;
  const keys = [...keysOf(pointer)];
  const last = keys.pop() as string;
  const parent = keys.reduce<unknown>((here, key) => (here as Record<string, unknown>)[key], copy);
  if (value !== undefined) (parent as Record<string, unknown>)[last] = value;
  else if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as Record<string, unknown>)[last];
  return copy as JsonObject;
}

/** Some that may be valid in its place, near ones first. */
function otherValues(value: Json): readonly Json[] {
  if (typeof value === "boolean") return [!value];
  if (typeof value === "number") return [value + 1, value + 24, value + 4_096, value - 0.5];
  const text = String(value);
  const words = ["10.102.0.0/16", "::/1", "0.0.0.0/1", "no", "udp", "tcp", "management", "internet", "macvtap", "normal", "affinity", "start"];
  return [text.replace(/(\d)(\D*)$/, (_, digit: string, rest: string) => `${(Number(digit) + 1) % 10}${rest}`), `${text}x`, text.replace("/24", "/25"), ...words, text.slice(0, -1)].filter((each) => each !== text);
}

/** Their values stand in no text that is rendered; that they are there does something: a static address, a slot. */
const neverSeen: ReadonlySet<string> = new Set(["/networks/external/0/address/prefix", "/networks/external/0/address/gateway", "/kafka/user"]);

/** Taken out, these leave a slot of the same name that the IaaS's variables need; it goes last, and moves others. */
const comeBack: ReadonlySet<string> = new Set(["/secrets", "/secrets/0"]);

t.test("each field altered or removed: the lines that change are among those it takes part in", (t) => {
  const spec = load(specText("everything")) as JsonObject;
  const { files } = compose("everything");
  const record = recordOf(files);
  const paths = files.filter((file) => file.spans.length > 0).map((file) => file.path);
  const done = { altered: 0, removed: 0 };
  for (const [pointer, specs, kind] of edits(spec)) {
    const after = specs.map(filesOf).find((each) => each !== undefined);
    if (after === undefined) continue;
    done[kind] += 1;
    if (kind === "removed" && comeBack.has(pointer)) continue;
    const claims = new Set(claimed(record, pointer, kind).map(({ file, line }) => `${file}:${line}`));
    const changed = paths.flatMap((path) => changedLines(linesAt(files, path), linesAt(after, path)).map((line) => `${path}:${line}`));
    t.strictSame(changed.filter((line) => !claims.has(line)), [], `${pointer} ${kind}`);
    const isShown = explainField(record, pointer).lines.some((line) => line.shows);
    const isSeen = changed.length > 0 || paths.some((path) => linesAt(files, path).length !== linesAt(after, path).length);
    if (kind === "altered") t.ok(isSeen || !isShown || neverSeen.has(pointer), `${pointer}: a line that shows it depends on it`);
  }
  t.ok(done.altered > 85 && done.removed > 85, `${done.altered} fields altered, ${done.removed} removed`);
  t.end();
});

function filesOf(spec: JsonObject): readonly File[] | undefined {
  try {
    const outcome = composeText(dump(spec, { noRefs: true, lineWidth: -1 }));
    return outcome.ok ? outcome.value.files : undefined;
  } catch {
    // Not a sound spec: then it has no bundle to compare.
    return undefined;
  }
}

/** An entry that is taken out of a list moves those after it up, so what claims those is changed as well. */
function claimed(record: BundleRecord, pointer: string, kind: "altered" | "removed"): readonly { readonly file: string; readonly line: number }[] {
  const isEntry = kind === "removed" && /^\d+$/.test(keysOf(pointer).at(-1) ?? "");
  return explainField(record, isEntry ? pointer.slice(0, pointer.lastIndexOf("/")) : pointer).lines;
}

/** Lines of `before` that `after` does not have in their place; where lines came or went, that it has nowhere. */
function changedLines(before: readonly string[], after: readonly string[]): readonly number[] {
  const kept = new Set(after);
  return before.flatMap((text, index) => ((before.length === after.length ? after[index] === text : kept.has(text)) ? [] : [index + 1]));
}

t.test("a pointer as people write it; a record that is not one", (t) => {
  t.equal(readPointer("networks/dns/0"), "/networks/dns/0");
  t.equal(readPointer("/a~1b"), "/a~1b");
  t.equal(readPointer(""), "");
  t.equal(readPointer("/a~2"), undefined);
  const origins = JSON.stringify({ origins: ["spec:/a"], files: { f: { 1: ["1-2 0"] } } });
  const sound = { spec: "{}", release: "{}", lock: "{}", origins };
  t.ok(readRecord(sound).ok);
  for (const [name, text] of [["spec", "[]"], ["lock", "{"], ["origins", "{}"], ["origins", origins.replace("1-2 0", "1-2 1")], ["origins", origins.replace("spec:/a", "nix:/a")], ["origins", origins.replace("1-2 0", "x")]] as const) {
    t.match(readRecord({ ...sound, [name]: text }).issues, [{ code: "evidence/form" }], `${name} ${text}`);
  }
  t.end();
});
