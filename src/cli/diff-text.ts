/** What `diff` found, in lines for people. */

import type { Difference, ToldOrigin } from "../evidence/diff.ts";
import type { FileLines } from "../evidence/diff-lines.ts";
import { groupMeanings, groups, severities } from "../evidence/diff-rules.ts";
import { printable, show } from "../spec/show.ts";

const signs = { added: "+", removed: "-", changed: "~", moved: ">" } as const;

/** Group by group; below each difference where it is written and which lines show it, in the one bundle and in the other. */
export function differencesAsText(found: readonly Difference[]): string {
  if (found.length === 0) return "no difference\n";
  const some = groups.filter((group) => found.some((each) => each.group === group));
  const quiet = groups.filter((group) => !some.includes(group));
  const parts = some.map((group) => {
    const own = found.filter((each) => each.group === group);
    return `${group}, ${own.length}: ${groupMeanings[group]} (severity ${severities[group]})\n${own.map(differenceAsText).join("")}\n`;
  });
  return `${parts.join("")}${quiet.length === 0 ? "" : `nothing in: ${quiet.join(", ")}\n`}`;
}

function differenceAsText({ subject, kind, name, before, after, origins, lines }: Difference): string {
  // A fingerprint is compared to its last digit.
  const values = [before, after].filter((value) => value !== undefined).map((value) => (subject === "signer" ? printable(String(value)) : show(value)));
  const head = `  ${signs[kind]} ${[subject, printable(name)].filter((word) => word !== "").join(" ")}${values.length === 0 ? "" : `: ${values.join(" -> ")}`}${kind === "moved" ? " (other order)" : ""}\n`;
  const row = (which: "before" | "after"): string => {
    const all = [...originsAsText(origins[which]), ...lines[which].map(linesAsText)];
    return all.length === 0 ? "" : `      ${which.padEnd(6)}  ${all.join("  ")}\n`;
  };
  return `${head}${row("before")}${row("after")}`;
}

/** The first place where it is written, and each default with its reason; that a file is the template's own goes without saying. */
function originsAsText(origins: readonly ToldOrigin[]): readonly string[] {
  const [place] = origins.flatMap((origin) => origin.place ?? []);
  const reasons = origins.flatMap(({ origin, reason }) => (origin.startsWith("default:") ? [`(${origin}${reason === undefined ? "" : `, ${reason}`})`] : []));
  return [...(place === undefined ? [] : [`${printable(place.file)}:${place.line}`]), ...reasons];
}

/** A name takes part in hundreds of lines; so many stretches of a file show which, and --json has them all. */
const mostRanges = 8;

/** `file:12-14,20`. */
function linesAsText({ file, lines }: FileLines): string {
  const ranges: { readonly first: number; readonly last: number }[] = [];
  for (const line of lines) {
    const open = ranges.at(-1);
    if (open !== undefined && open.last + 1 === line) ranges[ranges.length - 1] = { first: open.first, last: line };
    else ranges.push({ first: line, last: line });
  }
  const shown = ranges.slice(0, mostRanges).map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`));
  const rest = ranges.slice(mostRanges).reduce((count, { first, last }) => count + last - first + 1, 0);
  return `${file}:${shown.join(",")}${rest === 0 ? "" : ` and ${rest} more`}`;
}
