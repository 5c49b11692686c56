/** evidence/audit.json: what the audit of a bundle found, written and read. */

import type { Json, JsonObject } from "../../core/json.ts";
import { canonicalDocument } from "../../core/json.ts";
import { auditRules } from "./audit.ts";
import { referencesOf } from "./closure-rules.ts";
import type { AuditInput } from "./input.ts";
import type { AuditResult } from "./rule.ts";

const told = auditRules.map(({ id, title, severity, sources }): JsonObject => ({ id, title, severity, sources }));

/** Canonical: the results, and every reference with its class. */
export function auditText(input: AuditInput, results: readonly AuditResult[]): string {
  return canonicalDocument({
    apiVersion: "cloudlet-bundle/v1",
    kind: "Audit",
    rules: told,
    results: results as unknown as Json,
    references: referencesOf(input) as unknown as Json,
  });
}

/** The results in such a text; undefined where it is none. */
export function readAudit(text: string): readonly AuditResult[] | undefined {
  try {
    const { results } = JSON.parse(text) as { readonly results?: unknown };
    return Array.isArray(results) && results.every(isResult) ? results : undefined;
  } catch {
    return undefined;
  }
}

function isResult(value: unknown): value is AuditResult {
  const { rule, state, message, places, waiver } = (value ?? {}) as Partial<Record<keyof AuditResult, unknown>>;
  const { reason, expires } = (waiver ?? {}) as { readonly reason?: unknown; readonly expires?: unknown };
  return (
    [rule, message].every((each) => typeof each === "string") &&
    ["met", "unmet", "waived", "not-applicable"].includes(String(state)) &&
    Array.isArray(places) &&
    (waiver === undefined || (typeof reason === "string" && typeof expires === "string" && /^\d{4}-\d\d-\d\d$/.test(expires)))
  );
}
