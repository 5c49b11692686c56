/** Memory that is used again: no sooner than it may be, no more than is wanted. */

import t from "tap";
import { pieceBytes } from "../../../src/service/http/downloads.ts";
import { usualLimits } from "../../../src/service/context.ts";
import { ringOf } from "../../../src/store/ring.ts";

t.test("a piece comes again after two others, and not before", (t) => {
  const ring = ringOf(() => 1_024);
  const pieces = Array.from({ length: 7 }, () => ring(Infinity));
  t.equal(new Set(pieces).size, 3);
  for (const [index, piece] of pieces.entries()) if (index >= 3) t.equal(piece, pieces[index - 3]);
  t.end();
});

t.test("it takes what is still to come, and lets go what is too large by then", (t) => {
  let each = 4_096;
  const ring = ringOf(() => each);
  t.strictSame([10, 20, 5_000, 5_000, 8, 30].map((atMost) => ring(atMost).byteLength), [10, 20, 4_096, 4_096, 20, 4_096]);
  each = 1_024;
  t.strictSame([1, 2, 3].map(() => ring(Infinity).byteLength), [1_024, 1_024, 1_024]);
  t.end();
});

t.test("all downloads together hold no more than 81 MiB, also where each keeps what it had when it came", (t) => {
  let held = 0;
  let most = 0;
  for (let running = 1; running <= usualLimits.downloads; running += 1) {
    held += 3 * pieceBytes(running);
    most = Math.max(most, 3 * pieceBytes(running) * running);
  }
  t.ok(held <= 81 * 1_024 ** 2, `${held}`);
  t.ok(most <= 38 * 1_024 ** 2, `${most}`);
  t.end();
});
