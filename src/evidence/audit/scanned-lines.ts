/** The lines of a text in which something stands that an audit asks about; each distinct line is looked at once. */

import { Buffer } from "node:buffer";
import { lockPath, releasePath } from "../../pack/layout.ts";
import { fetches } from "./fetching.ts";
import type { AuditFile } from "./input.ts";
import type { Reference } from "./references.ts";
import { referencesIn } from "./references.ts";
import type { Suspect } from "./secret-patterns.ts";
import { suspectsIn } from "./secret-patterns.ts";

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

const scanned = new WeakMap<AuditFile, readonly ScannedLine[]>();

/** Only lines that hold something. */
export function scannedLines(file: AuditFile): readonly ScannedLine[] {
  const known = scanned.get(file) ?? ofText(file);
  scanned.set(file, known);
  return known;
}

/** Scripts are the same text in every bundle; release and lock in every bundle of a release. */
const texts = new Map<string, readonly ScannedLine[]>();
/** There are some thirty of each version and release. */
const mostTexts = 300;

function ofText(file: AuditFile): readonly ScannedLine[] {
  if (file.role !== "script" && file.path !== releasePath && file.path !== lockPath) return scan(file);
  const known = texts.get(file.text) ?? scan(file);
  if (texts.size >= mostTexts) texts.clear();
  texts.set(file.text, known);
  return known;
}

function scan({ text, lines }: AuditFile): readonly ScannedLine[] {
  const shown = withoutCertificates(text, lines);
  const found: ScannedLine[] = [];
  for (let index = 0; index < lines.length; index += 1) {
    const whole = scanOf(lines[index] as string);
    if (whole === nothing) continue;
    const isPublic = shown[index] !== lines[index];
    found.push({ ...whole, ...(isPublic ? { suspects: suspectsIn(shown[index] as string) } : {}), line: index + 1 });
  }
  return found;
}

/** RFC 7468 section 5: a certificate is public, and nothing but base64 stands between its two lines. */
const certificate = /-----BEGIN CERTIFICATE-----(?:[A-Za-z0-9+/=\s]|\\n)*-----END CERTIFICATE-----/g;

function withoutCertificates(text: string, lines: readonly string[]): readonly string[] {
  return text.includes("-----BEGIN CERTIFICATE-----") ? text.replace(certificate, (block) => block.replace(/[^\n]/g, " ")).split("\n") : lines;
}

/** Most lines of a rendered file are its template's. */
const remembered = new Map<string, Scan>();
/** Lines; those of all templates are fewer than 10,000. */
const mostLines = 50_000;
const nothing: Scan = { references: [], suspects: [], fetches: false };

function scanOf(line: string): Scan {
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
