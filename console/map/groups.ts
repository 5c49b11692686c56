/** Cloudlets on the map that would lie on one another are one marker. */

export interface Located {
  readonly id: string;
  readonly organization: string;
  readonly name: string;
  readonly platform: string;
  readonly state: "defined" | "installed" | "removed";
  readonly latitude: number;
  readonly longitude: number;
}

export interface Group {
  readonly key: string;
  readonly x: number;
  readonly y: number;
  readonly items: readonly Located[];
}

/** Each joins the first group that is nearer than `apart`; what is outside of the picture is left out. In the order of the picture, from west to east. */
export function groupsOf(items: readonly Located[], project: (item: Located) => readonly [number, number] | null, size: { readonly width: number; readonly height: number }, apart: number): readonly Group[] {
  const groups: { x: number; y: number; items: Located[] }[] = [];
  for (const item of items) {
    const at = project(item);
    if (at === null) continue;
    const [x, y] = at;
    if (x < 0 || y < 0 || x > size.width || y > size.height) continue;
    const near = groups.find((each) => Math.hypot(each.x - x, each.y - y) < apart);
    if (near === undefined) groups.push({ x, y, items: [item] });
    else near.items.push(item);
  }
  return groups.sort((a, b) => a.x - b.x || a.y - b.y).map(({ x, y, items: inside }) => ({ x, y, items: inside, key: inside.map(({ id }) => id).join(" ") }));
}

/** The smallest box around them, in degrees. */
export function limitsOf(items: readonly Located[]): { readonly west: number; readonly east: number; readonly south: number; readonly north: number } {
  const longitudes = items.map(({ longitude }) => longitude);
  const latitudes = items.map(({ latitude }) => latitude);
  return { west: Math.min(...longitudes), east: Math.max(...longitudes), south: Math.min(...latitudes), north: Math.max(...latitudes) };
}
