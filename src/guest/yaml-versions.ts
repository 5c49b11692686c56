/** What YAML 1.1, which PyYAML reads, and YAML 1.2 read alike. */

import { CORE_SCHEMA, EVENT_ID, SCALAR_STYLE, YAML11_SCHEMA, constructFromEvents, getScalarValue } from "js-yaml";
import type { Event, ScalarEvent, Schema } from "js-yaml";
import { isDeepStrictEqual } from "node:util";

/** The documents of a text, whose events these are. Throws where the two read a scalar differently. */
export function readAlike(text: string, events: readonly Event[]): readonly unknown[] {
  const isPlain = (event: Event): boolean => event.type !== EVENT_ID.SCALAR || isAlike(text, event);
  if (!events.every(isPlain)) throw new Error("a scalar that YAML 1.1 and 1.2 read differently");
  return documentsOf(text, events, CORE_SCHEMA);
}

/** In quotes or in a block, a scalar is text to both; with a tag it is what the tag says, and we write none. */
function isAlike(text: string, event: ScalarEvent): boolean {
  if (event.tagStart >= 0) return false;
  if (event.style !== SCALAR_STYLE.PLAIN) return true;
  const word = getScalarValue(text, event);
  const known = words.get(word);
  if (known !== undefined) return known;
  const alone: readonly Event[] = [{ type: EVENT_ID.DOCUMENT, explicitStart: false, explicitEnd: false, directives: [] }, event, { type: EVENT_ID.POP }];
  // A key `<<` merges in YAML 1.1; alone it is text.
  const isSame = word !== "<<" && isDeepStrictEqual(documentsOf(text, alone, CORE_SCHEMA), documentsOf(text, alone, YAML11_SCHEMA));
  if (words.size >= mostWords) words.clear();
  words.set(word, isSame);
  return isSame;
}

/** Keys of templates and words of theirs; values are few of them. */
const words = new Map<string, boolean>();
const mostWords = 5_000;

function documentsOf(text: string, events: readonly Event[], schema: Schema): readonly unknown[] {
  return constructFromEvents([...events], { source: text, schema, maxAliases: 0 });
}
