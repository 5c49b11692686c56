/** The database of a service that is scaled out: Kysely on PostgreSQL, with the order that SQLite has of itself. */

import { CompiledQuery, Kysely, PostgresDialect, PostgresDriver, PostgresQueryCompiler } from "kysely";
import type { DataTypeNode, Driver, PostgresDialectConfig, QueryCompiler } from "kysely";
import { Pool, types } from "pg";
import type { ClientConfig } from "pg";
import type { Database } from "../state/database.ts";
import type { Tables } from "../state/tables.ts";
import type { DatabaseAddress } from "./database-address.ts";

export interface Postgres {
  readonly db: Database;
  /** For the queue and notifications: a lease is renewed although everybody waits for a turn to write. */
  readonly aside: Pool;
  readonly close: () => Promise<void>;
}

/** Of one process, with one more that listens. A hundred is what PostgreSQL gives to all of them by default. */
const connections = { db: 10, aside: 3 };

/** `broken` is told of connections that end while nobody uses them. */
export function openPostgres(address: DatabaseAddress, broken: (error: Error) => void): Postgres {
  const [pool, aside] = [poolOf(address, connections.db, broken), poolOf(address, connections.aside, broken)];
  const db = new Kysely<Tables>({ dialect: new OrderedPostgres({ pool }) });
  const close = async (): Promise<void> => {
    await db.destroy();
    // Kysely ends the pool with itself, once it was used at all.
    for (const each of [pool, aside]) if (!each.ended && !each.ending) await each.end();
  };
  return { db, aside, close };
}

function poolOf(address: DatabaseAddress, max: number, broken: (error: Error) => void): Pool {
  const pool = new Pool({ ...clientConfig(address), max });
  pool.on("error", (error) => {
    if (!pool.ending) broken(error);
  });
  // One that ends while it is in use fails the statement, too, and that is told; unheard, its event would end the process.
  pool.on("connect", (client) => void client.on("error", () => undefined));
  return pool;
}

/** What holds for every connection, also for the one that listens. */
export function clientConfig({ host, port, user, password, database, tls }: DatabaseAddress): ClientConfig {
  return {
    host, port, user, database,
    ...(password === undefined ? {} : { password }),
    ssl: tls === undefined ? false : { rejectUnauthorized: tls.verify, ...(tls.ca === undefined ? {} : { ca: tls.ca }) },
    application_name: "cloudlet-bundle",
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // A process that hangs in a transaction holds up all others; the database then takes the turn from it.
    idle_in_transaction_session_timeout: 15_000,
    lock_timeout: 20_000,
    statement_timeout: 60_000,
    // And one that is cut off from the network hears nothing; nor would it ever give up by itself.
    query_timeout: 65_000,
    types: { getTypeParser },
  };
}

/** int8: milliseconds, counts and numbers of entries, all of which are exact in a double. */
const bigint = 20;

const getTypeParser = ((id: number, format?: "text" | "binary") => (id === bigint ? Number : types.getTypeParser(id, format))) as typeof types.getTypeParser;

/** Of all processes: a number that nobody else in this database is likely to use. */
const turn = 6_847_259_114_003;

class OrderedPostgres extends PostgresDialect {
  readonly #config: PostgresDialectConfig;

  constructor(config: PostgresDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): Driver {
    return new OneWriter(this.#config);
  }

  override createQueryCompiler(): QueryCompiler {
    return new SqliteTypes();
  }
}

/**
 * One transaction after the other, over all processes, as it is with SQLite: what a transaction has read is so until it ends. The
 * audit trail stays one chain, migrations are taken once, and nothing has to be tried again.
 */
class OneWriter extends PostgresDriver {
  override async beginTransaction(...[connection, settings]: Parameters<PostgresDriver["beginTransaction"]>): Promise<void> {
    await super.beginTransaction(connection, settings);
    try {
      await connection.executeQuery(CompiledQuery.raw("select pg_advisory_xact_lock($1)", [turn]));
    } catch (error) {
      // Kysely takes a transaction that failed to begin for none.
      await connection.executeQuery(CompiledQuery.raw("rollback")).catch(() => undefined);
      throw error;
    }
  }
}

/** The types of the migrations, meant as SQLite means them: integers of 64 bits, texts in the order of their bytes. */
class SqliteTypes extends PostgresQueryCompiler {
  protected override visitDataType(node: DataTypeNode): void {
    if (node.dataType === "text") this.append('text collate "C"');
    else if (node.dataType === "integer") this.append("bigint");
    else super.visitDataType(node);
  }
}
