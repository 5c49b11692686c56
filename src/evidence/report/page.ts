/** What the sections of the report's page share: links to lines, origins, states. */

import type { Origin } from "../../core/origin.ts";
import type { AuditPlace, AuditResult } from "../audit/rule.ts";
import type { Markup } from "../page/html.ts";
import { html } from "../page/html.ts";
import { partsOf } from "../record.ts";
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

const states: Readonly<Record<AuditResult["state"], readonly [string, string]>> = { met: ["good", "met"], unmet: ["bad", "not met"], waived: ["look", "waived"], "not-applicable": ["", "elsewhere"] };

export function stateWord(state: AuditResult["state"]): string {
  return states[state][1];
}

export function stateTag(state: AuditResult["state"]): Markup {
  return html`<span class="tag ${states[state][0]}">${stateWord(state)}</span>`;
}
