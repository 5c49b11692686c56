/** What the sections of the report's page share: links to lines, tags, tables. */

import type { Origin } from "../../core/origin.ts";
import type { AuditPlace, AuditResult, RuleSeverity } from "../audit/rule.ts";
import { partsOf } from "../record.ts";
import type { Markup } from "./html.ts";
import { html } from "./html.ts";
import type { Report } from "./report.ts";

export interface Page {
  readonly report: Report;
  /** A link to a line; the line gets an anchor, for which its file is written after all links are known. */
  readonly linkTo: (place: AuditPlace) => Markup;
  /** Lines that something links to, by path. */
  readonly linked: ReadonlyMap<string, ReadonlySet<number>>;
}

export function pageOf(report: Report): Page {
  const shown = new Set(report.files.filter(({ text }) => text !== undefined).map(({ path }) => path));
  const linked = new Map<string, Set<number>>();
  const linkTo = ({ file, line }: AuditPlace): Markup => {
    const text = line === undefined ? file : `${file}:${line}`;
    if (line === undefined || !shown.has(file)) return html`<a href="#${fileAnchor(file)}"><code>${text}</code></a>`;
    const lines = linked.get(file) ?? new Set();
    linked.set(file, lines.add(line));
    return html`<a href="#${text}"><code>${text}</code></a>`;
  };
  return { report, linkTo, linked };
}

/** Of a file's row in the table, which every file has. */
export function fileAnchor(path: string): string {
  return `file:${path}`;
}

/** At most so many places are linked; report.json has all. */
const mostPlaces = 12;

export function placeList({ linkTo }: Page, places: readonly AuditPlace[], most = mostPlaces): Markup {
  if (places.length === 0) return html``;
  const more = places.length - most;
  return html`<ul class="places">${places.slice(0, most).map((place) => html`<li>${linkTo(place)}${causedBy(place.origins ?? [])}</li>`)}${more > 0 ? html`<li class="soft">and ${more} more</li>` : undefined}</ul>`;
}

/** In one line, for cells of a table. */
export function placesInline({ linkTo }: Page, places: readonly AuditPlace[], most: number): Markup {
  const more = places.length - most;
  return html`${places.slice(0, most).map((place, index) => html`${index === 0 ? "" : ", "}${linkTo(place)}`)}${more > 0 ? `, and ${more} more` : ""}`;
}

function causedBy(origins: readonly Origin[]): Markup | undefined {
  if (origins.length === 0) return undefined;
  const more = origins.length > 3 ? ` and ${origins.length - 3} more` : "";
  return html` <small>${origins.slice(0, 3).map(originText).join(", ")}${more}</small>`;
}

/** `spec:/a/b` as `spec /a/b`. */
export function originText(origin: Origin): string {
  const { kind, name } = partsOf(origin);
  return `${kind} ${name}`;
}

const severityTags: Readonly<Record<RuleSeverity, string>> = { high: "bad", medium: "look", low: "" };

export function severityTag(severity: RuleSeverity): Markup {
  return html`<span class="tag ${severityTags[severity]}">${severity}</span>`;
}

const states: Readonly<Record<AuditResult["state"], readonly [string, string]>> = { met: ["good", "met"], unmet: ["bad", "not met"], waived: ["look", "waived"], "not-applicable": ["", "elsewhere"] };

export function stateWord(state: AuditResult["state"]): string {
  return states[state][1];
}

export function stateTag(state: AuditResult["state"]): Markup {
  return html`<span class="tag ${states[state][0]}">${stateWord(state)}</span>`;
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
