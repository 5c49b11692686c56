/** Bytes of a report in pieces; those that static files become are the same in every bundle and made once. */

import { lockPath, releasePath } from "../../pack/layout.ts";
import type { ReportFile } from "./report.ts";

/** One after another. */
export type Bytes = readonly (string | Uint8Array)[];

export function joined(pieces: Bytes): Uint8Array {
  const size = pieces.reduce((sum, piece) => sum + (typeof piece === "string" ? Buffer.byteLength(piece) : piece.byteLength), 0);
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const piece of pieces) {
    if (typeof piece === "string") at += bytes.write(piece, at);
    else {
      bytes.set(piece, at);
      at += piece.byteLength;
    }
  }
  return bytes;
}

const known = new Map<string, Uint8Array>();
/** There are some thirty static files of each version and release, each in two forms. */
const mostKnown = 300;

/** What `make` makes of the file; `more` is all else that it depends on. */
export function onceFor(form: "html" | "json", file: ReportFile, more: string, make: () => string): string | Uint8Array {
  const isStatic = file.sha256 !== null && file.runs.length === 0 && (file.role === "script" || file.path === releasePath || file.path === lockPath);
  if (!isStatic) return make();
  const key = [form, file.path, file.sha256, file.mode, file.source, more].join(" ");
  const found = known.get(key) ?? new TextEncoder().encode(make());
  if (known.size >= mostKnown) known.clear();
  known.set(key, found);
  return found;
}
