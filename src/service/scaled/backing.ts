/** The state that several processes share: PostgreSQL, a queue in it, and a bucket. It is loaded by whoever is scaled out alone. */

import { EnvironmentError } from "../../core/environment-error.ts";
import type { Signer } from "../../seal/sign.ts";
import type { ObjectAddress } from "../../store/object-address.ts";
import { openObjects } from "../../store/object-store.ts";
import type { Backing } from "../backing.ts";
import type { Log } from "../log.ts";
import { awayBecause } from "../state/away.ts";
import { migrate } from "../state/migrations.ts";
import { bossQueue } from "./boss-queue.ts";
import { shownAddress, type DatabaseAddress } from "./database-address.ts";
import { noticesOf } from "./notices.ts";
import { openPostgres } from "./postgres.ts";

export interface ScaledOut {
  readonly database: DatabaseAddress;
  readonly objects: ObjectAddress;
}

/** Throws an EnvironmentError where database or bucket can't be used, or a newer program wrote them. */
export async function openScaledOut({ database, objects }: ScaledOut, signer: Signer | undefined, log: Log): Promise<Backing> {
  if (signer === undefined) throw new EnvironmentError("several processes need the same signing key", { hint: "give each of them --key, or --sign-command" });
  const postgres = openPostgres(database, (error) => log("warn", "database", { message: error.message }));
  const store = openObjects(objects);
  try {
    await store.check();
    await migrate(postgres.db);
    const queue = await bossQueue(postgres.aside, log);
    const news = noticesOf(database, postgres.aside);
    return {
      db: postgres.db, signer, queue, news, isAlone: false, installing: undefined,
      blobs: store.blobs("blobs"),
      drawn: store.blobs("drawn"),
      close: async () => {
        await news.stop();
        await queue.stop();
        await postgres.close();
        store.close();
      },
    };
  } catch (error) {
    await postgres.close().catch(() => undefined);
    store.close();
    throw unusable(error, database);
  }
}

/** Of a statement, too: at the start it is the database's form or its permissions that are wrong. */
function unusable(error: unknown, database: DatabaseAddress): unknown {
  if (error instanceof EnvironmentError || !(error instanceof Error)) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (awayBecause(error) === undefined && !/^[0-9A-Z]{5}$/.test(code ?? "")) return error;
  const hints: Readonly<Record<string, string>> = {
    "28P01": "give the password in PGPASSWORD, ~/.pgpass or --database-file",
    "28000": "pg_hba.conf must let this user in",
    "3D000": "make the database first: createdb --owner USER DATABASE",
    "42501": "the user must own the database: since PostgreSQL 15 nobody else may make tables in it",
  };
  return new EnvironmentError(`the database ${shownAddress(database)} can't be used: ${error.message || (code ?? "")}`, { hint: hints[code ?? ""] ?? "check whether it runs, and --database", cause: error });
}
