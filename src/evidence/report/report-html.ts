/** evidence/report.html: the report as one page that needs no network and no script, for people. */

import { html } from "../page/html.ts";
import { pageFoot, pageHead } from "../page/shell.ts";
import { pageOf } from "./page.ts";
import { exposure, keys, references, resources, software } from "./page-contents.ts";
import { files, origins } from "./page-files.ts";
import { about, allRules, findings, heading, verdict } from "./page-verdict.ts";
import type { Report } from "./report.ts";
import { style } from "./style.ts";

const sections: readonly (readonly [string, string])[] = [
  ["unmet", "Not met"],
  ["waivers", "Waived"],
  ["about", "What this is"],
  ["exposure", "Network exposure"],
  ["resources", "Resources"],
  ["software", "Software"],
  ["keys", "Keys and trust"],
  ["references", "Air-gap closure"],
  ["rules", "Every rule"],
  ["files", "Files"],
  ["origins", "Origins"],
];

export function* reportAsHtml(report: Report): Generator<string | Uint8Array> {
  const page = pageOf(report);
  const { cloudlet, release } = report.about;
  const title = `${cloudlet.name} of ${cloudlet.organization}, release ${release.name}: report`;
  const head = pageHead({ title, style, heading: heading(report), sections, skip: "Skip to the report" });
  // Of the files, last, because a line that is linked to gets an anchor.
  const body = html`${verdict(report)}${findings(page)}${about(report)}${exposure(page)}${resources(report)}${software(report)}${keys(report)}${references(page)}${allRules(page)}`;
  const foot = html`${origins(page)}${pageFoot("evidence/report.html; the same as data is evidence/report.json. SHA256SUMS lists both.")}`;
  yield head.markup;
  yield body.markup;
  yield* files(page);
  yield foot.markup;
}
