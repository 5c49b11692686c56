/** Huffman codes as deflate has them (RFC 1951 3.2.2): lengths from frequencies, codes from lengths. */

/** Writes each symbol's code length, 0 for one that does not occur, none above `limit`. Always a complete code of two or more. */
export function huffmanLengths(counts: Uint32Array, limit: number, lengths: Uint8Array): void {
  lengths.fill(0);
  // A count is below 2^17, a symbol below 2^9: one number sorts by both.
  const sorted = new Float64Array(counts.length);
  let used = 0;
  for (let symbol = 0; symbol < counts.length; symbol += 1) {
    const count = counts[symbol] as number;
    if (count === 0) continue;
    sorted[used] = count * 512 + symbol;
    used += 1;
  }
  if (used < 2) {
    // Not every reader takes a code of one: a second one that never occurs stands beside it.
    const only = used === 0 ? 0 : (sorted[0] as number) % 512;
    lengths[only] = 1;
    lengths[only === 0 ? 1 : 0] = 1;
    return;
  }
  const keys = sorted.subarray(0, used).sort();
  const howMany = limited(depths(keys), limit);
  // The rarest first, and those have the longest codes.
  let at = 0;
  for (let length = limit; length > 0; length -= 1) {
    for (let left = howMany[length] as number; left > 0; left -= 1) {
      lengths[(keys[at] as number) % 512] = length;
      at += 1;
    }
  }
}

/** The codes of these lengths, bits turned round, as deflate writes them. */
export function huffmanCodes(lengths: Uint8Array): Uint16Array {
  const next = new Uint16Array(17);
  for (const length of lengths) if (length > 0) next[length + 1] = (next[length + 1] as number) + 1;
  for (let length = 1; length < 16; length += 1) next[length + 1] = ((next[length] as number) + (next[length + 1] as number)) << 1;
  return Uint16Array.from(lengths, (length) => {
    if (length === 0) return 0;
    const code = next[length] as number;
    next[length] = code + 1;
    return turned(code, length);
  });
}

/** How many leaves the tree has at each depth; `keys` are sorted, counts in them above bit 9. */
function depths(keys: Float64Array): Uint32Array {
  const leaves = keys.length;
  const weights = new Float64Array(2 * leaves - 1);
  for (let index = 0; index < leaves; index += 1) weights[index] = Math.floor((keys[index] as number) / 512);
  const parents = new Uint16Array(2 * leaves - 1);
  // Leaves and nodes are each in order of weight, so the lightest two are always in front.
  let leaf = 0;
  let node = leaves;
  for (let made = leaves; made < weights.length; made += 1) {
    let weight = 0;
    for (let each = 0; each < 2; each += 1) {
      const takesLeaf = leaf < leaves && (node >= made || (weights[leaf] as number) <= (weights[node] as number));
      const taken = takesLeaf ? leaf : node;
      if (takesLeaf) leaf += 1;
      else node += 1;
      weight += weights[taken] as number;
      parents[taken] = made;
    }
    weights[made] = weight;
  }
  const depth = new Uint16Array(weights.length);
  const counts = new Uint32Array(leaves + 1);
  for (let index = weights.length - 2; index >= 0; index -= 1) {
    depth[index] = (depth[parents[index] as number] as number) + 1;
    if (index < leaves) counts[depth[index] as number] = (counts[depth[index] as number] as number) + 1;
  }
  return counts;
}

/** Brings all that is deeper than `limit` up to it, and others down, until the code is complete again. */
function limited(counts: Uint32Array, limit: number): Uint32Array {
  const made = new Uint32Array(limit + 1);
  let sum = 0;
  for (let depth = 1; depth < counts.length; depth += 1) {
    const to = Math.min(depth, limit);
    made[to] = (made[to] as number) + (counts[depth] as number);
  }
  for (let depth = 1; depth <= limit; depth += 1) sum += (made[depth] as number) * 2 ** (limit - depth);
  for (; sum > 2 ** limit; sum -= 1) {
    made[limit] = (made[limit] as number) - 1;
    let depth = limit - 1;
    while ((made[depth] as number) === 0) depth -= 1;
    made[depth] = (made[depth] as number) - 1;
    made[depth + 1] = (made[depth + 1] as number) + 2;
  }
  return made;
}

function turned(code: number, length: number): number {
  let result = 0;
  for (let bit = 0; bit < length; bit += 1) result |= ((code >>> bit) & 1) << (length - 1 - bit);
  return result;
}
