/** A file of a bundle: what every stage after the plan takes and gives. */

import type { Digest } from "./digest.ts";
import { oncePer } from "./once-per.ts";
import type { Origin } from "./origin.ts";

/** Permission bits, four octal digits in text: 0o644 is written "0644". */
export type Mode = 0o644 | 0o755;

export type FileBody =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | BlobBody
  | { readonly kind: "archive"; readonly entries: readonly ArchiveEntry[]; readonly digest: Digest; readonly size: number };

/** Bytes that only the edge holds: by digest in the blob store. */
export interface BlobBody {
  readonly kind: "blob";
  readonly digest: Digest;
  readonly size: number;
}

/** An entry of a tar inside the bundle (the payload). Its archive has two zero blocks at the end and no other padding. */
export interface ArchiveEntry {
  readonly path: string;
  readonly body: Exclude<FileBody, { kind: "archive" }>;
}

/** What a file is for; the manifest tells it. */
export type Role = "document" | "script" | "data" | "site" | "evidence" | "vm-image" | "payload";

export interface File {
  /** Relative, `/` between parts, no `.` or `..` part. */
  readonly path: string;
  readonly mode: Mode;
  readonly role: Role;
  readonly body: FileBody;
  /** Template the file was made from, or the static file it is; for the manifest's `origin`. */
  readonly source: string;
  /** Where each value on each line comes from; empty for a static file. */
  readonly spans: readonly Span[];
  /** For each line of a file that was made from a template, the template's line; from 1. */
  readonly templateLines?: readonly number[];
}

/** A stretch of one line that a value caused. Lines and columns count from 1, columns in UTF-16 units, `end` is after the last. */
export interface Span {
  readonly line: number;
  readonly start: number;
  readonly end: number;
  readonly origins: readonly [Origin, ...Origin[]];
  /** The stretch is there because of the value, and does not show it: another value of the same kind leaves it as it is. */
  readonly presence?: true;
}

export function textFile(
  path: string,
  text: string,
  more: { readonly role: Role; readonly source: string; readonly mode?: Mode; readonly spans?: readonly Span[]; readonly templateLines?: readonly number[] },
): File {
  const bytes = new TextEncoder().encode(text);
  const { mode = 0o644, role, source, spans = [], templateLines } = more;
  return { path, mode, role, body: { kind: "bytes", bytes }, source, spans, ...(templateLines === undefined ? {} : { templateLines }) };
}

/** What the bytes say, as UTF-8; nobody writes into a body, so each is decoded once. */
export const textOf = oncePer((bytes: Uint8Array) => new TextDecoder().decode(bytes));

export function sizeOf(body: FileBody): number {
  return body.kind === "bytes" ? body.bytes.byteLength : body.size;
}
