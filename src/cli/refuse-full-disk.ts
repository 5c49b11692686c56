/** Room on the disk, asked for before the first byte: a disk that would fill is said at once, with the figures. */

import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { EnvironmentError } from "../core/environment-error.ts";

/** `size` in bytes is what `what` takes at `out`. A folder that is yet to be made is asked for by the one above. */
export async function refuseFullDisk(out: string, size: number, what: string): Promise<void> {
  let folder = dirname(out);
  let disk = await statfs(folder).catch(() => undefined);
  while (disk === undefined && folder !== dirname(folder)) disk = await statfs((folder = dirname(folder))).catch(() => undefined);
  if (disk === undefined) return;
  const free = disk.bavail * disk.bsize;
  if (free >= size) return;
  throw new EnvironmentError(`${dirname(out)} has ${free} bytes free, ${what} needs ${size}`, { hint: "make room, or choose another place: --out" });
}
