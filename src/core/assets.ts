/** The text files of `templates/`, read at the edge and given to the pure stages. */

/** From the path below `templates/`, `/` between parts, to the text. */
export type Assets = ReadonlyMap<string, string>;

export function asset(assets: Assets, path: string): string {
  const text = assets.get(path);
  if (text === undefined) throw new Error(`no such template: ${path}`);
  return text;
}
