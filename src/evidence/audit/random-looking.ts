/** Whether a word looks as if chance had made it: a key or a token, and not a name. */

/**
 * True for what a generator of keys writes as hexadecimal, base32, base64 or base64url, from 20 characters on; false for
 * UUIDs (RFC 9562), which name things, and for words put together of words.
 */
export function looksRandom(word: string): boolean {
  if (/^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(word)) return false;
  const body = word.replace(/=+$/, "");
  if (/^[0-9a-f]+$/.test(body) || /^[0-9A-F]+$/.test(body)) return body.length >= leastHex && entropyOf(body) >= leastHexBits && /\d/.test(body) && /[a-f]/i.test(body);
  if (body.length < leastLength || !/\d/.test(body) || !/[A-Za-z]/.test(body)) return false;
  const others = body.replace(/[A-Za-z0-9]/g, "").length;
  return others / body.length <= mostOthers && changesOf(body) / body.length >= leastChanges && entropyOf(body) >= leastBits;
}

/** Characters; 32 of hexadecimal are 128 bits, the least that is given out as a key. */
const leastHex = 32;
/** Characters; 20 of base64 are 120 bits. */
const leastLength = 20;
/** Bits a character, of at most 4. A repeated or counted-up digest of a test has fewer. */
const leastHexBits = 2.8;
/** Bits a character. Words put together of words have up to 4 as well, so this alone tells nothing. */
const leastBits = 3.4;
/** `+ / - _` among all characters; chance gives 0.03, and 0.15 once in a thousand short ones. Paths have more. */
const mostOthers = 0.15;
/**
 * How often a letter or digit is of another class (lower, upper, digit) than the one before it, of all characters. Chance
 * gives 0.6 for base64 and 0.4 for lower case with digits; `StandardOutput2` has 0.2.
 */
const leastChanges = 0.28;

/** Shannon's, of the characters; bits a character. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const each of text) counts.set(each, (counts.get(each) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0);
}

function changesOf(text: string): number {
  const classes = [...text].map((each) => (/[a-z]/.test(each) ? "lower" : /[A-Z]/.test(each) ? "upper" : /\d/.test(each) ? "digit" : undefined));
  return classes.filter((each, index) => index > 0 && each !== undefined && classes[index - 1] !== undefined && each !== classes[index - 1]).length;
}
