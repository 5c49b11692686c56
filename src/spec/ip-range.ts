/** Ranges of addresses that a site has set aside, as `first-last`. */

import type { Ip } from "./ip.ts";
import { formatIp, parseIp } from "./ip.ts";

/** `first` is not after `last`, and of its family. */
export interface IpRange {
  readonly first: Ip;
  readonly last: Ip;
}

/** Undefined unless `text` is first-last, or one address, which is a range of its own. */
export function parseRange(text: string): IpRange | undefined {
  const [start = "", end = start, ...more] = text.split("-");
  const first = parseIp(start);
  const last = parseIp(end);
  if (first === undefined || last === undefined || more.length > 0) return undefined;
  return first.family === last.family && first.value <= last.value ? { first, last } : undefined;
}

export function rangesOverlap(a: IpRange, b: IpRange): boolean {
  return a.first.family === b.first.family && a.first.value <= b.last.value && b.first.value <= a.last.value;
}

/** How many addresses they hold together; those of IPv6 may be more than a number counts exactly. */
export function countOf(ranges: readonly IpRange[]): bigint {
  return ranges.reduce((sum, { first, last }) => sum + last.value - first.value + 1n, 0n);
}

/** The ranges without their first address. */
export function withoutFirst([range, ...rest]: readonly IpRange[]): readonly IpRange[] {
  if (range === undefined) return [];
  const next = { ...range.first, value: range.first.value + 1n };
  return next.value > range.last.value ? rest : [{ first: next, last: range.last }, ...rest];
}

/** As MobiledgeX writes them: `StartCIDR-EndCIDR`, separated by commas (mobiledgex: MEX_EXTERNAL_IP_RANGES). */
export function formatRanges(ranges: readonly IpRange[], prefix: number): string {
  return ranges.map(({ first, last }) => `${formatIp(first)}/${prefix}-${formatIp(last)}/${prefix}`).join(",");
}
