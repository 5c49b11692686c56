/** What changed from one bundle to another: by field and by file, in groups, with the lines that show it in both. */

import type { Role } from "../core/file.ts";
import type { Json } from "../core/json.ts";
import { canonicalJson } from "../core/json.ts";
import type { Origin } from "../core/origin.ts";
import { sourced } from "../core/origin.ts";
import { platforms } from "../platforms/registry.ts";
import { readLock } from "../spec/read-lock.ts";
import { readRelease } from "../spec/read-release.ts";
import { readSpec } from "../spec/read-spec.ts";
import { derivedDifferences, fileDifferences, isDerived } from "./diff-files.ts";
import { changedLines, explainedBy, type FileLines, type SideName, type Sides } from "./diff-lines.ts";
import { groups, ruleFor, severities, type Group } from "./diff-rules.ts";
import { explainOrigins } from "./explain.ts";
import type { FilePlace, SpecFile } from "./explain.ts";
import type { BundleRecord, DocumentName } from "./record.ts";
import { differentValues, type SourcedNode, type ValueDifference } from "./value-diff.ts";

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
  /** The spec as its author has it, of a side that is no bundle yet. */
  readonly specFile?: SpecFile | undefined;
}

export interface DiffFile {
  readonly mode: string;
  readonly role: Role;
  /** The template or static file that it was made from; undefined where nobody says so. */
  readonly source?: string | undefined;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
  /** Where it may differ from the other bundle's; undefined for a blob, and for what is made of everything else: see `inDoubt`. */
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
  /** Of a file: what it does now that no field explains, in words. */
  readonly before?: Json;
  readonly after?: Json;
  /** Where the value comes from, and that of all below it. */
  readonly origins: Sides<ToldOrigin>;
  /** The lines that are other ones because of it. */
  readonly lines: Sides<FileLines>;
}

/** `place`: where the field is written, in its author's file or the bundle's own document. `reason`: of a default or constant. */
export interface ToldOrigin {
  readonly origin: Origin;
  readonly place?: FilePlace;
  readonly reason?: string;
}

/** Every difference, sorted by group. None at all means: the same files, the same signer. */
export function differences(a: DiffSide, b: DiffSide): readonly Difference[] {
  const fields = withoutEchoes((["spec", "release", "lock"] as const).flatMap((document) => fieldDifferences(a, b, document)));
  const lines = changedLines(a, b);
  const explained = fields.map((field) => ({ ...field, lines: explainedBy(field.document, field.difference, lines) }));
  const told = { before: toldBy(a), after: toldBy(b) };
  const made = [...explained.map((field) => differenceOf(field, told)), ...fileDifferences(a, b, lines.changes, explained), ...generatorDifference(a, b)];
  const all = [...made, ...(made.length === 0 ? derivedDifferences(a, b) : []), ...signerDifference(a, b)];
  return all.sort((x, y) => groups.indexOf(x.group) - groups.indexOf(y.group));
}

/** Files that were found to differ by their digests alone: with their texts it could be told whether only their form does. */
export function inDoubt(a: DiffSide, b: DiffSide, found: readonly Difference[]): readonly string[] {
  return found.filter(({ subject, kind, name }) => subject === "file" && kind === "changed" && [a, b].some(({ files }) => isTextless(name, files.get(name)))).map(({ name }) => name);
}

function isTextless(path: string, file: DiffFile | undefined): boolean {
  return file !== undefined && file.text === undefined && isDerived(path, file);
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

function differenceOf({ document, difference, lines }: Field & { readonly lines: Sides<FileLines> }, told: Readonly<Record<SideName, Told>>): Difference {
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
    origins: { before: (before?.origins ?? []).map(told.before), after: (after?.origins ?? []).map(told.after) },
    lines,
  };
}

type Told = (origin: Origin) => ToldOrigin;

/** The author's own file where there is one, for that is the one that is edited. */
function toldBy({ record, specFile }: DiffSide): Told {
  const explained = explainOrigins(record, specFile);
  return (origin) => {
    const found = explained(origin);
    if (found.kind === "default" || found.kind === "constant") return { origin, ...(found.reason === undefined ? {} : { reason: found.reason }) };
    const [place] = found.places;
    return { origin, ...(place === undefined ? {} : { place }) };
  };
}

function signerDifference(a: DiffSide, b: DiffSide): readonly Difference[] {
  return about("signer", "privilege", a.fingerprint, b.fingerprint);
}

function generatorDifference(a: DiffSide, b: DiffSide): readonly Difference[] {
  return about("generator", "software", a.generator, b.generator);
}

function about(subject: "signer" | "generator", group: Group, before: string | undefined, after: string | undefined): readonly Difference[] {
  if (before === after) return [];
  const kind = before === undefined ? "added" : after === undefined ? "removed" : "changed";
  const none = { before: [], after: [] } as const;
  return [{ group, severity: severities[group], subject, kind, name: "", ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }), origins: none, lines: none }];
}

/** The result as JSON: the same bytes for the same two sides. */
export function differencesAsJson(names: { readonly before: string; readonly after: string }, found: readonly Difference[]): string {
  return canonicalJson({ ...names, differences: found as unknown as Json });
}
