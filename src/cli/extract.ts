/** Files of a bundle written below a folder, and nowhere else. */

import { constants } from "node:fs";
import { lstat, mkdir, open, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { EnvironmentError } from "../core/environment-error.ts";
import { pathProblem } from "../pack/layout.ts";
import type { Found } from "../seal/bundle-source.ts";
import { piecesIn, type Contents } from "../seal/contents.ts";
import type { Io } from "./io.ts";

/**
 * Writes each file at its path below `folder`. The paths are those of a bundle's form, so none is absolute or has `..`; a
 * link on the way is refused, and so is a file that is there already. What was begun when it fails is taken away again.
 */
export async function extract(io: Io, contents: Contents, files: readonly Found[], folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const file of files) {
    const problem = pathProblem(file.path);
    if (problem !== undefined) throw new Error(`a path that the form let through: ${JSON.stringify(file.path)}`);
    const target = join(folder, file.path);
    await makeFolders(folder, file.path);
    await writeNew(io, contents, file, target);
  }
}

/** The folders between, one by one, none of them a link that would lead elsewhere. */
async function makeFolders(folder: string, path: string): Promise<void> {
  const parts = path.split("/").slice(0, -1);
  for (const [index] of parts.entries()) {
    const here = join(folder, ...parts.slice(0, index + 1));
    const found = await lstat(here).catch(() => undefined);
    if (found === undefined) await mkdir(here);
    else if (!found.isDirectory()) throw new EnvironmentError(`${here} is there already and is no folder`, { hint: "extract into an empty folder" });
  }
}

/** Nothing but this bit is taken over of what an archive says: a mode may be any, and is not verified here. */
function isScript(file: Found): boolean {
  return (file.mode & 0o100) !== 0;
}

/** O_EXCL: POSIX.1-2017 open(2) fails where the name is taken, and follows no link that has it. */
async function writeNew(io: Io, contents: Contents, file: Found, target: string): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  const handle = await open(target, flags, isScript(file) ? 0o755 : 0o644).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
    throw new EnvironmentError(`${target} exists already and is not replaced`, { hint: `extract into an empty folder, or move it away from ${dirname(target)}` });
  });
  try {
    try {
      for await (const piece of piecesIn(contents, file)) {
        io.signal.throwIfAborted();
        await handle.writeFile(piece);
      }
    } finally {
      await handle.close();
    }
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
}
