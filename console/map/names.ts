/** Which names the map may show without one lying on another. */

export interface Named {
  readonly key: string;
  readonly x: number;
  readonly y: number;
  /** Of the marker. */
  readonly radius: number;
  /** How wide its name is about, to the right where positive, else to the left. */
  readonly width: number;
}

/** Half a line. */
const halfHeight = 9;

/** The keys of those whose name meets no marker and no name that is shown already; in the order that is given. */
export function namesShown(all: readonly Named[]): ReadonlySet<string> {
  const taken = all.map(({ x, y, radius }) => ({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius }));
  const shown = new Set<string>();
  for (const [index, { key, x, y, radius, width }] of all.entries()) {
    const [from, to] = width > 0 ? [x + radius + 1, x + radius + 5 + width] : [x - radius - 5 + width, x - radius - 1];
    const box = { left: from, right: to, top: y - halfHeight, bottom: y + halfHeight };
    if (taken.some((other, at) => at !== index && other.left < box.right && box.left < other.right && other.top < box.bottom && box.top < other.bottom)) continue;
    taken.push(box);
    shown.add(key);
  }
  return shown;
}
