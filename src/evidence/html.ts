/**
 * Pages for whoever has no program but a browser: one file without script and without anything to load. Every text that goes into
 * markup is escaped by the one function here, so a hostile name is shown and never acted on.
 */

import { createHash } from "node:crypto";
import { printable } from "../spec/show.ts";

/** Markup that `html` made; nothing else makes one. */
export interface Html {
  readonly markup: string;
}

/** What a hole of `html` takes: text and numbers are escaped, markup goes in as it is, a list entry after entry. */
export type HtmlValue = string | number | Html | readonly HtmlValue[];

/** A tag for templates; holes stand between tags or in double-quoted attributes, never in a tag's name or a style. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return { markup: strings.map((string, index) => string + (index < values.length ? markupOf(values[index] as HtmlValue) : "")).join("") };
}

function markupOf(value: HtmlValue): string {
  if (Array.isArray(value)) return (value as readonly HtmlValue[]).map(markupOf).join("");
  return typeof value === "object" ? (value as Html).markup : escapeHtml(String(value));
}

/** HTML Standard 13.1.2.3, 13.1.3: with these five, no text ends an attribute or begins a tag. What nobody would see is written as \uXXXX. */
export function escapeHtml(text: string): string {
  const seen = text.replace(/[^\n\t]+/g, printable);
  return seen.replace(/[&<>"']/g, (each) => `&#${each.charCodeAt(0)};`);
}

export interface Page {
  readonly title: string;
  /** CSS behind the base style: rules of the page's own, written by us and never made of a bundle's texts. */
  readonly style: string;
  /** What stands in `main`, below nothing: its first heading is the page's `h1`. */
  readonly body: Html;
}

/** The whole page. Nothing may be loaded, run, sent or framed in; the style is let in by its digest (CSP Level 3, 2.3.1). */
export function htmlPage({ title, style, body }: Page): string {
  const css = `\n${baseStyle}${style}`;
  const digest = createHash("sha256").update(css).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${digest}'; base-uri 'none'; form-action 'none'`;
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${{ markup: css }}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.markup;
}

/**
 * Colours as custom properties, each pair with a contrast of at least 4.5 (WCAG 2.2, 1.4.3) in both schemes; paper is light.
 * `.high`, `.medium`, `.low`, `.none` are severities; `del` and `ins` what went and what came.
 */
export const baseStyle = `:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --shade: #f6f8fa; --link: #0550ae;
  --gone: #82071e; --gone-paper: #ffebe9; --come: #055d20; --come-paper: #dafbe1; --high: #a40e26; --medium: #7d4e00; --low: #0550ae; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #0d1117; --ink: #e6edf3; --soft: #9da7b3; --line: #30363d; --shade: #161b22; --link: #79c0ff;
    --gone: #ffc1ba; --gone-paper: #4a1114; --come: #aff5b4; --come-paper: #0f3d1f; --high: #ff9492; --medium: #f0b72f; --low: #79c0ff; }
}
@media print {
  :root { color-scheme: light; --paper: #fff; --ink: #000; --soft: #444; --line: #999; --shade: #fff; --link: #000;
    --gone: #82071e; --gone-paper: #fff; --come: #055d20; --come-paper: #fff; --high: #a40e26; --medium: #7d4e00; --low: #0550ae; }
  body { font-size: 10pt; }
  tr { break-inside: avoid-page; }
  h1, h2, h3 { break-after: avoid-page; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 1rem; }
h2 { font-size: 1.25rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .5rem; }
h1, h2, h3, p, td, dd { overflow-wrap: break-word; }
code, pre { overflow-wrap: anywhere; }
a { color: var(--link); }
code, pre, del, ins { font-family: ui-monospace, monospace; font-size: .875rem; }
pre { margin: 0; white-space: pre-wrap; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--soft); padding: .25rem 0; }
th, td { border: 1px solid var(--line); padding: .25rem .5rem; text-align: left; vertical-align: top; }
th { background: var(--shade); }
del { color: var(--gone); background: var(--gone-paper); text-decoration: line-through; }
ins { color: var(--come); background: var(--come-paper); text-decoration: underline; }
.soft { color: var(--soft); }
.high { color: var(--high); } .medium { color: var(--medium); } .low { color: var(--low); } .none { color: var(--soft); }
`;
