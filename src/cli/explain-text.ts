/** What `explain` found, in lines for people. */

import type { FieldExplained, LineExplained, OriginExplained } from "../evidence/explain.ts";
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

function valueAsText({ start, end, text, origins }: LineExplained["values"][number]): string {
  const stretch = printable(text.length > 60 ? `${text.slice(0, 57)}…` : text);
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

/** A field of the spec, what it is, and every line that it caused. */
export function fieldAsText(field: FieldExplained, origins: readonly OriginExplained[], lines: readonly { readonly file: string; readonly line: number; readonly text: string }[]): string {
  const value = field.value === undefined ? "left out; a default stands in" : show(field.value);
  const head = `${field.pointer === "" ? "the whole spec" : printable(field.pointer)}: ${value}\n`;
  const list = origins.map((origin) => `  ${originAsText(origin)}\n`).join("");
  const count = lines.length === 0 ? "caused no line: the bundle's texts don't depend on it\n" : `caused ${lines.length} ${lines.length === 1 ? "line" : "lines"}:\n`;
  return `${head}${list}${count}${lines.map(({ file, line, text }) => `${file}:${line}: ${printable(text)}\n`).join("")}`;
}
