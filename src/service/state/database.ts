/** The database: Kysely on node:sqlite. What is written in its own dialect is in this file alone. */

import { closeSync, openSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { SQLInputValue, StatementSync } from "node:sqlite";
import { Kysely, SqliteDialect } from "kysely";
import type { SqliteDatabase, SqliteStatement, Transaction } from "kysely";
import type { Tables } from "./tables.ts";

/** A database, or a transaction in it: repositories take either. */
export type Database = Kysely<Tables>;
export type InTransaction = Transaction<Tables>;

/** Opens the file, making it where it is missing. */
export function openDatabase(path: string): Database {
  // It holds hashes of passwords; what SQLite lays beside it has the same mode.
  closeSync(openSync(path, "a", 0o600));
  const sqlite = new DatabaseSync(path, { timeout: busyMs, enableForeignKeyConstraints: true });
  // Readers (a backup) and the writer don't wait for each other; FULL keeps each commit through a power cut.
  sqlite.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database: adapted(sqlite) }) });
}

/** Another process (a backup) holds the file for moments only. */
const busyMs = 5_000;

/** As many distinct statements as the repositories have; each is compiled once. */
const statementsKept = 256;

function adapted(sqlite: DatabaseSync): SqliteDatabase {
  const known = new Map<string, SqliteStatement>();
  return {
    close: () => sqlite.close(),
    prepare: (sql) => {
      const found = known.get(sql);
      if (found !== undefined) return found;
      const statement = /^rollback$/i.test(sql) ? rollbackOf(sqlite) : statementOf(sqlite.prepare(sql));
      if (known.size < statementsKept) known.set(sql, statement);
      return statement;
    },
  };
}

/** SQLite has rolled back by itself where the disk was full (sqlite.org/lang_transaction.html); a second time would hide why. */
function rollbackOf(sqlite: DatabaseSync): SqliteStatement {
  const statement = statementOf(sqlite.prepare("rollback"));
  return { ...statement, run: (parameters) => (sqlite.isTransaction ? statement.run(parameters) : { changes: 0, lastInsertRowid: 0 }) };
}

function statementOf(statement: StatementSync): SqliteStatement {
  return {
    // What gives rows (SELECT, RETURNING) has columns.
    reader: statement.columns().length > 0,
    all: (parameters) => statement.all(...parameters.map(inputOf)),
    run: (parameters) => statement.run(...parameters.map(inputOf)),
    iterate: (parameters) => statement.iterate(...parameters.map(inputOf)) as IterableIterator<unknown>,
  };
}

/** SQLite has no booleans, and node:sqlite refuses them. */
function inputOf(value: unknown): SQLInputValue {
  return typeof value === "boolean" ? Number(value) : (value as SQLInputValue);
}
