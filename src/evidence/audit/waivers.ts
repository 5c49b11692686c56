/** Waivers of the spec: what of a rule's findings somebody has let pass, until when, and why. */

import type { Issue } from "../../core/issue.ts";
import { below } from "../../core/pointer.ts";
import type { Waiver } from "../../spec/spec.ts";
import { isAtOrBelow } from "../explain.ts";
import type { AuditPlace, AuditResult, AuditRule, Finding } from "./rule.ts";

/**
 * The finding as results: what a waiver covers, apart from what none does. A finding without a place is covered by a waiver
 * without one. Of several waivers the first in the spec counts.
 */
export function waived(rule: AuditRule, finding: Finding, waivers: readonly Waiver[]): readonly AuditResult[] {
  const own = waivers.filter((waiver) => waiver.rule === rule.id);
  const plain: AuditResult = { rule: rule.id, ...finding };
  if (finding.state !== "unmet" || own.length === 0) return [plain];
  if (finding.places.length === 0) {
    const whole = own.find(({ place }) => place === undefined);
    return whole === undefined ? [plain] : [{ ...plain, state: "waived", waiver: termsOf(whole) }];
  }
  const left = finding.places.filter((place) => !own.some((waiver) => covers(waiver, place)));
  const results = own.flatMap((waiver, index): readonly AuditResult[] => {
    const places = finding.places.filter((place) => covers(waiver, place) && !own.slice(0, index).some((earlier) => covers(earlier, place)));
    return places.length === 0 ? [] : [{ ...plain, state: "waived", places, waiver: termsOf(waiver) }];
  });
  return left.length === 0 ? results : [{ ...plain, places: left }, ...results];
}

function termsOf({ reason, expires }: Waiver): NonNullable<AuditResult["waiver"]> {
  return { reason, expires };
}

/** `place` is a field of the spec that caused the line, or a file of the bundle; left out, it is everywhere. */
function covers({ place }: Waiver, { file, origins = [] }: AuditPlace): boolean {
  if (place === undefined) return true;
  return place.startsWith("/") ? origins.some((origin) => isAtOrBelow(origin, place)) : place === file;
}

/** `on`: RFC 3339. A waiver holds through its last day, in UTC. */
export function isExpired({ expires }: { readonly expires: string }, on: string): boolean {
  return expires < on.slice(0, "2026-11-24".length);
}

/**
 * Waivers that are over before the release was made (`audit/waiver-expired`): the time is the release's, so that the same
 * documents are judged alike on every day. Such as let nothing pass (`audit/waiver-unused`) are a warning.
 */
export function waiverIssues(waivers: readonly Waiver[], results: readonly AuditResult[], created: string): readonly Issue[] {
  return waivers.flatMap((waiver, index): readonly Issue[] => {
    const pointer = below("/audit/waivers", index);
    if (isExpired(waiver, created)) {
      const message = `the waiver of ${waiver.rule} held until ${waiver.expires}, and the release is of ${created.slice(0, 10)}`;
      return [{ code: "audit/waiver-expired", severity: "error", pointer: below(pointer, "expires"), message, hint: "Mend what the rule asks for, or decide anew until when." }];
    }
    const isUsed = results.some(({ rule, waiver: terms }) => rule === waiver.rule && terms?.reason === waiver.reason && terms.expires === waiver.expires);
    if (isUsed) return [];
    const message = `the waiver of ${waiver.rule} lets nothing pass: the rule finds nothing ${waiver.place === undefined ? "" : `at ${waiver.place} `}that it covers`;
    return [{ code: "audit/waiver-unused", severity: "warning", pointer, message, hint: "Delete it, or see whether its place is still the right one." }];
  });
}
