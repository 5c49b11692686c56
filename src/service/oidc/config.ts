/** Whose tokens are taken besides our own, and what those who have them may do. `schemas/oidc.schema.json` describes what is written. */

import type { MemberRole } from "../state/tables.ts";

export interface OidcConfig {
  readonly issuers: readonly IssuerConfig[];
}

export interface IssuerConfig {
  /** Without a slash at the end: the name under which its people are kept. */
  readonly issuer: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  /** Undefined is where discovery says. */
  readonly keysUrl?: string | undefined;
  readonly keysFile?: string | undefined;
  readonly tokenTypes: readonly TokenType[];
  /** Undefined is any. */
  readonly clients?: readonly string[] | undefined;
  readonly nameClaim: string;
  readonly clockSkewSeconds: number;
  readonly lifetimeHours: number;
  readonly rules: readonly OidcRule[];
}

export type TokenType = "at+jwt" | "JWT";

export interface OidcRule {
  /** A claim, or a JSON pointer into the claims. */
  readonly claim: string;
  readonly value: string;
  readonly platformRole?: "admin" | "auditor" | undefined;
  readonly organization?: string | undefined;
  readonly role?: MemberRole | undefined;
}

/** Issuers differ in whether theirs ends with a slash, and people in how they write it down. */
export function withoutSlash(issuer: string): string {
  return issuer.replace(/\/$/, "");
}
