/** Characters and texts that no document may hold, wherever they stand. */

import type { Issue } from "../core/issue.ts";
import type { Json } from "../core/json.ts";
import { below } from "../core/pointer.ts";
import { showPlace } from "./show.ts";

/**
 * Control characters (XML 1.0 can't hold most, a line break ends a line of every file we write), halves of a surrogate
 * pair (no UTF-8 can hold them), U+FEFF, U+FFFE and U+FFFF (PyYAML and XML refuse them), U+2028 and U+2029 (line breaks to
 * YAML 1.1), and those that turn the direction of text, which show a reader something else than a machine reads.
 */
const FORBIDDEN =
  /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const FORBIDDEN_BUT_NEWLINE = new RegExp(FORBIDDEN.source.replace("\\u0000-\\u001f", "\\u0000-\\u0009\\u000b-\\u001f"));

/** The user-data of the guest marks the place of a secret so; see docs/bundle-format.md. */
export const SECRET_MARK = "@@CLOUDLET-SECRET:";

/** Issues of all texts and keys below `value`. */
export function characterIssues(
  value: Json,
  mayBreakLines: (pointer: string) => boolean,
  pointer = "",
): readonly Issue[] {
  if (typeof value === "string") return textIssues(value, pointer, mayBreakLines(pointer));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => {
    const at = below(pointer, key);
    const ofKey = Array.isArray(value) ? [] : textIssues(key, at, false);
    return ofKey.length > 0 ? ofKey : characterIssues(each as Json, mayBreakLines, at);
  });
}

function textIssues(text: string, pointer: string, mayBreakLines: boolean): readonly Issue[] {
  const at = { severity: "error", pointer } as const;
  if (/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(text)) {
    const message = `${showPlace(pointer)} holds a private key`;
    return [
      {
        code: "document/private-key",
        ...at,
        message,
        hint: "take it out; whoever has seen this file has seen the key, so make a new one",
      },
    ];
  }
  const found = (mayBreakLines ? FORBIDDEN_BUT_NEWLINE : FORBIDDEN).exec(text);
  if (found !== null) {
    const code = (found[0].charCodeAt(0) || 0).toString(16).toUpperCase().padStart(4, "0");
    const message = `${showPlace(pointer)} holds ${code === "000A" ? "a line break" : `the character U+${code}`}, which is not allowed here`;
    return [{ code: "document/character", ...at, message, hint: hintFor(code, pointer) }];
  }
  if (text.includes(SECRET_MARK)) {
    return [
      {
        code: "document/reserved-text",
        ...at,
        message: `${showPlace(pointer)} holds ${SECRET_MARK}, by which bundles mark the place of a secret`,
        hint: "write it otherwise",
      },
    ];
  }
  return [];
}

function hintFor(code: string, pointer: string): string {
  if (code !== "000A") return "delete it; it often comes along when text is pasted";
  return pointer.startsWith("/environment/")
    ? "a value of several lines travels as a secret: declare it under `secrets`"
    : "write it in one line";
}
