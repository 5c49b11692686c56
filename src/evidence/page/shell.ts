/** A page from its first byte to where `main` begins, and behind it: nothing may be loaded, run, sent or framed. */

import type { Markup } from "./html.ts";
import { html } from "./html.ts";
import type { PageStyle } from "./style.ts";

export interface PageShell {
  readonly title: string;
  readonly style: PageStyle;
  /** What the page is about, in a `header`. */
  readonly heading: Markup;
  /** Anchors of the sections, with their titles. */
  readonly sections: readonly (readonly [id: string, title: string])[];
  /** For whoever reads by keyboard: `Skip to …`. */
  readonly skip: string;
}

/** Of styles, only the one in the page counts (CSP Level 3). */
export function pageHead({ title, style, heading, sections, skip }: PageShell): Markup {
  const policy = `default-src 'none'; style-src '${style.digest}'; base-uri 'none'; form-action 'none'`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${{ markup: policy }}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${{ markup: style.css }}</style>
</head>
<body>
<a class="skip" href="#main">${skip}</a>
${heading}
<nav aria-label="Sections"><ul>${sections.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
<main id="main" tabindex="-1">`;
}

/** Behind the last section. */
export function pageFoot(words: string): Markup {
  return html`
</main>
<footer><p>${words}</p></footer>
</body>
</html>
`;
}
