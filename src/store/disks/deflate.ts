/**
 * Deflate (RFC 1951) for grains, of whole numbers alone: the same bytes on every processor and every Node, whose own zlib
 * changes with both (docs/decisions/2026-11-24-own-deflate.md). Lazy matching over hash chains; memory is used again.
 */

import { huffmanCodes, huffmanLengths } from "./huffman.ts";

/** What `deflateInto` takes at most. Bytes. */
export const deflateLimit = 65_536;

/** RFC 1951 3.2.5. */
const longestMatch = 258;
const windowBytes = 32_768;
/** Searching ends at a match this long, or after so many candidates; fewer where the last match was good; none after a long one. */
const nice = 64;
const candidates = 16;
const good = 8;
const lazyLimit = 16;
/** A match of three bytes that lies further back takes more bits than three literals do. */
const tooFar = 4_096;
/** Of the codes of a block, after which the next has its own. Measured on a Debian system: larger and smaller lose. */
const blockSymbols = 8_192;
const hashBits = 15;

const endOfBlock = 256;
/** Order of the lengths of the code length code: RFC 1951 3.2.7. */
const codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** RFC 1951 3.2.5, made once: symbol, base and extra bits of each length and distance. */
const lengthSymbol = new Uint16Array(longestMatch + 1);
const lengthBase = new Uint16Array(286);
const lengthExtra = new Uint8Array(286);
const distanceSymbol = new Uint8Array(windowBytes + 1);
const distanceBase = new Uint16Array(30);
const distanceExtra = new Uint8Array(30);
for (let symbol = 257, length = 3; symbol < 285; symbol += 1) {
  const extra = symbol < 265 ? 0 : (symbol - 261) >> 2;
  lengthBase[symbol] = length;
  lengthExtra[symbol] = extra;
  for (let each = 0; each < 1 << extra; each += 1) lengthSymbol[length + each] = symbol;
  length += 1 << extra;
}
lengthSymbol[longestMatch] = 285;
lengthBase[285] = longestMatch;
for (let symbol = 0, distance = 1; symbol < 30; symbol += 1) {
  const extra = symbol < 4 ? 0 : (symbol - 2) >> 1;
  distanceBase[symbol] = distance;
  distanceExtra[symbol] = extra;
  distanceSymbol.fill(symbol, distance, distance + (1 << extra));
  distance += 1 << extra;
}

/** Place + 1 of the last string with each hash, and of the one before it at each place; 0 is none. */
const head = new Uint16Array(1 << hashBits);
const before = new Uint16Array(deflateLimit);
/** A literal, or a match: its length from bit 16 on, its distance below. */
const symbols = new Uint32Array(deflateLimit);
const literalCounts = new Uint32Array(286);
const distanceCounts = new Uint32Array(30);
const literalLengths = new Uint8Array(286);
const distanceLengths = new Uint8Array(30);

/** Writes the stream of `bytes` to `out` and gives its size; undefined where it would be more than `most` bytes. */
export function deflateInto(out: Uint8Array, bytes: Uint8Array, most: number): number | undefined {
  if (bytes.byteLength > deflateLimit) throw new Error(`${bytes.byteLength} bytes are more than a grain`);
  const count = findMatches(bytes);
  const bits = new BitWriter(out);
  for (let from = 0; from < count || from === 0; from += blockSymbols) {
    const end = Math.min(from + blockSymbols, count);
    if (!writeBlock(bits, from, end, end === count, most)) return undefined;
  }
  return bits.end();
}

/** Fills `symbols`; gives how many there are. A match is taken when the next place has no longer one. One loop, for its speed. */
function findMatches(bytes: Uint8Array): number {
  const size = bytes.byteLength;
  const hashable = size - 2;
  head.fill(0);
  let count = 0;
  let lastLength = 2;
  let lastDistance = 0;
  let isPending = false;
  for (let at = 0; at < size; ) {
    let length = 2;
    let distance = 0;
    if (at < hashable) {
      const hash = Math.imul((bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16), 0x9e3779b1) >>> (32 - hashBits);
      let other = (head[hash] as number) - 1;
      before[at] = other + 1;
      head[hash] = at + 1;
      const oldest = at > windowBytes ? at - windowBytes : 0;
      if (other >= oldest && lastLength < lazyLimit) {
        const most = size - at < longestMatch ? size - at : longestMatch;
        let left = lastLength >= good ? candidates >> 2 : candidates;
        let best = lastLength;
        if (best < most) {
          const first = bytes[at] as number;
          let end = bytes[at + best] as number;
          do {
            if (bytes[other + best] === end && bytes[other] === first) {
              let same = 1;
              while (same < most && bytes[other + same] === bytes[at + same]) same += 1;
              if (same > best) {
                best = same;
                distance = at - other;
                if (same >= nice || same === most) break;
                end = bytes[at + best] as number;
              }
            }
            other = (before[other] as number) - 1;
            left -= 1;
          } while (other >= oldest && left > 0);
        }
        if (distance !== 0 && !(best === 3 && distance > tooFar)) length = best;
      }
    }
    if (lastLength >= 3 && lastLength >= length) {
      symbols[count] = (lastLength << 16) | lastDistance;
      count += 1;
      const end = at - 1 + lastLength;
      for (let each = at + 1; each < end; each += 1) {
        if (each >= hashable) break;
        const hash = Math.imul((bytes[each] as number) | ((bytes[each + 1] as number) << 8) | ((bytes[each + 2] as number) << 16), 0x9e3779b1) >>> (32 - hashBits);
        before[each] = head[hash] as number;
        head[hash] = each + 1;
      }
      at = end;
      lastLength = 2;
      isPending = false;
      continue;
    }
    if (isPending) {
      symbols[count] = bytes[at - 1] as number;
      count += 1;
    }
    isPending = true;
    lastLength = length;
    lastDistance = distance;
    at += 1;
  }
  // A match that was found at the last place of all would reach past it, so only a literal can be left.
  if (isPending) {
    symbols[count] = bytes[size - 1] as number;
    count += 1;
  }
  return count;
}

/** A block with codes of its own (RFC 1951 3.2.7). False, and nothing is written, where the stream would be too long. */
function writeBlock(bits: BitWriter, from: number, end: number, isLast: boolean, most: number): boolean {
  countSymbols(from, end);
  huffmanLengths(literalCounts, 15, literalLengths);
  huffmanLengths(distanceCounts, 15, distanceLengths);
  const literals = 1 + literalLengths.findLastIndex((length) => length > 0);
  const distances = 1 + distanceLengths.findLastIndex((length) => length > 0);
  const runs = runsOf([...literalLengths.subarray(0, literals), ...distanceLengths.subarray(0, distances)]);
  const runCounts = new Uint32Array(19);
  for (const { symbol } of runs) runCounts[symbol] = (runCounts[symbol] as number) + 1;
  const runLengths = new Uint8Array(19);
  huffmanLengths(runCounts, 7, runLengths);
  const orders = 1 + codeLengthOrder.findLastIndex((symbol) => (runLengths[symbol] as number) > 0);
  let size = 17 + 3 * orders + runs.reduce((sum, { symbol, extra }) => sum + (runLengths[symbol] as number) + extra, 0);
  for (let symbol = 0; symbol < 286; symbol += 1) size += (literalCounts[symbol] as number) * ((literalLengths[symbol] as number) + (lengthExtra[symbol] as number));
  for (let symbol = 0; symbol < 30; symbol += 1) size += (distanceCounts[symbol] as number) * ((distanceLengths[symbol] as number) + (distanceExtra[symbol] as number));
  if (bits.written + size > most * 8) return false;
  bits.put(Number(isLast) | (2 << 1), 3);
  bits.put(literals - 257, 5);
  bits.put(distances - 1, 5);
  bits.put(orders - 4, 4);
  for (const symbol of codeLengthOrder.slice(0, orders)) bits.put(runLengths[symbol] as number, 3);
  const runCodes = huffmanCodes(runLengths);
  for (const { symbol, extra, value } of runs) {
    bits.put(runCodes[symbol] as number, runLengths[symbol] as number);
    if (extra > 0) bits.put(value, extra);
  }
  writeSymbols(bits, from, end);
  return true;
}

function countSymbols(from: number, end: number): void {
  literalCounts.fill(0);
  distanceCounts.fill(0);
  literalCounts[endOfBlock] = 1;
  for (let index = from; index < end; index += 1) {
    const symbol = symbols[index] as number;
    const length = symbol >>> 16;
    const literal = length === 0 ? symbol : (lengthSymbol[length] as number);
    literalCounts[literal] = (literalCounts[literal] as number) + 1;
    if (length === 0) continue;
    const distance = distanceSymbol[symbol & 0xffff] as number;
    distanceCounts[distance] = (distanceCounts[distance] as number) + 1;
  }
}

function writeSymbols(bits: BitWriter, from: number, end: number): void {
  const literalCodes = huffmanCodes(literalLengths);
  const distanceCodes = huffmanCodes(distanceLengths);
  for (let index = from; index < end; index += 1) {
    const symbol = symbols[index] as number;
    const length = symbol >>> 16;
    if (length === 0) {
      bits.put(literalCodes[symbol] as number, literalLengths[symbol] as number);
      continue;
    }
    const literal = lengthSymbol[length] as number;
    bits.put(literalCodes[literal] as number, literalLengths[literal] as number);
    bits.put(length - (lengthBase[literal] as number), lengthExtra[literal] as number);
    const back = symbol & 0xffff;
    const distance = distanceSymbol[back] as number;
    bits.put(distanceCodes[distance] as number, distanceLengths[distance] as number);
    bits.put(back - (distanceBase[distance] as number), distanceExtra[distance] as number);
  }
  bits.put(literalCodes[endOfBlock] as number, literalLengths[endOfBlock] as number);
}

interface Run {
  readonly symbol: number;
  /** How many bits follow the symbol, and what they say. */
  readonly extra: number;
  readonly value: number;
}

/** Code lengths with their repetitions told: 16 is the last one 3 to 6 times, 17 and 18 are 3 to 10 and 11 to 138 zeros. */
function runsOf(lengths: readonly number[]): readonly Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < lengths.length; ) {
    const length = lengths[at] as number;
    let same = 1;
    while (at + same < lengths.length && lengths[at + same] === length) same += 1;
    at += same;
    if (length !== 0) {
      runs.push({ symbol: length, extra: 0, value: 0 });
      same -= 1;
    }
    while (same >= 3) {
      const [symbol, extra, least, most] = length !== 0 ? [16, 2, 3, 6] : same < 11 ? [17, 3, 3, 10] : [18, 7, 11, 138];
      const taken = Math.min(same, most as number);
      runs.push({ symbol: symbol as number, extra: extra as number, value: taken - (least as number) });
      same -= taken;
    }
    for (; same > 0; same -= 1) runs.push({ symbol: length, extra: 0, value: 0 });
  }
  return runs;
}

/** Bits from the lowest up, as deflate packs them. */
class BitWriter {
  readonly #out: Uint8Array;
  #at = 0;
  #held = 0;
  #count = 0;

  constructor(out: Uint8Array) {
    this.#out = out;
  }

  get written(): number {
    return this.#at * 8 + this.#count;
  }

  /** At most 16 bits. */
  put(value: number, count: number): void {
    this.#held |= value << this.#count;
    this.#count += count;
    if (this.#count < 16) return;
    this.#out[this.#at] = this.#held;
    this.#out[this.#at + 1] = this.#held >>> 8;
    this.#at += 2;
    this.#held >>>= 16;
    this.#count -= 16;
  }

  /** Fills the last byte with zeros; gives how many bytes there are. */
  end(): number {
    for (; this.#count > 0; this.#count -= 8) {
      this.#out[this.#at] = this.#held;
      this.#at += 1;
      this.#held >>>= 8;
    }
    return this.#at;
  }
}
