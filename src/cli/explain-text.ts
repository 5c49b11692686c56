/** What `explain` found, in lines for people. */

import type { CausedLine, FieldExplained, LineExplained, OriginExplained } from "../evidence/explain.ts";
import { printable, show } from "../spec/show.ts";

/** For each line its place and text, then each stretch of it with what caused it. `whole`: lines that no value caused are left out. */
export function linesAsText(lines: readonly LineExplained[], { source, whole }: { readonly source: string | undefined; readonly whole: boolean }): string {
  const shown = whole ? lines.filter((line) => line.values.length > 0) : lines;
  const others = lines.length - shown.length;
  const rest = others === 0 ? "" : `${others} ${shown.length === 0 ? "" : "other "}${others === 1 ? "line is" : "lines are"} the text of ${source ?? "the file"} itself; no value caused ${others === 1 ? "it" : "them"}\n`;
  return shown.map((line) => lineAsText(line, source)).join("") + rest;
}

function lineAsText({ file, line, text, template, values }: LineExplained, source: string | undefined): string {
  const from = template === undefined ? (source === undefined ? "" : `  made by   ${source}\n`) : `  template  ${template.path}:${template.line}\n`;
  const none = values.length === 0 ? "  no value caused it: it is the file's own text\n" : "";
  return `${file}:${line}: ${printable(text)}\n${from}${none}${values.map(valueAsText).join("")}`;
}

function valueAsText({ start, end, text, shows, origins }: LineExplained["values"][number]): string {
  const stretch = shows ? printable(text.length > 60 ? `${text.slice(0, 57)}…` : text) : "is there because of";
  return `  ${start}-${end - 1}  ${stretch}\n${origins.map((origin) => `      ${originAsText(origin)}\n`).join("")}`;
}

function originAsText(explained: OriginExplained): string {
  switch (explained.kind) {
    case "constant":
      return `constant  ${explained.name}: ${explained.reason ?? "not known to this version"}`;
    case "default": {
      const fills = explained.fills === undefined ? "" : ` (${explained.fills.document} ${explained.fills.pointer} = ${show(explained.fills.value)})`;
      return `default   ${explained.name}: ${explained.reason ?? "not known to this version"}${fills}`;
    }
    default: {
      const at = explained.places.map(({ file, line, column }) => `${file}:${line}:${column}`).join(", ");
      const value = explained.value === undefined ? "" : ` = ${show(explained.value)}`;
      return `${explained.kind.padEnd(9)} ${printable(explained.pointer)}${value}${at === "" ? "" : `  ${at}`}`;
    }
  }
}

/** A line that a field takes part in, with its text. */
export interface CausedText extends CausedLine {
  readonly text: string;
}

/** A field of the spec, what it is, every line that shows it, and which other lines are there because of it. */
export function fieldAsText(field: FieldExplained, origins: readonly OriginExplained[], lines: readonly CausedText[]): string {
  const value = field.value === undefined ? "left out; a default stands in" : show(field.value);
  const head = `${field.pointer === "" ? "the whole spec" : printable(field.pointer)}: ${value}\n`;
  const list = origins.map((origin) => `  ${originAsText(origin)}\n`).join("");
  const shown = lines.filter((line) => line.shows);
  const there = lines.filter((line) => !line.shows);
  if (lines.length === 0) return `${head}${list}no line: the bundle's texts don't depend on it\n`;
  return [
    head,
    list,
    shown.length === 0 ? "" : `takes part in ${shown.length} ${shown.length === 1 ? "line" : "lines"}:\n`,
    ...shown.map(({ file, line, text }) => `${file}:${line}: ${printable(text)}\n`),
    there.length === 0 ? "" : `${there.length} ${shown.length === 0 ? "" : "other "}${there.length === 1 ? "line is" : "lines are"} there because of it:\n`,
    ...rangesOf(there).map((range) => `${range}\n`),
  ].join("");
}

/** `file:12-14, 20` for each file. */
function rangesOf(lines: readonly CausedLine[]): readonly string[] {
  return [...Map.groupBy(lines, (line) => line.file)].map(([file, all]) => {
    const ranges: { first: number; last: number }[] = [];
    for (const { line } of all) {
      const open = ranges.at(-1);
      if (open !== undefined && open.last + 1 === line) open.last = line;
      else ranges.push({ first: line, last: line });
    }
    return `${file}:${ranges.map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`)).join(", ")}`;
  });
}
