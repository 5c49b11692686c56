/**
 * What in a line of text names something outside: URLs, IP addresses, names of hosts, container images, repositories.
 *
 * A name counts as a host's where it has a dot and its last part is letters alone (or `xn--…`), unless that part is an
 * ending of files, units or the like (`endings`): an ending that nobody has decided about is a host until somebody does. A
 * name without a dot counts only inside a URL. What a shell puts together at run time counts by the part that is written.
 * Names that end in what is both, as `install.sh` does, count in a URL, with a port, and behind an `@`. A text in base64 is
 * looked into. A name in letters of another alphabet is one, too.
 */

import { parseCidr, parseIp } from "../../spec/ip.ts";
import { base64TextsIn } from "./base64-texts.ts";
import { isDomainToo, isEnding } from "./endings.ts";

export interface Reference {
  readonly kind: "url" | "address" | "host" | "image" | "repository";
  /** As it is written. */
  readonly text: string;
  /** Name or address alone, lower case; empty where the URL names none, as `file:///` does. */
  readonly host: string;
  /** Column of its first character, from 1, in UTF-16 units; `end` is after the last. */
  readonly start: number;
  readonly end: number;
}

/** No reference is without a dot, two colons or a scheme. */
export const mayRefer = /:\/\/|[.\u3002\uff0e\uff61][A-Za-z0-9\u0080-\uffff]|:[0-9A-Fa-f]*:|\/[^\s:]*:|@sha256|ppa:/;

/** In the order of the line. */
export function referencesIn(line: string): readonly Reference[] {
  const hidden = inBase64(line);
  return hidden.length === 0 ? written(line) : [...written(line), ...hidden].sort((a, b) => a.start - b.start);
}

/** What a text that is in base64 refers to, at the columns of the base64: of several, each. */
function inBase64(line: string): readonly Reference[] {
  return base64TextsIn(line).flatMap(({ decoded, start, end }) => decoded.split(/\r?\n/).flatMap((each) => written(each).map((reference) => ({ ...reference, start, end }))));
}

function written(line: string): readonly Reference[] {
  if (!mayRefer.test(line)) return [];
  // What printf and JSON make a line break of is none of the word behind it.
  const meant = line.replace(/\\[nrt]/g, "  ");
  let text = inAscii(meant);
  const found: Reference[] = [];
  for (const [kind, pattern, read] of patterns) {
    for (const match of text.matchAll(pattern)) {
      const reference = read(match);
      if (reference === undefined) continue;
      // A URL loses the full stop behind it; of a match that began with a variable the end alone is the name.
      const start = kind === "url" ? match.index : match.index + (match[0].length - reference.text.length);
      const end = start + reference.text.length;
      found.push({ kind, ...asWritten(reference, meant.slice(start, end)), start: start + 1, end: end + 1 });
      // Each stretch is one reference: a URL's host is not told again as a host.
      text = text.slice(0, start) + " ".repeat(reference.text.length) + text.slice(start + reference.text.length);
    }
  }
  return found.sort((a, b) => a.start - b.start);
}

/** Letters of other alphabets as one of ours, and their full stops (RFC 3490 section 3.1) as ours: each as long as it was. */
function inAscii(line: string): string {
  if (!/[^\x00-\x7f]/.test(line)) return line;
  return line.replace(/[\u3002\uff0e\uff61]/g, ".").replace(/(?![\x00-\x7f])[\p{L}\p{N}\p{M}]/gu, (letter) => "x".repeat(letter.length));
}

function asWritten({ text, host }: NonNullable<ReturnType<Read>>, written: string): NonNullable<ReturnType<Read>> {
  if (text === written) return { text, host };
  const at = text.toLowerCase().lastIndexOf(host);
  return { text: written, host: at < 0 ? host : written.slice(at, at + host.length).toLowerCase() };
}

type Read = (match: RegExpMatchArray) => { readonly text: string; readonly host: string } | undefined;

/** In the order in which they are looked for. `read` gives the end of the match that is the reference. */
const patterns: readonly (readonly [Reference["kind"], RegExp, Read])[] = [
  // RFC 3986 section 3: scheme, then `//` and the authority.
  ["url", /(?<![A-Za-z0-9])[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s"'`<>|\\,;(){}\][^]*(?:\[[0-9A-Fa-f:.]+\][^\s"'`<>|\\,;(){}\][^]*)?/g, url],
  ["url", /(?<![\w:/.*)}-])\/\/[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}[^\s"'`<>|\\,;(){}]*/g, url],
  ["repository", /(?<!\w)ppa:[\w.+-]+\/[\w.+-]+/g, ([text]) => ({ text, host: "launchpad.net" })],
  ["image", /(?<![\w./@$}-])[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*@sha256:[0-9a-f]{64}/g, image],
  ["image", /(?<![\w./:@$}{-])[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?::\d+)?(?:\/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+:\w[\w.-]{0,127}(?![\w/:*])/g, image],
  ["address", /(?<![\w.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,}(?::\d{1,3}(?:\.\d{1,3}){3})?(?:\/\d{1,3})?(?![\w:]|\.\d)/g, address],
  ["address", /(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:\/\d{1,2})?(?![\w]|\.\d)/g, address],
  // Behind a variable of the shell: the domain that it is put before.
  ["host", /(?:\$\w+|\$\{[^}]*\}|\))((?:\.[A-Za-z0-9-]+)+\.(?:[A-Za-z]{2,63}|xn--[A-Za-z0-9-]+))(?![\w-]|\.\w)/g, (match) => name(match[1] ?? "")],
  ["host", /(?<![\w.$/\\{}~+-])(?:\*\.|\.)?(?:_?[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,63}|xn--[A-Za-z0-9-]+)(?![\w-]|\.\w)/g, (match) => name(match[0], match)],
];

function url([text]: RegExpMatchArray): ReturnType<Read> {
  const authority = /\/\/([^/?#]*)/.exec(text)?.[1] ?? "";
  const at = authority.slice(authority.lastIndexOf("@") + 1);
  const host = /^\[([^\]]*)\]?/.exec(at)?.[1] ?? at.replace(/:[^:]*$/, "");
  return { text: text.replace(/[.:!?*]+$/, ""), host: host.toLowerCase() };
}

/** A registry's name has a dot or a port, or is left out (Docker Hub's). A file with a line's number is no image, nor is a block with a port. */
function image([text]: RegExpMatchArray): ReturnType<Read> {
  const [first = "", ...rest] = text.split("/");
  const host = rest.length > 0 && /[.:]/.test(first) ? first.replace(/:\d+$/, "") : "";
  const isFile = isEnding(text.replace(/:[^:]*$/, "")) && /:\d+$/.test(text);
  return isFile || (parseIp(host) !== undefined && /^\d{1,2}:/.test(rest.join("/"))) ? undefined : { text, host };
}

function address([text]: RegExpMatchArray): ReturnType<Read> {
  const [ip = ""] = text.split("/");
  const isAddress = text.includes("/") ? parseCidr(text) !== undefined : parseIp(text) !== undefined && text !== "::";
  return isAddress ? { text, host: ip.toLowerCase() } : undefined;
}

function name(text: string, match?: RegExpMatchArray): ReturnType<Read> {
  const host = text.replace(/^\*?\./, "").toLowerCase();
  if (!isEnding(host)) return { text, host };
  // With a port or behind an `@`, `install.sh` is a host in Saint Helena.
  const { input = "", index = 0 } = match ?? {};
  const isAddressed = /^:\d{1,5}(?!\d)/.test(input.slice(index + text.length)) || /\w@$/.test(input.slice(0, index));
  return isAddressed && isDomainToo(host) ? { text, host } : undefined;
}
