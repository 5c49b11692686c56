/** Why a line of a bundle is as it is, and which lines a field of the spec caused: read from the bundle's own record. */

import type { Span } from "../core/file.ts";
import type { Json } from "../core/json.ts";
import { byCodeUnit } from "../core/json.ts";
import type { Origin } from "../core/origin.ts";
import { below } from "../core/pointer.ts";
import { defaultNamed, defaultsAt } from "../spec/default-reasons.ts";
import type { Place } from "../spec/locate.ts";
import { placesIn } from "../spec/locate.ts";
import { constantNamed } from "./constants.ts";
import { originsAt } from "./origins.ts";
import type { BundleRecord, DocumentName } from "./record.ts";
import { partsOf, valueAt } from "./record.ts";

/** One line of a file with everything that caused something of it. */
export interface LineExplained {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** Where it stands in the template that the file was made from; undefined where that is not known. */
  readonly template?: { readonly path: string; readonly line: number };
  /** By column; empty where the whole line is the template's own text. */
  readonly values: readonly ValueExplained[];
}

/** A stretch of a line. Columns count from 1 in UTF-16 units, `end` is after the last. */
export interface ValueExplained {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** False: the stretch is there because of the origins, and does not show their values. */
  readonly shows: boolean;
  readonly origins: readonly OriginExplained[];
}

export type OriginExplained =
  | { readonly kind: DocumentName; readonly origin: Origin; readonly pointer: string; readonly value: Json | undefined; readonly places: readonly FilePlace[] }
  | { readonly kind: "default"; readonly origin: Origin; readonly name: string; readonly reason: string | undefined; readonly fills: { readonly document: DocumentName; readonly pointer: string; readonly value: Json } | undefined }
  | { readonly kind: "constant"; readonly origin: Origin; readonly name: string; readonly reason: string | undefined };

export interface FilePlace {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The spec as its author has it, beside the one in the bundle. */
export interface SpecFile {
  readonly name: string;
  readonly text: string;
}

/** From an origin to what it is; each document's text is searched once. */
export function explainOrigins(record: BundleRecord, specFile?: SpecFile): (origin: Origin) => OriginExplained {
  const finders = new Map<DocumentName, (pointer: string) => readonly FilePlace[]>();
  const done = new Map<Origin, OriginExplained>();
  const placesOf = (document: DocumentName, pointer: string): readonly FilePlace[] => {
    const known = finders.get(document) ?? finderOf(record, document, specFile);
    finders.set(document, known);
    return known(pointer);
  };
  return (origin) => {
    const known = done.get(origin) ?? explainOrigin(record, origin, placesOf);
    done.set(origin, known);
    return known;
  };
}

function explainOrigin(record: BundleRecord, origin: Origin, placesOf: (document: DocumentName, pointer: string) => readonly FilePlace[]): OriginExplained {
  const { kind, name } = partsOf(origin);
  switch (kind) {
    case "constant":
      return { kind, origin, name, reason: constantNamed(name) };
    case "default": {
      const known = defaultNamed(name);
      return { kind, origin, name, reason: known?.reason, fills: known?.fills };
    }
    case "spec":
    case "release":
    case "lock":
      return { kind, origin, pointer: name, value: valueAt(record.documents[kind].value, name), places: placesOf(kind, name) };
  }
}

/** The user's own file first, for that is the one that is edited. */
function finderOf(record: BundleRecord, document: DocumentName, specFile: SpecFile | undefined): (pointer: string) => readonly FilePlace[] {
  const { path, text } = record.documents[document];
  const files = [...(document === "spec" && specFile !== undefined ? [specFile] : []), { name: path, text }].map(({ name, text }) => ({ name, find: placesIn(text) }));
  return (pointer) =>
    files.flatMap(({ name, find }) => {
      const place: Place | undefined = find(pointer);
      return place === undefined ? [] : [{ file: name, line: place.line, column: place.column }];
    });
}

export interface ExplainedFile {
  readonly path: string;
  readonly text: string;
  /** The template or static file that it was made from, as the manifest has it. */
  readonly source: string | undefined;
  /** For each line of the file, the template's; undefined where nobody knows. */
  readonly templateLines: readonly number[] | undefined;
}

/** From 1, both included. */
export interface LineRange {
  readonly first: number;
  readonly last: number;
}

/** All lines of a file, or those that are asked for. */
export function explainFile(record: BundleRecord, file: ExplainedFile, explained: (origin: Origin) => OriginExplained, only?: number | LineRange): readonly LineExplained[] {
  const { first, last } = typeof only === "object" ? only : { first: only ?? 1, last: only ?? Infinity };
  return linesOf(file.text).slice(first - 1, last).map((text, index) => lineOf(record, file, { text, line: first + index }, explained));
}

/** Without the nothing after the last line's end. */
export function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

function lineOf(record: BundleRecord, file: ExplainedFile, { text, line }: { readonly text: string; readonly line: number }, explained: (origin: Origin) => OriginExplained): LineExplained {
  const spans = originsAt(record.origins, file.path, line);
  const templateLine = file.templateLines?.[line - 1];
  return {
    file: file.path,
    line,
    text,
    ...(file.source === undefined || templateLine === undefined ? {} : { template: { path: file.source, line: templateLine } }),
    values: spans.map(({ start, end, origins, presence }) => ({ start, end, text: text.slice(start - 1, end - 1), shows: presence !== true, origins: origins.map(explained) })),
  };
}

/** What a field of the spec did. */
export interface FieldExplained {
  readonly pointer: string;
  readonly value: Json | undefined;
  /** Origins of the field and of all below it; where it is left out, of the defaults that stand in for it. */
  readonly origins: readonly Origin[];
  /** By file and line. */
  readonly lines: readonly CausedLine[];
}

/** A line that a value takes part in: it shows the value, or is made of it; or it is only there because of it. */
export interface CausedLine {
  readonly file: string;
  readonly line: number;
  readonly shows: boolean;
}

export function explainField(record: BundleRecord, pointer: string): FieldExplained {
  const value = valueAt(record.documents.spec.value, pointer);
  const named = new Set<Origin>(defaultsAt(pointer).map(({ name }): Origin => `default:${name}`));
  const used = record.origins.origins.filter((origin) => isAtOrBelow(origin, pointer) || named.has(origin));
  // One that no line depends on stands in all the same.
  const origins = value === undefined && used.length === 0 ? [...named] : used;
  return { pointer, value, origins, lines: linesCausedBy(record, new Set(origins)) };
}

export function isAtOrBelow(origin: Origin, pointer: string): boolean {
  const { kind, name } = partsOf(origin);
  return kind === "spec" && (pointer === "" || name === pointer || name.startsWith(`${pointer}/`));
}

/** Every line that one of the origins caused something of. */
export function linesCausedBy(record: BundleRecord, origins: ReadonlySet<Origin>): readonly CausedLine[] {
  return Object.keys(record.origins.files)
    .sort(byCodeUnit)
    .flatMap((file) =>
      Object.keys(record.origins.files[file] ?? {})
        .map(Number)
        .sort((a, b) => a - b)
        .flatMap((line) => {
          const claims = originsAt(record.origins, file, line).filter((span: Span) => span.origins.some((origin) => origins.has(origin)));
          return claims.length === 0 ? [] : [{ file, line, shows: claims.some((span) => span.presence !== true) }];
        }),
    );
}

/** The pointer as the user meant it: with or without its first `/`. */
export function readPointer(text: string): string | undefined {
  const pointer = text === "" || text.startsWith("/") ? text : below("", ...text.split("/"));
  return /~(?![01])/.test(pointer) ? undefined : pointer;
}
