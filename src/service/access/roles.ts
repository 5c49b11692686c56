/** Who may do what: one pure function and its table. */

import type { MemberRole } from "../state/tables.ts";

/** Whoever asks, as far as it matters for what they may do. */
export interface Actor {
  readonly platformRole: "admin" | "auditor" | null;
  readonly roles: ReadonlyMap<string, MemberRole>;
  /** Of an API token; undefined is everything that the person may do. */
  readonly scopes?: ReadonlySet<Action> | undefined;
  /** Of an API token: the one organization that it is good for. */
  readonly onlyOrganization?: string | undefined;
}

/** What it is about: something of an organization, or of the platform. */
export interface Subject {
  readonly organization?: string;
}

type Who = "admin" | "auditor" | MemberRole | "anyone";

const readers = ["admin", "auditor", "manager", "contributor", "viewer"] as const;
const writers = ["admin", "manager", "contributor"] as const;

/** Everything that can be asked for, and by whom. `anyone` has logged in, and is perhaps in no organization. */
export const table = {
  "organization:create": ["admin"],
  "organization:delete": ["admin"],
  "organization:read": readers,
  "membership:read": readers,
  "membership:write": ["admin", "manager"],
  "user:read": ["admin", "auditor"],
  "user:write": ["admin"],
  "token:write": ["anyone"],
  "cloudlet:read": readers,
  "cloudlet:write": writers,
  "cloudlet:delete": writers,
  "bundle:read": readers,
  "bundle:request": writers,
  "receipt:read": readers,
  "receipt:write": writers,
  "access-key:read": readers,
  "access-key:write": writers,
  "installation:read": readers,
  "installation:write": writers,
  "delivery:read": readers,
  "delivery:write": writers,
  "credential:read": readers,
  "credential:write": writers,
  "release:read": ["anyone"],
  "release:write": ["admin"],
  "signing-key:read": ["anyone"],
  "audit:read": ["admin", "auditor", "manager"],
} as const satisfies Readonly<Record<string, readonly Who[]>>;

export type Action = keyof typeof table;

export const actions = Object.keys(table) as readonly Action[];

/** What a token may be given: not to make another one, which would outlive it. */
export const grantable: readonly Action[] = actions.filter((action) => action !== "token:write");

export function may(actor: Actor, action: Action, subject: Subject = {}): boolean {
  if (actor.scopes !== undefined && !actor.scopes.has(action)) return false;
  const { onlyOrganization } = actor;
  const allowed: readonly Who[] = table[action];
  if (allowed.includes("anyone")) return true;
  if (onlyOrganization !== undefined && subject.organization !== onlyOrganization) return false;
  if (actor.platformRole !== null && allowed.includes(actor.platformRole)) return true;
  const role = subject.organization === undefined ? undefined : actor.roles.get(subject.organization);
  return role !== undefined && allowed.includes(role);
}

/** The organizations for which the actor may; undefined is all of them. */
export function organizationsFor(actor: Actor, action: Action): readonly string[] | undefined {
  if (may(actor, action)) return undefined;
  const known = actor.onlyOrganization === undefined ? [...actor.roles.keys()] : [actor.onlyOrganization];
  return known.filter((organization) => may(actor, action, { organization })).sort();
}
