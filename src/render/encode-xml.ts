/** XML 1.0 (fifth edition): character data and attribute values in double quotes. */

import { shWord } from "../core/sh-word.ts";
import type { FormatRules, Hole, Part, Placed } from "./composition.ts";
import { textOf } from "./composition.ts";

export const xmlRules: FormatRules = { encode, parseBack };

/** Character data. Section 2.4: `&` and `<` always, `>` so that `]]>` can't come about, CR so that it isn't normalised. */
export function xmlText(text: string): string {
  return checked(text).replace(/[&<>\r]/g, reference);
}

/** An attribute's value. Section 3.3.3: white space other than the space would be normalised to spaces. */
export function xmlAttribute(text: string): string {
  return checked(text).replace(/[&<>"\t\n\r]/g, reference);
}

function reference(each: string): string {
  const names: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
  return names[each] ?? `&#${each.charCodeAt(0)};`;
}

/** Section 2.2: what XML can hold at all, even as a reference. */
function checked(text: string): string {
  if (/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text)) throw new Error("a character that XML can't hold");
  return text;
}

function encode(parts: readonly Part[]): readonly string[] {
  let before = "";
  const texts: string[] = [];
  for (const part of parts) {
    if (typeof part === "string") {
      before += part;
      continue;
    }
    texts.push(placeOf(before, part) === "text" ? xmlText(meant(part)) : xmlAttribute(meant(part)));
    before += "x";
  }
  return texts;
}

function placeOf(before: string, hole: Hole): "text" | "attribute" {
  const tag = before.lastIndexOf("<");
  const inTag = tag > before.lastIndexOf(">");
  if (before.lastIndexOf("<!--") > before.lastIndexOf("-->")) throw new Error(`${hole.at}: a hole in a comment`);
  if (!inTag) return "text";
  const quotes = [...before.slice(tag).matchAll(/"/g)].length;
  if (quotes % 2 === 0) throw new Error(`${hole.at}: a hole in a tag and not in double quotes`);
  return "attribute";
}

function meant(hole: Hole): string {
  return hole.kind === "sh" ? shWord(textOf(hole)) : textOf(hole);
}

function parseBack(text: string, placed: readonly Placed[], plain: string): void {
  const tags = (of: string): string => (of.match(/<[^>"]*(?:"[^"]*"[^>"]*)*>/g) ?? []).map((tag) => tag.replace(/"[^"]*"/g, '""')).join("");
  if (tags(text) !== tags(plain)) throw new Error("a value changed the structure of the document");
  for (const { hole, start, end } of placed) {
    const read = text
      .slice(start, end)
      .replace(/&(?:#(\d+)|(\w+));/g, (_, code: string | undefined, name: string) =>
        code === undefined ? (({ amp: "&", lt: "<", gt: ">", quot: '"' })[name] ?? "?") : String.fromCodePoint(Number(code)),
      );
    if (read !== meant(hole)) throw new Error(`${hole.at}: the value is not what the document holds`);
  }
}
