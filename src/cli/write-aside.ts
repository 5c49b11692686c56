/** Output files: written aside, synced, renamed. Under its final name a file is whole or not there. */

import { randomBytes } from "node:crypto";
import { link, lstat, mkdir, open, readdir, rename, rm, stat, unlink, writeFile } from "node:fs/promises";
import { dirname, basename, join } from "node:path";
import type { FileHandle } from "node:fs/promises";
import { EnvironmentError } from "../core/environment-error.ts";

export interface WriteOptions {
  readonly mode?: number;
  /** Refuse to replace a file that is there (private keys). */
  readonly exclusive?: boolean;
}

/**
 * Lets `fill` write a new file beside `path`, syncs it and gives it its name. On any failure nothing is left behind and
 * what stood under the name still stands there.
 */
export async function writeAside<T>(path: string, fill: (file: FileHandle, aside: string) => Promise<T>, options: WriteOptions = {}): Promise<T> {
  await refuseNoFile(path);
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const stem = `.${basename(path).slice(0, 200)}`;
  await sweep(folder, stem);
  const aside = join(folder, `${stem}.${process.pid}-${randomBytes(4).toString("hex")}.part`);
  const file = await open(aside, "wx", options.mode ?? 0o644);
  try {
    let result: T;
    try {
      // The umask may have taken bits away; the mode is part of what was asked for.
      if (options.mode !== undefined) await file.chmod(options.mode);
      result = await fill(file, aside);
      await file.sync();
    } finally {
      await file.close();
    }
    await giveName(aside, path, options.exclusive === true);
    await syncFolder(folder);
    return result;
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
}

/**
 * Like `writeAside`, but what a run that ended early has written is kept, and given to `fill` the next time: it must look at
 * every byte of it. `Undone` as the result keeps it too, and gives no name.
 */
export async function writeResumed<T>(path: string, fill: (file: FileHandle, aside: string) => Promise<T | Undone>): Promise<T | Undone> {
  await refuseNoFile(path);
  const folder = dirname(path);
  await mkdir(folder, { recursive: true });
  const stem = `.${basename(path).slice(0, 200)}`;
  const aside = join(folder, `${stem}.${process.pid}.unfinished`);
  const left = (await readdir(folder)).filter((name) => name.startsWith(`${stem}.`) && /^\d+\.unfinished$/.test(name.slice(stem.length + 1)));
  for (const name of left) {
    if (join(folder, name) === aside) continue;
    if (isAlive(Number(name.slice(stem.length + 1).split(".")[0]))) throw new EnvironmentError(`another run is writing ${path}`, { hint: "wait for it, or stop it; if there is none, remove " + join(folder, name) });
    await rename(join(folder, name), aside);
  }
  // A link that somebody laid there would be followed; what is no regular file is not ours.
  const found = await lstat(aside).catch(() => undefined);
  if (found !== undefined && !found.isFile()) throw new EnvironmentError(`${aside} is no file`);
  const file = await open(aside, found === undefined ? "wx+" : "r+", 0o644);
  let result: T | Undone;
  try {
    result = await fill(file, aside);
    if (result !== undone) await file.sync();
  } finally {
    await file.close();
  }
  if (result === undone) return undone;
  await rename(aside, path);
  await syncFolder(folder);
  return result;
}

export const undone = Symbol("undone");
export type Undone = typeof undone;

export async function writeTextAside(path: string, text: string | Uint8Array | Iterable<Uint8Array>, options: WriteOptions = {}): Promise<void> {
  // /dev/null, /dev/stdout, a named pipe: there is nothing to keep whole.
  if (options.exclusive !== true && (await kindOf(path)) === "stream") await writeFile(path, text);
  else await writeAside(path, (file) => file.writeFile(text), options);
}

/** rename(2) would put a file in the place of a device, and fail on a folder only when all is written. */
async function refuseNoFile(path: string): Promise<void> {
  const kind = await kindOf(path);
  if (kind === "folder") throw new EnvironmentError(`${path}: this is a folder, not a file`, { hint: "give the name that the file shall have" });
  if (kind === "stream") throw new EnvironmentError(`${path} is a device or a pipe, and a file is wanted`, { hint: "name a file that is not there yet, or one to be replaced" });
}

/** Through links. What can't be looked at is told when it is written. */
async function kindOf(path: string): Promise<"file" | "folder" | "stream" | "absent"> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return "absent";
  // /dev/stdout leads to whatever is behind `>`; what must not be replaced is the link.
  if (/^\/(?:dev(?!\/shm\/)|proc)\//.test(path) && !found.isDirectory()) return "stream";
  return found.isFile() ? "file" : found.isDirectory() ? "folder" : "stream";
}

async function giveName(aside: string, path: string, exclusive: boolean): Promise<void> {
  if (!exclusive) return rename(aside, path);
  try {
    // link(2) fails where the name is taken; rename(2) would replace it.
    await link(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    throw new EnvironmentError(`${path} exists already and is not replaced`, { hint: "choose another name, or move it away first" });
  }
  await unlink(aside);
}

/** Removes what a killed process left of the same output: gigabytes, perhaps. One that is still at it keeps its own. */
async function sweep(folder: string, stem: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const pid = name.startsWith(`${stem}.`) ? /^(\d+)-[0-9a-f]{8}\.part$/.exec(name.slice(stem.length + 1))?.[1] : undefined;
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(folder, name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    // Signal 0 asks and does nothing: kill(2).
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** So that the new name survives a power cut too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } catch (error) {
    // Some network file systems can't sync a folder; the file itself is safe.
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
  } finally {
    await handle.close();
  }
}

/** write(2) may take less than it was given. */
export async function writeAt(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await file.write(bytes, done, bytes.byteLength - done, at + done);
    done += bytesWritten;
  }
}
