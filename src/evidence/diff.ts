/** What changed from one bundle to another: by field and by file, in groups, with the lines that show it in both. */

import type { Role, Span } from "../core/file.ts";
import type { Json } from "../core/json.ts";
import { byCodeUnit, canonicalJson } from "../core/json.ts";
import type { Origin } from "../core/origin.ts";
import { sourced } from "../core/origin.ts";
import { platforms } from "../platforms/registry.ts";
import { readLock } from "../spec/read-lock.ts";
import { readRelease } from "../spec/read-release.ts";
import { readSpec } from "../spec/read-spec.ts";
import { fileGroup, groups, ruleFor, severities, type Group } from "./diff-rules.ts";
import { explainOrigins, linesOf } from "./explain.ts";
import type { FilePlace } from "./explain.ts";
import { differentLines, type Hunk } from "./line-diff.ts";
import { originsAt } from "./origins.ts";
import { partsOf, recordPaths, type BundleRecord, type DocumentName } from "./record.ts";
import { isOnlyForm } from "./same-meaning.ts";
import { differentValues, type SourcedNode, type ValueDifference, type ValueSide } from "./value-diff.ts";

/** One of the two bundles. */
export interface DiffSide {
  readonly record: BundleRecord;
  /** Every file but those of the seal. */
  readonly files: ReadonlyMap<string, DiffFile>;
  /** Of the key that lies in the bundle, or those of a trust policy that signed; undefined where it is not signed. */
  readonly fingerprint: string | undefined;
  /** Name and version; undefined without a manifest. */
  readonly generator: string | undefined;
  /** Whether the text at `path` is, to the byte, what this build makes of the record. */
  readonly isMade: (path: string) => boolean;
}

export interface DiffFile {
  readonly mode: string;
  readonly role: Role;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  /** Where it may differ from the other bundle's; undefined for a blob. */
  readonly text: string | undefined;
}

export interface Difference {
  readonly group: Group;
  readonly severity: (typeof severities)[Group];
  /** A document's field, a file, its mode, who signed, or what made the bundle. */
  readonly subject: DocumentName | "file" | "mode" | "signer" | "generator";
  readonly kind: ValueDifference["kind"];
  /** The field, in the document that has it; the file's path; or nothing. */
  readonly name: string;
  readonly before?: Json;
  readonly after?: Json;
  /** Where the field is written in each bundle's own documents. */
  readonly places: Sides<FilePlace>;
  /** The lines that are other ones because of it. */
  readonly lines: Sides<FileLines>;
}

export interface Sides<T> {
  readonly before: readonly T[];
  readonly after: readonly T[];
}

export interface FileLines {
  readonly file: string;
  readonly lines: readonly number[];
}

/** Every difference, sorted by group. None at all means: the same files, the same signer. */
export function differences(a: DiffSide, b: DiffSide): readonly Difference[] {
  const fields = withoutEchoes((["spec", "release", "lock"] as const).flatMap((document) => fieldDifferences(a, b, document)));
  const changes = changedTexts(a, b);
  const claimed = fields.map((field) => ({ ...field, lines: { before: claimedBy(field, changes, "before", a.record), after: claimedBy(field, changes, "after", b.record) } }));
  const all = [...claimed.map((field) => differenceOf(field, a, b)), ...fileDifferences(a, b, changes, claimed), ...aboutDifferences(a, b)];
  return all.sort((x, y) => groups.indexOf(x.group) - groups.indexOf(y.group));
}

interface Field {
  readonly document: DocumentName;
  readonly difference: ValueDifference;
}

function fieldDifferences(a: DiffSide, b: DiffSide, document: DocumentName): readonly Field[] {
  const [x, y] = [sourcedOf(a.record, document), sourcedOf(b.record, document)];
  // Another version wrote one that this build can't read: then both are compared as they are written, without defaults.
  const asWritten = (side: DiffSide): SourcedNode => sourced(side.record.documents[document].value, document) as unknown as SourcedNode;
  const found = x === undefined || y === undefined ? differentValues(asWritten(a), asWritten(b)) : differentValues(x, y);
  return found.filter((difference) => document !== "lock" || !isOfPieces(difference)).map((difference) => ({ document, difference }));
}

/** The digests of a file's pieces are others where its own digest is, which is told; there are hundreds of them. */
function isOfPieces({ before, after }: ValueDifference): boolean {
  return /\/pieces(\/|$)/.test((after ?? before)?.pointer ?? "");
}

/** Without values that are made of a field which is told by itself: a name that stands in for one that is left out. */
function withoutEchoes(fields: readonly Field[]): readonly Field[] {
  const told = new Set(fields.flatMap(({ document, difference: { before, after } }) => [before, after].map((side) => `${document}:${side?.pointer ?? ""}`)));
  return fields.filter(({ document, difference: { before, after } }) =>
    [before, after].some((side) => side?.origins.some((origin) => !told.has(origin) || origin === `${document}:${side.pointer}` || side.pointer === "") ?? false),
  );
}

/** With its defaults; undefined where this build can't read it. */
function sourcedOf({ documents }: BundleRecord, document: DocumentName): SourcedNode | undefined {
  const { text } = documents[document];
  const read = {
    spec: () => readSpec(text, { platforms: platforms.map((platform) => platform.name) }),
    release: () => readRelease(text),
    lock: () => readLock(text),
  }[document]();
  return read.ok ? (read.value.sourced as unknown as SourcedNode) : undefined;
}

function differenceOf({ document, difference, lines }: Field & { readonly lines: Sides<FileLines> }, a: DiffSide, b: DiffSide): Difference {
  const { kind, before, after } = difference;
  const name = (after ?? before)?.pointer ?? "";
  const { group } = ruleFor(document, name);
  return {
    group,
    severity: severities[group],
    subject: document,
    kind,
    name,
    ...(before === undefined ? {} : { before: before.value }),
    ...(after === undefined ? {} : { after: after.value }),
    places: { before: placesOf(a.record, before), after: placesOf(b.record, after) },
    lines,
  };
}

function placesOf(record: BundleRecord, side: ValueSide | undefined): readonly FilePlace[] {
  const explained = explainOrigins(record);
  return (side?.origins ?? []).map(explained).flatMap((origin) => (origin.kind === "default" || origin.kind === "constant" ? [] : origin.places)).slice(0, 1);
}

/** A text that both have and that differs. */
interface Change {
  readonly file: string;
  readonly hunks: readonly Hunk[];
  /** Both are what this build makes of their records: then nothing but fields can have changed a line. */
  readonly isMade: boolean;
}

function changedTexts(a: DiffSide, b: DiffSide): readonly Change[] {
  return [...a.files].flatMap(([file, { sha256, text }]) => {
    const other = b.files.get(file);
    if (text === undefined || other?.text === undefined || other.sha256 === sha256) return [];
    return [{ file, hunks: differentLines(linesOf(text), linesOf(other.text)), isMade: a.isMade(file) && b.isMade(file) }];
  });
}

/** An entry that came or went moves those after it, so what comes of them is its doing as well. */
function claimedBy({ document, difference }: Field, changes: readonly Change[], which: "before" | "after", record: BundleRecord): readonly FileLines[] {
  const own = new Set<Origin>([...(difference.before?.origins ?? []), ...(difference.after?.origins ?? [])]);
  const mine = new Set<Origin>(difference[which]?.origins ?? []);
  const pointer = (difference.after ?? difference.before)?.pointer ?? "";
  const list = difference.kind !== "changed" && /\/\d+$/.test(pointer) ? listsOf(own, document, pointer) : [];
  const isClaim = (origin: Origin): boolean => mine.has(origin) || list.some((each) => origin.startsWith(each));
  return changes.flatMap(({ file, hunks }) => {
    const claimed = hunks.flatMap((hunk) => hunk[which]).filter((line) => originsAt(record.origins, file, line).some((span: Span) => span.origins.some(isClaim)));
    return claimed.length === 0 ? [] : [{ file, lines: claimed }];
  });
}

/** The list's pointer, and what origins below it begin with: an added secret moves the declared ones, so both are looked at. */
function listsOf(origins: ReadonlySet<Origin>, document: DocumentName, pointer: string): readonly string[] {
  const depth = pointer.split("/").length - 1;
  const written = [...origins].map(partsOf).filter(({ kind }) => kind === document).map(({ name }) => name.split("/").slice(0, depth).join("/"));
  return [...new Set([pointer.slice(0, pointer.lastIndexOf("/")), ...written])].map((list) => `${document}:${list}/`);
}

/** What no field explains: files that came or went, lines that are the template's own, modes. */
function fileDifferences(a: DiffSide, b: DiffSide, changes: readonly Change[], claimed: readonly { readonly document: DocumentName; readonly lines: Sides<FileLines> }[]): readonly Difference[] {
  const paths = [...new Set([...a.files.keys(), ...b.files.keys()])].sort(byCodeUnit);
  const explained = (which: "before" | "after", file: string): ReadonlySet<number> =>
    new Set(claimed.flatMap(({ lines }) => lines[which].flatMap((each) => (each.file === file ? each.lines : []))));
  return paths.flatMap((path): readonly Difference[] => {
    const [x, y] = [a.files.get(path), b.files.get(path)];
    if (x === undefined || y === undefined) return [fileDifference(x === undefined ? "added" : "removed", path, fileGroup(path, (x ?? y)?.role ?? "site"))];
    const mode = x.mode === y.mode ? [] : [{ ...fileDifference("changed", path, "privilege"), subject: "mode" as const, before: x.mode, after: y.mode }];
    if (x.sha256 === y.sha256 || followsFromOthers(path, x, claimed)) return mode;
    const change = changes.find((each) => each.file === path);
    const left = (which: "before" | "after"): readonly number[] => (change?.hunks ?? []).flatMap((hunk) => hunk[which]).filter((line) => !explained(which, path).has(line));
    const [before, after] = [left("before"), left("after")];
    if (change !== undefined && (change.isMade || (before.length === 0 && after.length === 0))) return mode;
    // Its fields say the same, or it would have followed from them.
    const isDocument = Object.values(recordPaths).includes(path) && path !== recordPaths.origins;
    const group = isDocument || (x.text !== undefined && y.text !== undefined && isOnlyForm(path, x.text, y.text)) ? "cosmetic" : fileGroup(path, x.role);
    return [...mode, fileDifference("changed", path, group, { before: linesIn(path, before), after: linesIn(path, after) })];
  });
}

/** The documents and what is made of them: told by their fields. A blob: told by the lock. */
function followsFromOthers(path: string, { role }: DiffFile, claimed: readonly { readonly document: DocumentName }[]): boolean {
  const document = (["spec", "release", "lock"] as const).find((name) => recordPaths[name] === path);
  if (document !== undefined) return claimed.some((field) => field.document === document);
  if (role === "vm-image" || role === "payload") return claimed.some((field) => field.document === "lock");
  return role === "evidence" && claimed.length > 0;
}

function linesIn(file: string, lines: readonly number[]): readonly FileLines[] {
  return lines.length === 0 ? [] : [{ file, lines }];
}

const none = { before: [], after: [] } as const;

function fileDifference(kind: Difference["kind"], name: string, group: Group, lines: Sides<FileLines> = none): Difference {
  return { group, severity: severities[group], subject: "file", kind, name, places: none, lines };
}

function aboutDifferences(a: DiffSide, b: DiffSide): readonly Difference[] {
  const about = (subject: "signer" | "generator", group: Group, before: string | undefined, after: string | undefined): readonly Difference[] =>
    before === after
      ? []
      : [{ group, severity: severities[group], subject, kind: before === undefined ? "added" : after === undefined ? "removed" : "changed", name: "", ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }), places: none, lines: none }];
  return [...about("signer", "privilege", a.fingerprint, b.fingerprint), ...about("generator", "software", a.generator, b.generator)];
}

/** The result as JSON: the same bytes for the same two bundles. */
export function differencesAsJson(names: Sides<string>, found: readonly Difference[]): string {
  return canonicalJson({ before: names.before[0] ?? "", after: names.after[0] ?? "", differences: found as unknown as Json });
}
