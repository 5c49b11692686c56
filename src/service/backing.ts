/** What holds the service's state and tells its processes of each other, and the one that is a folder. */

import type { Signer } from "../seal/sign.ts";
import { openStore } from "../store/blob-store.ts";
import type { Blobs } from "../store/blobs.ts";
import { newId, newsOf, type News } from "./context.ts";
import { ownSealingKeys } from "./direct/credentials-key.ts";
import type { InstallerOptions } from "./direct/installer.ts";
import { tableQueue, type Queue } from "./jobs/queue.ts";
import { ownSigner } from "./service-key.ts";
import { openDatabase, type Database } from "./state/database.ts";
import { migrate } from "./state/migrations.ts";
import { lockStateFolder, makeStateFolder, stateFolderAt } from "./state/state-folder.ts";

export type Installing = Pick<InstallerOptions, "runs" | "installations" | "sealingKeys" | "blobFile">;

export interface Backing {
  readonly db: Database;
  readonly blobs: Blobs;
  readonly drawn: Blobs;
  readonly queue: Queue;
  readonly news: News;
  readonly signer: Signer;
  /** No other process works on this state, so what runs when this one starts is nobody's. */
  readonly isAlone: boolean;
  /** Where install.sh may run, on this machine; undefined where the state is nowhere on it. */
  readonly installing: Installing | undefined;
  readonly close: () => Promise<void>;
}

/** What `read` gives at a time. */
const readBytes = 256 * 1_024;

interface Given {
  readonly signer: Signer | undefined;
  /** Undefined is the folder's own. */
  readonly sealingKeys: readonly Uint8Array[] | undefined;
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
}

/** Throws an EnvironmentError where the folder can't be used: somebody else has it, or a newer program wrote it. */
export async function openFolder(folder: string, { signer: given, sealingKeys, now, random }: Given): Promise<Backing> {
  const places = stateFolderAt(folder);
  await makeStateFolder(places);
  const unlock = lockStateFolder(places);
  let db: Database | undefined;
  try {
    db = openDatabase(places.database);
    await migrate(db);
    const opened = db;
    const blobs = await openStore(places.blobs, { now, readBytes });
    return {
      db, isAlone: true,
      signer: given ?? (await ownSigner(places.signingKey, random)),
      blobs,
      installing: { runs: places.runs, installations: places.installations, sealingKeys: sealingKeys ?? (await ownSealingKeys(places.credentialsKey, random)), blobFile: blobs.path },
      drawn: await openStore(places.drawn, { now, readBytes }),
      queue: tableQueue(db, newId({ random }), now),
      news: newsOf(),
      close: async () => {
        await opened.destroy();
        unlock();
      },
    };
  } catch (error) {
    await db?.destroy();
    unlock();
    throw error;
  }
}
