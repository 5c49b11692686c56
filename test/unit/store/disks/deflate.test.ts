/** Deflate: zlib unpacks whatever it packs, and the bytes never change. */

import { createHash } from "node:crypto";
import { inflateRawSync, inflateSync } from "node:zlib";
import fc from "fast-check";
import t from "tap";
import { deflateInto } from "../../../../src/store/disks/deflate.ts";
import { huffmanLengths } from "../../../../src/store/disks/huffman.ts";
import { adler32, packedLimit, packInto, storeInto, wrapInto } from "../../../../src/store/disks/zlib-form.ts";

const out = Buffer.alloc(80_100);

/** Bytes of a few words that come again and again, near and far. */
const texts = fc
  .record({ words: fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { minLength: 1, maxLength: 30 }), order: fc.array(fc.nat(1_000), { maxLength: 600 }) })
  .map(({ words, order }) => Buffer.concat(order.map((each) => words[each % words.length] as Uint8Array)).subarray(0, 65_536));

/** Numbers that are the same everywhere: xorshift32. */
function noise(size: number, mask: number): Buffer {
  const bytes = Buffer.alloc(size);
  for (let index = 0, state = 1; index < size; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & mask;
  }
  return bytes;
}

t.test("what it packs is what comes out", (t) => {
  fc.assert(
    fc.property(texts, (bytes) => {
      const size = deflateInto(out, bytes, 80_000);
      return inflateRawSync(out.subarray(0, size)).equals(bytes);
    }),
    { numRuns: 300 },
  );
  for (const bytes of [Buffer.alloc(0), Buffer.alloc(1), Buffer.alloc(65_536, 7), noise(65_536, 1), noise(65_536, 15), noise(40_000, 127), Buffer.concat([noise(32_768, 255), noise(32_768, 255)])]) {
    const size = deflateInto(out, bytes, 80_000);
    t.ok(inflateRawSync(out.subarray(0, size)).equals(bytes), `${bytes.byteLength} bytes`);
  }
  t.throws(() => deflateInto(out, Buffer.alloc(65_537), 80_000), /more than a grain/);
  t.end();
});

t.test("zlib's own sum is ours; each form is unpacked by it; what does not pay is stored", (t) => {
  for (const bytes of [noise(65_536, 255), noise(65_536, 3), Buffer.alloc(65_536, 0xff), noise(5, 255)]) {
    for (const form of [packInto, storeInto]) t.ok(inflateSync(out.subarray(0, form(out, bytes))).equals(bytes));
    const stream = Buffer.alloc(80_000);
    const size = deflateInto(stream, bytes, 80_000);
    t.ok(inflateSync(out.subarray(0, wrapInto(out, stream.subarray(0, size), bytes))).equals(bytes));
  }
  t.equal(packInto(out, noise(65_536, 255)), packedLimit(65_536), "noise is stored");
  t.equal(adler32(Buffer.from("Wikipedia")), 0x11e60398);
  t.end();
});

/** Stores hold disks under the name of the converter that made them: other bytes need another name (src/store/vmdk.ts). */
t.test("the bytes are the same for ever", (t) => {
  const text = Buffer.from(Array.from({ length: 9_000 }, (_, index) => `${index * index} `).join("")).subarray(0, 65_536);
  const digests = [text, noise(65_536, 15), Buffer.alloc(65_536, 1)].map((bytes) => createHash("sha256").update(out.subarray(0, packInto(out, bytes))).digest("hex").slice(0, 16));
  t.strictSame(digests, ["49a33f33d7af64e4", "57c908e8c7b330a9", "1cd94ad18ef70c0f"]);
  t.end();
});

t.test("codes are complete and never longer than the limit", (t) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constant(0), fc.nat(40), fc.nat(65_536)), { minLength: 2, maxLength: 286 }), fc.constantFrom(9, 15), (counts, limit) => {
      const lengths = new Uint8Array(counts.length);
      huffmanLengths(Uint32Array.from(counts), limit, lengths);
      const sum = lengths.reduce((all, length) => all + (length === 0 ? 0 : 2 ** -length), 0);
      return sum === 1 && lengths.every((length, symbol) => length <= limit && (counts[symbol] === 0 || length > 0));
    }),
  );
  // Counts that grow like Fibonacci's numbers want the longest codes of all.
  const counts = new Uint32Array(25);
  for (let index = 0, a = 1, b = 1; index < 25; index += 1, [a, b] = [b, a + b]) counts[index] = a;
  const lengths = new Uint8Array(25);
  huffmanLengths(counts, 15, lengths);
  t.equal(Math.max(...lengths), 15);
  t.end();
});
