/** evidence/origins.json: for every line of every rendered file, which values caused what of it. */

import type { File, Span } from "../core/file.ts";
import { textFile } from "../core/file.ts";
import type { Json } from "../core/json.ts";
import { byCodeUnit, canonicalJson } from "../core/json.ts";
import type { Origin } from "../core/origin.ts";
import type { FilledIn } from "./filled-in.ts";

/**
 * The map of all files' spans. `origins` lists each origin once, sorted; a file's key is a line number, and each of its
 * entries is `first-last` columns (UTF-16 units, both included) and indices into `origins`, separated by spaces. `if` before
 * the indices: the stretch is there because of these, and does not show them. `documents` tells which values of the spec and
 * the release nobody wrote, by pointer into the document with its defaults.
 */
export function originsFile(path: string, files: readonly File[], documents: OriginsDocument["documents"]): File {
  const traced = files.filter((file) => file.spans.length > 0);
  // Many spans have one list of origins: each list is looked at once.
  const lists = new Set<readonly Origin[]>();
  for (const { spans } of traced) for (const { origins } of spans) lists.add(origins);
  const origins = [...new Set([...lists].flat())].sort(byCodeUnit);
  const indices = new Map(origins.map((origin, index) => [origin, index]));
  const shown = new Map([...lists].map((list) => [list, list.map((origin) => indices.get(origin)).join(" ")]));
  const document: Json = {
    apiVersion: "cloudlet-bundle/v1",
    kind: "Origins",
    documents,
    origins,
    files: Object.fromEntries(traced.map((file) => [file.path, linesOf(file.spans, shown)])),
  };
  return textFile(path, canonicalJson(document), { role: "evidence", source: "evidence/origins" });
}

function linesOf(spans: readonly Span[], shown: ReadonlyMap<readonly Origin[], string>): Json {
  const lines: Record<string, string[]> = {};
  for (const { line, start, end, presence, origins } of spans) {
    const entry = `${start}-${end - 1} ${presence === true ? "if " : ""}${shown.get(origins)}`;
    const known = lines[line];
    if (known === undefined) lines[line] = [entry];
    else known.push(entry);
  }
  return lines;
}

/** Reads such a document back: the origins of one line of one file, with the columns they cover. */
export function originsAt(document: OriginsDocument, path: string, line: number): readonly Span[] {
  return (document.files[path]?.[String(line)] ?? []).map((entry) => {
    const [columns = "", ...words] = entry.split(" ");
    const isPresence = words[0] === "if";
    const numbers = isPresence ? words.slice(1) : words;
    const [first, last] = columns.split("-").map(Number);
    const origins = numbers.map((number) => document.origins[Number(number)] as Origin);
    return { line, start: first ?? 1, end: (last ?? 0) + 1, origins: origins as [Origin, ...Origin[]], ...(isPresence ? { presence: true } : {}) };
  });
}

export interface OriginsDocument {
  readonly documents: { readonly spec: FilledIn; readonly release: FilledIn };
  readonly origins: readonly Origin[];
  readonly files: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}
