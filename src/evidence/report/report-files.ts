/** evidence/report.json and evidence/report.html: two forms of one report. */

import type { File } from "../../core/file.ts";
import { reportHtmlPath, reportJsonPath } from "../../pack/layout.ts";
import type { AuditInput } from "../audit/input.ts";
import type { AuditResult } from "../audit/rule.ts";
import type { Bytes } from "./known-texts.ts";
import { joined } from "./known-texts.ts";
import { reportAsHtml } from "./report-html.ts";
import { reportAsJson } from "./report-json.ts";
import { reportOf } from "./report.ts";

export function reportFiles(input: AuditInput, results: readonly AuditResult[]): readonly File[] {
  return Object.entries(reportTexts(input, results)).map(([path, make]) => evidence(path, make()));
}

/** By path, each made when it is asked for: each has as many bytes as all of the small files together. */
export function reportTexts(input: AuditInput, results: readonly AuditResult[]): Readonly<Record<string, () => Bytes>> {
  const report = reportOf(input, results);
  return { [reportJsonPath]: () => reportAsJson(report), [reportHtmlPath]: () => reportAsHtml(report) };
}

function evidence(path: string, pieces: Bytes): File {
  return { path, mode: 0o644, role: "evidence", source: "evidence/report", body: { kind: "bytes", bytes: joined(pieces) }, spans: [] };
}
