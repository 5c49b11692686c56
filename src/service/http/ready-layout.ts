/** The layout of a bundle that is made. */

import type { StoredLayout } from "../jobs/stored-layout.ts";
import type { BundleRow } from "../state/tables.ts";
import { Problem } from "./problem.ts";

/** Throws a Problem where it is not made yet, or can't be. */
export function readyLayout({ layout, state }: BundleRow): StoredLayout {
  if (layout === null) throw new Problem("not-ready", `The bundle is ${state}.`);
  return JSON.parse(layout) as StoredLayout;
}
