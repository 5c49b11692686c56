/** How every page looks: light, dark, narrow and on paper. Each has one style, whose digest its policy allows. */

import { createHash } from "node:crypto";

export interface PageStyle {
  readonly css: string;
  /** CSP Level 3 section 2.3.1: the digest of the element's text, between its two tags. */
  readonly digest: string;
}

/** The style of a page, with the rules of its own: written by us, and never made of a bundle's texts. */
export function pageStyle(own: string): PageStyle {
  const css = `${base}${own}`;
  return { css, digest: `sha256-${createHash("sha256").update(css).digest("base64")}` };
}

const base = `
:root{
  color-scheme:light dark;--paper:#fff;--ground:#f5f6f4;--ink:#1b2125;--soft:#545e66;--line:#d9dddb;--link:#0a5a8c;--good:#17633a;--good-g:#e6f2ea;
  --look:#7a4b00;--look-g:#fbf1dd;--bad:#a3211b;--bad-g:#fbe9e7;--calm:#45525c;--calm-g:#eaedef;--mark:#fff3b8;
  --mono:ui-monospace,"SF Mono","Cascadia Mono","DejaVu Sans Mono",Menlo,Consolas,monospace;
}
@media (prefers-color-scheme:dark){
  :root{
    --paper:#171b1e;--ground:#101315;--ink:#e3e7e9;--soft:#a0abb3;--line:#343c41;--link:#86c2ee;--good:#7ed3a0;--good-g:#16291d;--look:#efbe6a;
    --look-g:#2d2412;--bad:#ff9b92;--bad-g:#331b19;--calm:#b3bfc7;--calm-g:#232a2f;--mark:#4a4112;
  }
}
*{box-sizing:border-box}
html{scroll-padding-top:1rem;-webkit-text-size-adjust:100%}
body{
  margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
  font-variant-numeric:tabular-nums;overflow-wrap:anywhere;
}
a{color:var(--link);text-underline-offset:.15em;text-decoration-thickness:1px}
a:hover{text-decoration-thickness:2px}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
code,.mono{font-family:var(--mono);font-size:.9em;unicode-bidi:isolate}
.skip{position:absolute;left:-99rem;top:0;padding:.5rem 1rem;background:var(--paper);z-index:1}
.skip:focus{left:.5rem;top:.5rem}
header,nav,main,footer{max-width:78rem;margin:0 auto;padding:0 1.5rem}
header{padding-top:2rem}
h1{font-size:1.9rem;line-height:1.2;margin:.1rem 0 .35rem;letter-spacing:-.01em}
h1 span{color:var(--soft);font-weight:400}
h2{font-size:1.2rem;line-height:1.3;margin:0 0 .75rem}
h3{font-size:1rem;margin:1.5rem 0 .5rem}
p{margin:.4rem 0;max-width:46rem}
.kind{font-size:.78rem;letter-spacing:.08em;text-transform:uppercase;color:var(--soft);margin:0}
.soft,small{color:var(--soft)}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;list-style:none;margin:1rem 0 0;padding:.6rem 0;border-top:1px solid var(--line)}
section{background:var(--paper);border:1px solid var(--line);border-radius:8px;padding:1.25rem 1.5rem 1.4rem;margin:0 0 1rem}
dl{display:grid;grid-template-columns:minmax(8rem,max-content) minmax(0,1fr);gap:.3rem 1.25rem;margin:0}
dt{color:var(--soft)}
dd{margin:0}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.92rem}
caption{text-align:left;font-weight:600;padding:1.1rem 0 .35rem}
th,td{text-align:left;vertical-align:top;padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--line)}
thead th{font-weight:600;color:var(--soft);font-size:.84rem;white-space:nowrap}
tbody th{font-weight:500}
td.n,th.n{text-align:right;white-space:nowrap}
.w,.nb,td a code{white-space:nowrap}
td:last-child,th:last-child{padding-right:0}
.tag{
  display:inline-block;font-size:.78rem;font-weight:600;line-height:1.5;padding:0 .5em;border-radius:4px;background:var(--calm-g);color:var(--calm);
  white-space:nowrap;
}
.tag.good{background:var(--good-g);color:var(--good)}
.tag.look{background:var(--look-g);color:var(--look)}
.tag.bad{background:var(--bad-g);color:var(--bad)}
:target{background:var(--mark)}
section:target,main:target{background:var(--paper)}
footer{padding:.5rem 1.5rem 2.5rem;color:var(--soft);font-size:.87rem}
@media (max-width:46rem){
  body{font-size:14.5px}
  header,nav,main,footer{padding-left:.9rem;padding-right:.9rem}
  section{padding:1rem .9rem;border-radius:6px}
  h1{font-size:1.5rem}
  dl{grid-template-columns:minmax(0,1fr);gap:0}
  dd{margin-bottom:.5rem}
  .wide table{min-width:30rem}
}
@media print{
  @page{margin:16mm 14mm}
  :root{
    color-scheme:light;--paper:#fff;--ground:#fff;--ink:#000;--soft:#444;--line:#bbb;--link:#000;--good:#17633a;--look:#7a4b00;--bad:#a3211b;
    --calm:#45525c;--good-g:#fff;--look-g:#fff;--bad-g:#fff;--calm-g:#fff;--mark:#fff;
  }
  body{font-size:9.5pt}
  header,nav,main,footer{max-width:none;padding-left:0;padding-right:0}
  nav,.skip{display:none}
  section{border:0;border-radius:0;padding:0 0 1rem;margin:0 0 .5rem}
  h2,h3,caption,summary{break-after:avoid}
  a{text-decoration:none}
  .wide{overflow:visible}
  tr{break-inside:avoid}
}
`;
