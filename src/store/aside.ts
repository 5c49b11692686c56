/** A folder of our own beside the blobs, for what is not whole yet. */

import { join } from "node:path";
import { orDiskFull } from "./disk-space.ts";
import { ownName } from "./owners.ts";
import type { Places } from "./places.ts";
import type { StoreDisk } from "./store-disk.ts";

/** The folder is there for as long as `work` lasts, and whatever is left in it goes. A disk that is full is said with figures. */
export async function aside<T>(files: StoreDisk, places: Places, work: (folder: string) => Promise<T>): Promise<T> {
  try {
    const folder = await files.mkdtemp(join(places.aside, `put-${ownName()}-`));
    return await work(folder).finally(() => files.rm(folder, { recursive: true, force: true }).catch(() => undefined));
  } catch (error) {
    throw await orDiskFull(error, files.statfs, places.aside);
  }
}
