/** The values that a bundle's install.sh reads: site.env, read as lib/site.sh reads it. */

import { produce } from "../../pack/stream.ts";
import type { Context } from "../context.ts";
import { layoutOf, readerOf, type StoredLayout } from "./stored-layout.ts";

/** One for each machine: site.env, and where there are two, the same with what the file of the second says otherwise. */
export async function siteValues(context: Pick<Context, "drawn" | "blobs" | "stopping">, layout: StoredLayout): Promise<readonly Readonly<Record<string, string>>[]> {
  const read = async (path: string): Promise<Readonly<Record<string, string>>> => valuesIn(await textIn(context, layout, path));
  const site = await read("site.env");
  const machines = layout.files.map(({ path }) => path).filter((path) => /^site\/machine-[a-z]+\.env$/.test(path));
  if (machines.length === 0) return [site];
  return Promise.all(machines.map(async (path) => ({ ...site, ...(await read(path)) })));
}

async function textIn({ drawn, blobs, stopping }: Pick<Context, "drawn" | "blobs" | "stopping">, layout: StoredLayout, path: string): Promise<string> {
  const file = layout.files.find((each) => each.path === path);
  if (file === undefined) throw new Error(`a bundle of the service's has no ${path}`);
  const pieces: Uint8Array[] = [];
  for await (const piece of produce(layoutOf(layout), readerOf(layout, { drawn, blobs }), file.start, file.start + file.size, stopping)) pieces.push(Uint8Array.from(piece));
  return Buffer.concat(pieces).toString("utf8");
}

/** NAME='value', a quote in it written as '\''. */
export function valuesIn(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text.split("\n").flatMap((line): readonly (readonly [string, string])[] => {
      const [, name, value] = /^(CB_[A-Z0-9_]+)='(.*)'$/.exec(line) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value.replaceAll("'\\''", "'")]];
    }),
  );
}
