/** The way every document is read: text, version, characters, schema; then its own rules, then its defaults. */

import type { Digest } from "../core/digest.ts";
import { sha256 } from "../core/digest.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { byCodeUnit, canonicalJson } from "../core/json.ts";
import type { Origin, Sourced } from "../core/origin.ts";
import { sourced } from "../core/origin.ts";
import type { Default } from "./defaults.ts";
import { withDefaults } from "./defaults.ts";
import type { Draft } from "./draft.ts";
import { without } from "./draft.ts";
import { characterIssues } from "./characters.ts";
import { coreMeaning, inWords, otherMeaning } from "./plain-scalar.ts";
import type { Mark } from "./read-yaml.ts";
import { readYaml } from "./read-yaml.ts";
import type { Validator } from "./schema-issues.ts";
import { schemaIssues } from "./schema-issues.ts";
import { mayBeSecret, show, showKey } from "./show.ts";

/** Versions this build reads; a newer one upgrades an older document to its own form before anything else looks at it. */
export const API_VERSIONS: readonly string[] = ["cloudlet-bundle/v1"];

/** How a document is judged. */
export interface DocumentForm<T> {
  readonly kind: "Cloudlet" | "Release" | "Lock" | "OpenIdConnect";
  readonly validate: Validator;
  /** Schema of a part that the main schema leaves open, and where it stands; no issues where it can't be known. */
  readonly parts: (draft: JsonObject) => readonly Issue[];
  readonly rules: (draft: Draft<T>) => readonly Issue[];
  readonly mayBreakLines: (pointer: string) => boolean;
}

export interface DocumentKind<T> extends DocumentForm<T> {
  readonly origin: "spec" | "release" | "lock";
  readonly defaults: (document: JsonObject) => readonly Default[];
  /** What is computed from a sound document, and where it comes from. */
  readonly complete: (document: JsonObject, origins: Map<string, Origin>) => JsonObject;
}

export interface ReadDocument<T> {
  readonly value: T;
  readonly sourced: Sourced<T>;
  readonly digest: Digest;
  /** As it was written, without defaults: what the pointers of origins point into. */
  readonly written: JsonObject;
}

export function readDocument<T>(text: string, kind: DocumentKind<T>): Outcome<ReadDocument<T>> {
  const sound = readForm(text, kind);
  return sound.ok ? { ...sound, value: complete(sound.value, kind) } : sound;
}

/** The document as it was written, or every mistake in it. */
export function readForm<T>(text: string, kind: DocumentForm<T>): Outcome<JsonObject> {
  const { value, marks, issues: yaml } = readYaml(text);
  if (value === undefined) return { ok: false, issues: yaml };
  const heading = headingIssues(value, kind.kind);
  if (heading.length > 0) return { ok: false, issues: byPlace([...yaml, ...heading], marks) };
  const document = value as JsonObject;
  const form = formIssues(document, kind, marks, yaml);
  const wrong = new Set(
    [...yaml, ...form].filter((issue) => !OF_THE_WHOLE.has(issue.code)).map((issue) => issue.pointer),
  );
  wrong.delete("");
  const rules = kind.rules(without(document, wrong) as Draft<T>);
  const issues = byPlace([...yaml, ...form, ...rules], marks);
  if (issues.some((issue) => issue.severity === "error")) return { ok: false, issues };
  return { ok: true, value: document, issues };
}

/** Issues of a group or list whose parts may be sound. */
const OF_THE_WHOLE: ReadonlySet<string> = new Set(["schema/missing-key", "schema/count"]);

/** The version is read first, alone; a document of another kind or version gets no other issue. */
function headingIssues(value: Json, kind: string): readonly Issue[] {
  const at = { severity: "error", pointer: "" } as const;
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return [
      {
        code: "document/not-keys",
        ...at,
        message: `the document must consist of keys, beginning with apiVersion: ${String(API_VERSIONS[0])}`,
        hint: kind === "OpenIdConnect" ? "docs/service.md has one to start from" : "`cloudlet-bundle init` writes one to start from",
      },
    ];
  }
  const document = value as JsonObject;
  const version = document["apiVersion"];
  if (version === undefined) {
    const foreign =
      ["cloudlet", "Cloudlet", "key", "Region", "region"].some((key) => Object.hasOwn(document, key)) &&
      document["kind"] === undefined;
    const hint = foreign
      ? "is it a MobiledgeX cloudlet object? `cloudlet-bundle import` reads it"
      : `write apiVersion: ${String(API_VERSIONS[0])}`;
    return [{ code: "document/api-version", ...at, message: "`apiVersion` is missing", hint }];
  }
  if (typeof version !== "string" || !API_VERSIONS.includes(version)) {
    return [
      {
        code: "document/api-version",
        ...at,
        pointer: "/apiVersion",
        message: `this build does not read apiVersion ${show(version)}`,
        hint: `it reads ${API_VERSIONS.join(", ")}`,
      },
    ];
  }
  if (document["kind"] !== kind) {
    const pointer = document["kind"] === undefined ? "" : "/kind";
    const message =
      document["kind"] === undefined
        ? "`kind` is missing"
        : `a document of kind ${kind} is wanted, not ${show(document["kind"])}`;
    return [{ code: "document/kind", ...at, pointer, message, hint: `write kind: ${kind}, or give the right file` }];
  }
  return [];
}

/** Issues of values that YAML could not give; whatever stands in their place is not judged. */
const NO_VALUE: ReadonlySet<string> = new Set(["yaml/number", "yaml/alias"]);

function formIssues<T>(
  document: JsonObject,
  kind: DocumentForm<T>,
  marks: ReadonlyMap<string, Mark>,
  yaml: readonly Issue[],
): readonly Issue[] {
  const characters = characterIssues(document, kind.mayBreakLines);
  const bad = new Set(
    [...characters, ...yaml.filter((issue) => NO_VALUE.has(issue.code))].map((issue) => issue.pointer),
  );
  const schema = [...schemaIssues(kind.validate, document), ...kind.parts(document)].filter(
    (issue) => !bad.has(issue.pointer),
  );
  return [...characters, ...explained(schema, marks)];
}

/** Joins what the schema says of an unquoted value with what YAML made of it. */
function explained(schema: readonly Issue[], marks: ReadonlyMap<string, Mark>): readonly Issue[] {
  const ambiguous = new Map<string, Issue>();
  for (const [pointer, mark] of marks) {
    const other = mark.plain === undefined ? undefined : otherMeaning(mark.plain);
    if (other !== undefined) ambiguous.set(pointer, ambiguousIssue(pointer, mark.plain ?? "", other));
  }
  const quoted = schema.map((issue) => {
    const plain = marks.get(issue.pointer)?.plain;
    if (plain === undefined || issue.hint !== "write it in quotes") return issue;
    return mayBeSecret(issue.pointer) ? issue : { ...issue, hint: `write it in quotes: ${show(plain)}` };
  });
  return [...quoted.filter((issue) => !ambiguous.has(issue.pointer)), ...ambiguous.values()];
}

function ambiguousIssue(pointer: string, plain: string, other: string): Issue {
  const key = showKey(
    pointer
      .slice(pointer.lastIndexOf("/") + 1)
      .replaceAll("~1", "/")
      .replaceAll("~0", "~"),
  );
  const at = { code: "yaml/ambiguous", severity: "error", pointer } as const;
  if (mayBeSecret(pointer)) {
    return { ...at, message: `${key} means different things to different readers of YAML`, hint: "write it in quotes" };
  }
  const core = otherMeaning(plain) === "a date" ? inWords(plain) : inWords(coreMeaning(plain));
  return {
    ...at,
    message: `${show(plain).slice(1, -1)} is ${core} to some readers of YAML, ${other} to others`,
    hint: `write what is meant: text in quotes (${show(plain)}), a number in plain decimal, true or false`,
  };
}

/** Sorted by where they stand in the text, then by code; an issue without a place comes first. */
export function byPlace(issues: readonly Issue[], marks: ReadonlyMap<string, Mark>): readonly Issue[] {
  const place = (issue: Issue): number => issue.span?.start ?? startOf(marks.get(issue.pointer)) ?? 0;
  const seen = new Set<string>();
  return issues
    .map((issue) => ({
      issue,
      at: place(issue),
      id: `${issue.code} ${issue.pointer} ${issue.span?.start ?? ""} ${issue.message}`,
    }))
    .filter(({ id }) => !seen.has(id) && seen.add(id) !== undefined)
    .sort((a, b) => a.at - b.at || byCodeUnit(a.id, b.id))
    .map(({ issue }) => issue);
}

function startOf(mark: Mark | undefined): number | undefined {
  return mark?.key?.start ?? mark?.start;
}

function complete<T>(document: JsonObject, kind: DocumentKind<T>): ReadDocument<T> {
  const origins = new Map<string, Origin>();
  const filled = kind.complete(withDefaults(document, kind.defaults(document), origins), origins);
  // The schema, the rules and the defaults together are what the type says; test/unit/spec/ holds it.
  const value = filled as unknown as T;
  return { value, sourced: sourced(value, kind.origin, origins), digest: sha256(canonicalJson(filled)), written: document };
}
