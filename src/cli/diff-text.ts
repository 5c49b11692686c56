/** What `diff` found, in lines for people. */

import type { Difference, FileLines } from "../evidence/diff.ts";
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

function differenceAsText({ subject, kind, name, before, after, places, lines }: Difference): string {
  const values = [before, after].filter((value) => value !== undefined).map(show);
  const head = `  ${signs[kind]} ${[subject, printable(name)].filter((word) => word !== "").join(" ")}${values.length === 0 ? "" : `: ${values.join(" -> ")}`}${kind === "moved" ? " (other order)" : ""}\n`;
  const row = (which: "before" | "after"): string => {
    const at = places[which].map(({ file, line }) => `${file}:${line}`);
    const all = [...at, ...lines[which].map(linesAsText)];
    return all.length === 0 ? "" : `      ${which.padEnd(6)}  ${all.join("  ")}\n`;
  };
  return `${head}${row("before")}${row("after")}`;
}

/** `file:12-14,20`. */
function linesAsText({ file, lines }: FileLines): string {
  const ranges: { readonly first: number; readonly last: number }[] = [];
  for (const line of lines) {
    const open = ranges.at(-1);
    if (open !== undefined && open.last + 1 === line) ranges[ranges.length - 1] = { first: open.first, last: line };
    else ranges.push({ first: line, last: line });
  }
  return `${file}:${ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(",")}`;
}
