/** Results of an audit in lines for people, the gravest first. */

import { ruleNamed } from "../evidence/audit/audit.ts";
import type { AuditPlace, AuditResult, RuleSeverity } from "../evidence/audit/rule.ts";
import { severities } from "../evidence/audit/rule.ts";
import { isExpired } from "../evidence/audit/waivers.ts";
import { printable } from "../spec/show.ts";

interface Shown {
  /** RFC 3339: a waiver that is over by then counts as none. */
  readonly today: string;
  /** Also what is met or can't be decided here. */
  readonly all: boolean;
}

/** How many rules of this severity or a higher one are not met today. */
export function failures(results: readonly AuditResult[], failOn: RuleSeverity, today: string): number {
  const counting = severities.slice(0, severities.indexOf(failOn) + 1);
  return results.filter((result) => isOpen(result, today) && counting.includes(ruleNamed(result.rule).severity)).length;
}

function isOpen({ state, waiver }: AuditResult, today: string): boolean {
  return state === "unmet" || (state === "waived" && waiver !== undefined && isExpired(waiver, today));
}

export function auditAsText(results: readonly AuditResult[], { today, all }: Shown): string {
  const open = results.filter((result) => isOpen(result, today));
  const waived = results.filter((result) => result.state === "waived" && !isOpen(result, today));
  const met = results.filter(({ state }) => state === "met");
  const elsewhere = results.filter(({ state }) => state === "not-applicable");
  const parts = [
    ...severities.map((severity) => section(severity, open.filter(({ rule }) => ruleNamed(rule).severity === severity), true)),
    section("waived", waived, false),
    ...(all ? [section("met", met, false), section("not decided by the bundle", elsewhere, false)] : []),
  ];
  const rules = new Set(results.map(({ rule }) => rule)).size;
  return `${parts.join("")}${rules} rules: ${met.length} met, ${open.length} not met, ${waived.length} waived, ${elsewhere.length} not decided by the bundle${all ? "" : " (--all shows them)"}\n`;
}

function section(title: string, results: readonly AuditResult[], withRemedy: boolean): string {
  return results.length === 0 ? "" : `${title}\n${results.map((result) => resultAsText(result, withRemedy)).join("")}\n`;
}

/** More places than these are counted, not listed. */
const mostPlaces = 12;

function resultAsText({ rule, message, places, waiver }: AuditResult, withRemedy: boolean): string {
  const { title, sources, remedy } = ruleNamed(rule);
  const indent = " ".repeat(16);
  const more = places.length - mostPlaces;
  return [
    `  ${rule.padEnd(13)} ${title}`,
    `${indent}${printable(message)}`,
    ...places.slice(0, mostPlaces).map((place) => `${indent}${placeAsText(place)}`),
    ...(more > 0 ? [`${indent}and ${more} more`] : []),
    ...(waiver === undefined ? [] : [`${indent}waived until ${waiver.expires}: ${printable(waiver.reason)}`]),
    ...(withRemedy ? [`${indent}source: ${sources.join("; ")}`, `${indent}remedy: ${remedy}`] : []),
    "",
  ].join("\n");
}

function placeAsText({ file, line, origins = [] }: AuditPlace): string {
  const at = line === undefined ? file : `${file}:${line}`;
  return origins.length === 0 || origins.length > 4 ? at : `${at}  ${printable(origins.join(", "))}`;
}
