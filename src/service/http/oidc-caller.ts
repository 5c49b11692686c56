/** Who sends a request with a token of an OpenID provider: made known at the first one, and with the rights that this very token gives. */

import { grantable } from "../access/roles.ts";
import { newId, type Context } from "../context.ts";
import type { Oidc } from "../oidc/open-oidc.ts";
import type { Bearer } from "../oidc/verify-token.ts";
import { record } from "../state/audit-trail.ts";
import { addIdentity, changeIdentity, identityOf } from "../state/identities.ts";
import type { IdentityRow } from "../state/tables.ts";
import type { OidcCaller } from "./caller.ts";
import { Problem } from "./problem.ts";

/** RFC 7515 section 7.1: three parts. One that is encrypted has five, and is none of ours. */
export function isJwt(token: string): boolean {
  return /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/.test(token);
}

/** Throws a Problem where the token is not good, its bearer may not log in, or nobody can say. */
export async function oidcCaller(context: Context, oidc: Oidc, token: string, address: string): Promise<OidcCaller> {
  const bearer = await verified(context, oidc, token);
  if (bearer.rights === undefined) {
    // Nothing is kept of strangers: a provider may have any number of them.
    throw new Problem("not-allowed", "The token is good, but no rule of the service gives its bearer a role.");
  }
  const identity = await known(context, bearer, address);
  if (identity.disabled === 1) throw refused("The token's bearer is let in no more.");
  return { kind: "oidc", user: { id: identity.id, name: identityName(identity) }, identity, actor: { ...bearer.rights, scopes: lent } };
}

/** As with an API token: nothing that would outlive the token's own end. */
const lent = new Set(grantable);

/**
 * In the audit trail and wherever else it says who did something. A name of ours has no colon, an issuer no fragment, and what is
 * encoded no `#`: nobody is taken for somebody else.
 */
export function identityName({ issuer, subject }: Pick<IdentityRow, "issuer" | "subject">): string {
  return `oidc:${issuer}#${encodeURIComponent(subject)}`;
}

async function verified(context: Context, oidc: Oidc, token: string): Promise<Bearer> {
  try {
    return await oidc.verify(token);
  } catch (error) {
    // By name, so that jose is loaded only where somebody has asked for it.
    const { name, message } = error as Error;
    if (name === "TokenRefused") {
      context.log("info", "oidc-refused", { message });
      throw refused(message);
    }
    if (name !== "KeysAway") throw error;
    // Not 401: the token may well be good, and a client that logs in again would gain nothing.
    throw new Problem("overloaded", "The token's issuer does not answer, so nobody can say whether the token is good; the service's log has more.", { headers: { "retry-after": "10" } });
  }
}

function refused(said: string): Problem {
  return new Problem("not-logged-in", said, { headers: { "www-authenticate": 'Bearer error="invalid_token"' } });
}

/** When somebody was here last is kept to the hour, so that reading does not become writing. */
const seenMs = 3_600_000;

async function known(context: Context, { issuer, subject, name }: Bearer, address: string): Promise<IdentityRow> {
  const { db, now } = context;
  const before = await identityOf(db, issuer, subject);
  if (before === undefined) return added(context, { issuer, subject, name }, address);
  if (before.disabled === 0 && (before.name !== name || now() - before.seen >= seenMs)) {
    await db.transaction().execute((transaction) => changeIdentity(transaction, before.id, { name, seen: now() }));
  }
  return before;
}

async function added(context: Context, bearer: Pick<IdentityRow, "issuer" | "subject" | "name">, address: string): Promise<IdentityRow> {
  const { db, now } = context;
  const row: IdentityRow = { id: newId(context), ...bearer, disabled: 0, created: now(), seen: now() };
  return db.transaction().execute(async (transaction) => {
    if (await addIdentity(transaction, row)) {
      await record(transaction, { time: now(), actor: identityName(row), address, action: "identity:add", subject: `identity:${row.id}`, detail: { ...bearer } });
      return row;
    }
    const first = await identityOf(transaction, row.issuer, row.subject);
    if (first === undefined) throw new Error("an identity is neither new nor there");
    return first;
  });
}
