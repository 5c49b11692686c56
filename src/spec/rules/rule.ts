/** A rule that a schema can't say: from what is left of a spec to the issues it sees. */

import type { Issue, IssueCode } from "../../core/issue.ts";
import type { Draft } from "../draft.ts";
import type { Spec } from "../spec.ts";

export type Rule = (spec: Draft<Spec>) => readonly Issue[];

export function error(code: IssueCode, pointer: string, message: string, hint?: string): Issue {
  return { code, severity: "error", pointer, message, ...(hint === undefined ? {} : { hint }) };
}

export function warning(code: IssueCode, pointer: string, message: string, hint?: string): Issue {
  return { ...error(code, pointer, message, hint), severity: "warning" };
}
