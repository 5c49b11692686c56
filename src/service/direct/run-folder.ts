/** The folder of one run of install.sh: the bundle, unpacked without a second copy of the big files, and what the run is given. */

import { constants } from "node:fs";
import { chmod, chown, copyFile, link, lstat, mkdir, open, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Digest } from "../../core/digest.ts";
import { produce } from "../../pack/stream.ts";
import type { Blobs } from "../../store/blobs.ts";
import { layoutOf, readerOf, type StoredFile, type StoredLayout } from "../jobs/stored-layout.ts";
import type { SiteLogin } from "./site-login.ts";

export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

export interface RunFolder {
  readonly folder: string;
  readonly bundle: string;
  readonly home: string;
  readonly receipt: string;
  readonly secrets: string | undefined;
  /** Variables of the login, with the paths of its files. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface RunContents {
  readonly layout: StoredLayout;
  /** Going back and removing use nothing of the big files. */
  readonly withBlobs: boolean;
  readonly login: SiteLogin;
  readonly secrets: string | undefined;
}

interface Stores {
  readonly drawn: Blobs;
  readonly blobs: Blobs;
  /** The file that holds a blob. */
  readonly blobFile: (digest: Digest) => string;
}

/** Throws what the disk throws, and what `signal` says. */
export async function makeRunFolder(folder: string, { layout, withBlobs, login, secrets }: RunContents, stores: Stores, runAs: RunAs | undefined, signal: AbortSignal): Promise<RunFolder> {
  await rm(folder, { recursive: true, force: true });
  const made = { folder, bundle: join(folder, "bundle"), home: join(folder, "home"), receipt: join(folder, "receipt.json") };
  for (const each of [folder, made.bundle, made.home, join(folder, "login")]) await mkdir(each, { mode: 0o700 });
  for (const file of layout.files) {
    const whole = wholeBlob(layout, file);
    if (!withBlobs && isBig(layout, file)) continue;
    if (whole === undefined) await unpack(file, layout, made.bundle, stores, signal);
    else await placeBlob(stores.blobFile(whole), join(made.bundle, file.path), runAs);
  }
  const variables: Record<string, string> = { ...login.variables };
  for (const [name, text] of Object.entries(login.files)) {
    variables[name] = join(folder, "login", name.toLowerCase());
    await writeFile(variables[name], text, { mode: 0o600 });
  }
  const path = secrets === undefined ? undefined : join(folder, "secrets");
  if (path !== undefined && secrets !== undefined) await writeFile(path, secrets, { mode: 0o600 });
  if (runAs !== undefined) await giveTo(folder, runAs);
  return { ...made, secrets: path, variables };
}

/** Some of its bytes are a blob's. */
function isBig({ segments, drawn }: StoredLayout, { start, size }: StoredFile): boolean {
  return segments.some((segment) => segment.digest !== drawn && segment.start < start + size && segment.start + segment.size > start);
}

/** The blob that is this file, from its first byte to its last. */
function wholeBlob({ segments, drawn }: StoredLayout, { start, size }: StoredFile): StoredLayout["drawn"] | undefined {
  const found = segments.find((segment) => segment.start === start && segment.size === size && segment.from === 0 && segment.digest !== drawn);
  return found?.digest;
}

async function unpack(file: StoredFile, layout: StoredLayout, into: string, stores: Stores, signal: AbortSignal): Promise<void> {
  const path = join(into, file.path);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const out = await open(path, "wx", Number.parseInt(file.mode, 8));
  try {
    for await (const piece of produce(layoutOf(layout), readerOf(layout, stores), file.start, file.start + file.size, signal)) await out.writeFile(piece);
  } finally {
    await out.close();
  }
}

/** A link costs nothing. Another disk, or another user who could not read it, gets a copy, which shares its blocks where the file system can. */
async function placeBlob(blob: string, path: string, runAs: RunAs | undefined): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const mayRead = runAs === undefined || ((await stat(blob)).mode & 0o004) !== 0;
  if (mayRead) {
    try {
      return await link(blob, path);
    } catch (error) {
      if (!["EXDEV", "EPERM", "EMLINK", "ENOTSUP"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  }
  await copyFile(blob, path, constants.COPYFILE_FICLONE);
  await chmod(path, 0o400);
}

/** All of it but what is a link to a blob, which is the store's. */
export async function giveTo(folder: string, { uid, gid }: RunAs): Promise<void> {
  await chown(folder, uid, gid);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const { nlink } = await lstat(path);
    if (entry.isDirectory() || (entry.isFile() && nlink === 1)) await chown(path, uid, gid);
  }
}

/**
 * What a run that was ended by SIGKILL has left in what install.sh keeps: secrets in `work`, and a lock whose owner may look
 * alive as a zombie where no init buries it. Only when nothing of the run is left.
 */
export async function tidyState(folder: string): Promise<void> {
  for (const name of ["work", "lock"]) await rm(join(folder, name), { recursive: true, force: true });
}
