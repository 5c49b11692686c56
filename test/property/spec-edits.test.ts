/**
 * 200 edits of a spec, each of one field, chosen by a seed: diff names the field in the group that an auditor expects and tells
 * of nothing else, and the lines that change are those that explain gives the field.
 *
 *   SEED=7 EDITS=2000 node test/property/spec-edits.test.ts       chooses others, and more
 */

import { dump, load } from "js-yaml";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import t from "tap";

import { hexOf, sha256 } from "../../src/core/digest.ts";
import type { File } from "../../src/core/file.ts";
import type { JsonObject } from "../../src/core/json.ts";
import { differences, type DiffFile, type DiffSide, type Difference } from "../../src/evidence/diff.ts";
import { explainField, linesOf } from "../../src/evidence/explain.ts";
import { differentLines } from "../../src/evidence/line-diff.ts";
import { readRecord } from "../../src/evidence/record.ts";
import { caseNames, composeText, specText, textOf, wellRead } from "../golden/cases.ts";
import { randomFrom } from "../random.ts";
import { expectedGroup } from "./field-groups.ts";
import { editsOf, type SpecEdit } from "./spec-edits.ts";

const seed = Number(process.env["SEED"] ?? "1");
const wanted = Number(process.env["EDITS"] ?? "200");

t.setTimeout(600_000);

const bundles = join(import.meta.dirname, "../../bundles");
const specs: readonly (readonly [string, JsonObject])[] = [
  ...caseNames.map((name) => [name, specText(name)] as const),
  ...readdirSync(bundles).sort().map((name) => [name, readFileSync(join(bundles, name, "cloudlet.yaml"), "utf8")] as const),
].map(([name, text]) => [name, load(text) as JsonObject]);

/** In an order by chance, but each field and kind of edit once before any comes again. */
function chosen(): readonly { readonly name: string; readonly spec: JsonObject; readonly edit: SpecEdit }[] {
  const random = randomFrom(seed);
  const all = specs.flatMap(([name, spec]) => editsOf(spec).map((edit) => ({ name, spec, edit, at: random() }))).sort((a, b) => a.at - b.at);
  const seen = new Map<string, number>();
  const turns = all.map((each) => {
    const field = `${each.edit.kind} ${each.edit.pointer.replace(/\/\d+(?=\/|$)/g, "/*")}`;
    const turn = seen.get(field) ?? 0;
    seen.set(field, turn + 1);
    return { ...each, turn };
  });
  return turns.sort((a, b) => a.turn - b.turn || a.at - b.at);
}

interface Made extends DiffSide {
  readonly drawn: readonly File[];
}

function madeOf(spec: JsonObject): Made | undefined {
  const drawn = drawnOf(spec);
  if (drawn === undefined) return undefined;
  const text = (name: string): string => textOf(drawn.find((file) => file.path === `evidence/${name}.json`));
  const record = wellRead(readRecord({ spec: text("spec"), release: text("release"), lock: text("lock"), origins: text("origins") }));
  const files = drawn.filter((file) => file.role !== "script").map((file): [string, DiffFile] => [file.path, { mode: "0644", role: file.role, sha256: hexOf(sha256(textOf(file))), text: textOf(file) }]);
  return { drawn, record, files: new Map(files), fingerprint: undefined, generator: "g 1", isMade: () => true };
}

function drawnOf(spec: JsonObject): readonly File[] | undefined {
  try {
    const outcome = composeText(dump(spec, { noRefs: true, lineWidth: -1 }));
    return outcome.ok ? outcome.value.files : undefined;
  } catch {
    // Not a sound spec: then it has no bundle to compare.
    return undefined;
  }
}

const plain = (pointer: string): string => pointer.replace(/\/\d+(?=\/|$)/g, "");

/** The field itself, what holds it, or what lies below it; an entry may stand elsewhere afterwards. */
function isNear(name: string, pointer: string): boolean {
  const [one, other] = [`${plain(name)}/`, `${plain(pointer)}/`];
  return one.startsWith(other) || other.startsWith(one);
}

/** Of fields that others decide where they are left out: what changes with them is told as well. */
const decided: readonly (readonly [changed: RegExp, follows: RegExp])[] = [
  // The first network that has a default route gets it; slots for the IaaS's credentials and for what the guest is told come and go.
  [/^\/networks\/external\//, /^\/networks\/external\/\d+\/(defaultRoute|purpose)$/],
  [/^\/(networks|kafka|environment|gpu|access|secrets|platform)/, /^\/secrets(\/|$)/],
];

function follows({ subject, name }: Difference, pointer: string): boolean {
  return subject === "spec" && (isNear(name, pointer) || decided.some(([changed, follow]) => changed.test(pointer) && follow.test(name)));
}

/**
 * Changed lines that explain does not give the field. On the side that does not have it, nothing can be given to it: there its
 * neighbours have only moved up or down.
 */
function unexplained(before: Made, after: Made, { kind, pointer }: SpecEdit): readonly string[] {
  // An entry that came or went moves those after it.
  const asked = /\/\d+$/.test(pointer) && kind !== "altered" ? pointer.slice(0, pointer.lastIndexOf("/")) : pointer;
  const claims = (side: Made): ReadonlySet<string> => new Set(explainField(side.record, asked).lines.map(({ file, line }) => `${file}:${line}`));
  const [claimsBefore, claimsAfter] = [claims(before), claims(after)];
  return before.drawn.filter((file) => file.spans.length > 0).flatMap((file) => {
    const other = after.drawn.find((each) => each.path === file.path);
    if (other === undefined) return [];
    const [own, others] = [linesOf(textOf(file)), linesOf(textOf(other))];
    const [kept, known] = [new Set(others), new Set(own)];
    return differentLines(own, others).flatMap((hunk) => {
      const isPaired = hunk.before.length === hunk.after.length;
      const isClaimed = (index: number, side: "before" | "after"): boolean => {
        const [mine, theirs] = side === "before" ? [claimsBefore, claimsAfter] : [claimsAfter, claimsBefore];
        const [line, opposite] = side === "before" ? [hunk.before[index], hunk.after[index]] : [hunk.after[index], hunk.before[index]];
        return mine.has(`${file.path}:${line}`) || (isPaired && theirs.has(`${file.path}:${opposite}`));
      };
      // A line that both have has only moved; an empty one has no place for a value.
      const gone = hunk.before.flatMap((line, index) => (kind === "added" || kept.has(own[line - 1] ?? "") || own[line - 1]?.trim() === "" || isClaimed(index, "before") ? [] : [`- ${file.path}:${line} ${own[line - 1]}`]));
      const come = hunk.after.flatMap((line, index) => (kind === "removed" || known.has(others[line - 1] ?? "") || others[line - 1]?.trim() === "" || isClaimed(index, "after") ? [] : [`+ ${file.path}:${line} ${others[line - 1]}`]));
      return [...gone, ...come];
    });
  });
}

function hasSameTexts(before: Made, after: Made): boolean {
  return before.drawn.filter((file) => file.role !== "evidence").every((file) => textOf(file) === textOf(after.drawn.find((each) => each.path === file.path) ?? file));
}

t.test(`${wanted} edits of one field, seed ${seed}`, (t) => {
  const whole = new Map<string, Made>();
  const fields = new Set<string>();
  let done = 0;
  for (const { name, spec, edit } of chosen()) {
    if (done === wanted) break;
    const before = whole.get(name) ?? (madeOf(spec) as Made);
    whole.set(name, before);
    const after = firstSound(edit);
    if (after === undefined) continue;
    done += 1;
    fields.add(plain(edit.pointer));
    const what = `${name}: ${edit.pointer} ${edit.kind}`;
    const found = differences(before, after);
    if (hasSameTexts(before, after)) {
      // What a default fills in was written out or left out: nothing but the spec's own text is another one.
      const isForm = found.length === 1 && found[0]?.group === "cosmetic" && found[0].name === "evidence/spec.json";
      if (isForm) continue;
    }
    t.ok(found.some((each) => isNear(each.name, edit.pointer)), `${what}: is told`);
    t.strictSame(found.filter((each) => !follows(each, edit.pointer)).map((each) => `${each.subject} ${each.name}`), [], `${what}: and nothing else`);
    t.strictSame(found.filter((each) => each.group !== expectedGroup(each.name)).map((each) => `${each.group} ${each.name}, not ${expectedGroup(each.name)}`), [], `${what}: in its group`);
    // Taken out, a slot that the IaaS's variables need comes back by itself, as the last: everything between has another number.
    const comesBack = edit.kind === "removed" && /^\/secrets\/\d+$/.test(edit.pointer) && !found.some((each) => each.kind === "removed");
    if (!comesBack) t.strictSame(unexplained(before, after, edit), [], `${what}: explain gives it the lines`);
  }
  t.equal(done, wanted);
  t.ok(fields.size > 100, `${fields.size} fields`);
  t.end();
});

function firstSound(edit: SpecEdit): Made | undefined {
  for (const spec of edit.specs()) {
    const made = madeOf(spec);
    if (made !== undefined) return made;
  }
  return undefined;
}
