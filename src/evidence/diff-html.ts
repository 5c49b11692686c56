/** What `diff` found as one page: group by group, values and lines of both sides with what differs in them marked. */

import { byCodeUnit, canonicalJson, type Json } from "../core/json.ts";
import { changedStretch, type Stretch } from "./changed-stretch.ts";
import type { Difference, DiffSide, ToldOrigin } from "./diff.ts";
import type { SideName, Sides } from "./diff-lines.ts";
import { groupMeanings, groups, severities, type Group } from "./diff-rules.ts";
import { linesOf } from "./explain.ts";
import { code, section, sectionPieces, severityTag, table } from "./page/blocks.ts";
import { html, type Markup } from "./page/html.ts";
import { pageFoot, pageHead } from "./page/shell.ts";
import { pageStyle } from "./page/style.ts";

/** The two sides as they are called, and what they hold. */
export interface ComparedSide {
  readonly name: string;
  readonly side: DiffSide;
}

/** A user-data or a manifest may differ in hundreds of lines; so many show what it is about, and the rest is counted. */
const mostLines = 24;

/** A line of base64 has no end; around what differs in it, so many characters are shown. */
const mostCharacters = 240;

/** The same bytes for the same two sides; in pieces, for there may be thousands of differences. */
export function* differencesAsHtml(before: ComparedSide, after: ComparedSide, found: readonly Difference[]): Generator<string> {
  const texts = { before: linesBy(before.side), after: linesBy(after.side) };
  const there = groups.filter((group) => found.some((each) => each.group === group));
  const head = pageHead({
    title: `${before.name} → ${after.name}: what changed`,
    style,
    heading: heading(before, after),
    sections: [["overview", "Overview"], ...there.map((group) => [group, group] as const)],
    skip: "Skip to what changed",
  });
  yield head.markup;
  yield overview(before, after, found).markup;
  for (const group of there) yield* groupSection(group, found.filter((each) => each.group === group), texts);
  yield pageFoot("Made by cloudlet-bundle diff. Whether each side is what its signer made, cloudlet-bundle verify says.").markup;
}

const style = pageStyle(`pre{margin:0;white-space:pre-wrap;font-family:var(--mono);font-size:.9em}
del{color:var(--bad);background:var(--bad-g)}
ins{color:var(--good);background:var(--good-g)}
article{border-top:1px solid var(--line);padding:.85rem 0 .6rem}
article h3{margin:0 0 .4rem}
.lines th:first-child{width:5.5rem;text-align:right}
.lines tbody th{font-weight:400;white-space:nowrap}
`);

type LinesOfFile = (path: string) => readonly string[];

/** A field's lines stand in some files of which others have lines as well; of a file that no field explains, nobody asks again. */
const mostFiles = 100;

/** Each text is cut into lines once, as long as there are few. */
function linesBy({ files }: DiffSide): LinesOfFile {
  const known = new Map<string, readonly string[]>();
  return (path) => {
    const lines = known.get(path) ?? linesOf(files.get(path)?.text ?? "");
    if (known.size >= mostFiles) known.clear();
    known.set(path, lines);
    return lines;
  };
}

function heading(before: ComparedSide, after: ComparedSide): Markup {
  return html`<header>
<p class="kind">Cloudlet bundle · what changed</p>
<h1>${before.name} <span>→ ${after.name}</span></h1>
</header>`;
}

function overview(before: ComparedSide, after: ComparedSide, found: readonly Difference[]): Markup {
  const counts = groups.map((group) => {
    const count = found.filter((each) => each.group === group).length;
    return [count === 0 ? group : html`<a href="#${group}">${group}</a>`, count, severityTag(severities[group]), groupMeanings[group]];
  });
  const body = html`${found.length === 0 ? html`<p>No difference.</p>` : table("Differences by group", ["Group", "#Differences", "!Severity", "Asks"], counts)}
${table("The two sides", ["Side", "Named", "Cloudlet", "Organization", "Release", "Made by"], [sideCells("before", before), sideCells("after", after)])}`;
  return section("overview", found.length === 0 ? "Nothing changed" : `${found.length} ${found.length === 1 ? "difference" : "differences"}`, body);
}

function sideCells(which: string, { name, side }: ComparedSide): readonly (string | Markup)[] {
  const { name: cloudlet, organization } = side.record.documents.spec.value as Readonly<Record<string, Json>>;
  const { name: release } = side.record.documents.release.value as Readonly<Record<string, Json>>;
  return [which, code(name), said(cloudlet), said(organization), said(release), side.generator ?? ""];
}

function said(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

function groupSection(group: Group, found: readonly Difference[], texts: Readonly<Record<SideName, LinesOfFile>>): Generator<string> {
  return sectionPieces(group, `${group}, ${found.length}: ${groupMeanings[group]}`, articles(group, found, texts));
}

function* articles(group: Group, found: readonly Difference[], texts: Readonly<Record<SideName, LinesOfFile>>): Generator<string> {
  yield html`<p>Severity ${severityTag(severities[group])}</p>
`.markup;
  for (const each of found) yield article(each, texts).markup;
}

function article(difference: Difference, texts: Readonly<Record<SideName, LinesOfFile>>): Markup {
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
function valuesOf({ before, after }: Difference): readonly [Markup | undefined, Markup | undefined] {
  if (before === undefined || after === undefined) return [before, after].map((value) => (value === undefined ? undefined : html`${valueText(value)}`)) as [Markup | undefined, Markup | undefined];
  const [x, y] = changedStretch(valueText(before), valueText(after));
  return [marked(x, "del"), marked(y, "ins")];
}

/** A text as it is; anything else as JSON. */
function valueText(value: Json): string {
  return typeof value === "string" ? value : canonicalJson(value).trimEnd();
}

function marked({ start, middle, end }: Stretch, element: "del" | "ins"): Markup {
  const mark = middle === "" ? html`` : element === "del" ? html`<del>${middle}</del>` : html`<ins>${middle}</ins>`;
  return html`${start}${mark}${end}`;
}

function sideRows(which: SideName, value: Markup | undefined, origins: Sides<ToldOrigin>): Markup {
  const rows = [...(value === undefined ? [] : [html`<dt>${which}</dt><dd><pre>${value}</pre></dd>\n`]), ...origins[which].map((origin) => html`<dt>${which} by</dt><dd>${originText(origin)}</dd>\n`)];
  return html`${rows}`;
}

function originText({ origin, place, reason }: ToldOrigin): Markup {
  const at = place === undefined ? "" : ` ${place.file}:${place.line}:${place.column}`;
  return html`<code>${origin}</code>${at}${reason === undefined ? "" : `: ${reason}`}`;
}

function lineTables(lines: Difference["lines"], texts: Readonly<Record<SideName, LinesOfFile>>): Markup {
  const byFile = { before: Map.groupBy(lines.before, ({ file }) => file), after: Map.groupBy(lines.after, ({ file }) => file) };
  const numbers = (which: SideName, path: string): readonly number[] => (byFile[which].get(path) ?? []).flatMap(({ lines: own }) => own);
  const paths = [...new Set([...lines.before, ...lines.after].map(({ file }) => file))].sort(byCodeUnit);
  return html`${paths.map((path) => lineTable(path, { before: numbers("before", path), after: numbers("after", path) }, texts))}`;
}

/** Lines are taken for each other's in their order where there are as many of them; then what differs in each is marked. */
function lineTable(path: string, { before, after }: { readonly before: readonly number[]; readonly after: readonly number[] }, texts: Readonly<Record<SideName, LinesOfFile>>): Markup {
  const isPaired = before.length === after.length;
  const text = (which: SideName, line: number | undefined): string => texts[which](path)[(line ?? 0) - 1] ?? "";
  const pair = (index: number): readonly [Stretch, Stretch] => changedStretch(text("before", before[index]), text("after", after[index]));
  const plain = (which: SideName, line: number): Markup => marked(shortened({ start: "", middle: "", end: text(which, line) }), "ins");
  const rows = [
    ...before.slice(0, mostLines).map((line, index) => lineRow("−", line, isPaired ? marked(shortened(pair(index)[0]), "del") : plain("before", line))),
    ...after.slice(0, mostLines).map((line, index) => lineRow("+", line, isPaired ? marked(shortened(pair(index)[1]), "ins") : plain("after", line))),
  ];
  const rest = before.length + after.length - rows.length;
  return html`<div class="wide"><table class="lines"><caption><code>${path}</code>${rest === 0 ? "" : `, and ${rest} more lines`}</caption>
<thead><tr><th scope="col">Line</th><th scope="col">Text (− before, + after)</th></tr></thead>
<tbody>
${rows}</tbody></table></div>
`;
}

function lineRow(sign: "−" | "+", line: number, text: Markup): Markup {
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
