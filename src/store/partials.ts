/** Downloads that have not arrived whole: each has one owner at a time, and whoever comes next goes on with what is free. */

import { createHash } from "node:crypto";
import { join } from "node:path";
import { byCodeUnit } from "../core/json.ts";
import { lifeOf, ownName } from "./owners.ts";
import type { StoreDisk } from "./store-disk.ts";

export interface PartialDownload {
  /** What has arrived. */
  readonly bytes: string;
  /** What it is part of. */
  readonly note: string;
  /** Leaves it to the next, or removes it where nothing has arrived. */
  release(): Promise<void>;
}

/**
 * A download that lives brings a byte or gives up in less: five tries of a minute each and the pauses between them. For
 * owners of whom nothing else is known. Milliseconds.
 */
const abandonedMs = 15 * 60_000;

/** The most advanced of the downloads of this key that nobody is at, or a new one. `now` is in milliseconds. */
export async function claimPartial(files: StoreDisk, folder: string, key: string, now: number | undefined): Promise<PartialDownload> {
  const name = createHash("sha256").update(key).digest("hex");
  const mine = await files.mkdtemp(join(folder, `${name}.${ownName()}-`));
  for (const path of await freeOnes(files, folder, name, now)) {
    // A folder takes an empty one's place, and only one process can move it: whoever is too late finds nothing.
    const isMine = await files.rename(path, mine).then(() => true, ifGone);
    if (isMine) break;
  }
  const bytes = join(mine, "bytes");
  // Whoever was killed on the way into the store has made it read-only already.
  await files.chmod(bytes, 0o644).catch(ifGone);
  return {
    bytes,
    note: join(mine, "note.json"),
    release: async () => {
      const found = await files.stat(bytes).catch(() => undefined);
      if (found === undefined || found.size === 0) await files.rm(mine, { recursive: true, force: true });
      else await files.rename(mine, join(folder, `${name}.free-${mine.slice(-6)}`));
    },
  };
}

async function freeOnes(files: StoreDisk, folder: string, name: string, now: number | undefined): Promise<readonly string[]> {
  const found: { readonly path: string; readonly size: number }[] = [];
  for (const each of (await files.readdir(folder)).sort(byCodeUnit)) {
    if (!each.startsWith(`${name}.`)) continue;
    const path = join(folder, each);
    const bytes = await files.stat(join(path, "bytes")).catch(() => undefined);
    if (bytes === undefined) continue;
    const life = each.startsWith(`${name}.free-`) ? "dead" : lifeOf(each);
    const isOld = now !== undefined && bytes.mtimeMs < now - abandonedMs;
    if (life === "dead" || (life === "unknown" && isOld)) found.push({ path, size: bytes.size });
  }
  return found.sort((a, b) => b.size - a.size).map((each) => each.path);
}

function ifGone(error: NodeJS.ErrnoException): false {
  if (error.code !== "ENOENT") throw error;
  return false;
}
