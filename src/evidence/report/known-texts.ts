/** Bytes of a report in pieces; those that static files become are the same in every bundle and made once. */

import { lockPath, releasePath } from "../../pack/layout.ts";
import type { ReportFile } from "./report.ts";

/** One after another, each made when it is asked for: a report of thousands of files is not held in pieces as well. */
export type Bytes = Iterable<string | Uint8Array>;

export function joined(pieces: Bytes): Uint8Array {
  const chunks = [...chunksOf(pieces)];
  const bytes = Buffer.allocUnsafeSlow(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

/** Characters that are made bytes at once. */
const chunkLength = 65_536;

export function* chunksOf(pieces: Bytes): Generator<Uint8Array> {
  let text = "";
  for (const piece of pieces) {
    if (typeof piece === "string") text += piece;
    if (text !== "" && (typeof piece !== "string" || text.length >= chunkLength)) {
      yield new TextEncoder().encode(text);
      text = "";
    }
    if (typeof piece !== "string") yield piece;
  }
  if (text !== "") yield new TextEncoder().encode(text);
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
