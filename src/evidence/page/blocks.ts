/** What pages are built of: sections, tables, lists of facts, tags, words with code in them. */

import type { Markup } from "./html.ts";
import { html } from "./html.ts";

export type Severity = "high" | "medium" | "low" | "none";

const severityTags: Readonly<Record<Severity, string>> = { high: "bad", medium: "look", low: "", none: "" };

export function severityTag(severity: Severity): Markup {
  return html`<span class="tag ${severityTags[severity]}">${severity}</span>`;
}

export function section(id: string, title: string, body: Markup): Markup {
  return { markup: [...sectionPieces(id, title, [body.markup])].join("") };
}

/** The same piece by piece, each made when it is asked for: for sections of thousands. */
export function* sectionPieces(id: string, title: string, body: Iterable<string>): Generator<string> {
  yield html`
<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
`.markup;
  yield* body;
  yield "\n</section>";
}

/** Columns whose title begins with `#` hold figures, with `!` words that don't break. The first cell of a row is its heading. */
export function table(caption: string, columns: readonly string[], rows: readonly Row[]): Markup {
  return { markup: [...tablePieces(caption, columns, rows, (row) => row)].join("") };
}

export type Row = readonly (string | number | Markup)[];

/** The same row by row, each made when it is asked for: for tables of thousands. */
export function* tablePieces<T>(caption: string, columns: readonly string[], all: readonly T[], rowOf: (each: T) => Row): Generator<string> {
  const kinds = columns.map((column) => (column.startsWith("#") ? html` class="n"` : column.startsWith("!") ? html` class="w"` : undefined));
  const head = columns.map((column, index) => html`<th scope="col"${kinds[index]}>${column.replace(/^[#!]/, "")}</th>`);
  yield html`<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
`.markup;
  for (const each of all) {
    yield html`<tr>${rowOf(each).map((cell, index) => (index === 0 ? html`<th scope="row"${kinds[0]}>${cell}</th>` : html`<td${kinds[index]}>${cell}</td>`))}</tr>
`.markup;
  }
  yield `</tbody>
</table></div>`;
}

export function facts(pairs: readonly (readonly [string, string | Markup])[]): Markup {
  return html`<dl>${pairs.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>
`)}</dl>`;
}

/** Our own words, with code between backticks. */
export function prose(text: string): Markup {
  return html`${text.split("`").map((part, index) => (index % 2 === 1 ? code(part) : html`${part}`))}`;
}

export function code(text: string): Markup {
  return html`<code>${text}</code>`;
}
