/** From the claims of a token to what its bearer may do: one pure function. */

import { keysOf } from "../../core/pointer.ts";
import type { Actor } from "../access/roles.ts";
import type { MemberRole } from "../state/tables.ts";
import type { OidcRule } from "./config.ts";

export type Claims = Readonly<Record<string, unknown>>;

export type Rights = Pick<Actor, "platformRole" | "roles">;

/** The most that any rule gives, on the platform and in each organization; undefined where none applies. */
export function rightsOf(rules: readonly OidcRule[], claims: Claims): Rights | undefined {
  const given = rules.filter((rule) => valuesOf(rule.claim, claims).includes(rule.value));
  if (given.length === 0) return undefined;
  const roles = new Map<string, MemberRole>();
  for (const { organization, role } of given) {
    if (organization === undefined || role === undefined) continue;
    const before = roles.get(organization);
    if (before === undefined || rank[role] > rank[before]) roles.set(organization, role);
  }
  const platform = new Set(given.map(({ platformRole }) => platformRole));
  return { platformRole: platform.has("admin") ? "admin" : platform.has("auditor") ? "auditor" : null, roles };
}

const rank: Readonly<Record<MemberRole, number>> = { viewer: 1, contributor: 2, manager: 3 };

/** RFC 8693 section 4.2: words with a space between; some providers call it scp. */
const ofWords: ReadonlySet<string> = new Set(["scope", "scp"]);

/** A name that begins with a slash is a pointer; of everything else than texts there is nothing to compare. */
function valuesOf(claim: string, claims: Claims): readonly string[] {
  const value = (claim.startsWith("/") ? keysOf(claim) : [claim]).reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null && Object.hasOwn(at, key) ? (at as Claims)[key] : undefined), claims);
  if (typeof value === "string") return ofWords.has(claim) ? value.split(" ") : [value];
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
}
