/** Which lines of two texts are not the other's: the fewest, by a longest common subsequence. */

/** A stretch of lines that stands in the place of another one; one of the two may be empty. Numbers from 1, ascending. */
export interface Hunk {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/** A table of so many cells is held in memory; beyond it, all between the first and the last difference counts as changed. */
const mostCells = 16_000_000;

export function differentLines(a: readonly string[], b: readonly string[]): readonly Hunk[] {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const [middleA, middleB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  const kept = middleA.length * middleB.length > mostCells ? [] : commonOf(middleA, middleB);
  const numbers = (from: number, to: number): readonly number[] => Array.from({ length: to - from }, (_, index) => start + from + index + 1);
  const hunks: Hunk[] = [];
  let [x, y] = [0, 0];
  for (const [nextX, nextY] of [...kept, [middleA.length, middleB.length] as const]) {
    if (nextX > x || nextY > y) hunks.push({ before: numbers(x, nextX), after: numbers(y, nextY) });
    [x, y] = [nextX + 1, nextY + 1];
  }
  return hunks;
}

/** Pairs of indices of a longest common subsequence, by the table of its lengths from each place on. */
function commonOf(a: readonly string[], b: readonly string[]): readonly (readonly [number, number])[] {
  const width = b.length + 1;
  const lengths = tableOf((a.length + 1) * width);
  lengths.fill(0, a.length * width, (a.length + 1) * width);
  for (let x = 0; x < a.length; x += 1) lengths[x * width + b.length] = 0;
  for (let x = a.length - 1; x >= 0; x -= 1) {
    for (let y = b.length - 1; y >= 0; y -= 1) {
      const at = x * width + y;
      lengths[at] = a[x] === b[y] ? (lengths[at + width + 1] as number) + 1 : Math.max(lengths[at + width] as number, lengths[at + 1] as number);
    }
  }
  const pairs: (readonly [number, number])[] = [];
  for (let x = 0, y = 0; x < a.length && y < b.length; ) {
    const at = x * width + y;
    if (a[x] === b[y]) pairs.push([x++, y++]);
    else if ((lengths[at + width] as number) >= (lengths[at + 1] as number)) x += 1;
    else y += 1;
  }
  return pairs;
}

/** The table of the text before, where it is no great one: thousands of small texts are compared, and each would leave one behind. */
const table = new Uint16Array(65_536);

function tableOf(cells: number): Uint16Array {
  return cells <= table.length ? table : new Uint16Array(cells);
}
