/** The audit of a bundle: every rule asked of its files, with the waivers of its spec. The same bundle always gives the same. */

import type { Issue } from "../../core/issue.ts";
import type { Json } from "../../core/json.ts";
import { below } from "../../core/pointer.ts";
import { closureChecks, leadsOut, referencesOf, secretsOf } from "./closure-rules.ts";
import { guestChecks } from "./guest-rules.ts";
import { guestSystemChecks } from "./guest-system-rules.ts";
import { imageChecks } from "./image-rules.ts";
import type { AuditInput } from "./input.ts";
import { writtenIn } from "./input.ts";
import { networkChecks } from "./network-rules.ts";
import type { AuditResult, AuditRule, Check } from "./rule.ts";
import { sbomChecks } from "./sbom-rules.ts";
import { hostChecks, supplyChecks } from "./supply-rules.ts";
import { waived, waiverIssues } from "./waivers.ts";

const checks: readonly Check[] = [...guestChecks, ...guestSystemChecks, ...networkChecks, ...imageChecks, ...closureChecks, ...supplyChecks, ...sbomChecks, ...hostChecks].sort((a, b) =>
  a.rule.id < b.rule.id ? -1 : 1,
);

/** Every rule, by id. */
export const auditRules: readonly AuditRule[] = checks.map(({ rule }) => rule);

/** Throws on an id that `auditRules` does not have. */
export function ruleNamed(id: string): AuditRule {
  const found = auditRules.find((rule) => rule.id === id);
  if (found === undefined) throw new Error(`no such rule: ${id}`);
  return found;
}

/** By rule; of one rule first what no waiver covers. */
export function audit(input: AuditInput): readonly AuditResult[] {
  return checks.flatMap(({ rule, check }) => waived(rule, check(input), input.spec.audit.waivers));
}

/** What stands in the way of a bundle: what looks like a secret, what leads outside, waivers that are over. */
export function auditIssues(input: AuditInput, results: readonly AuditResult[]): readonly Issue[] {
  return [...secretIssues(input, results), ...closureIssues(input, results), ...waiverIssues(input.spec.audit.waivers, results, input.release.created)];
}

function unmetPlaces(results: readonly AuditResult[], rule: string): ReadonlySet<string> {
  return new Set(results.filter((result) => result.rule === rule && result.state === "unmet").flatMap(({ places }) => places.map(({ file, line }) => `${file}:${line}`)));
}

/** One for each field of the spec that holds such a text, or for each text that no field does. */
function secretIssues(input: AuditInput, results: readonly AuditResult[]): readonly Issue[] {
  const left = unmetPlaces(results, "SECRET-01");
  const seen = new Set<string>();
  return secretsOf(input).flatMap(({ by, text, looksLike, file, line }): readonly Issue[] => {
    if (by !== "pattern" || !left.has(`${file.path}:${line}`) || seen.has(text)) return [];
    seen.add(text);
    const pointer = pointerOf(writtenIn(input, "spec"), text.replace(/^["'\s]+|["'\s]+$/g, "")) ?? "";
    const hint = "Declare a slot under `secrets`; its value goes into the secrets file. Where it is none, waive SECRET-01 there with the reason.";
    return [{ code: "audit/secret", severity: "error", pointer, message: `this looks like ${looksLike}, and stands in ${file.path}, line ${line}`, hint }];
  });
}

/** The first field whose value holds the text. */
function pointerOf(node: Json, text: string, pointer = ""): string | undefined {
  if (typeof node === "string") return node.includes(text) ? pointer : undefined;
  if (typeof node !== "object" || node === null) return undefined;
  for (const [key, each] of Object.entries(node)) {
    const found = pointerOf(each as Json, text, below(pointer, key));
    if (found !== undefined) return found;
  }
  return undefined;
}

function closureIssues(input: AuditInput, results: readonly AuditResult[]): readonly Issue[] {
  const left = unmetPlaces(results, "AIRGAP-01");
  return referencesOf(input).flatMap((reference): readonly Issue[] => {
    const place = leadsOut(reference) ? reference.places.find(({ file, line }) => left.has(`${file}:${line}`)) : undefined;
    if (place === undefined) return [];
    const message = `${reference.text} in ${place.file}, line ${place.line}, leads out of the site: ${reference.reason}`;
    return [{ code: "audit/unclassified-host", severity: "error", pointer: "", message, hint: "Take it out of the template; what is the site's belongs into the spec." }];
  });
}
