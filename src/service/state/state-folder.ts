/** The state folder: where each thing lies in it, and the lock that keeps a second service out. */

import { constants } from "node:fs";
import { access, chmod, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { EnvironmentError } from "../../core/environment-error.ts";

export interface StateFolder {
  readonly folder: string;
  readonly database: string;
  /** The blob store of inputs, as `lock --store` fills it. */
  readonly blobs: string;
  /** The blob store of what was drawn: the small files of each bundle. */
  readonly drawn: string;
  readonly signingKey: string;
  /** What kept credentials are sealed with. */
  readonly credentialsKey: string;
  /** Of each run of install.sh, as long as it goes on. */
  readonly runs: string;
  /** Of each cloudlet: what install.sh keeps from one run to the next. */
  readonly installations: string;
}

export function stateFolderAt(folder: string): StateFolder {
  return { folder, database: join(folder, "service.db"), blobs: join(folder, "blobs"), drawn: join(folder, "drawn"), signingKey: join(folder, "keys/signing-key.pem"), credentialsKey: join(folder, "keys/credentials-key"), runs: join(folder, "runs"), installations: join(folder, "installations") };
}

/** Makes the folder where it is missing, for its owner alone. */
export async function makeStateFolder({ folder, signingKey }: StateFolder): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await mkdir(join(signingKey, ".."), { recursive: true, mode: 0o700 });
    await chmod(join(signingKey, ".."), 0o700);
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new EnvironmentError(`${folder} can't be written to: ${(error as Error).message}`, { hint: "give --state a folder that this user may write to", cause: error });
  }
}

/**
 * Holds the folder until the function that comes back is called. It is a lock of the operating system's, by way of SQLite: it
 * is gone with the process, however that ends.
 */
export function lockStateFolder({ folder }: StateFolder): () => void {
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(join(folder, "service.lock"), { timeout: 0 });
    lock.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    lock?.close();
    if (!/locked|busy/.test((error as Error).message)) {
      throw new EnvironmentError(`${folder} can't be locked: ${(error as Error).message}`, { hint: "give --state a folder on a local disk that this user may write to", cause: error });
    }
    throw new EnvironmentError(`another service uses ${folder}`, { hint: "stop it first, or give another --state" });
  }
  const held = lock;
  return () => held.close();
}
