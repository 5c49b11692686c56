/** evidence/report.html: the report as one page that needs no network and no script, for people. */

import { html } from "./html.ts";
import type { Bytes } from "./known-texts.ts";
import { pageOf } from "./page.ts";
import { exposure, keys, references, resources, software } from "./page-contents.ts";
import { files, origins } from "./page-files.ts";
import { about, allRules, findings, heading, verdict } from "./page-verdict.ts";
import type { Report } from "./report.ts";
import { style, styleDigest } from "./style.ts";

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

/** Nothing may be loaded, run, sent or framed; of styles, only the one in it counts (CSP Level 3). */
const policy = `default-src 'none'; style-src '${styleDigest}'; base-uri 'none'; form-action 'none'`;

export function reportAsHtml(report: Report): Bytes {
  const page = pageOf(report);
  const { cloudlet, release } = report.about;
  const head = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${{ markup: policy }}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${cloudlet.name} of ${cloudlet.organization}, release ${release.name}: report</title>
<style>${{ markup: style }}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
${heading(report)}
<nav aria-label="Sections"><ul>${sections.map(([id, title]) => html`<li><a href="#${id}">${title}</a></li>`)}</ul></nav>
<main id="main" tabindex="-1">`;
  // Of the files, last, because a line that is linked to gets an anchor.
  const body = html`${verdict(report)}${findings(page)}${about(report)}${exposure(page)}${resources(report)}${software(report)}${keys(report)}${references(page)}${allRules(page)}`;
  const foot = html`${origins(page)}
</main>
<footer><p>evidence/report.html; the same as data is evidence/report.json. SHA256SUMS lists both.</p></footer>
</body>
</html>
`;
  return [head.markup, body.markup, ...files(page), foot.markup];
}
