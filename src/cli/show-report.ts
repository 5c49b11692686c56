/** Prints what was found in documents, in the form that was asked for. */

import type { Io } from "./io.ts";
import { wantsColour } from "./io.ts";
import { version } from "./version.ts";
import { countOf, issuesAsJson, issuesAsSarif, issuesAsText } from "./report-issues.ts";
import type { ReportedDocument } from "./report-issues.ts";

export interface ReportForm {
  readonly json?: true;
  readonly sarif?: true;
}

/** As the result of a command, on stdout: every document, also the ones without issues. */
export function showResult(io: Io, documents: readonly ReportedDocument[], form: ReportForm): void {
  if (form.json) return io.out(issuesAsJson(documents));
  if (form.sarif) return io.out(issuesAsSarif(documents, { name: "cloudlet-bundle", version: version(io) }));
  const colour = wantsColour(io, "stdout");
  for (const document of documents) {
    io.out(issuesAsText(document, { colour }));
    io.out(`${document.name}: ${countOf(document.issues)}\n`);
  }
}

/** Beside the work of a command, on stderr: only where there is something to say. */
export function showAside(io: Io, documents: readonly ReportedDocument[]): void {
  const colour = wantsColour(io, "stderr");
  for (const document of documents.filter((each) => each.issues.length > 0)) {
    io.err(issuesAsText(document, { colour }));
    io.err(`${document.name}: ${countOf(document.issues)}\n`);
  }
}

export function hasErrors(documents: readonly ReportedDocument[]): boolean {
  return documents.some((document) => document.issues.some((issue) => issue.severity === "error"));
}
