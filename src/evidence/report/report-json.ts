/** evidence/report.json: the report as data, in one canonical text. */

import type { Json, JsonObject } from "../../core/json.ts";
import { canonicalJson } from "../../core/json.ts";
import type { Origin } from "../../core/origin.ts";
import { auditRules } from "../audit/audit.ts";
import { onceFor } from "./known-texts.ts";
import type { Report, ReportFile } from "./report.ts";

/** In pieces, of which those that are the same in every bundle are made once. */
export function* reportAsJson(report: Report): Generator<string | Uint8Array> {
  const index = new Map(report.origins.map(({ origin }, at) => [origin, at]));
  const indices = (origins: readonly Origin[]): string => origins.map((origin) => index.get(origin)).join(" ");
  const document: Json = {
    ...(report as unknown as JsonObject),
    apiVersion: "cloudlet-bundle/v1",
    kind: "Report",
    causes: report.causes.map(({ shows, because }) => [...(shows.length > 0 ? [indices(shows)] : []), ...(because.length > 0 ? ["if", indices(because)] : [])].join(" ")),
    results: report.results.map(({ rule, state, message, places, waiver }) => ({ rule, state, message, places, ...(waiver === undefined ? {} : { waiver }) })) as unknown as Json,
    files: [],
    rules: [],
  };
  // Only a key of the document itself stands behind a line's end and two spaces.
  const [before = "", rest = ""] = canonicalJson(document).split('\n  "files": []');
  const [between = "", after = ""] = rest.split('\n  "rules": []');
  yield `${before}\n  "files": [`;
  for (const [at, file] of report.files.entries()) {
    yield at === 0 ? "\n    " : ",\n    ";
    yield onceFor("json", file, "", () => fileAsJson(file));
  }
  yield `\n  ]${between}\n  "rules": ${rulesText}${after}`;
}

const rulesText = indented(canonicalJson(auditRules.map(({ id, title, severity, sources, remedy }) => ({ id, title, severity, sources, remedy }))), "  ");

/** An entry of `files`, indented as it stands there. */
function fileAsJson({ runs, text, ...file }: ReportFile): string {
  const lines = runs.map(({ first, last, cause }) => `${first === last ? first : `${first}-${last}`} ${cause}`);
  return indented(canonicalJson({ ...file, ...(text === undefined ? {} : { text, causes: lines }) }), "    ");
}

function indented(text: string, by: string): string {
  return text.trimEnd().replaceAll("\n", `\n${by}`);
}
