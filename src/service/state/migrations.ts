/** The database's form, step by step: each is taken once, in a transaction, and never changed afterwards. */

import { sql } from "kysely";
import { EnvironmentError } from "../../core/environment-error.ts";
import type { Database, InTransaction } from "./database.ts";

interface Migration {
  readonly number: number;
  readonly up: (db: InTransaction) => Promise<void>;
}

const migrations: readonly Migration[] = [
  { number: 1, up: first },
  { number: 2, up: tickets },
  { number: 3, up: installations },
  { number: 4, up: identities },
  { number: 5, up: deliveries },
];

/** What this program knows. */
export const schemaVersion = migrations.at(-1)?.number ?? 0;

/** Brings the database to this program's form. Throws an EnvironmentError where a newer program has written it. */
export async function migrate(db: Database): Promise<void> {
  // In transactions, of which there is one at a time: of two processes that start at once, each step is taken by one.
  await db.transaction().execute((transaction) => sql`create table if not exists schema_version (number integer primary key)`.execute(transaction));
  while (await db.transaction().execute(nextStep));
}

/** False where there is none left. */
async function nextStep(db: InTransaction): Promise<boolean> {
  const { rows } = await sql<{ number: number | null }>`select max(number) as number from schema_version`.execute(db);
  const at = Number(rows[0]?.number ?? 0);
  if (at > schemaVersion) {
    throw new EnvironmentError(`a newer version of the program has written this state: form ${at}, this one knows ${schemaVersion}`, {
      hint: "start that version, or restore a backup that this one made",
    });
  }
  const step = migrations.find((each) => each.number > at);
  if (step === undefined) return false;
  await step.up(db);
  await sql`insert into schema_version (number) values (${step.number})`.execute(db);
  return true;
}

async function first(db: InTransaction): Promise<void> {
  const { schema } = db;
  await schema.createTable("users")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull().unique())
    .addColumn("password", "text")
    .addColumn("platform_role", "text")
    .addColumn("disabled", "integer", (column) => column.notNull())
    .addColumn("created", "bigint", (column) => column.notNull())
    .execute();
  await schema.createTable("organizations")
    .addColumn("name", "text", (column) => column.primaryKey())
    .addColumn("created", "bigint", (column) => column.notNull())
    .execute();
  await schema.createTable("memberships")
    .addColumn("organization", "text", (column) => column.notNull().references("organizations.name").onDelete("cascade"))
    .addColumn("user_id", "text", (column) => column.notNull().references("users.id").onDelete("cascade"))
    .addColumn("role", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("memberships_key", ["organization", "user_id"])
    .execute();
  await schema.createTable("credentials")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("hash", "text", (column) => column.notNull().unique())
    .addColumn("kind", "text", (column) => column.notNull())
    .addColumn("user_id", "text", (column) => column.notNull().references("users.id").onDelete("cascade"))
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("scopes", "text")
    .addColumn("organization", "text", (column) => column.references("organizations.name").onDelete("cascade"))
    .addColumn("created", "bigint", (column) => column.notNull())
    .addColumn("expires", "bigint", (column) => column.notNull())
    .execute();
  await schema.createTable("invitations")
    .addColumn("hash", "text", (column) => column.primaryKey())
    .addColumn("user_id", "text", (column) => column.references("users.id").onDelete("cascade"))
    .addColumn("expires", "bigint", (column) => column.notNull())
    .execute();
  await schema.createTable("attempts")
    .addColumn("key", "text", (column) => column.primaryKey())
    .addColumn("failures", "integer", (column) => column.notNull())
    .addColumn("last", "bigint", (column) => column.notNull())
    .execute();
  await schema.createTable("documents")
    .addColumn("digest", "text", (column) => column.primaryKey())
    .addColumn("text", "text", (column) => column.notNull())
    .execute();
  await what(db);
  await trail(db);
}

/** What bundles are made of, and what is made of them. */
async function what({ schema }: InTransaction): Promise<void> {
  await schema.createTable("cloudlets")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("organization", "text", (column) => column.notNull().references("organizations.name"))
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("region", "text", (column) => column.notNull())
    .addColumn("platform", "text", (column) => column.notNull())
    .addColumn("document", "text", (column) => column.notNull().references("documents.digest"))
    .addColumn("spec_digest", "text", (column) => column.notNull())
    .addColumn("revision", "integer", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("created", "bigint", (column) => column.notNull())
    .addColumn("updated", "bigint", (column) => column.notNull())
    .addUniqueConstraint("cloudlets_name", ["organization", "name"])
    .execute();
  await schema.createTable("releases")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text", (column) => column.notNull().unique())
    .addColumn("sequence", "integer", (column) => column.notNull())
    .addColumn("document", "text", (column) => column.notNull().references("documents.digest"))
    .addColumn("digest", "text", (column) => column.notNull())
    .addColumn("lock_document", "text", (column) => column.references("documents.digest"))
    .addColumn("lock_digest", "text")
    .addColumn("created", "bigint", (column) => column.notNull())
    .execute();
  await schema.createTable("signing_keys")
    .addColumn("fingerprint", "text", (column) => column.primaryKey())
    .addColumn("public_key", "text", (column) => column.notNull())
    .addColumn("created", "bigint", (column) => column.notNull())
    .execute();
  await schema.createTable("access_keys")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("cloudlet_id", "text", (column) => column.notNull().references("cloudlets.id").onDelete("cascade"))
    .addColumn("slot", "text", (column) => column.notNull())
    .addColumn("public_key", "text", (column) => column.notNull())
    .addColumn("issued", "bigint", (column) => column.notNull())
    .addColumn("issued_by", "text", (column) => column.notNull())
    .addColumn("revoked", "bigint")
    .execute();
  // One at a time: whoever is second gets no key, whatever the timing.
  await schema.createIndex("access_keys_active").on("access_keys").columns(["cloudlet_id", "slot"]).unique().where(sql.ref("revoked"), "is", null).execute();
  await schema.createTable("bundles")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("inputs", "text", (column) => column.notNull().unique())
    .addColumn("cloudlet_id", "text", (column) => column.notNull().references("cloudlets.id").onDelete("cascade"))
    .addColumn("organization", "text", (column) => column.notNull().references("organizations.name"))
    .addColumn("release_id", "text", (column) => column.notNull().references("releases.id"))
    .addColumn("spec_document", "text", (column) => column.notNull().references("documents.digest"))
    .addColumn("release_document", "text", (column) => column.notNull().references("documents.digest"))
    .addColumn("lock_document", "text", (column) => column.notNull().references("documents.digest"))
    .addColumn("fingerprint", "text", (column) => column.notNull().references("signing_keys.fingerprint"))
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("problem", "text")
    .addColumn("layout", "text")
    .addColumn("sums", "text")
    .addColumn("requested", "bigint", (column) => column.notNull())
    .addColumn("requested_by", "text", (column) => column.notNull())
    .addColumn("finished", "bigint")
    .execute();
  await schema.createIndex("bundles_cloudlet").on("bundles").columns(["cloudlet_id"]).execute();
  await schema.createTable("jobs")
    .addColumn("bundle_id", "text", (column) => column.primaryKey().references("bundles.id").onDelete("cascade"))
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("attempts", "integer", (column) => column.notNull())
    .addColumn("owner", "text")
    .addColumn("lease_until", "bigint", (column) => column.notNull())
    .addColumn("created", "bigint", (column) => column.notNull())
    .execute();
  await schema.createTable("events")
    .addColumn("bundle_id", "text", (column) => column.notNull().references("bundles.id").onDelete("cascade"))
    .addColumn("number", "integer", (column) => column.notNull())
    .addColumn("time", "bigint", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("message", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("events_key", ["bundle_id", "number"])
    .execute();
  await schema.createTable("receipts")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("cloudlet_id", "text", (column) => column.notNull().references("cloudlets.id").onDelete("cascade"))
    .addColumn("bundle_id", "text", (column) => column.references("bundles.id").onDelete("set null"))
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("result", "text", (column) => column.notNull())
    .addColumn("finished", "text", (column) => column.notNull())
    .addColumn("document", "text", (column) => column.notNull().references("documents.digest"))
    .addColumn("received", "bigint", (column) => column.notNull())
    .addColumn("received_by", "text", (column) => column.notNull())
    .execute();
  await schema.createIndex("receipts_cloudlet").on("receipts").columns(["cloudlet_id"]).execute();
}

/** Who did what. It names things by id and has no references: it outlives what it tells of. */
async function trail({ schema }: InTransaction): Promise<void> {
  await schema.createTable("audit")
    .addColumn("number", "bigint", (column) => column.primaryKey())
    .addColumn("time", "bigint", (column) => column.notNull())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("address", "text", (column) => column.notNull())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("organization", "text")
    .addColumn("detail", "text", (column) => column.notNull())
    .addColumn("previous", "text", (column) => column.notNull())
    .addColumn("hash", "text", (column) => column.notNull())
    .execute();
  await schema.createIndex("audit_organization").on("audit").columns(["organization", "number"]).execute();
  await schema.createTable("audit_head")
    .addColumn("id", "integer", (column) => column.primaryKey())
    .addColumn("number", "bigint", (column) => column.notNull())
    .addColumn("hash", "text", (column) => column.notNull())
    .execute();
}

/** For browsers, which save a link and can't send a token with it. */
async function tickets({ schema }: InTransaction): Promise<void> {
  await schema.createTable("tickets")
    .addColumn("hash", "text", (column) => column.primaryKey())
    .addColumn("credential_id", "text", (column) => column.notNull().references("credentials.id").onDelete("cascade"))
    .addColumn("bundle_id", "text", (column) => column.notNull().references("bundles.id").onDelete("cascade"))
    .addColumn("purpose", "text", (column) => column.notNull())
    .addColumn("expires", "bigint", (column) => column.notNull())
    .addColumn("completed", "bigint")
    .execute();
}

/** What the service installs by itself, and the logins that it keeps for that. */
async function installations(db: InTransaction): Promise<void> {
  const { schema } = db;
  await schema.createTable("installations")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("cloudlet_id", "text", (column) => column.notNull().references("cloudlets.id").onDelete("cascade"))
    .addColumn("organization", "text", (column) => column.notNull())
    .addColumn("bundle_id", "text", (column) => column.notNull().references("bundles.id").onDelete("cascade"))
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("parameters", "text", (column) => column.notNull())
    .addColumn("allow_older", "integer", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("attempts", "integer", (column) => column.notNull())
    .addColumn("credential", "text")
    .addColumn("secrets", "text")
    .addColumn("secrets_key", "text")
    .addColumn("pid", "integer")
    .addColumn("born", "text")
    .addColumn("exit_status", "integer")
    .addColumn("receipt_id", "text")
    .addColumn("requested", "bigint", (column) => column.notNull())
    .addColumn("requested_by", "text", (column) => column.notNull())
    .addColumn("started", "bigint")
    .addColumn("finished", "bigint")
    .execute();
  await schema.createIndex("installations_cloudlet").on("installations").columns(["cloudlet_id", "requested"]).execute();
  // Of two at the same time, one is first.
  await sql`create unique index installations_active on installations (cloudlet_id) where state in ('queued', 'running')`.execute(db);
  await schema.createTable("installation_events")
    .addColumn("installation_id", "text", (column) => column.notNull().references("installations.id").onDelete("cascade"))
    .addColumn("number", "integer", (column) => column.notNull())
    .addColumn("time", "bigint", (column) => column.notNull())
    .addColumn("state", "text")
    .addColumn("message", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("installation_events_key", ["installation_id", "number"])
    .execute();
  await schema.createTable("site_credentials")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("cloudlet_id", "text", (column) => column.notNull().references("cloudlets.id").onDelete("cascade"))
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("sealed", "text", (column) => column.notNull())
    .addColumn("sealed_key", "text", (column) => column.notNull())
    .addColumn("created", "bigint", (column) => column.notNull())
    .addColumn("created_by", "text", (column) => column.notNull())
    .addUniqueConstraint("site_credentials_name", ["cloudlet_id", "name"])
    .execute();
}

/** People whom OpenID providers know. */
async function identities({ schema }: InTransaction): Promise<void> {
  await schema.createTable("identities")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("issuer", "text", (column) => column.notNull())
    .addColumn("subject", "text", (column) => column.notNull())
    .addColumn("name", "text")
    .addColumn("disabled", "integer", (column) => column.notNull())
    .addColumn("created", "bigint", (column) => column.notNull())
    .addColumn("seen", "bigint", (column) => column.notNull())
    .addUniqueConstraint("identities_subject", ["issuer", "subject"])
    .execute();
}

/** What the service brings to a host of the site over SSH: a run like those that it installs by itself, and where it goes. */
async function deliveries({ schema }: InTransaction): Promise<void> {
  await schema.alterTable("installations").addColumn("way", "text", (column) => column.notNull().defaultTo("direct")).execute();
  await schema.createTable("deliveries")
    .addColumn("id", "text", (column) => column.primaryKey().references("installations.id").onDelete("cascade"))
    .addColumn("target", "text", (column) => column.notNull())
    .addColumn("jumps", "text", (column) => column.notNull())
    .addColumn("known_hosts", "text", (column) => column.notNull())
    .addColumn("pins", "text", (column) => column.notNull())
    .addColumn("folder", "text", (column) => column.notNull())
    .addColumn("source", "text", (column) => column.notNull())
    .addColumn("remove_after", "integer", (column) => column.notNull())
    .addColumn("run_id", "text")
    .addColumn("log_at", "bigint", (column) => column.notNull())
    .execute();
}
