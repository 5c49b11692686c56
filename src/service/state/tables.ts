/** The rows that the service keeps, as Kysely's types. Times are milliseconds since the Epoch, JSON is text, true is 1. */

import type { Selectable } from "kysely";

export interface Tables {
  readonly users: UsersTable;
  readonly organizations: OrganizationsTable;
  readonly memberships: MembershipsTable;
  readonly credentials: CredentialsTable;
  readonly invitations: InvitationsTable;
  readonly attempts: AttemptsTable;
  readonly documents: DocumentsTable;
  readonly cloudlets: CloudletsTable;
  readonly releases: ReleasesTable;
  readonly signing_keys: SigningKeysTable;
  readonly access_keys: AccessKeysTable;
  readonly bundles: BundlesTable;
  readonly jobs: JobsTable;
  readonly events: EventsTable;
  readonly receipts: ReceiptsTable;
  readonly tickets: TicketsTable;
  readonly audit: AuditTable;
  readonly audit_head: AuditHeadTable;
  readonly installations: InstallationsTable;
  readonly installation_events: InstallationEventsTable;
  readonly site_credentials: SiteCredentialsTable;
  readonly deliveries: DeliveriesTable;
  readonly identities: IdentitiesTable;
}

interface UsersTable {
  id: string;
  name: string;
  /** How it was hashed, and the hash; null until it is set with the invitation. */
  password: string | null;
  platform_role: "admin" | "auditor" | null;
  disabled: number;
  created: number;
}

interface OrganizationsTable {
  name: string;
  created: number;
}

export type MemberRole = "manager" | "contributor" | "viewer";

interface MembershipsTable {
  organization: string;
  user_id: string;
  role: MemberRole;
}

/** Sessions and API tokens: both are shown once and kept as a hash. */
interface CredentialsTable {
  id: string;
  hash: string;
  kind: "session" | "token";
  user_id: string;
  name: string;
  /** JSON list of actions; null is all that the user may do. */
  scopes: string | null;
  /** The one organization that it is good for; null is every one of the user's. */
  organization: string | null;
  created: number;
  expires: number;
}

/** One-time tokens with which somebody sets a password: `user_id` is null for the first administrator, who is nobody yet. */
interface InvitationsTable {
  hash: string;
  user_id: string | null;
  expires: number;
}

/** People whom an OpenID provider knows, by issuer and subject. They have no password, and their tokens say what they may do. */
interface IdentitiesTable {
  id: string;
  issuer: string;
  subject: string;
  /** As the provider showed it last. */
  name: string | null;
  disabled: number;
  created: number;
  /** To the hour. */
  seen: number;
}

/** Failed logins by what failed: `account:…` or `address:…`. */
interface AttemptsTable {
  key: string;
  failures: number;
  last: number;
}

/** Specs, releases and locks as they were written, by the digest of their bytes. */
interface DocumentsTable {
  digest: string;
  text: string;
}

export type CloudletState = "defined" | "installed" | "removed";

interface CloudletsTable {
  id: string;
  organization: string;
  name: string;
  region: string;
  platform: string;
  document: string;
  spec_digest: string;
  revision: number;
  state: CloudletState;
  created: number;
  updated: number;
}

interface ReleasesTable {
  id: string;
  name: string;
  sequence: number;
  document: string;
  digest: string;
  lock_document: string | null;
  lock_digest: string | null;
  created: number;
}

interface SigningKeysTable {
  fingerprint: string;
  public_key: string;
  created: number;
}

interface AccessKeysTable {
  id: string;
  cloudlet_id: string;
  slot: "primary" | "secondary";
  public_key: string;
  issued: number;
  issued_by: string;
  revoked: number | null;
}

export type BundleState = "queued" | "building" | "ready" | "failed";

interface BundlesTable {
  id: string;
  /** Digest of everything that it is made of: the same inputs are the same row. */
  inputs: string;
  cloudlet_id: string;
  organization: string;
  release_id: string;
  spec_document: string;
  release_document: string;
  lock_document: string;
  fingerprint: string;
  state: BundleState;
  /** JSON of the problem where it failed. */
  problem: string | null;
  /** JSON of a StoredLayout where it is ready. */
  layout: string | null;
  /** Of SHA256SUMS: what a receipt names. */
  sums: string | null;
  requested: number;
  requested_by: string;
  finished: number | null;
}

interface JobsTable {
  bundle_id: string;
  state: "queued" | "running";
  attempts: number;
  /** Who runs it, and until when nobody else may. */
  owner: string | null;
  lease_until: number;
  created: number;
}

interface EventsTable {
  bundle_id: string;
  number: number;
  time: number;
  state: BundleState;
  message: string;
}

interface ReceiptsTable {
  id: string;
  cloudlet_id: string;
  bundle_id: string | null;
  action: string;
  result: string;
  finished: string;
  document: string;
  received: number;
  received_by: string;
}

/** Links with which a browser gets a bundle or its report; they live and die with the credential that asked for them. */
interface TicketsTable {
  hash: string;
  credential_id: string;
  bundle_id: string;
  purpose: "download" | "report";
  expires: number;
  /** When the last byte was sent. */
  completed: number | null;
}

interface AuditTable {
  number: number;
  time: number;
  actor: string;
  address: string;
  action: string;
  subject: string;
  organization: string | null;
  /** JSON; never a secret. */
  detail: string;
  /** Hash of the entry before. */
  previous: string;
  hash: string;
}

interface AuditHeadTable {
  id: number;
  number: number;
  hash: string;
}

export type InstallationAction = "install" | "upgrade" | "rollback" | "uninstall" | "check";
/** What is done at a host of the site besides: bring the bundle alone, ask install.sh how it is, take away what was brought. */
export type DeliveryAction = InstallationAction | "deliver" | "status" | "remove";
export type InstallationState = "queued" | "running" | "done" | "findings" | "failed" | "cancelled" | "interrupted";

/** Runs of install.sh by the service itself, and those at a host that the bundle is delivered to. */
interface InstallationsTable {
  id: string;
  way: "direct" | "ssh";
  cloudlet_id: string;
  organization: string;
  bundle_id: string;
  action: DeliveryAction;
  /** JSON object of texts: what is given with --parameter. */
  parameters: string;
  /** 1: --allow-older. */
  allow_older: number;
  state: InstallationState;
  attempts: number;
  /** Name of the kept credentials; null where they were given for one run. */
  credential: string | null;
  /** The secrets file, sealed, until the run has come to its end: going on needs the same. */
  secrets: string | null;
  secrets_key: string | null;
  /** Of the process that runs it, and when it was born: a number alone may be another's by now. */
  pid: number | null;
  born: string | null;
  exit_status: number | null;
  receipt_id: string | null;
  requested: number;
  requested_by: string;
  started: number | null;
  finished: number | null;
}

interface InstallationEventsTable {
  installation_id: string;
  number: number;
  time: number;
  /** Null is a line that install.sh said. */
  state: InstallationState | null;
  message: string;
}

/** Where a delivery goes; the rest of it is the installation of the same id, whose way is ssh. */
interface DeliveriesTable {
  id: string;
  /** user@host:port, and so are the jump hosts, a JSON list. */
  target: string;
  jumps: string;
  /** Lines of known_hosts; and fingerprints, as JSON pairs of name and fingerprint. */
  known_hosts: string;
  pins: string;
  /** On the host. */
  folder: string;
  /** A file on the host that is read before install.sh; "" for none. */
  source: string;
  /** 1: what was brought is taken away when all went well. */
  remove_after: number;
  /** Of the run at the host whose end is not known yet. */
  run_id: string | null;
  /** So many bytes of that run's log are kept. */
  log_at: number;
}

/** Logins to an operator's IaaS that are kept, sealed. */
interface SiteCredentialsTable {
  id: string;
  cloudlet_id: string;
  name: string;
  sealed: string;
  /** Which key it is sealed with. */
  sealed_key: string;
  created: number;
  created_by: string;
}

export type IdentityRow = Selectable<IdentitiesTable>;
export type UserRow = Selectable<UsersTable>;
export type OrganizationRow = Selectable<OrganizationsTable>;
export type CredentialRow = Selectable<CredentialsTable>;
export type CloudletRow = Selectable<CloudletsTable>;
export type ReleaseRow = Selectable<ReleasesTable>;
export type SigningKeyRow = Selectable<SigningKeysTable>;
export type AccessKeyRow = Selectable<AccessKeysTable>;
export type BundleRow = Selectable<BundlesTable>;
export type EventRow = Selectable<EventsTable>;
export type ReceiptRow = Selectable<ReceiptsTable>;
export type TicketRow = Selectable<TicketsTable>;
export type AuditRow = Selectable<AuditTable>;
export type InstallationRow = Selectable<InstallationsTable>;
export type InstallationEventRow = Selectable<InstallationEventsTable>;
export type DeliveryRow = Selectable<DeliveriesTable>;
export type SiteCredentialRow = Selectable<SiteCredentialsTable>;
