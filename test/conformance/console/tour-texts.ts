/** What is read on the screens of the tour, as a screen reader has it, without what another build of the program changes. */

/** Digests, keys, ids, sizes, and places in files that the program writes. */
const passing: readonly (readonly [pattern: RegExp, word: string])[] = [
  [/\b(sha256|SHA256):[0-9a-f]{64}\b/g, "$1:DIGEST"],
  [/\b[0-9a-f]{10}…[0-9a-f]{6}\b/g, "DIGEST"],
  [/\bM[A-Za-z0-9+/]{40,}={0,2}/g, "KEY"],
  [/(?<![\w-])[A-Za-z0-9_-]{22}(?![\w-])/g, "ID"],
  [/\b[\d.]+ (?:bytes|KiB|MiB)\b/g, "SIZE"],
  [/(\.[a-z]+):\d+/g, "$1:LINE"],
  [/\b(Line|line) \d+/g, "$1 N"],
  [/\b\d+ of \d+ files\b/g, "N of N files"],
  [/\b\d+ (regular files|files)\b/g, "N $1"],
];

export function readOn(snapshot: string): string {
  return passing.reduce((text, [pattern, word]) => text.replaceAll(pattern, word), snapshot).trim();
}

const mark = "=== ";

export function textsOf(screens: ReadonlyMap<string, string>): string {
  return [...screens].map(([name, text]) => `${mark}${name}\n${text}\n`).join("\n");
}

export function textsIn(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(new RegExp(`^${mark}`, "m")).slice(1).map((part) => {
    const [name = "", ...lines] = part.split("\n");
    return [name, lines.join("\n").trim()];
  }));
}
