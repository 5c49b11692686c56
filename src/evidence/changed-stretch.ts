/** Where two texts differ: what they begin with and end with alike is left out. */

export interface Stretch {
  readonly start: string;
  readonly middle: string;
  readonly end: string;
}

/** Both texts in three; the middles are the fewest characters in one piece that differ. A pair of surrogates is not cut. */
export function changedStretch(before: string, after: string): readonly [Stretch, Stretch] {
  const [x, y] = [[...before], [...after]];
  let start = 0;
  while (start < x.length && start < y.length && x[start] === y[start]) start += 1;
  let end = 0;
  while (end < x.length - start && end < y.length - start && x[x.length - 1 - end] === y[y.length - 1 - end]) end += 1;
  const cut = (characters: readonly string[]): Stretch => ({
    start: characters.slice(0, start).join(""),
    middle: characters.slice(start, characters.length - end).join(""),
    end: characters.slice(characters.length - end).join(""),
  });
  return [cut(x), cut(y)];
}
