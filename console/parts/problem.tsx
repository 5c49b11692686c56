/** What went wrong, said at once to a screen reader, with every mistake at its place. */

import type { ReactNode } from "react";
import type { ApiProblem, Issue } from "../api.ts";
import { Marked } from "./marked.tsx";

export function ProblemNote({ problem, hideIssues = false, children }: { readonly problem: ApiProblem | undefined; readonly hideIssues?: boolean; readonly children?: ReactNode }): ReactNode {
  return (
    <div role="alert" className="alert-place">
      {problem !== undefined && (
        <div className="note bad">
          <p className="note-title">{problem.problem.title}</p>
          {problem.problem.detail !== problem.problem.title && <p><Marked text={sentence(problem.problem.detail)} /></p>}
          {!hideIssues && problem.issues.length > 0 && <IssueList issues={problem.issues} />}
          {children}
        </div>
      )}
    </div>
  );
}

export function IssueList({ issues }: { readonly issues: readonly Issue[] }): ReactNode {
  return (
    <ul className="issues">
      {issues.map((issue, index) => (
        <li key={`${index}.${issue.code}.${issue.pointer}`}>
          <span className={`tag ${issue.severity === "error" ? "bad" : "look"}`}>{issue.severity}</span>{" "}
          {issue.line !== undefined && <span className="soft">line {issue.line}: </span>}
          <Marked text={sentence(issue.message)} />
          {issue.hint !== undefined && <span className="soft"> <Marked text={sentence(issue.hint)} /></span>}{" "}
          <small><code>{issue.pointer === "" ? issue.code : `${issue.pointer} ${issue.code}`}</code></small>
        </li>
      ))}
    </ul>
  );
}

/** Messages of the program begin small and have no full stop, as they stand after a place. */
export function sentence(text: string): string {
  const first = text.slice(0, 1);
  const begun = /^[a-z]+[ ,]/.test(text) ? first.toUpperCase() + text.slice(1) : text;
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** The mistakes of a request by the field that they are at: of `/password` it is `password`. */
export function fieldErrors(problem: ApiProblem | undefined): Record<string, string> {
  const errors: Record<string, string> = {};
  for (const { pointer, message } of problem?.issues ?? []) {
    const [, field] = pointer.split("/");
    if (field !== undefined && field !== "" && errors[field] === undefined) errors[field] = sentence(message);
  }
  return errors;
}
