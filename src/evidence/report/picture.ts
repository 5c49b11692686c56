/** The network exposure drawn: who may come in on the left, the PlatformVM in the middle, whom it may reach on the right, its networks below. */

import { printable } from "../../spec/show.ts";
import type { Pass, PoolMachine, ReportNetwork, SpecExposure } from "./exposure.ts";
import { html, type Markup } from "../page/html.ts";

/** Units of the drawing, which the page scales. */
const width = 1_040;
const cardWidth = 310;
const [vmLeft, vmRight] = [430, 610] as const;
const top = 30;
const rowHeight = 62;
const cardHeight = 50;
const netHeight = 54;

/** `beside`: where the same is said in words, for who can't see it. */
export function pictureOf(exposure: SpecExposure, cloudlet: string, beside = "The tables below say the same."): Markup {
  const { machines, networks, internal, pool, passes } = exposure;
  const [comesIn, goesOut] = [passes.filter(({ direction }) => direction === "in"), passes.filter(({ direction }) => direction === "out")];
  const vmHeight = Math.max(rowHeight * Math.max(comesIn.length, goesOut.length, 1) - (rowHeight - cardHeight), machines.length * 78 + 12);
  const nets = top + vmHeight + 34;
  const bars = [...networks.map((network) => barOf(network)), ...pool.map((machine) => poolBar(machine)), ...(internal === undefined ? [] : [innerBar(internal)])];
  const height = nets + bars.length * (netHeight + 10);
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="picture-title" aria-describedby="picture-text">
<title id="picture-title">Network exposure of ${cloudlet}</title>
<desc id="picture-text">${describe(exposure)} ${beside}</desc>
${heading(0, "start", "May reach it")}${heading((vmLeft + vmRight) / 2, "middle", "PlatformVM")}${heading(width, "end", "It may reach")}
${vmBox(exposure, vmHeight)}
${comesIn.length === 0 ? nobody(0, "Nobody", "no rule lets anything in") : comesIn.map((pass, row) => cardOf(pass, row))}
${goesOut.length === 0 ? nobody(width - cardWidth, "Nobody", "no rule lets anything out") : goesOut.map((pass, row) => cardOf(pass, row))}
${bars.map((_, index) => wireTo(index, bars.length, top + vmHeight, nets))}
${bars.map((bar, index) => html`<g transform="translate(0 ${nets + index * (netHeight + 10)})">${bar}<circle class="tip" cx="${wireAt(index, bars.length)}" cy="0" r="4"/></g>`)}
</svg>`;
}

/** What the picture shows, in words. */
function describe({ machines, networks, internal, pool, passes }: SpecExposure): string {
  const rule = ({ cidr, who, ...pass }: Pass): string => `${cidr} (${who}): ${labelOf(pass)}`;
  const of = (direction: Pass["direction"]): string => passes.filter((pass) => pass.direction === direction).map(rule).join("; ") || "nobody";
  const nets = networks.map(({ name, purpose, cidr }) => `${name} (${purpose}, ${cidr ?? "block known to the site only"})`).join("; ");
  const inner = internal === undefined ? "" : ` Behind it: ${internal.name}, ${internal.cidr}.`;
  const own = pool.map(({ name, addresses, platform }) => `${name} (${addresses.join(", ")}${platform ? ", becomes the PlatformVM" : ""})`).join("; ");
  const below = [...(nets === "" ? [] : [`Networks: ${nets}.`]), ...(own === "" ? [] : [`The pool: ${own}.`])].join(" ");
  return `${machines.map(({ name }) => name).join(" and ")}. May be reached by: ${of("in")}. May reach: ${of("out")}. ${below}${inner}`;
}

function labelOf({ protocol, ports }: Pick<Pass, "protocol" | "ports">): string {
  return ports === "all" ? (protocol === "any" ? "everything" : protocol) : `${protocol} ${ports}`;
}

function heading(x: number, anchor: "start" | "middle" | "end", text: string): Markup {
  return html`<text class="h" x="${x}" y="16" text-anchor="${anchor}">${text}</text>`;
}

function cardOf(pass: Pass, row: number): Markup {
  const isIn = pass.direction === "in";
  const x = isIn ? 0 : width - cardWidth;
  const y = top + row * rowHeight;
  const middle = y + cardHeight / 2;
  const [from, to] = isIn ? [cardWidth, vmLeft] : [vmRight, width - cardWidth];
  return html`<g><rect class="${pass.everybody ? "open" : ""}" x="${x}" y="${y}" width="${cardWidth}" height="${cardHeight}" rx="6"/>
<text class="b" x="${x + 14}" y="${y + 21}">${fitted(pass.who, 38)}</text><text class="m" x="${x + 14}" y="${y + 39}">${fitted(pass.cidr, 38)}</text>
<path class="wire" d="M${from} ${middle}H${to - 7}"/><path class="tip" d="M${to} ${middle}l-9 -5v10z"/>
<text class="m" x="${(from + to) / 2 - 3}" y="${middle - 7}" text-anchor="middle">${labelOf(pass)}</text></g>
`;
}

function nobody(x: number, who: string, why: string): Markup {
  return html`<rect class="none" x="${x}" y="${top}" width="${cardWidth}" height="${cardHeight}" rx="6"/><text class="b" x="${x + 14}" y="${top + 21}">${who}</text><text class="s" x="${x + 14}" y="${top + 39}">${why}</text>`;
}

/** Two machines stand in one frame, as the same rules hold for both. */
function vmBox({ machines }: SpecExposure, height: number): Markup {
  const isOne = machines.length === 1;
  const frame = html`<rect class="group" x="${vmLeft}" y="${top}" width="${vmRight - vmLeft}" height="${height}" rx="6"/>`;
  const inset = isOne ? 0 : 8;
  const each = (height - inset) / machines.length;
  const boxes = machines.map(({ name, role }, index) => {
    const y = top + inset + each * index;
    const lines = [...linesOf(name), role ?? "runs the CRM"];
    const first = y + (each - inset) / 2 - (lines.length - 1) * 8.5 + 5;
    const text = lines.map((line, at) => html`<text class="${at < lines.length - 1 ? "m" : "s"}" x="${(vmLeft + vmRight) / 2}" y="${first + at * 17}" text-anchor="middle">${line}</text>`);
    return html`<rect class="vm" x="${vmLeft + inset}" y="${y}" width="${vmRight - vmLeft - 2 * inset}" height="${each - inset}" rx="6"/>${text}`;
  });
  return html`${isOne ? undefined : frame}${boxes}`;
}

/** Characters in a line of a machine's box. */
const boxed = 21;

/** A machine's name in at most two lines of its box, cut behind a hyphen where there is one. */
function linesOf(name: string): readonly string[] {
  const text = printable(name);
  if (text.length <= boxed) return [text];
  const hyphen = text.lastIndexOf("-", boxed - 1) + 1;
  const cut = hyphen > 0 && text.length - hyphen <= boxed ? hyphen : boxed;
  return [text.slice(0, cut), fitted(text.slice(cut), boxed)];
}

function wireAt(index: number, count: number): number {
  return Math.round(vmLeft + ((vmRight - vmLeft) * (index + 1)) / (count + 1));
}

/** From the VM's lower edge to the bar; later bars' wires pass behind earlier ones. */
function wireTo(index: number, count: number, from: number, nets: number): Markup {
  return html`<path class="wire" d="M${wireAt(index, count)} ${from}V${nets + index * (netHeight + 10) }"/>`;
}

function barOf({ card, name, purpose, mode, addresses, cidr, gateway, defaultRoute }: ReportNetwork): Markup {
  const notes = [`card ${card}`, purpose, ...(defaultRoute ? ["default route"] : []), ...(gateway === undefined ? [] : [`gateway ${gateway}`])].join(" · ");
  const place = cidr ?? (mode === "dhcp" ? "by DHCP" : "known to the site only");
  return bar(name, notes, place, addresses.join(", "), "net");
}

function poolBar({ name, addresses: [internal = "", external = ""], platform }: PoolMachine): Markup {
  return bar(name, platform ? "machine of the pool: becomes the PlatformVM" : "machine of the pool", internal, external, platform ? "vm" : "net");
}

function innerBar({ name, cidr }: NonNullable<SpecExposure["internal"]>): Markup {
  return bar(name, "internal: the cloudlet's own VMs, behind the PlatformVM", cidr, "", "net none");
}

function bar(name: string, notes: string, block: string, addresses: string, kind: string): Markup {
  return html`<rect class="${kind}" x="0" y="0" width="${width}" height="${netHeight}" rx="6"/><text class="b" x="14" y="23">${fitted(name, 60)}</text><text class="s" x="14" y="42">${fitted(notes, 78)}</text>
<text class="m" x="${width - 14}" y="23" text-anchor="end">${fitted(block, 60)}</text><text class="m" x="${width - 14}" y="42" text-anchor="end">${fitted(addresses, 60)}</text>`;
}

/** The tables say it whole. */
function fitted(text: string, most: number): string {
  const shown = [...printable(text)];
  return shown.length <= most ? shown.join("") : `${shown.slice(0, most - 1).join("")}…`;
}
