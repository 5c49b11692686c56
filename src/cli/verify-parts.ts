/** `verify` of parts: each alone against what was signed, and whether they are all there. */

import { basename } from "node:path";
import { stat } from "node:fs/promises";
import type { Issue } from "../core/issue.ts";
import { printable } from "../spec/show.ts";
import { partSetOf, stretchIssues, type PartFile, type PartSet } from "../seal/part-set.ts";
import { verdictText } from "../seal/verdict.ts";
import type { Trust } from "../seal/verify.ts";
import { findParts, holdsParts, isPartName, type FoundParts } from "../store/part-files.ts";
import { refuse } from "./bundle-argument.ts";
import type { ExitStatus, Io } from "./io.ts";
import { progressOn } from "./progress.ts";

interface Options {
  readonly json?: true;
  readonly quiet?: true;
}

/** Undefined where the file or folder at `path` is no part and holds none. */
export async function verifyParts(path: string, { trust, now }: { readonly trust: Trust; readonly now: string }, options: Options, io: Io): Promise<ExitStatus | undefined> {
  const isFolder = (await stat(path)).isDirectory();
  if (isFolder ? !(await holdsParts(path)) : !(await isPart(path))) return undefined;
  const progress = progressOn(io, options.quiet === true);
  let [done, total] = [0, 0];
  const found = await findParts([path], { signal: io.signal, hashed: (bytes) => progress.report("verifying", (done += bytes), Math.max(total, done)) });
  total = found.parts.reduce((sum, part) => sum + part.source.size, 0);
  if (found.parts.length === 0) {
    for (const [file, issues] of found.refused) refuse(io, basename(file), issues);
    return 1;
  }
  const set = await partSetOf(found.parts, trust, now);
  const rows = await judged(found, set).finally(progress.finish);
  const missing = isFolder ? set.missing : [];
  const good = set.bundle !== undefined && set.issues.length === 0 && missing.length === 0 && rows.every((row) => row.issues.length === 0);
  if (options.json) {
    const { bundle, verdict, issues } = set;
    io.out(`${JSON.stringify({ path, good, signedBy: verdict.signedBy ?? null, bundle: bundle?.name ?? null, smallFiles: verdict, parts: rows, missing, issues }, null, 2)}\n`);
  } else io.out(textOf(set, rows, missing, good));
  return good ? 0 : 1;
}

async function isPart(path: string): Promise<boolean> {
  return isPartName(basename(path)) || (await findParts([path])).parts.length > 0;
}

interface Row {
  readonly file: string;
  /** Undefined where it can't be told. */
  readonly part: number | "parity" | undefined;
  readonly says: string;
  readonly issues: readonly Issue[];
}

async function judged({ parts, refused }: FoundParts, set: PartSet): Promise<readonly Row[]> {
  const rows: Row[] = [...refused].map(([path, issues]) => ({ file: basename(path), part: undefined, says: "", issues }));
  for (const part of parts) rows.push(await rowOf(part, set));
  return rows;
}

async function rowOf(file: PartFile, set: PartSet): Promise<Row> {
  const { part, parts, start, end } = file.form.description;
  const row = { file: file.name, part, says: part === "parity" ? `the parity of ${parts} parts is what it says; it is not signed, and what it brings back is compared with what is` : `part ${part} of ${parts}, bytes ${start} to ${end} of the bundle` };
  const known = set.bad.get(file);
  if (known !== undefined) return { ...row, issues: known };
  // Which of the bundles is meant is not known; that has been said of all of them together.
  if (set.bundle === undefined || set.cuts.length === 0) return { ...row, says: "its stretch was not looked at", issues: [] };
  return { ...row, issues: await stretchIssues(file, set.bundle, part === "parity" ? undefined : set.cuts[part - 1]) };
}

function textOf(set: PartSet, rows: readonly Row[], missing: PartSet["missing"], good: boolean): string {
  const small = verdictText(set.verdict).split("\n").slice(0, -2);
  const line = (name: string, status: string, says: string): string => `${name.padEnd(9)}  ${status.padEnd(9)}  ${printable(says)}`;
  const told = rows.flatMap(({ file, part, says, issues }) => {
    const name = part === undefined ? "part" : part === "parity" ? "parity" : `part ${part}`;
    if (issues.length === 0) return [line(name, set.bundle === undefined || set.cuts.length === 0 ? "unreached" : "proven", `${file}: ${says}`)];
    return issues.map((issue) => line(name, "refused", `${issue.code}: ${file}: ${issue.message}`));
  });
  const together = set.issues.map((issue) => line("parts", "refused", `${issue.code}: ${issue.message}`));
  const gone = missing.map(({ part, name }) => line(`part ${part}`, "refused", `part/missing: ${name} is not there`));
  return [...small, ...told, ...together, ...gone, endOf(set, rows, good), ""].join("\n");
}

function endOf({ verdict, missing, bundle }: PartSet, rows: readonly Row[], good: boolean): string {
  if (!good) return "REFUSED: do not use these parts until they are all there and good";
  const what = missing.length === 0 ? `all of ${bundle?.name ?? ""}` : rows.length === 1 ? "this part" : "these parts";
  if (verdict.signedBy === undefined) return `WHOLE: ${what}, but nobody knows who made it: the signature was not checked`;
  return `GOOD: ${what} was signed by ${verdict.signedBy}`;
}
