/** Byte ranges: RFC 9110 section 14. */

export type Range = "whole" | "unsatisfiable" | { readonly start: number; readonly end: number };

/**
 * What a `Range` header asks for, of so many bytes; `end` is after the last. One range is served; several at once, another
 * unit, or what is no range at all is answered with the whole, as section 14.2 allows.
 */
export function rangeOf(header: string | undefined, size: number): Range {
  const [, first, last] = /^bytes= *(\d{0,15})-(\d{0,15}) *$/i.exec(header ?? "") ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return "whole";
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  const start = Number(first);
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  if (last !== "" && Number(last) < start) return "whole";
  return start >= size ? "unsatisfiable" : { start, end };
}
