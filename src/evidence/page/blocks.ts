/** What pages are built of: sections, tables, lists of facts, tags, words with code in them. */

import type { Markup } from "./html.ts";
import { html } from "./html.ts";

export type Severity = "high" | "medium" | "low" | "none";

const severityTags: Readonly<Record<Severity, string>> = { high: "bad", medium: "look", low: "", none: "" };

export function severityTag(severity: Severity): Markup {
  return html`<span class="tag ${severityTags[severity]}">${severity}</span>`;
}

export function section(id: string, title: string, body: Markup): Markup {
  return html`
<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${body}
</section>`;
}

/** Columns whose title begins with `#` hold figures, with `!` words that don't break. The first cell of a row is its heading. */
export function table(caption: string, columns: readonly string[], rows: readonly (readonly (string | number | Markup)[])[]): Markup {
  const kinds = columns.map((column) => (column.startsWith("#") ? html` class="n"` : column.startsWith("!") ? html` class="w"` : undefined));
  const head = columns.map((column, index) => html`<th scope="col"${kinds[index]}>${column.replace(/^[#!]/, "")}</th>`);
  const row = (cells: readonly (string | number | Markup)[]): Markup =>
    html`<tr>${cells.map((cell, index) => (index === 0 ? html`<th scope="row"${kinds[0]}>${cell}</th>` : html`<td${kinds[index]}>${cell}</td>`))}</tr>
`;
  return html`<div class="wide" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${head}</tr></thead>
<tbody>
${rows.map(row)}</tbody>
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
