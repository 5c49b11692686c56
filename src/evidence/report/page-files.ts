/** The report's page: every file, line by line with what caused it, and every origin. */

import { canonicalJson } from "../../core/json.ts";
import type { Origin } from "../../core/origin.ts";
import { code, section, table, tablePieces, type Row } from "../page/blocks.ts";
import type { Markup } from "../page/html.ts";
import { escaped, escapedContent, html, joinedMarkup } from "../page/html.ts";
import type { Cause } from "./causes.ts";
import { onceFor } from "./known-texts.ts";
import type { Page } from "./page.ts";
import { fileAnchor, originText } from "./page.ts";
import type { ReportFile, ReportOrigin } from "./report.ts";
import { grouped } from "./show-figures.ts";

/** In pieces, for most files are long and the same in every bundle. Every link to a line has to be made before. */
export function* files({ report, linked }: Page): Generator<string | Uint8Array> {
  yield `
<section id="files" aria-labelledby="files-title">
<h2 id="files-title">Files</h2>
<p>Below the table stands each text line by line, with what caused the line beside it: a field of the spec, the release or the lock, a
default, or a constant. A line with nothing beside it is the template's own text. The evidence is not repeated here, as this page says
what it says, nor what is longer than 256 KiB.</p>
`;
  yield* tablePieces("Every file that was there when this page was made", ["Path", "!Role", "!Mode", "#Bytes", "SHA-256"], report.files, rowOf);
  yield "\n<h3>Contents</h3>\n";
  const noteOf = notes(report.causes, report.origins);
  for (const file of report.files) {
    const anchors = linked.get(file.path) ?? new Set<number>();
    if (file.text !== undefined) yield onceFor("html", file, [...anchors].join(" "), () => contents(file, anchors, noteOf));
  }
  yield "</section>\n";
}

function rowOf(file: ReportFile): Row {
  return [
    html`<a id="${fileAnchor(file.path)}" ${file.text === undefined ? undefined : html`href="#text:${file.path}"`}><code>${file.path}</code></a>`,
    file.role,
    file.mode,
    grouped(file.size),
    html`<code class="sum">${file.sha256 ?? "not listed"}</code>`,
  ];
}

function contents(file: ReportFile, anchors: ReadonlySet<number>, noteOf: (cause: number) => string): string {
  const lines = escapedContent((file.text ?? "").replace(/\n$/, "")).split("\n");
  const anchored = [...anchors].sort((a, b) => a - b);
  let next = 0;
  const { markup } = html`<details class="file" id="text:${file.path}"><summary><code>${file.path}</code> <span class="soft">${grouped(lines.length)} ${lines.length === 1 ? "line" : "lines"}</span></summary>
<p class="soft">Made from ${code(file.source)}</p>
<ol class="text">
`;
  const items: string[] = [];
  let done = 0;
  const one = (kind: string, note: string): void => {
    const isAnchored = anchored[next] === done + 1;
    const id = isAnchored ? ` id="${escaped(`${file.path}:${done + 1}`)}"` : "";
    items.push(`<li${kind}${id}>${lines[done]}${note}\n`);
    done += 1;
    if (isAnchored) next += 1;
  };
  const upTo = (last: number, kind: string): void => {
    while (done < last) {
      const stop = Math.min(anchored[next] ?? last + 1, last + 1);
      if (stop > done + 1) items.push(`<li${kind}>`, lines.slice(done, stop - 1).join(`\n<li${kind}>`), "\n");
      done = stop - 1;
      if (stop <= last) one(kind, "");
    }
  };
  for (const { first, last, cause } of file.runs) {
    upTo(first - 1, "");
    one("", noteOf(cause));
    upTo(last, ' class="c"');
  }
  upTo(lines.length, "");
  return `${markup}${items.join("")}</ol></details>\n`;
}

/** At most so many origins stand beside a line; of more the first, with a link to all. */
const mostBeside = 2;

/** To an origin's row in the table of all of them. */
function linksTo(origins: readonly ReportOrigin[]): (some: readonly Origin[]) => Markup {
  const links = new Map(origins.map(({ origin }, index) => [origin, html`<a href="#origin:${index}">${originText(origin)}</a>`]));
  return (some) => joinedMarkup(byKind(some).map((origin) => links.get(origin) as Markup), ", ");
}

/** What stands beside the first line of a run. */
function notes(causes: readonly Cause[], origins: readonly ReportOrigin[]): (cause: number) => string {
  const list = linksTo(origins);
  const made: string[] = [];
  return (index) => (made[index] ??= noteOf(index));
  function noteOf(index: number): string {
    const { shows, because } = causes[index] as Cause;
    const all = [...byKind(shows), ...byKind(because)];
    if (all.length > mostBeside) return html`<small>${shows.length === 0 ? "there because of " : ""}${originText(all[0] as Origin)} <a href="#cause:${index}">and ${all.length - 1} more</a></small>`.markup;
    return html`<small>${list(shows)}${shows.length > 0 && because.length > 0 ? "; " : ""}${because.length > 0 ? html`there because of ${list(because)}` : undefined}</small>`.markup;
  }
}

/** What somebody wrote first: it says most. */
function byKind(some: readonly Origin[]): readonly Origin[] {
  return some.length < 2 ? some : ["spec:", "release:", "lock:", "default:", "constant:"].flatMap((kind) => some.filter((origin) => origin.startsWith(kind)));
}

export function origins({ report }: Page): Markup {
  const rows = report.origins.map(({ origin, value, reason }, index) => [html`<span id="origin:${index}">${originText(origin)}</span>`, value === undefined ? (reason ?? "not known to this version") : code(canonicalJson(value).trimEnd())]);
  const list = linksTo(report.origins);
  const long = report.causes.flatMap((cause, index) => (cause.shows.length + cause.because.length > mostBeside ? [[index, cause] as const] : []));
  const sets = long.map(([index, { shows, because }], at) => [html`<span id="cause:${index}">${at + 1}</span>`, list(shows), list(because)]);
  return section(
    "origins",
    "Origins",
    html`<p>Where the values come from. <code>cloudlet-bundle explain BUNDLE FILE:LINE</code> tells it to the column.</p>
<details><summary>${grouped(report.origins.length)} origins</summary>${table("Origins", ["Origin", "Its value, or why it is there"], rows)}</details>
${sets.length === 0 ? undefined : html`<details><summary>${sets.length} sets of more than ${mostBeside} origins</summary>${table("Sets of origins", ["Set", "The line is made of", "It is there because of"], sets)}</details>`}`,
  );
}
