/** How the report looks beyond what all pages share: verdict, picture, lines with their origins. */

import { pageStyle } from "../page/style.ts";

export const style = pageStyle(`.verdict{border-left:6px solid var(--good)}
.verdict.look{border-left-color:var(--look)}
.verdict.bad{border-left-color:var(--bad)}
.verdict h2{font-size:1.35rem;margin:0 0 .25rem}
.verdict.good h2{color:var(--good)}
.verdict.look h2{color:var(--look)}
.verdict.bad h2{color:var(--bad)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.25rem 1.5rem;list-style:none;margin:1rem 0 0;padding:0}
.tiles li{border-top:1px solid var(--line);padding:.6rem 0 .2rem}
.tiles b{display:block;font-size:1.15rem;font-weight:600}
.tiles li>span{display:block;color:var(--soft);font-size:.87rem}
.sum{color:var(--soft);font-size:.78em}
.findings{list-style:none;margin:0;padding:0}
.findings p{max-width:56rem}
.findings>li{border-top:1px solid var(--line);padding:.85rem 0 .6rem}
.findings>li:first-child{border-top:0;padding-top:0}
.findings h3{margin:0 0 .2rem}
.findings h3 code{color:var(--soft);font-weight:400;margin:0 .35em}
.places{list-style:none;margin:.35rem 0;padding:0;font-size:.92rem}
.steps{padding-left:1.4rem;margin:.5rem 0}
.steps li{margin:.5rem 0}
.steps code{display:block;background:var(--ground);border:1px solid var(--line);border-radius:4px;padding:.3rem .6rem;margin-top:.2rem;white-space:pre-wrap}
figure{margin:0}
.picture{overflow-x:auto;margin:.25rem 0 .5rem}
svg{display:block;width:100%;min-width:46rem;height:auto;font-family:inherit}
svg text{fill:var(--ink);font-size:14px}
svg .h{font-size:12.5px;fill:var(--soft);font-weight:600}
svg .s{font-size:12.5px;fill:var(--soft)}
svg .b{font-weight:600}
svg .m{font-family:var(--mono);font-size:12.5px}
svg rect{fill:var(--paper);stroke:var(--line);stroke-width:1.25}
svg .vm{fill:var(--calm-g);stroke:var(--calm)}
svg .group{fill:var(--ground);stroke:var(--calm)}
svg .open{stroke:var(--look);fill:var(--look-g)}
svg .none{stroke-dasharray:4 4}
svg .net{fill:var(--ground)}
svg .wire{stroke:var(--calm);stroke-width:1.5;fill:none}
svg .tip{fill:var(--calm);stroke:none}
summary{cursor:pointer;padding:.3rem 0}
summary code{font-weight:600}
details.file{border-top:1px solid var(--line)}
details.file>p{margin:.1rem 0 .4rem;font-size:.87rem}
.text{
  list-style:none;margin:.25rem 0 1rem;padding:.5rem 0;background:var(--ground);border:1px solid var(--line);border-radius:4px;
  font:12.5px/1.5 var(--mono);counter-reset:line;
}
.text li{
  display:grid;grid-template-columns:4.5ch minmax(0,1fr) minmax(0,21rem);column-gap:1.5ch;padding:0 .75rem 0 0;white-space:pre-wrap;
  counter-increment:line;
}
.text li::before{content:counter(line);color:var(--soft);text-align:right}
.text small{grid-column:3;font:12px/1.55 system-ui,sans-serif;white-space:normal}
.text small a{color:inherit}
.text .c::after{content:"\\2033" / "as the line above";grid-column:3;color:var(--soft)}
@media (max-width:46rem){
  .text li{grid-template-columns:4ch minmax(0,1fr)}
  .text small,.text .c::after{grid-column:2}
  .text .c::after{content:none}
}
@media print{
  .verdict{padding-left:.8rem;border-left:4px solid}
  .picture{overflow:visible}
  svg{min-width:0;break-inside:avoid}
  .findings>li{break-inside:avoid}
  .text{font-size:7pt;border:0;padding:0}
  .text li{grid-template-columns:4.5ch minmax(0,1fr) minmax(0,32%)}
  .text small{font-size:6.5pt}
  details::details-content{content-visibility:visible;display:block;block-size:auto}
}
`);
