/** Which values caused which lines: each set of origins once, and the lines in runs that share one. */

import type { Span } from "../../core/file.ts";
import type { Origin } from "../../core/origin.ts";
import type { AuditFile } from "../audit/input.ts";

/** What one line is made of. Sorted, without repeats. */
export interface Cause {
  /** Of values that the line shows, or is made of. */
  readonly shows: readonly Origin[];
  /** Of what it is only there because of. */
  readonly because: readonly Origin[];
}

/** Lines of a file, from 1 and both included, that have one cause. */
export interface Run {
  readonly first: number;
  readonly last: number;
  /** Index into the causes. */
  readonly cause: number;
}

export interface Causes {
  /** In the order in which the files first have them. */
  readonly causes: readonly Cause[];
  /** By path; nothing of a file without origins. */
  readonly runs: ReadonlyMap<string, readonly Run[]>;
}

export function causesOf(files: readonly AuditFile[]): Causes {
  const found = collector();
  const runs = new Map<string, readonly Run[]>();
  for (const file of files) {
    // Shell is never templated.
    if (file.role === "script" || !file.isTraced) continue;
    const own = runsOf(file, found.indexOf);
    if (own.length > 0) runs.set(file.path, own);
  }
  return { causes: found.causes, runs };
}

function runsOf({ lines, spansAt }: AuditFile, indexOf: (spans: readonly Span[]) => number): readonly Run[] {
  const runs: { first: number; last: number; cause: number }[] = [];
  let last: readonly Span[] = [];
  for (let line = 1; line <= lines.length; line += 1) {
    const spans = spansAt(line);
    if (spans.length === 0) continue;
    const before = runs.at(-1);
    const cause = before !== undefined && isAlike(spans, last) ? before.cause : indexOf(spans);
    last = spans;
    if (before !== undefined && before.last === line - 1 && before.cause === cause) before.last = line;
    else runs.push({ first: line, last: line, cause });
  }
  return runs;
}

/** Whether the lists of origins are the very same: then nobody has to look into them. */
function isAlike(spans: readonly Span[], others: readonly Span[]): boolean {
  return spans.length === others.length && spans.every(({ origins, presence }, index) => origins === others[index]?.origins && presence === others[index]?.presence);
}

/** Lists of origins are shared by many spans; in a bundle that was read each is another list of the same. */
function collector(): { readonly causes: readonly Cause[]; readonly indexOf: (spans: readonly Span[]) => number } {
  const causes: Cause[] = [];
  const lists = new Map<readonly Origin[], number>();
  const contents = new Map<string, number>();
  const bySpans = new Map<string, number>();
  const byCause = new Map<string, number>();
  const numberOf = (origins: readonly Origin[]): number => {
    const known = lists.get(origins);
    if (known !== undefined) return known;
    const number = numbered(contents, origins.join("\n"));
    lists.set(origins, number);
    return number;
  };
  const indexOf = (spans: readonly Span[]): number => {
    let key = "";
    for (const { origins, presence } of spans) key += `${presence === true ? "?" : "!"}${numberOf(origins)}`;
    const known = bySpans.get(key);
    if (known !== undefined) return known;
    const cause = unionOf(spans);
    const index = numbered(byCause, `${cause.shows.join("\n")}\n\n${cause.because.join("\n")}`);
    if (index === causes.length) causes.push(cause);
    bySpans.set(key, index);
    return index;
  };
  return { causes, indexOf };
}

/** In the order in which they come. */
function numbered(known: Map<string, number>, content: string): number {
  const number = known.get(content) ?? known.size;
  known.set(content, number);
  return number;
}

function unionOf(spans: readonly Span[]): Cause {
  const of = (isPresence: boolean): ReadonlySet<Origin> => new Set(spans.filter(({ presence }) => (presence === true) === isPresence).flatMap(({ origins }) => origins));
  const shows = of(false);
  return { shows: [...shows].sort(), because: [...of(true)].filter((origin) => !shows.has(origin)).sort() };
}
