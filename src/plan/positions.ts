/** Positions in a list, as values: something is the third because there are two before it. */

import type { Val } from "../core/origin.ts";
import { derive } from "../core/origin.ts";

/** From 1. Each comes from its own item and from all before it. */
export function positions(items: readonly Val[]): readonly Val<number>[] {
  return items.map((item, index) => derive([item, ...items.slice(0, index)], () => index + 1));
}
