/** What stands below a field: its help out of the schema, and its mistakes. */

import type { ReactNode } from "react";
import type { Issue } from "../api.ts";
import { Marked } from "../parts/marked.tsx";

/** Descriptions have names in backticks. */
export function Help({ id, text, more = [] }: { readonly id: string; readonly text: string | undefined; readonly more?: readonly string[] }): ReactNode {
  const said = [...(text === undefined ? [] : [text]), ...more];
  return <span id={id} className="hint">{said.map((each, index) => <span key={index}>{index > 0 && " "}<Marked text={each} /></span>)}</span>;
}

export function Mistakes({ id, issues }: { readonly id?: string; readonly issues: readonly Issue[] }): ReactNode {
  return (
    <span id={id} className="form-mistakes">
      {issues.map((issue, index) => (
        <span key={index} className={issue.severity === "error" ? "wrong" : "form-warning"}>
          <span className="visually-hidden">{issue.severity === "error" ? "Mistake: " : "Warning: "}</span><Marked text={`${issue.message}${issue.hint === undefined ? "" : `; ${issue.hint}`}`} />
        </span>
      ))}
    </span>
  );
}
