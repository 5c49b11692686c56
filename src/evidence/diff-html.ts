/** What `diff` found as one page: group by group, values and lines of both sides with what differs in them marked. */

import { byCodeUnit, canonicalJson, type Json } from "../core/json.ts";
import { changedStretch, type Stretch } from "./changed-stretch.ts";
import type { Difference, DiffSide, ToldOrigin } from "./diff.ts";
import type { SideName, Sides } from "./diff-lines.ts";
import { groupMeanings, groups, severities, type Group } from "./diff-rules.ts";
import { linesOf } from "./explain.ts";
import { html, htmlPage, type Html } from "./html.ts";

/** The two sides as they are called, and what they hold. */
export interface ComparedSide {
  readonly name: string;
  readonly side: DiffSide;
}

/** A user-data or a manifest may differ in hundreds of lines; so many show what it is about, and the rest is counted. */
const mostLines = 24;

/** A line of base64 has no end; around what differs in it, so many characters are shown. */
const mostCharacters = 240;

/** The same bytes for the same two sides. */
export function differencesAsHtml(before: ComparedSide, after: ComparedSide, found: readonly Difference[]): string {
  const texts = { before: linesBy(before.side), after: linesBy(after.side) };
  const body = html`<h1>What changed</h1>
${bothSides(before, after)}
${found.length === 0 ? html`<p>No difference.</p>` : overview(found)}
${groups.filter((group) => found.some((each) => each.group === group)).map((group) => section(group, found.filter((each) => each.group === group), texts))}`;
  return htmlPage({ title: `${before.name} → ${after.name}: what changed`, style, body });
}

const style = `article { border: 1px solid var(--line); border-radius: .375rem; padding: .75rem 1rem; margin: 0 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0 0 .5rem; }
dt { color: var(--soft); } dd { margin: 0; }
.lines { margin: .5rem 0 0; }
.lines th { font-weight: normal; }
.lines th:first-child { width: 5.5rem; text-align: right; white-space: nowrap; }
`;

type LinesOfFile = (path: string) => readonly string[];

/** Each text is cut into lines once. */
function linesBy({ files }: DiffSide): LinesOfFile {
  const known = new Map<string, readonly string[]>();
  return (path) => {
    const lines = known.get(path) ?? linesOf(files.get(path)?.text ?? "");
    known.set(path, lines);
    return lines;
  };
}

function bothSides(before: ComparedSide, after: ComparedSide): Html {
  const row = (which: string, { name, side }: ComparedSide): Html => {
    const { name: cloudlet, organization } = side.record.documents.spec.value as Readonly<Record<string, Json>>;
    const { name: release } = side.record.documents.release.value as Readonly<Record<string, Json>>;
    return html`<tr><th scope="row">${which}</th><td><code>${name}</code></td><td>${said(cloudlet)}</td><td>${said(organization)}</td><td>${said(release)}</td><td>${side.generator ?? ""}</td></tr>\n`;
  };
  return html`<table><caption>The two sides. Whether each is what its signer made, <code>cloudlet-bundle verify</code> says.</caption>
<thead><tr><th scope="col">Side</th><th scope="col">Named</th><th scope="col">Cloudlet</th><th scope="col">Organization</th><th scope="col">Release</th><th scope="col">Made by</th></tr></thead>
<tbody>
${row("before", before)}${row("after", after)}</tbody></table>`;
}

function said(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function overview(found: readonly Difference[]): Html {
  const row = (group: Group): Html => {
    const count = found.filter((each) => each.group === group).length;
    const name = count === 0 ? html`${group}` : html`<a href="#${group}">${group}</a>`;
    return html`<tr><th scope="row">${name}</th><td>${count}</td><td>${severity(group)}</td><td>${groupMeanings[group]}</td></tr>\n`;
  };
  return html`<table><caption>Differences by group</caption>
<thead><tr><th scope="col">Group</th><th scope="col">Differences</th><th scope="col">Severity</th><th scope="col">Asks</th></tr></thead>
<tbody>
${groups.map(row)}</tbody></table>`;
}

function severity(group: Group): Html {
  return html`<span class="${severities[group]}">${severities[group]}</span>`;
}

function section(group: Group, found: readonly Difference[], texts: Readonly<Record<SideName, LinesOfFile>>): Html {
  return html`<h2 id="${group}">${group}, ${found.length}: ${groupMeanings[group]}</h2>
<p>Severity ${severity(group)}</p>
${found.map((each) => article(each, texts))}`;
}

function article(difference: Difference, texts: Readonly<Record<SideName, LinesOfFile>>): Html {
  const { subject, kind, name } = difference;
  const [before, after] = valuesOf(difference);
  return html`<article>
<h3>${kind} ${subject} ${name === "" ? "" : html`<code>${name}</code>`}</h3>
<dl>
${sideRows("before", before, difference.origins)}${sideRows("after", after, difference.origins)}</dl>
${lineTables(difference.lines, texts)}</article>
`;
}

/** What differs in them is marked where there are two. */
function valuesOf({ before, after }: Difference): readonly [Html | undefined, Html | undefined] {
  if (before === undefined || after === undefined) return [before, after].map((value) => (value === undefined ? undefined : html`${valueText(value)}`)) as [Html | undefined, Html | undefined];
  const [x, y] = changedStretch(valueText(before), valueText(after));
  return [marked(x, "del"), marked(y, "ins")];
}

/** A text as it is; anything else as JSON. */
function valueText(value: Json): string {
  return typeof value === "string" ? value : canonicalJson(value).trimEnd();
}

function marked({ start, middle, end }: Stretch, element: "del" | "ins"): Html {
  const mark = middle === "" ? html`` : element === "del" ? html`<del>${middle}</del>` : html`<ins>${middle}</ins>`;
  return html`${start}${mark}${end}`;
}

function sideRows(which: SideName, value: Html | undefined, origins: Sides<ToldOrigin>): Html {
  const rows = [...(value === undefined ? [] : [html`<dt>${which}</dt><dd><pre>${value}</pre></dd>\n`]), ...origins[which].map((origin) => html`<dt>${which} by</dt><dd>${originText(origin)}</dd>\n`)];
  return html`${rows}`;
}

function originText({ origin, place, reason }: ToldOrigin): Html {
  const at = place === undefined ? "" : ` ${place.file}:${place.line}:${place.column}`;
  return html`<code>${origin}</code>${at}${reason === undefined ? "" : `: ${reason}`}`;
}

function lineTables(lines: Difference["lines"], texts: Readonly<Record<SideName, LinesOfFile>>): Html {
  const numbers = (which: SideName, path: string): readonly number[] => lines[which].flatMap(({ file, lines: own }) => (file === path ? own : []));
  const paths = [...new Set([...lines.before, ...lines.after].map(({ file }) => file))].sort(byCodeUnit);
  return html`${paths.map((path) => lineTable(path, { before: numbers("before", path), after: numbers("after", path) }, texts))}`;
}

/** Lines are taken for each other's in their order where there are as many of them; then what differs in each is marked. */
function lineTable(path: string, { before, after }: { readonly before: readonly number[]; readonly after: readonly number[] }, texts: Readonly<Record<SideName, LinesOfFile>>): Html {
  const isPaired = before.length === after.length;
  const text = (which: SideName, line: number | undefined): string => texts[which](path)[(line ?? 0) - 1] ?? "";
  const pair = (index: number): readonly [Stretch, Stretch] => changedStretch(text("before", before[index]), text("after", after[index]));
  const plain = (which: SideName, line: number): Html => marked(shortened({ start: "", middle: "", end: text(which, line) }), "ins");
  const rows = [
    ...before.slice(0, mostLines).map((line, index) => lineRow("−", line, isPaired ? marked(shortened(pair(index)[0]), "del") : plain("before", line))),
    ...after.slice(0, mostLines).map((line, index) => lineRow("+", line, isPaired ? marked(shortened(pair(index)[1]), "ins") : plain("after", line))),
  ];
  const rest = before.length + after.length - rows.length;
  return html`<table class="lines"><caption><code>${path}</code>${rest === 0 ? "" : `, and ${rest} more lines`}</caption>
<thead><tr><th scope="col">Line</th><th scope="col">Text (− before, + after)</th></tr></thead>
<tbody>
${rows}</tbody></table>
`;
}

function lineRow(sign: "−" | "+", line: number, text: Html): Html {
  return html`<tr><th scope="row">${sign} ${line}</th><td><pre>${text}</pre></td></tr>\n`;
}

function shortened({ start, middle, end }: Stretch): Stretch {
  const [head, body, tail] = [[...start], [...middle], [...end]];
  return {
    start: head.length > mostCharacters ? `…${head.slice(-mostCharacters).join("")}` : start,
    middle: body.length > mostCharacters ? `${body.slice(0, mostCharacters).join("")}…` : middle,
    end: tail.length > mostCharacters ? `${tail.slice(0, mostCharacters).join("")}…` : end,
  };
}
