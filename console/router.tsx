/** Addresses: the browser's history, links, and where the focus goes after a step. */

import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent, type ReactNode } from "react";

const listeners = new Set<() => void>();
let steps = 0;

window.addEventListener("popstate", () => {
  steps += 1;
  listeners.forEach((heard) => heard());
});

/** True once somebody has gone from one page to another: the first one keeps the focus where the browser has it. */
export function hasStepped(): boolean {
  return steps > 0;
}

export function navigate(to: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (replace) history.replaceState(null, "", to);
  else history.pushState(null, "", to);
  if (!replace) {
    steps += 1;
    window.scrollTo(0, 0);
  }
  listeners.forEach((heard) => heard());
}

export interface Place {
  readonly path: string;
  readonly query: URLSearchParams;
}

export function usePlace(): Place {
  const url = useSyncExternalStore((heard) => {
    listeners.add(heard);
    return () => void listeners.delete(heard);
  }, () => `${location.pathname}${location.search}`);
  const { pathname, searchParams } = new URL(url, location.origin);
  return { path: pathname, query: searchParams };
}

/** The same place with other parameters; an empty one is left out. */
export function withQuery(place: Place, changes: Readonly<Record<string, string>>): string {
  const query = new URLSearchParams(place.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return text === "" ? place.path : `${place.path}?${text}`;
}

export function Link({ to, children, ...rest }: { readonly to: string; readonly children: ReactNode } & Omit<AnchorHTMLAttributes<HTMLAnchorElement>, "href">): ReactNode {
  return <a {...rest} href={to} onClick={(event) => follow(event, to)}>{children}</a>;
}

/** A click that opens a tab or a menu is the browser's. */
export function follow(event: MouseEvent, to: string): void {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate(to);
}

/** The parts of a path that a pattern like `/cloudlets/:id` names; undefined where it is another one. */
export function partsOf(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const wanted = pattern.split("/");
  const given = path.replace(/\/+$/, "").split("/");
  if (wanted.length !== given.length) return undefined;
  const parts: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? "";
    if (part.startsWith(":")) {
      const decoded = plainText(value);
      if (decoded === undefined || decoded === "") return undefined;
      parts[part.slice(1)] = decoded;
    } else if (part !== value) return undefined;
  }
  return parts;
}

function plainText(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
