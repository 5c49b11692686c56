/** The report's page: what the bundle is, whether it is in order, what is not met, what somebody has let pass. */

import { severities } from "../audit/rule.ts";
import { code, facts, prose, section, severityTag, table } from "../page/blocks.ts";
import type { Markup } from "../page/html.ts";
import { html } from "../page/html.ts";
import type { Page } from "./page.ts";
import { placeList, stateTag, stateWord } from "./page.ts";
import type { Report, ReportResult, Score } from "./report.ts";
import { grouped, timeText } from "./show-figures.ts";

export function heading({ about }: Report): Markup {
  const { cloudlet, platform, access, release } = about;
  return html`<header>
<p class="kind">Cloudlet bundle · report</p>
<h1>${cloudlet.name} <span>of ${cloudlet.organization}</span></h1>
<p class="soft">${platform} · ${access} access · region ${cloudlet.region} · release ${release.name}, sequence ${release.sequence}</p>
</header>`;
}

export function verdict({ verdict: found, references }: Report): Markup {
  const { rules } = found;
  const [tone, sentence] = judged(rules.unmet, rules.waived);
  const classes = [...Map.groupBy(references, (reference) => reference.class)].map(([name, all]) => `${all.length} ${name}`).join(", ");
  const good = found.scorecard.filter(({ state }) => state === "met").length;
  return html`
<section class="verdict ${tone}" id="verdict" aria-labelledby="verdict-title">
<h2 id="verdict-title">${sentence}</h2>
<p class="soft">Judged from the files alone. Whether they are what their signer made, a page that lies among them can't say: see <a href="#signature">how to check the signature</a>.</p>
<ul class="tiles">
<li><b>${rules.met} of ${rules.all} rules met</b><span>${rules.unmet.high + rules.unmet.medium + rules.unmet.low} not met, ${rules.waived} waived, ${rules.notApplicable} not decided by the files</span></li>
<li><b>${worst(found.secretScan, "No secret found", "A secret may be in it", "Secrets: waived")}</b><span>${statesOf(found.secretScan)}</span></li>
<li><b>${worst(found.airGap, "Nothing leads out", "Something leads out", "Leads out: waived")}</b><span>${grouped(references.length)} references: ${classes}</span></li>
<li><b>SBOM: ${good} of ${found.scorecard.length} asked for</b><span>${statesOf(found.scorecard)}</span></li>
</ul>
</section>`;
}

function statesOf(scores: readonly Score[]): readonly Markup[] {
  return scores.map(({ id, state }, index) => html`${index === 0 ? "" : ", "}<span class="nb">${id} ${stateWord(state)}</span>`);
}

function judged({ high, medium, low }: Report["verdict"]["rules"]["unmet"], waived: number): readonly [string, string] {
  const aside = waived === 0 ? "" : `; ${waived} waived`;
  if (high > 0) return ["bad", `Not in order: ${high} ${high === 1 ? "rule" : "rules"} of high severity not met${aside}`];
  if (medium + low > 0) return ["look", `Nothing of high severity is unmet; ${medium} of medium and ${low} of low severity are${aside}`];
  return ["good", `In order: every rule that the files can answer is met${aside}`];
}

function worst(scores: readonly Score[], good: string, bad: string, waived: string): string {
  if (scores.some(({ state }) => state === "unmet")) return bad;
  return scores.some(({ state }) => state === "waived") ? waived : good;
}

export function about({ about: of, later }: Report): Markup {
  const { cloudlet, platform, access, release, generator, digests } = of;
  return section(
    "about",
    "What this is",
    html`<p>Everything that an operator needs to install this cloudlet where nobody outside can reach. This page was made
with the bundle, of the same files, and says the same each time it is made again: <code>cloudlet-bundle report BUNDLE</code>.</p>
${facts([
  ["Cloudlet", cloudlet.name],
  ["Organization", cloudlet.organization],
  ["Region", cloudlet.region],
  ["Platform", platform],
  ["Access", access === "restricted" ? "restricted: carried in, as nobody outside reaches the IaaS" : "direct: the controller reaches the IaaS"],
  ["Release", `${release.name}, sequence ${release.sequence}`],
  ["Made for the time", html`<time datetime="${release.created}">${timeText(release.created)}</time>`],
  ["Made by", `${generator.name} ${generator.version}`],
  ["Spec", code(digests.spec)],
  ["Release document", code(digests.release)],
  ["Lock", code(digests.lock)],
  ["Made after this page", later.join(", ")],
])}`,
  );
}

export function findings(page: Page): Markup {
  const { results } = page.report;
  const unmet = severities.flatMap((severity) => results.filter((each) => each.state === "unmet" && each.severity === severity));
  const waived = results.filter(({ state }) => state === "waived");
  const list = (some: readonly ReportResult[]): Markup => html`<ol class="findings">${some.map((result) => finding(page, result))}</ol>`;
  const terms = html`<p class="soft">Let pass by the spec, through the last day that stands there, in UTC. A waiver that is over when you read this counts as none.</p>`;
  return html`${section("unmet", "Not met", unmet.length === 0 ? html`<p>Nothing.</p>` : list(unmet))}
${section("waivers", "Waived", waived.length === 0 ? html`<p>Nothing: nobody has let anything pass.</p>` : html`${terms}${list(waived)}`)}`;
}

function finding(page: Page, { rule, title, severity, message, places, sources, remedy, waiver }: ReportResult): Markup {
  const terms = waiver === undefined ? undefined : html`<p><b>Waived until <time datetime="${waiver.expires}">${waiver.expires}</time>:</b> ${waiver.reason}</p>`;
  return html`<li><h3>${severityTag(severity)}<code>${rule}</code>${title}</h3>
<p>${message}</p>${terms}${placeList(page, places)}
${waiver === undefined ? html`<p>${prose(remedy)}</p>` : undefined}<p class="soft">${sources.join("; ")}</p></li>
`;
}

export function allRules({ report: { results } }: Page): Markup {
  const rows = results.map(({ rule, title, severity, state, message }) => [code(rule), title, severity, stateTag(state), message]);
  return section(
    "rules",
    "Every rule",
    html`<p class="soft">Where each comes from and what mends it: docs/reference/audit-rules.md. <i>Elsewhere</i>: the files can't answer it, and what must be true of the site is said.</p>
<details><summary>${results.length} answers</summary>${table("What was asked and what was found", ["!Rule", "Asks that", "!Severity", "!State", "Found"], rows)}</details>`,
  );
}
