/** Before the first byte: a disk that would fill is said at once, with the figures. */

import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { EnvironmentError } from "../core/environment-error.ts";

/** Throws where the folder of `out` has fewer than `size` bytes free. `what` needs them. */
export async function refuseFullDisk(out: string, size: number, what: string): Promise<void> {
  const folder = await statfs(dirname(out)).catch(() => undefined);
  if (folder === undefined) return;
  const free = folder.bavail * folder.bsize;
  if (free >= size) return;
  throw new EnvironmentError(`${dirname(out)} has ${free} bytes free, ${what} needs ${size}`, { hint: "make room, or choose another place: --out FILE" });
}
