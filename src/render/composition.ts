/** A filled template before its format has spoken: literal text, holes to encode, and regions that a value caused. */

import type { Origin, Val } from "../core/origin.ts";

export type Origins = readonly [Origin, ...Origin[]];

/**
 * `value` is a scalar where the format wants one; `block` is text of several lines, `code` a code span (Markdown); `sh` is
 * a shell word inside whatever the format is.
 */
export type HoleKind = "value" | "block" | "code" | "sh";

export interface Hole {
  readonly kind: HoleKind;
  /** One value, or for `block` the lines of a text, each with its own origins. */
  readonly values: readonly [Val, ...Val[]];
  /** `template:line`, for messages. */
  readonly at: string;
  /** Its line in the template; from 1. */
  readonly line: number;
}

export type Token =
  /** `line`: where in the template the text begins; from 1. */
  | { readonly kind: "text"; readonly text: string; readonly line: number }
  | { readonly kind: "hole"; readonly hole: Hole }
  | { readonly kind: "open"; readonly origins: Origins }
  | { readonly kind: "shut" };

/** What an encoder sees: text and holes in order, no two texts side by side. */
export type Part = string | Hole;

export function partsOf(tokens: readonly Token[]): readonly Part[] {
  const parts: Part[] = [];
  for (const token of tokens) {
    if (token.kind === "hole") {
      parts.push(token.hole);
    } else if (token.kind === "text") {
      const last = parts.at(-1);
      if (typeof last === "string") parts[parts.length - 1] = last + token.text;
      else parts.push(token.text);
    }
  }
  return parts;
}

/** The one value of a hole, or the lines of a block joined. */
export function textOf(hole: Hole): string {
  return hole.values.map((each) => String(each.value)).join("\n");
}

/** A hole where it landed in the finished text. */
export interface Placed {
  readonly hole: Hole;
  /** Offsets into the text, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

/** How a format writes values, and how it reads them back. */
export interface FormatRules {
  /** The text of each hole, in order. Throws where the template put a hole that the format can't hold safely. */
  encode(parts: readonly Part[]): readonly string[];
  /**
   * Parses the finished text in the format itself and throws unless every value stands where it was put, and the
   * structure is the one that harmless values give (`plain`: the same template with a harmless value in each hole).
   */
  parseBack(text: string, placed: readonly Placed[], plain: string): void;
}
