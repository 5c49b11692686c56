/** A line of one file as a value of another that quotes it: what it shows, and what it is there because of. */

import type { Span } from "./file.ts";
import type { Origin, Val } from "./origin.ts";

/** `spans` are those of the line; one that shows no value comes from `otherwise`. */
export function quotedLine(line: string, spans: readonly Span[], otherwise: readonly [Origin]): Val<string> {
  const shown = mergedOrigins(spans.filter((span) => span.presence !== true).map((span) => span.origins));
  const because = mergedOrigins(spans.filter((span) => span.presence === true).map((span) => span.origins));
  return { value: line, origins: isSome(shown) ? shown : otherwise, ...(isSome(because) ? { because } : {}) };
}

/** All origins once, sorted. One list alone is so already, and by far the most common. */
export function mergedOrigins(lists: readonly (readonly Origin[])[]): readonly Origin[] {
  const [first] = lists;
  if (first !== undefined && lists.every((list) => list === first)) return first;
  return [...new Set(lists.flat())].sort();
}

export function isSome(origins: readonly Origin[] | undefined): origins is readonly [Origin, ...Origin[]] {
  return origins !== undefined && origins.length > 0;
}
