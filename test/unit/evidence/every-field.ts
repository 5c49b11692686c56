/**
 * Each field of a spec altered, or removed: explain names the lines that change, diff names the field, in its group and
 * nothing else. Two files of tests share this, for each takes a while.
 */

import { dump, load } from "js-yaml";
import type { Test } from "tap";

import { hexOf, sha256 } from "../../../src/core/digest.ts";
import type { File } from "../../../src/core/file.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";
import { below, keysOf } from "../../../src/core/pointer.ts";
import { differences, type DiffFile, type DiffSide } from "../../../src/evidence/diff.ts";
import { ruleFor } from "../../../src/evidence/diff-rules.ts";
import { explainField } from "../../../src/evidence/explain.ts";
import { readRecord, valueAt, type BundleRecord } from "../../../src/evidence/record.ts";
import { compose, composeText, specText, textOf, wellRead } from "../../golden/cases.ts";

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

function recordOf(files: readonly File[]): BundleRecord {
  const text = (name: string): string => textOf(files.find((file) => file.path === `evidence/${name}.json`));
  return wellRead(readRecord({ spec: text("spec"), release: text("release"), lock: text("lock"), origins: text("origins") }));
}

/** As it comes from a bundle that this build made. */
function sideOf(files: readonly File[]): DiffSide {
  // Scripts are the same in both.
  const own = files.filter((file) => file.role !== "script").map((file): [string, DiffFile] => [file.path, { mode: "0644", role: file.role, sha256: hexOf(sha256(textOf(file))), text: textOf(file) }]);
  return { record: recordOf(files), files: new Map(own), fingerprint: undefined, generator: "g 1", isMade: () => true };
}

function linesAt(files: readonly File[], path: string): readonly string[] {
  const file = files.find((each) => each.path === path);
  return file === undefined ? [] : textOf(file).split("\n");
}

/** Throws nothing: each field has its own test in `t`. */
export function checkEveryField(t: Test, which: "altered" | "removed"): void {
  const spec = load(specText("everything")) as JsonObject;
  const { files } = compose("everything");
  const record = recordOf(files);
  const whole = sideOf(files);
  const paths = files.filter((file) => file.spans.length > 0).map((file) => file.path);
  let done = 0;
  for (const [pointer, specs, kind] of edits(spec)) {
    if (kind !== which) continue;
    const after = firstSound(specs);
    if (after === undefined) continue;
    done += 1;
    const found = differences(whole, sideOf(after));
    t.strictSame(found.filter((each) => each.subject !== "spec").map((each) => `${each.subject} ${each.name}`), [], `${pointer} ${kind}: a field explains all of it`);
    t.ok(found.every((each) => each.group === ruleFor("spec", each.name).group && isNear(each.name, pointer)) && found.length > 0, `${pointer} ${kind}: ${found.map((each) => `${each.group} ${each.name}`).join(", ")}`);
    if (kind === "removed" && comeBack.has(pointer)) continue;
    const claims = new Set(claimed(record, pointer, kind).map(({ file, line }) => `${file}:${line}`));
    const changed = paths.flatMap((path) => changedLines(linesAt(files, path), linesAt(after, path)).map((line) => `${path}:${line}`));
    t.strictSame(changed.filter((line) => !claims.has(line)), [], `${pointer} ${kind}`);
    const isShown = explainField(record, pointer).lines.some((line) => line.shows);
    const isSeen = changed.length > 0 || paths.some((path) => linesAt(files, path).length !== linesAt(after, path).length);
    if (kind === "altered") t.ok(isSeen || !isShown || neverSeen.has(pointer), `${pointer}: a line that shows it depends on it`);
  }
  t.ok(done > 85, `${done} fields ${which}`);
}

/** The files of the first of them that has a bundle. */
function firstSound(specs: readonly JsonObject[]): readonly File[] | undefined {
  for (const spec of specs) {
    const files = filesOf(spec);
    if (files !== undefined) return files;
  }
  return undefined;
}

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

/** The field, what holds it or is below it; a list's entry may stand elsewhere afterwards; a default that others decide. */
function isNear(name: string, pointer: string): boolean {
  const plain = (text: string): string => text.replace(/\/\d+(?=\/|$)/g, "");
  const [one, other] = [`${plain(name)}/`, `${plain(pointer)}/`];
  return one.startsWith(other) || other.startsWith(one) || /^\/(networks\/external\/\d+\/defaultRoute|secrets\/)/.test(name);
}
