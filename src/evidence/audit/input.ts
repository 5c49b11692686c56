/** What an audit looks at: a bundle's files and the documents they were made of, whether just made or read from a bundle. */

import type { File, Mode, Role, Span } from "../../core/file.ts";
import { sizeOf, textOf } from "../../core/file.ts";
import { byCodeUnit } from "../../core/json.ts";
import type { Json } from "../../core/json.ts";
import { spansByLine } from "../../core/lines.ts";
import { oncePer } from "../../core/once-per.ts";
import type { Origin } from "../../core/origin.ts";
import { below } from "../../core/pointer.ts";
import { afterAudit, lockPath, releasePath, specPath } from "../../pack/layout.ts";
import { bodySha256 } from "../../pack/manifest.ts";
import type { Lock } from "../../spec/lock.ts";
import type { Mark } from "../../spec/read-yaml.ts";
import { readYaml } from "../../spec/read-yaml.ts";
import type { Release } from "../../spec/release.ts";
import type { Spec } from "../../spec/spec.ts";
import type { OriginsDocument } from "../origins.ts";
import { originsAt } from "../origins.ts";
import type { AuditPlace } from "./rule.ts";

export interface AuditedFiles {
  /** Every file that is there before the audit, by path: not the audit itself, nor the report, the provenance and the seal. */
  readonly files: readonly AuditFile[];
}

export interface AuditInput extends AuditedFiles {
  readonly spec: Spec;
  readonly release: Release;
  readonly lock: Lock;
}

export interface AuditFile {
  readonly path: string;
  readonly mode: "0644" | "0755";
  readonly role: Role;
  /** Template or static file that it was made from. */
  readonly source: string;
  /** 64 hexadecimal digits; undefined where nothing lists the file. */
  readonly sha256: string | undefined;
  /** Bytes. */
  readonly size: number;
  /** Empty for a blob. */
  readonly text: string;
  readonly lines: readonly string[];
  /** Whether any line has something that caused it. */
  readonly isTraced: boolean;
  /** What caused which stretch of a line, from 1. */
  readonly spansAt: (line: number) => readonly Span[];
}

/** Of a bundle that is being made; blobs and all. */
export function inputOfFiles(files: readonly File[], documents: Pick<AuditInput, "spec" | "release" | "lock">): AuditInput {
  const audited = files.filter((file) => !afterAudit.includes(file.path)).map(auditFile);
  return { files: sorted(audited), ...documents };
}

/** Static files, release and lock are the same in many bundles: what is found out about them is, too. */
function auditFile(file: File): AuditFile {
  const { path, mode, role, source, body, spans } = file;
  const isStatic = (source.startsWith("templates/") && spans.length === 0) || path === releasePath || path === lockPath;
  if (body.kind !== "bytes" || !isStatic) return ofBody(file);
  const known = statics.get(body.bytes);
  if (known?.path === path && known.role === role && known.source === source && known.mode === modeText(mode)) return known;
  const made = ofBody(file);
  statics.set(body.bytes, made);
  return made;
}

const statics = new WeakMap<Uint8Array, AuditFile>();

function ofBody({ path, mode, role, source, body, spans }: File): AuditFile {
  return withText({ path, mode: modeText(mode), role, source, sha256: bodySha256(body), size: sizeOf(body), isTraced: spans.length > 0, spansAt: spansLater(spans) }, () => (body.kind === "bytes" ? textOf(body.bytes) : ""));
}

function modeText(mode: Mode): AuditFile["mode"] {
  return mode === 0o755 ? "0755" : "0644";
}

/** A file as it lies in a bundle. */
export interface BundledFile extends Pick<AuditFile, "path" | "mode" | "role" | "source" | "sha256" | "size"> {
  /** Undefined for a blob. */
  readonly text: string | undefined;
}

/** Of a bundle that was read, with its map of origins. */
export function inputOfBundle(files: readonly BundledFile[], origins: OriginsDocument, documents: Pick<AuditInput, "spec" | "release" | "lock">): AuditInput {
  const audited = files
    .filter((file) => !afterAudit.includes(file.path))
    .map(({ text = "", ...file }): AuditFile => withText({ ...file, isTraced: origins.files[file.path] !== undefined, spansAt: (line) => originsAt(origins, file.path, line) }, () => text));
  return { files: sorted(audited), ...documents };
}

/** Of texts alone, by whoever asks what they do and not why. */
export function filesOfTexts(files: readonly Pick<BundledFile & { readonly text: string }, "path" | "role" | "text">[]): AuditedFiles {
  return { files: sorted(files.map(({ text, ...file }) => withText({ ...file, mode: "0644", source: "", sha256: undefined, size: text.length, isTraced: false, spansAt: () => [] }, () => text))) };
}

function sorted(files: readonly AuditFile[]): readonly AuditFile[] {
  return [...files].sort((a, b) => byCodeUnit(a.path, b.path));
}

/** Text and lines are made when they are asked for: nobody reads the lines of an SBOM. */
function withText(file: Omit<AuditFile, "text" | "lines">, read: () => string): AuditFile {
  let text: string | undefined;
  let lines: readonly string[] | undefined;
  return {
    ...file,
    get text() {
      return (text ??= read());
    },
    get lines() {
      return (lines ??= this.text.split("\n"));
    },
  };
}

/** Sorted when they are asked for. */
function spansLater(spans: readonly Span[]): AuditFile["spansAt"] {
  let spansAt: AuditFile["spansAt"] | undefined;
  return (line) => (spansAt ??= spansByLine(spans))(line);
}

export function fileAt(input: AuditedFiles, path: string): AuditFile | undefined {
  return input.files.find((file) => file.path === path);
}

/**
 * Spec or release as its author wrote it: that is what pointers of origins point into. In the spec with its defaults, entries
 * of lists stand elsewhere: `secrets` begins with the slots that are always there.
 */
export function writtenIn(input: AuditedFiles, document: "spec" | "release"): Json {
  const file = fileAt(input, document === "spec" ? specPath : releasePath);
  return file === undefined ? null : written(file);
}

const written = oncePer((file: AuditFile): Json => JSON.parse(file.text) as Json);

/** A line of a file, with what caused it. */
export function placeAt(file: AuditFile, line: number): AuditPlace {
  const origins = [...new Set(file.spansAt(line).flatMap((span): readonly Origin[] => span.origins))].sort(byCodeUnit);
  return { file: file.path, line, ...(origins.length === 0 ? {} : { origins }) };
}

/** A YAML or JSON file as its value, with the line of each. */
export interface Parsed {
  readonly file: AuditFile;
  /** Undefined where it is no YAML, or has what we don't read: anchors, tags. */
  readonly value: Json | undefined;
  /** The place of the value at a pointer, or of what holds it. */
  readonly placeOf: (...keys: readonly (string | number)[]) => AuditPlace;
}

export const parsedYaml = oncePer(parse);

function parse(file: AuditFile): Parsed {
  const { value, marks, issues } = readYaml(file.text);
  return {
    file,
    value: issues.length > 0 ? undefined : value,
    placeOf: (...keys) => placeAt(file, lineAt(file, markAt(marks, keys))),
  };
}

function markAt(marks: ReadonlyMap<string, Mark>, keys: readonly (string | number)[]): number {
  const mark = marks.get(below("", ...keys));
  if (mark !== undefined) return mark.key?.start ?? mark.start;
  return keys.length === 0 ? 0 : markAt(marks, keys.slice(0, -1));
}

function lineAt({ lines }: AuditFile, offset: number): number {
  let end = 0;
  for (const [index, line] of lines.entries()) {
    end += line.length + 1;
    if (offset < end) return index + 1;
  }
  return lines.length;
}

