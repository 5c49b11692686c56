/** Times in the reader's zone; the title has them in UTC. */

import type { ReactNode } from "react";

const format = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });

export function Time({ at }: { readonly at: string }): ReactNode {
  return <time dateTime={at} title={utcOf(at)} className="nb">{localOf(at)}</time>;
}

export function localOf(at: string): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? at : format.format(time);
}

/** `2026-11-30 15:20:01 UTC`. */
export function utcOf(at: string): string {
  const time = new Date(at);
  return Number.isNaN(time.getTime()) ? at : `${time.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
