/** The lines that differ between two bundles, and which of them a field explains: those that one of its origins takes part in. */

import { byCodeUnit } from "../core/json.ts";
import type { Origin } from "../core/origin.ts";
import type { DiffSide } from "./diff.ts";
import { isDerived } from "./diff-files.ts";
import { linesOf } from "./explain.ts";
import { differentLines, type Hunk } from "./line-diff.ts";
import { originsAt, type OriginsDocument } from "./origins.ts";
import { partsOf, type DocumentName } from "./record.ts";
import type { ValueDifference } from "./value-diff.ts";

export interface Sides<T> {
  readonly before: readonly T[];
  readonly after: readonly T[];
}

export type SideName = keyof Sides<unknown>;

export interface FileLines {
  readonly file: string;
  readonly lines: readonly number[];
}

/** A text that differs, or that only one side has. */
export interface Change {
  readonly file: string;
  readonly hunks: () => readonly Hunk[];
  /** What is there is what this build makes of its record: then nothing but fields can have changed a line. */
  readonly isMade: boolean;
}

function changedTexts(a: DiffSide, b: DiffSide): readonly Change[] {
  return [...new Set([...a.files.keys(), ...b.files.keys()])].sort(byCodeUnit).flatMap((file) => {
    const [x, y] = [a.files.get(file), b.files.get(file)];
    // No line of what is made of everything else is told of, and it has more lines than all the others.
    if (x?.sha256 === y?.sha256 || [x, y].some((each) => each !== undefined && (each.text === undefined || isDerived(file, each)))) return [];
    const isMade = (x === undefined || a.isMade(file)) && (y === undefined || b.isMade(file));
    const compare = (): readonly Hunk[] => differentLines(linesOf(x?.text ?? ""), linesOf(y?.text ?? ""));
    // Where no value caused a line, no field asks for them, and they are asked for once.
    const kept = [a, b].some(({ record }) => record.origins.files[file] !== undefined) ? compare() : undefined;
    return [{ file, hunks: () => kept ?? compare(), isMade }];
  });
}

/** From an origin to the changed lines that it takes part in, by file. */
type LinesByOrigin = ReadonlyMap<Origin, ReadonlyMap<string, readonly number[]>>;

function linesByOrigin(changes: readonly Change[], which: SideName, document: OriginsDocument): LinesByOrigin {
  const found = new Map<Origin, Map<string, number[]>>();
  for (const { file, hunks } of changes) {
    if (document.files[file] === undefined) continue;
    for (const line of hunks().flatMap((hunk) => hunk[which])) {
      for (const origin of new Set(originsAt(document, file, line).flatMap((span) => span.origins))) {
        const files = found.get(origin) ?? new Map<string, number[]>();
        const lines = files.get(file) ?? [];
        lines.push(line);
        found.set(origin, files.set(file, lines));
      }
    }
  }
  return found;
}

/** What one side's lines that changed are, by origin. */
export interface ChangedLines {
  readonly changes: readonly Change[];
  readonly byOrigin: Readonly<Record<SideName, LinesByOrigin>>;
}

export function changedLines(a: DiffSide, b: DiffSide): ChangedLines {
  const changes = changedTexts(a, b);
  return { changes, byOrigin: { before: linesByOrigin(changes, "before", a.record.origins), after: linesByOrigin(changes, "after", b.record.origins) } };
}

/** The lines that a field explains on both sides: those that it takes part in, and those that stand in the place of one of them. */
export function explainedBy(document: DocumentName, difference: ValueDifference, { changes, byOrigin }: ChangedLines): Sides<FileLines> {
  const claims = { before: claimedBy(document, difference, "before", byOrigin.before), after: claimedBy(document, difference, "after", byOrigin.after) };
  const files = changes.filter(({ file }) => claims.before.has(file) || claims.after.has(file));
  const linesOf = (which: SideName): readonly FileLines[] =>
    files.flatMap(({ file, hunks }) => {
      const [own, other] = which === "before" ? [claims.before.get(file), claims.after.get(file)] : [claims.after.get(file), claims.before.get(file)];
      const lines = hunks().flatMap((hunk) => {
        const opposite = which === "before" ? hunk.after : hunk.before;
        const isPaired = hunk.before.length === hunk.after.length;
        return hunk[which].filter((line, index) => own?.has(line) === true || (isPaired && other?.has(opposite[index] ?? 0) === true));
      });
      return lines.length === 0 ? [] : [{ file, lines }];
    });
  return { before: linesOf("before"), after: linesOf("after") };
}

/** By file. An entry that came or went moves those after it, so what comes of them is its doing as well. */
function claimedBy(document: DocumentName, difference: ValueDifference, which: SideName, changed: LinesByOrigin): ReadonlyMap<string, ReadonlySet<number>> {
  const own = new Set<Origin>([...(difference.before?.origins ?? []), ...(difference.after?.origins ?? [])]);
  const pointer = (difference.after ?? difference.before)?.pointer ?? "";
  const lists = difference.kind !== "changed" && /\/\d+$/.test(pointer) ? listsOf(own, document, pointer) : [];
  const moved = lists.length === 0 ? [] : [...changed.keys()].filter((origin) => lists.some((list) => origin.startsWith(list)));
  const claimed = new Map<string, Set<number>>();
  for (const origin of [...(difference[which]?.origins ?? []), ...moved]) {
    for (const [file, lines] of changed.get(origin) ?? []) claimed.set(file, new Set([...(claimed.get(file) ?? []), ...lines]));
  }
  return claimed;
}

/** What origins of the list begin with: an added secret moves the declared ones, so its own place and theirs are looked at. */
function listsOf(origins: ReadonlySet<Origin>, document: DocumentName, pointer: string): readonly string[] {
  const depth = pointer.split("/").length - 1;
  const written = [...origins].map(partsOf).filter(({ kind }) => kind === document).map(({ name }) => name.split("/").slice(0, depth).join("/"));
  return [...new Set([pointer.slice(0, pointer.lastIndexOf("/")), ...written])].map((list) => `${document}:${list}/`);
}
