/** Lists that come in pages: the service gives one, and a cursor for the next. */

import { useEffect, useRef, useState, type ReactNode } from "react";
import { Button } from "./button.tsx";
import { useLoaded, type Loaded } from "../console.tsx";
import type { Api } from "../api.ts";

export interface Items<T> {
  readonly items: readonly T[];
  readonly next?: string;
}

export interface Paged<T> {
  readonly loaded: Loaded<Items<T>>;
  readonly pager: ReactNode;
}

/** `path` with its filters; another one begins at the first page again. */
export function usePages<T>(path: string, limit = 25): Paged<T> {
  const [state, setState] = useState<{ readonly path: string; readonly cursors: readonly string[] }>({ path, cursors: [] });
  const cursors = state.path === path ? state.cursors : [];
  const cursor = cursors.at(-1);
  const joint = path.includes("?") ? "&" : "?";
  const key = `${path}${joint}limit=${limit}${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`;
  const loaded = useLoaded(key, async (api, signal) => (await api.get<Items<T>>(key, { signal })).body);
  const shown = useRef<Items<T>>(undefined);
  if (loaded.value !== undefined) shown.current = loaded.value;
  // A table that goes away for a moment takes the place of the reader with it.
  const value = loaded.value ?? (loaded.isLoading ? shown.current : undefined);
  const next = value?.next;
  const go = (to: readonly string[]): void => setState({ path, cursors: to });
  const pager = next === undefined && cursors.length === 0 ? null : <Pager number={cursors.length + 1} isLoading={loaded.isLoading} back={cursors.length === 0 ? undefined : () => go(cursors.slice(0, -1))} on={next === undefined ? undefined : () => go([...cursors, next])} />;
  return { loaded: { ...loaded, value }, pager };
}

function Pager({ number, isLoading, back, on }: { readonly number: number; readonly isLoading: boolean; readonly back: (() => void) | undefined; readonly on: (() => void) | undefined }): ReactNode {
  const before = useRef(number);
  const [said, setSaid] = useState("");
  useEffect(() => {
    if (!isLoading && before.current !== number) {
      before.current = number;
      setSaid(`Page ${number}`);
    }
  }, [isLoading, number]);
  return (
    <nav className="pager" aria-label="Pages of the list">
      <Button className="button small" isDisabled={back === undefined || isLoading} onPress={() => back?.()}>Previous page</Button>
      <span>Page {number}</span>
      <Button className="button small" isDisabled={on === undefined || isLoading} onPress={() => on?.()}>Next page</Button>
      <span role="status" className="visually-hidden">{said}</span>
    </nav>
  );
}

/** All of a list, up to so many. */
export async function allOf<T>(api: Api, path: string, atMost: number, signal?: AbortSignal): Promise<readonly T[]> {
  const items: T[] = [];
  for (let cursor: string | undefined; ; ) {
    const joint = path.includes("?") ? "&" : "?";
    const { body } = await api.get<Items<T>>(`${path}${joint}limit=200${cursor === undefined ? "" : `&cursor=${encodeURIComponent(cursor)}`}`, signal === undefined ? {} : { signal });
    items.push(...body.items);
    cursor = body.next;
    if (cursor === undefined || items.length >= atMost) return items;
  }
}
