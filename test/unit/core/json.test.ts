/** One text for each JSON value, however it is put together. */

import fc from "fast-check";
import t from "tap";
import { byCodeUnit, canonicalDocument, canonicalJson } from "../../../src/core/json.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";

/** As docs/bundle-format.md says it, without a thought of speed. */
function plainly(value: Json): Json {
  if (Array.isArray(value)) return value.map(plainly);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]): [string, Json] => [key, plainly(each)]).sort(([a], [b]) => byCodeUnit(a, b)));
}

const text = (value: Json): string => `${JSON.stringify(plainly(value), null, 2)}\n`;
const keys = fc.oneof(fc.string(), fc.constantFrom("10", "9", "#a", "__proto__", "a", "b"));
const values = fc.oneof(fc.jsonValue(), fc.array(fc.dictionary(keys, fc.jsonValue())));
const documents = fc.dictionary(keys, values) as fc.Arbitrary<JsonObject>;
const ofWords = fc.dictionary(fc.stringMatching(/^[$A-Za-z_]+$/), values, { minKeys: 1 }) as fc.Arbitrary<JsonObject>;

t.test("keys are in order at every depth, and the text is JSON.stringify's", async (t) => {
  fc.assert(fc.property(documents, (document) => t.equal(canonicalJson(document), text(document))));
});

t.test("a document whose entries are kept has the same text, each time and beside others", async (t) => {
  fc.assert(
    fc.property(ofWords, (document) => {
      t.equal(canonicalDocument(document), text(document));
      t.equal(canonicalDocument({ ...document, more: 1 }), text({ ...document, more: 1 }));
    }),
  );
});

t.test("what JSON can't hold is refused at any depth", async (t) => {
  for (const value of [Number.NaN, [Infinity], { a: { b: [1, -Infinity] } }, { b: 1, a: Number.NaN }]) t.throws(() => canonicalJson(value as Json), /not a JSON number/);
});
