/** The lines of a text in which something stands that an audit asks about; each distinct line is looked at once. */

import { Buffer } from "node:buffer";
import { mayBeBase64 } from "./base64-texts.ts";
import { fetches, mayFetch } from "./fetching.ts";
import { oncePer } from "../../core/once-per.ts";
import type { AuditFile } from "./input.ts";
import type { Reference } from "./references.ts";
import { mayRefer, referencesIn } from "./references.ts";
import type { Suspect } from "./secret-patterns.ts";
import { mayBeSecret, suspectsIn } from "./secret-patterns.ts";

interface Scan {
  readonly references: readonly Reference[];
  readonly suspects: readonly Suspect[];
  /** The line calls a program that fetches or installs. */
  readonly fetches: boolean;
}

export interface ScannedLine extends Scan {
  /** From 1. */
  readonly line: number;
}

/** Only lines that hold something. */
export const scannedLines = oncePer(scan);

function scan(file: AuditFile): readonly ScannedLine[] {
  const { path, text } = file;
  if (!mayHold(text)) return [];
  const { lines } = file;
  const shown = withoutCertificates(text, lines);
  const scans = scansOf(path, lines);
  const found: ScannedLine[] = [];
  for (const [index, whole] of scans.entries()) {
    if (whole === nothing) continue;
    const isPublic = shown[index] !== lines[index];
    found.push({ ...whole, ...(isPublic ? { suspects: suspectsIn(shown[index] as string) } : {}), line: index + 1 });
  }
  return found;
}

/** Whether some line of the text may hold something: what is none of this is passed over as a whole. */
function mayHold(text: string): boolean {
  return mayRefer.test(text) || mayBeSecret.test(text) || mayFetch.test(text) || mayBeBase64.test(text);
}

/** RFC 7468 section 5: a certificate is public, and nothing but base64 stands between its two lines. */
const certificate = /-----BEGIN CERTIFICATE-----(?:[A-Za-z0-9+/=\s]|\\n)*-----END CERTIFICATE-----/g;

function withoutCertificates(text: string, lines: readonly string[]): readonly string[] {
  return text.includes("-----BEGIN CERTIFICATE-----") ? text.replace(certificate, (block) => block.replace(/[^\n]/g, " ")).split("\n") : lines;
}

interface Last {
  readonly lines: readonly string[];
  readonly scans: readonly Scan[];
}

/** By path: the lines of the bundle before, most of which are this one's, at the same distance from the beginning or the end. */
const last = new Map<string, Last>();
/** Texts of a bundle; those that are made for many. */
const mostPaths = 100;

function scansOf(path: string, lines: readonly string[]): readonly Scan[] {
  const before = last.get(path) ?? { lines: [], scans: [] };
  const more = before.lines.length - lines.length;
  const scans = lines.map((line, index) => {
    if (before.lines[index] === line) return before.scans[index] as Scan;
    return (before.lines[index + more] === line ? before.scans[index + more] : undefined) ?? scanOf(line);
  });
  if (last.size >= mostPaths) last.clear();
  last.set(path, { lines, scans });
  return scans;
}

/** Most lines of a rendered file are its template's. */
const remembered = new Map<string, Scan>();
/** Lines; those of all templates are fewer than 10,000. */
const mostLines = 50_000;
const nothing: Scan = { references: [], suspects: [], fetches: false };

function scanOf(line: string): Scan {
  if (!mayHold(line)) return nothing;
  const known = remembered.get(line);
  if (known !== undefined) return known;
  // A copy: a piece of a string keeps the whole alive in V8, and a text has a thousand times the bytes of its line.
  const copy = Buffer.from(line).toString();
  const found: Scan = { references: referencesIn(copy), suspects: suspectsIn(copy), fetches: fetches(copy) };
  const scan = found.references.length === 0 && found.suspects.length === 0 && !found.fetches ? nothing : found;
  if (remembered.size >= mostLines) remembered.clear();
  remembered.set(copy, scan);
  return scan;
}
