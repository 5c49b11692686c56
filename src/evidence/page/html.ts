/** Text to HTML and SVG: the one place where text becomes markup, so that none can leave its place. */

import { printable } from "../../spec/show.ts";

/** What is HTML already. */
export interface Markup {
  readonly markup: string;
}

type Value = string | number | Markup | readonly Value[] | undefined;

/** A template whose values are escaped, unless they are markup. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  let markup = parts[0] as string;
  // Thousands of times a page: no iterator.
  for (let index = 0; index < values.length; index += 1) markup += markupOf(values[index]) + (parts[index + 1] as string);
  return { markup };
}

export function joinedMarkup(all: readonly Markup[], between = ""): Markup {
  let markup = "";
  for (const [index, each] of all.entries()) markup += index === 0 ? each.markup : between + each.markup;
  return { markup };
}

function markupOf(value: Value): string {
  if (typeof value === "string") return escaped(value);
  if (value === undefined) return "";
  if (typeof value === "number") return String(value);
  return "markup" in value ? value.markup : value.map(markupOf).join("");
}

/** For an attribute in double quotes, and for the content of an element as well. */
export function escaped(text: string): string {
  if (!special.test(text)) return text;
  return escapedContent(text).replaceAll('"', "&quot;").replaceAll("'", "&#39;");
}

/**
 * For the content of an element (HTML Living Standard 13.1.2, XML 1.0 section 2.4). What a browser would hide or act on, as turning
 * the direction of writing, is shown as \uXXXX; tabs and ends of lines stay.
 */
export function escapedContent(text: string): string {
  const visible = beyondPrint.test(text) ? text.split(/([\t\n])/).map((part, index) => (index % 2 === 1 ? part : printable(part))).join("") : text;
  return visible.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Anything but tabs, ends of lines and what ASCII has to print. */
const beyondPrint = /[^\t\n -~]/;
/** The same, and what has a meaning in markup. */
const special = /[^\t\n !#-%(-;=?-~]/;
