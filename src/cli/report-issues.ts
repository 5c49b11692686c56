/** Issues as text for people, as JSON for programs and as SARIF for code review. */

import type { Issue } from "../core/issue.ts";
import { byCodeUnit, canonicalJson } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { locatorOf, plainLocatorOf } from "../spec/locate.ts";
import type { Located, Place, Range } from "../spec/locate.ts";
import { printable } from "../spec/show.ts";
import { ALL_ISSUE_CODES } from "./issue-codes.ts";

export interface ReportedDocument {
  /** As the user gave it; a path with `/` for SARIF. */
  readonly name: string;
  /** Absent or empty where the document is no text. */
  readonly text?: string;
  /** Of a text that is no YAML: what in it no excerpt may show. */
  readonly secrets?: readonly Range[];
  readonly issues: readonly Issue[];
}

/** For each issue `file:line:column: error: message [code]`, the line with a mark below, and the hint. */
export function issuesAsText(document: ReportedDocument, options: { readonly colour?: boolean } = {}): string {
  const paint = options.colour === true ? ansi : plain;
  const located = locatedIn(document);
  return document.issues.map((issue) => textOf(issue, document, located, paint)).join("");
}

function locatedIn({ text = "", secrets }: ReportedDocument): Located {
  return secrets === undefined ? locatorOf(text) : plainLocatorOf(text, secrets);
}

/** `2 errors, 1 warning`. */
export function countOf(issues: readonly Issue[]): string {
  const errors = issues.filter((issue) => issue.severity === "error").length;
  const warnings = issues.length - errors;
  const parts = [plural(errors, "error"), plural(warnings, "warning")].filter((part) => !part.startsWith("0 "));
  return parts.length === 0 ? "no issues" : parts.join(", ");
}

/** `{documents: [{name, issues: [{code, severity, pointer, line, column, endLine, endColumn, message, hint}]}]}`. */
export function issuesAsJson(documents: readonly ReportedDocument[]): string {
  return canonicalJson({
    documents: documents.map((document) => {
      const located = locatedIn(document);
      return {
        name: document.name,
        issues: document.issues.map((issue): JsonObject => ({
          code: issue.code,
          severity: issue.severity,
          pointer: issue.pointer,
          message: issue.message,
          ...(issue.hint === undefined ? {} : { hint: issue.hint }),
          ...(!hasText(document) ? {} : { ...located.placeOf(located.rangeOf(issue)) }),
        })),
      };
    }),
  });
}

/** OASIS SARIF 2.1.0. */
export function issuesAsSarif(
  documents: readonly ReportedDocument[],
  generator: { readonly name: string; readonly version: string },
): string {
  const codes = [...new Set(documents.flatMap((document) => document.issues.map((issue) => issue.code)))].sort(
    byCodeUnit,
  );
  return canonicalJson({
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        columnKind: "utf16CodeUnits",
        tool: { driver: { name: generator.name, version: generator.version, rules: codes.map(ruleOf) } },
        results: documents.flatMap((document) => {
          const located = locatedIn(document);
          return document.issues.map((issue) => resultOf(issue, document, located, codes));
        }),
      },
    ],
  });
}

function hasText(document: ReportedDocument): document is ReportedDocument & { readonly text: string } {
  return document.text !== undefined && document.text !== "";
}

function ruleOf(code: string): JsonObject {
  const about = ALL_ISSUE_CODES[code];
  const more: JsonObject =
    about === undefined ? {} : { shortDescription: { text: about.meaning }, help: { text: about.remedy } };
  return { id: code, ...more };
}

function resultOf(issue: Issue, document: ReportedDocument, located: Located, codes: readonly string[]): JsonObject {
  const place = located.placeOf(located.rangeOf(issue));
  const region: JsonObject = {
    startLine: place.line,
    startColumn: place.column,
    endLine: place.endLine,
    endColumn: place.endColumn,
  };
  const uri = document.name.split("/").map(encodeURIComponent).join("/");
  const location: Json = {
    physicalLocation: { artifactLocation: { uri }, ...(!hasText(document) ? {} : { region }) },
    logicalLocations: [{ fullyQualifiedName: issue.pointer }],
  };
  const text = issue.hint === undefined ? issue.message : `${issue.message} (${issue.hint})`;
  return {
    ruleId: issue.code,
    ruleIndex: codes.indexOf(issue.code),
    level: issue.severity,
    message: { text },
    locations: [location],
  };
}

type Paint = (style: "bold" | "red" | "yellow" | "cyan" | "dim", text: string) => string;

const plain: Paint = (_, text) => text;
const SGR = { bold: 1, dim: 2, red: 31, yellow: 33, cyan: 36 } as const;
const ansi: Paint = (style, text) => `\u001b[${SGR[style]}m${text}\u001b[0m`;

function textOf(issue: Issue, document: ReportedDocument, located: Located, paint: Paint): string {
  const colour = issue.severity === "error" ? "red" : "yellow";
  const range = located.rangeOf(issue);
  const place = located.placeOf(range);
  const where = !hasText(document) ? document.name : `${document.name}:${place.line}:${place.column}`;
  const head = `${paint("bold", `${printable(where)}:`)} ${paint(colour, `${issue.severity}:`)} ${printable(issue.message)} ${paint("dim", `[${issue.code}]`)}\n`;
  const shown = !hasText(document) ? "" : excerpt(document.text, range, place, { document, located, paint, colour });
  return `${head}${shown}${issue.hint === undefined ? "" : `  ${paint("cyan", "hint:")} ${printable(issue.hint)}\n`}`;
}

/** Widest excerpt; a line of minified JSON is cut around its mark. Characters. */
const EXCERPT_WIDTH = 100;

/** The line of the mistake, with a mark below it; values that may be secret are left out. */
function excerpt(
  text: string,
  range: Range,
  place: Place,
  {
    document,
    located,
    paint,
    colour,
  }: {
    readonly document: ReportedDocument;
    readonly located: Located;
    readonly paint: Paint;
    readonly colour: "red" | "yellow";
  },
): string {
  const lineStart = range.start - place.column + 1;
  const newline = text.indexOf("\n", lineStart);
  const lineEnd = (newline < 0 ? text.length : newline) - (text[newline - 1] === "\r" ? 1 : 0);
  const margin = String(place.line).padStart(5);
  const bar = paint("dim", "|");
  const raw = text.slice(lineStart, lineEnd);
  if (!located.isRead && MAY_HOLD_SECRET.test(raw)) {
    return `${margin} ${bar} ${paint("dim", "(not shown: it may hold a secret)")}\n`;
  }
  const hidden = [
    ...located.secrets,
    ...document.issues.filter((issue) => SECRET_CODES.has(issue.code)).map(located.rangeOf),
  ];
  const from = Math.max(lineStart, Math.min(range.start - EXCERPT_WIDTH / 2, lineEnd - EXCERPT_WIDTH));
  const to = Math.min(lineEnd, from + EXCERPT_WIDTH);
  const before = visible(text, Math.min(from, range.start), range.start, hidden);
  const marked = visible(text, range.start, Math.min(Math.max(range.end, range.start + 1), to), hidden);
  const after = visible(text, Math.min(Math.max(range.end, range.start + 1), to), to, hidden);
  const cut = from > lineStart ? "…" : "";
  const gap = " ".repeat(cut.length + before.length);
  const line = `${cut}${before}${marked}${after}${to < lineEnd ? "…" : ""}`;
  return `${margin} ${bar} ${line}\n${" ".repeat(margin.length)} ${bar} ${gap}${paint(colour, "^".repeat(Math.max(marked.length, 1)))}\n`;
}

/** In a text that nobody could read, the words that tell a secret. */
const MAY_HOLD_SECRET = /pass|secret|token|openrc|private|credential|key/i;

/** Issues that are about a secret standing where it may not. */
const SECRET_CODES: ReadonlySet<string> = new Set([
  "spec/secret-value",
  "release/secret-value",
  "release/source-credentials",
  "document/private-key",
  "import/secret",
]);

/** The text of one line as a terminal may show it, each stretch of a secret as `***`. */
function visible(text: string, start: number, end: number, hidden: readonly Range[]): string {
  let result = "";
  let at = start;
  while (at < end) {
    const secret = hidden.find((each) => each.start <= at && at < each.end);
    if (secret !== undefined) {
      result += "***";
      at = secret.end;
      continue;
    }
    const next = Math.min(end, ...hidden.filter((each) => each.start > at).map((each) => each.start));
    result += printable(text.slice(at, next));
    at = next;
  }
  return result;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
