/** A copy of the database while the service runs, and putting one back while it does not. */

import { chmod, link, open, rename, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { DatabaseSync, backup } from "node:sqlite";
import { EnvironmentError } from "../../core/environment-error.ts";
import { schemaVersion } from "./migrations.ts";
import { lockStateFolder, makeStateFolder, stateFolderAt } from "./state-folder.ts";

/**
 * Writes the database, as it is at one moment, to a new file, which only its owner may read: it holds hashes of passwords.
 * Gives the form it has. A service that runs goes on.
 */
export async function backUp(folder: string, to: string): Promise<number> {
  const { database } = stateFolderAt(folder);
  if (!existsSync(database)) throw new EnvironmentError(`${folder} holds no state of a service`, { hint: "give the --state that the service was started with" });
  if (existsSync(to)) throw taken(to);
  const aside = join(dirname(to), `.${basename(to)}.${process.pid}.part`);
  try {
    // The name first, so that nobody else can read what comes.
    await (await open(aside, "wx", 0o600)).close();
    const source = new DatabaseSync(database, { readOnly: true, timeout: 5_000 });
    try {
      await backup(source, aside);
    } finally {
      source.close();
    }
    const form = sound(aside);
    await synced(aside);
    await link(aside, to).catch((error: NodeJS.ErrnoException) => {
      throw error.code === "EEXIST" ? taken(to) : error;
    });
    return form;
  } finally {
    await rm(aside, { force: true });
  }
}

function taken(path: string): EnvironmentError {
  return new EnvironmentError(`${path} exists already and is not replaced`, { hint: "choose another name, or move it away first" });
}

/** Puts a backup in the place of the database. What was there is kept beside it. Gives the form it has. */
export async function restore(folder: string, from: string): Promise<number> {
  if (!existsSync(from)) throw new EnvironmentError(`${from}: there is no such file`);
  const places = stateFolderAt(folder);
  await makeStateFolder(places);
  const unlock = lockStateFolder(places);
  const aside = `${places.database}.restored`;
  try {
    await rm(aside, { force: true });
    // By SQLite, not byte by byte: a file that is no database, or a damaged one, is refused here.
    const source = openOr(from);
    try {
      await backup(source, aside);
    } catch (error) {
      throw unusable(from, error);
    } finally {
      source.close();
    }
    const form = sound(aside, from);
    await chmod(aside, 0o600);
    await synced(aside);
    if (existsSync(places.database)) {
      fold(places.database);
      await rename(places.database, `${places.database}.before-restore`);
    }
    for (const ending of ["-wal", "-shm"]) await rm(`${places.database}${ending}`, { force: true });
    await rename(aside, places.database);
    await synced(dirname(places.database));
    return form;
  } finally {
    await rm(aside, { force: true });
    unlock();
  }
}

/** What still lies in the write-ahead log goes into the file, so that the file alone is the whole. */
function fold(database: string): void {
  const open = new DatabaseSync(database);
  open.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;");
  open.close();
}

/** Throws unless the copy is a whole database of ours, of a form that this program knows. It becomes one file that needs no other beside it. */
function sound(path: string, named = path): number {
  const copy = new DatabaseSync(path);
  try {
    copy.exec("PRAGMA journal_mode = DELETE");
    const check = copy.prepare("PRAGMA integrity_check").get() as { readonly integrity_check?: string } | undefined;
    if (check?.integrity_check !== "ok") throw new Error(check?.integrity_check ?? "it can't be checked");
    const row = copy.prepare("select max(number) as number from schema_version").get() as { readonly number: number | null } | undefined;
    const form = row?.number ?? 0;
    if (form > schemaVersion) throw new EnvironmentError(`${named} was made by a newer version of the program: form ${form}, this one knows ${schemaVersion}`, { hint: "use that version" });
    return form;
  } catch (error) {
    throw error instanceof EnvironmentError ? error : unusable(named, error);
  } finally {
    copy.close();
  }
}

function openOr(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly: true });
  } catch (error) {
    throw unusable(path, error);
  }
}

function unusable(path: string, cause: unknown): EnvironmentError {
  return new EnvironmentError(`${path} is no backup of a service, or a damaged one: ${(cause as Error).message}`, { cause });
}

async function synced(path: string): Promise<void> {
  const file = await open(path, "r");
  await file.sync().finally(() => file.close());
}
