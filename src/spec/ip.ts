/** IPv4 and IPv6 addresses and blocks of them, as numbers. */

export interface Ip {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface Cidr extends Ip {
  readonly prefix: number;
}

/** Undefined unless `text` is an address: dotted decimal without leading zeros (RFC 6943 3.1.1), or RFC 4291 2.2, no zone. */
export function parseIp(text: string): Ip | undefined {
  if (!text.includes(":")) {
    const value = parseIp4(text);
    return value === undefined ? undefined : { family: 4, value };
  }
  const value = parseIp6(text);
  return value === undefined ? undefined : { family: 6, value };
}

/** Undefined unless `text` is address/prefix; host bits may be set, see `networkOf`. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const ip = match === null ? undefined : parseIp(match[1] ?? "");
  const prefix = Number(match?.[2]);
  return ip === undefined || prefix > bits(ip.family) ? undefined : { ...ip, prefix };
}

export function bits(family: 4 | 6): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** The block that holds the address: all host bits zero. */
export function networkOf(cidr: Cidr): Cidr {
  const host = BigInt(bits(cidr.family) - cidr.prefix);
  return { ...cidr, value: (cidr.value >> host) << host };
}

/** The last address of the block. */
export function lastOf(cidr: Cidr): bigint {
  return networkOf(cidr).value + (1n << BigInt(bits(cidr.family) - cidr.prefix)) - 1n;
}

export function contains(cidr: Cidr, ip: Ip): boolean {
  return cidr.family === ip.family && ip.value >= networkOf(cidr).value && ip.value <= lastOf(cidr);
}

export function overlap(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && networkOf(a).value <= lastOf(b) && networkOf(b).value <= lastOf(a);
}

/** RFC 5952 for IPv6, dotted decimal for IPv4. */
export function formatIp(ip: Ip): string {
  if (ip.family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((ip.value >> shift) & 0xffn)).join(".");
  const parts = Array.from({ length: 8 }, (_, index) =>
    ((ip.value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  );
  const zeros = longestZeros(parts);
  if (zeros.length < 2) return parts.join(":");
  return `${parts.slice(0, zeros.start).join(":")}::${parts.slice(zeros.start + zeros.length).join(":")}`;
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr)}/${cidr.prefix}`;
}

function parseIp4(text: string): bigint | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255)) {
    return undefined;
  }
  return parts.reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function parseIp6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map((half, index) => groups(half, index === halves.length - 1));
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const given = head.length + (tail?.length ?? 0);
  if (halves.length === 1 ? given !== 8 : given > 7) return undefined;
  const all = [...head, ...Array.from({ length: 8 - given }, () => 0), ...(tail ?? [])];
  return all.reduce((value, group) => value * 65_536n + BigInt(group), 0n);
}

/** Groups of 16 bits; at the end of the whole may stand an IPv4 address, which makes two. */
function groups(text: string, atEnd: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const result: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const ip4 = atEnd && index === parts.length - 1 && part.includes(".") ? parseIp4(part) : undefined;
    if (ip4 !== undefined) result.push(Number(ip4 >> 16n), Number(ip4 & 0xffffn));
    else if (/^[0-9A-Fa-f]{1,4}$/.test(part)) result.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return result;
}

function longestZeros(parts: readonly string[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < parts.length; start += 1) {
    let end = start;
    while (parts[end] === "0") end += 1;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}
