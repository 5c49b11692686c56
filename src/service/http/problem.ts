/** What goes wrong, as RFC 9457 has it: a problem document, with our issues at their lines and columns where a document has some. */

import type { LocatedIssue } from "../located-issues.ts";

/** The kinds of problem; `type` of a problem is `urn:cloudlet-bundle:problem:` and one of these. */
export const problemKinds = {
  "bad-request": 400,
  "not-logged-in": 401,
  "login-failed": 401,
  "not-allowed": 403,
  "not-found": 404,
  "wrong-method": 405,
  "exists-already": 409,
  "in-use": 409,
  "not-ready": 409,
  "not-offered": 409,
  "changed-meanwhile": 412,
  "too-large": 413,
  "wrong-content-type": 415,
  "no-such-range": 416,
  "not-valid": 422,
  "if-match-needed": 428,
  "too-many-requests": 429,
  defect: 500,
  overloaded: 503,
} as const;

export type ProblemKind = keyof typeof problemKinds;

/** Thrown by whoever answers a request; the application makes the answer of it. */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly kind: ProblemKind;
  readonly issues: readonly LocatedIssue[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(kind: ProblemKind, detail: string, more: { readonly issues?: readonly LocatedIssue[]; readonly headers?: Readonly<Record<string, string>> } = {}) {
    super(detail);
    this.kind = kind;
    this.issues = more.issues ?? [];
    this.headers = more.headers ?? {};
  }
}

const titles: Readonly<Record<ProblemKind, string>> = {
  "bad-request": "The request is not as it must be",
  "not-logged-in": "Log in first",
  "login-failed": "Name or password is wrong",
  "not-allowed": "This is not allowed for you",
  "not-found": "There is no such thing",
  "wrong-method": "This can't be done here",
  "exists-already": "It exists already",
  "in-use": "It is in use",
  "not-ready": "It is not ready",
  "not-offered": "This service does not do that",
  "changed-meanwhile": "It was changed meanwhile",
  "too-large": "The request is too large",
  "wrong-content-type": "This content type is not read here",
  "no-such-range": "There is no such range",
  "not-valid": "The document is not valid",
  "if-match-needed": "Say which version is to be changed",
  "too-many-requests": "Too many requests",
  defect: "A defect of the service",
  overloaded: "Too much is going on",
};

export interface ProblemDocument {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly issues?: readonly LocatedIssue[];
}

export function problemDocument({ kind, message, issues }: Problem): ProblemDocument {
  return {
    type: `urn:cloudlet-bundle:problem:${kind}`,
    title: titles[kind],
    status: problemKinds[kind],
    detail: message,
    ...(issues.length === 0 ? {} : { issues }),
  };
}

/** The same for what is not there and for what the caller may not know of. */
export function notFound(): Problem {
  return new Problem("not-found", "There is nothing under this address, or nothing that you may see.");
}
