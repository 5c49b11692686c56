/** Issues as the service tells them: each at its line and column, where the document is a text. */

import type { Issue } from "../core/issue.ts";
import { locatorOf } from "../spec/locate.ts";

export interface LocatedIssue {
  readonly code: string;
  readonly severity: "error" | "warning";
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
  readonly line?: number;
  readonly column?: number;
  readonly endLine?: number;
  readonly endColumn?: number;
}

/** Issues of a document, each at its place in `text`. */
export function located(issues: readonly Issue[], text?: string): readonly LocatedIssue[] {
  const locator = text === undefined || text === "" ? undefined : locatorOf(text);
  return issues.map((issue) => ({
    code: issue.code,
    severity: issue.severity,
    pointer: issue.pointer,
    message: issue.message,
    ...(issue.hint === undefined ? {} : { hint: issue.hint }),
    ...(locator === undefined ? {} : locator.placeOf(locator.rangeOf(issue))),
  }));
}
