/** What no field explains of two bundles' files: ones that came or went, lines that are the template's own or a hand's, modes. */

import { byCodeUnit } from "../core/json.ts";
import type { Origin } from "../core/origin.ts";
import { trustFolder } from "../pack/layout.ts";
import { constantNamed } from "./constants.ts";
import type { DiffFile, DiffSide, Difference, ToldOrigin } from "./diff.ts";
import { effectsOf, type Effect } from "./diff-effects.ts";
import type { Change, FileLines, SideName, Sides } from "./diff-lines.ts";
import { fileGroup, groups, severities, type Group } from "./diff-rules.ts";
import { recordPaths, type DocumentName } from "./record.ts";
import { isOnlyForm } from "./same-meaning.ts";

/** A field that differs, with the lines that it explains. */
export interface ExplainedField {
  readonly document: DocumentName;
  readonly lines: Sides<FileLines>;
}

/** Without what is made of the rest: see `derivedDifferences`. */
export function fileDifferences(a: DiffSide, b: DiffSide, changes: readonly Change[], fields: readonly ExplainedField[]): readonly Difference[] {
  const changeOf = new Map(changes.map((change) => [change.file, change]));
  const explained = { before: explainedLines(fields, "before"), after: explainedLines(fields, "after") };
  const found = pathsOf(a, b).flatMap((path): readonly Difference[] => {
    const [x, y] = [a.files.get(path), b.files.get(path)];
    const change = changeOf.get(path);
    if (x === undefined || y === undefined) {
      // A field that says so on one of its lines brought it or took it away.
      const isExplained = change?.isMade === true && (explained.before.has(path) || explained.after.has(path));
      return isExplained ? [] : [cameOrWent(path, x, y)];
    }
    const mode = x.mode === y.mode ? [] : [{ ...fileDifference("changed", path, "privilege"), subject: "mode" as const, before: x.mode, after: y.mode }];
    if (x.sha256 === y.sha256 || isDerived(path, x) || followsFromFields(path, [a, b], fields)) return mode;
    // Its fields say the same, or it would have followed from them: a default was written out, say.
    if (isDocument(path)) return [...mode, changedFile(path, x, y, "cosmetic")];
    const hunks = change?.hunks() ?? [];
    const left = (which: SideName): readonly number[] => hunks.flatMap((hunk) => hunk[which]).filter((line) => explained[which].get(path)?.has(line) !== true);
    const lines = { before: left("before"), after: left("after") };
    if (change !== undefined && (change.isMade || lines.before.length + lines.after.length === 0)) return mode;
    return [...mode, changedFile(path, x, y, fileGroup(path, x.role), lines)];
  });
  // Reading what files do takes its time, and most pairs have no such file.
  if (!found.some(({ subject, kind }) => subject === "file" && kind === "changed")) return found;
  const [ofA, ofB] = [effectsOf(a), effectsOf(b)];
  const effects = { before: unexplainedEffects(ofA, ofB, explained.before), after: unexplainedEffects(ofB, ofA, explained.after) };
  return found.map((difference) => (difference.subject === "file" && difference.kind === "changed" ? withEffects(difference, effects) : difference));
}

/** The evidence that is made of everything else differs where anything does: it is told where nothing else is there to tell. */
export function derivedDifferences(a: DiffSide, b: DiffSide): readonly Difference[] {
  return pathsOf(a, b).flatMap((path) => {
    const [x, y] = [a.files.get(path), b.files.get(path)];
    return x === undefined || y === undefined || x.sha256 === y.sha256 || !isDerived(path, x) ? [] : [changedFile(path, x, y, fileGroup(path, x.role))];
  });
}

function pathsOf(a: DiffSide, b: DiffSide): readonly string[] {
  return [...new Set([...a.files.keys(), ...b.files.keys()])].sort(byCodeUnit);
}

function isDocument(path: string): boolean {
  return path === recordPaths.spec || path === recordPaths.release || path === recordPaths.lock;
}

/** Evidence that is made of everything else. */
export function isDerived(path: string, { role }: Pick<DiffFile, "role">): boolean {
  return role === "evidence" && !isDocument(path);
}

/** A document whose fields are told; a blob that each side's lock names, where these differ. */
function followsFromFields(path: string, sides: readonly DiffSide[], fields: readonly ExplainedField[]): boolean {
  if (isDocument(path)) return fields.some(({ document }) => recordPaths[document] === path);
  return fields.some(({ document }) => document === "lock") && sides.every(({ files, record }) => {
    const file = files.get(path);
    return file !== undefined && file.text === undefined && record.documents.lock.text.includes(`sha256:${file.sha256}`);
  });
}

function explainedLines(fields: readonly ExplainedField[], which: SideName): ReadonlyMap<string, ReadonlySet<number>> {
  const all = Map.groupBy(fields.flatMap(({ lines }) => lines[which]), ({ file }) => file);
  return new Map([...all].map(([file, each]) => [file, new Set(each.flatMap(({ lines }) => lines))]));
}

/** What the files of one side do and the other's don't, where no field explains the line that says it. */
function unexplainedEffects(own: readonly Effect[], other: readonly Effect[], explained: ReadonlyMap<string, ReadonlySet<number>>): readonly Effect[] {
  const known = new Set(other.map(({ key }) => key));
  return own.filter(({ key, place }) => !known.has(key) && explained.get(place.file)?.has(place.line ?? 0) !== true);
}

/** A file's line says whom it lets in now, say, which weighs more than that the file is another one. */
function withEffects(difference: Difference, effects: Sides<Effect>): Difference {
  const own = (which: SideName): readonly Effect[] => effects[which].filter(({ place }) => place.file === difference.name);
  const [before, after] = [own("before"), own("after")];
  const group = groups.find((each) => [...before, ...after].some((effect) => effect.group === each));
  if (group === undefined || difference.group === "cosmetic") return difference;
  const words = (found: readonly Effect[]): string => [...new Set(found.map((effect) => effect.words))].join(", ");
  return { ...difference, group, severity: severities[group], ...(before.length === 0 ? {} : { before: words(before) }), ...(after.length === 0 ? {} : { after: words(after) }) };
}

/** Of a trust policy, what it says: a few lines. */
function cameOrWent(path: string, before: DiffFile | undefined, after: DiffFile | undefined): Difference {
  const file = before ?? after;
  const told = path.startsWith(trustFolder) ? { ...(before?.text === undefined ? {} : { before: before.text }), ...(after?.text === undefined ? {} : { after: after.text }) } : {};
  return fileDifference(before === undefined ? "added" : "removed", path, fileGroup(path, file?.role ?? "site"), { origins: { before: originOf(before), after: originOf(after) }, ...told });
}

function changedFile(path: string, before: DiffFile, after: DiffFile, group: Group, lines: { readonly before: readonly number[]; readonly after: readonly number[] } = { before: [], after: [] }): Difference {
  const isForm = group !== "cosmetic" && before.text !== undefined && after.text !== undefined && isOnlyForm(path, before.text, after.text);
  const linesIn = (numbers: readonly number[]): readonly FileLines[] => (numbers.length === 0 ? [] : [{ file: path, lines: numbers }]);
  return fileDifference("changed", path, isForm ? "cosmetic" : group, {
    origins: { before: originOf(before), after: originOf(after) },
    lines: { before: linesIn(lines.before), after: linesIn(lines.after) },
  });
}

/** A line that no value caused is the template's own. */
function originOf(file: DiffFile | undefined): readonly ToldOrigin[] {
  if (file?.source?.startsWith("templates/") !== true) return [];
  const origin: Origin = `constant:${file.source}`;
  const reason = constantNamed(file.source);
  return [{ origin, ...(reason === undefined ? {} : { reason }) }];
}

const none = { before: [], after: [] } as const;

function fileDifference(kind: Difference["kind"], name: string, group: Group, more: Partial<Pick<Difference, "origins" | "lines" | "before" | "after">> = {}): Difference {
  return { group, severity: severities[group], subject: "file", kind, name, origins: none, lines: none, ...more };
}
