/** Entity tags: RFC 9110 sections 8.8.3 and 13.1. */

import { Problem } from "./problem.ts";

/** Throws a Problem unless `If-Match` is there and names the tag: nobody shall write over what they have not seen. */
export function requireMatch(header: string | undefined, tag: string): void {
  if (header === undefined) throw new Problem("if-match-needed", "Give the ETag of what you have seen as If-Match.", { headers: { etag: tag } });
  if (!matches(header, tag)) throw new Problem("changed-meanwhile", "It is not as you have seen it any more: get it again.", { headers: { etag: tag } });
}

/** Strong comparison with a list of tags, or `*`. */
export function matches(header: string, tag: string): boolean {
  return header.trim() === "*" || tagsIn(header).includes(tag);
}

/** Weak comparison, as `If-None-Match` wants it. */
export function matchesWeakly(header: string, tag: string): boolean {
  return header.trim() === "*" || tagsIn(header).some((each) => each.replace(/^W\//, "") === tag);
}

function tagsIn(header: string): readonly string[] {
  return header.match(/(W\/)?"[^"]*"/g) ?? [];
}
