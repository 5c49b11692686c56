/** The known name nearest to one that is not known. */

/** A known name that differs in case, separators or a few letters only; undefined where none is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > 64) return undefined;
  const bare = bared(name);
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(bare.length / 3)) + 1;
  for (const each of known) {
    const distance = editDistance(bare, bared(each), bestDistance);
    if (distance < bestDistance) {
      best = each;
      bestDistance = distance;
    }
  }
  return best;
}

function bared(name: string): string {
  return name.toLowerCase().replaceAll(/[_\- .]/g, "");
}

/** Optimal string alignment distance: insertions, deletions, changes and swaps of neighbours; `limit` when not less. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return Math.min(last[b.length] ?? limit, limit);
}
