/** That a process uses a store, noted as an empty file: what it asked for since then is not cleaned away under it. */

import { join } from "node:path";
import { lifeOf, ownName } from "./owners.ts";
import { ignoring, type StoreDisk } from "./store-disk.ts";

/** From `now` (milliseconds) until this process ends. A store that may not be written to is nobody's to clean either. */
export async function takeLease(files: StoreDisk, folder: string, now: number): Promise<void> {
  for (const name of await files.readdir(folder)) {
    if (lifeOf(name) === "dead") await files.rm(join(folder, name), { force: true }).catch(ignoring("EACCES", "EROFS"));
  }
  const path = join(folder, ownName());
  try {
    await (await files.open(path, "wx", 0o644)).close();
    await files.utimes(path, now / 1_000, now / 1_000);
  } catch (error) {
    // A process that opens a store twice uses it since the first time.
    ignoring("EEXIST", "EACCES", "EROFS")(error as NodeJS.ErrnoException);
  }
}

/**
 * Since when any other process that is still there uses the store; Infinity where none does. Milliseconds. Of a process on
 * another machine nothing is known: its lease holds until it is older than `before`.
 */
export async function leasedSince(files: StoreDisk, folder: string, before: number): Promise<number> {
  let since = Infinity;
  for (const name of await files.readdir(folder)) {
    if (name === ownName()) continue;
    const life = lifeOf(name);
    const taken = (await files.stat(join(folder, name)).catch(() => undefined))?.mtimeMs ?? Infinity;
    if (life === "alive" || (life === "unknown" && taken > before)) since = Math.min(since, taken);
  }
  return since;
}
