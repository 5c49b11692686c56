/** What the YAML parser says of a text it refuses, in the user's words. */

import { YAMLException } from "js-yaml";
import type { Issue } from "../core/issue.ts";

/** Our deepest document has 7 levels; the parser's worst case doubles with each. */
export const DOCUMENT_MAX_DEPTH = 16;

/** What the parser's refusal means. Anything but a YAMLException would be its bug, and still the text is to blame. */
export function syntaxIssue(text: string, error: unknown): Issue {
  const position = error instanceof YAMLException ? Math.min(error.mark?.position ?? 0, text.length) : 0;
  const reason =
    error instanceof Error ? (error instanceof YAMLException ? error.reason : error.message) : String(error);
  const at = {
    severity: "error",
    pointer: "",
    span: { start: position, end: Math.min(position + 1, text.length) },
  } as const;
  if (reason.includes("maxDepth")) {
    return {
      code: "yaml/too-deep",
      ...at,
      message: `nested deeper than ${DOCUMENT_MAX_DEPTH} levels`,
      hint: "no document of ours is; is this the right file?",
    };
  }
  if (reason.includes("non-printable")) {
    return { code: "yaml/control-character", ...at, message: "a control character stands here", hint: "delete it" };
  }
  const lineStart = text.lastIndexOf("\n", position - 1) + 1;
  if (reason.includes("tab") || /^ *\t/.test(text.slice(lineStart, position + 1))) {
    return { code: "yaml/tab", ...at, message: "a tab stands where YAML wants spaces", hint: "replace tabs by spaces" };
  }
  return { code: "yaml/syntax", ...at, message: `not YAML: ${reason}`, hint: syntaxHint(reason) };
}

function syntaxHint(reason: string): string {
  // The parser says so inside brackets and quotes only.
  if (reason.includes("deficient indentation")) return "a bracket, brace or quote on a line above is not closed";
  if (reason.includes("indentation")) return "compare the indentation with the lines above: two spaces a level";
  if (reason.includes("flow collection")) return "a bracket or brace is not closed, or a comma is missing";
  if (reason.includes("quoted")) return "a quote is not closed";
  if (reason.includes("mapping")) return "text with `: ` or ` #` in it needs quotes";
  return "look at this line and the one above; text with special characters needs quotes";
}
