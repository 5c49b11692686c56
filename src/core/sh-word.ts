/** A value as one word of a POSIX shell. */

/**
 * The text in single quotes, ready for any POSIX shell. POSIX.1-2017 XCU 2.2.2: between single quotes every character
 * stands for itself, and only the single quote can't occur; it goes outside, behind a backslash. Throws on NUL, which no
 * shell word can hold.
 */
export function shWord(text: string): string {
  if (text.includes("\0")) throw new Error("a shell word can't hold NUL");
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
