/** A user's mistake: what is wrong, where, and what to do. A programmer's mistake is a thrown assertion instead. */

export type Severity = "error" | "warning";

export interface Issue {
  /** `stage/problem`; never renamed once released; listed in docs/reference/issues.md. */
  readonly code: IssueCode;
  readonly severity: Severity;
  /** RFC 6901 pointer into the document the user wrote; "" is the whole document. */
  readonly pointer: string;
  readonly message: string;
  readonly hint?: string;
  /** Offsets into the text in UTF-16 units, `end` after the last, where the mistake is one of the text itself. */
  readonly span?: { readonly start: number; readonly end: number };
}

export type IssueCode = `${string}/${string}`;

/** An outcome with an error holds no value; warnings may stand beside one. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T; readonly issues: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Gives the value unless one of the issues is an error. */
export function outcome<T>(issues: readonly Issue[], value: () => T): Outcome<T> {
  return issues.some((issue) => issue.severity === "error")
    ? { ok: false, issues }
    : { ok: true, value: value(), issues };
}
