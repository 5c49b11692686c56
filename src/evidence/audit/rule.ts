/** What an audit asks and what it finds. */

import type { Origin } from "../../core/origin.ts";
import type { AuditInput } from "./input.ts";

export const severities = ["high", "medium", "low"] as const;
export type RuleSeverity = (typeof severities)[number];

export interface AuditRule {
  /** Never renamed once released; waivers name it. */
  readonly id: string;
  readonly title: string;
  readonly severity: RuleSeverity;
  /** Standard and clause. */
  readonly sources: readonly string[];
  readonly why: string;
  readonly remedy: string;
}

export interface AuditPlace {
  readonly file: string;
  /** From 1. */
  readonly line?: number;
  /** What caused something of that line; sorted. */
  readonly origins?: readonly Origin[];
}

export interface AuditResult {
  /** Id of the rule. A rule has several results where waivers cover only some of its places. */
  readonly rule: string;
  readonly state: "met" | "unmet" | "waived" | "not-applicable";
  readonly message: string;
  readonly places: readonly AuditPlace[];
  /** `expires`: the last day on which the waiver holds, in UTC. */
  readonly waiver?: { readonly reason: string; readonly expires: string };
}

/** What a rule finds, before waivers. */
export interface Finding {
  readonly state: "met" | "unmet" | "not-applicable";
  readonly message: string;
  readonly places: readonly AuditPlace[];
}

export interface Check {
  readonly rule: AuditRule;
  readonly check: (input: AuditInput) => Finding;
}

export function met(message: string, places: readonly AuditPlace[] = []): Finding {
  return { state: "met", message, places };
}

/** Not met where there are places that say so. */
export function unmetAt(places: readonly AuditPlace[], message: string, otherwise: string): Finding {
  return places.length > 0 ? { state: "unmet", message, places } : met(otherwise);
}

export function unmet(message: string, places: readonly AuditPlace[] = []): Finding {
  return { state: "unmet", message, places };
}

/** Nothing in the bundle decides it; the message says what must be true elsewhere. */
export function notApplicable(message: string): Finding {
  return { state: "not-applicable", message, places: [] };
}

/** `1 user`, `2 users`. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
