/** Who sends a request, by the token that comes with it, and whether they may do what it asks. */

import type { FastifyRequest } from "fastify";
import { may, type Action, type Actor, type Subject } from "../access/roles.ts";
import { hashOfSecret, isCredential } from "../access/secrets.ts";
import type { Context } from "../context.ts";
import type { AuditEntry } from "../state/audit-trail.ts";
import { record } from "../state/audit-trail.ts";
import { credentialByHash } from "../state/credentials.ts";
import type { InTransaction } from "../state/database.ts";
import type { CredentialRow, IdentityRow, UserRow } from "../state/tables.ts";
import { rolesOf, userById } from "../state/users.ts";
import { isJwt, oidcCaller } from "./oidc-caller.ts";
import { notFound, Problem } from "./problem.ts";

/** With a session or an API token of ours, or with a token of an OpenID provider. */
export type Caller = OwnCaller | OidcCaller;

export interface OwnCaller {
  readonly kind: "own";
  readonly user: UserRow;
  readonly credential: CredentialRow;
  readonly actor: Actor;
}

export interface OidcCaller {
  readonly kind: "oidc";
  /** Named so that no user of ours can have that name. */
  readonly user: Pick<UserRow, "id" | "name">;
  readonly identity: IdentityRow;
  readonly actor: Actor;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Null where nobody has to log in. */
    caller: Caller | null;
  }
  interface FastifyContextConfig {
    /** Nobody has to log in. */
    open?: true;
  }
}

/** Throws a Problem where there is no token, or none that is good. */
export async function authenticate(context: Context, { headers: { authorization }, ip }: Pick<FastifyRequest, "headers" | "ip">): Promise<Caller> {
  const token = /^Bearer +(\S+)$/i.exec(authorization ?? "")?.[1];
  if (context.oidc !== undefined && token !== undefined && isJwt(token)) return oidcCaller(context, context.oidc, token, ip);
  const credential = token !== undefined && isCredential(token) ? await credentialByHash(context.db, hashOfSecret(token)) : undefined;
  const caller = await callerWith(context, credential);
  if (caller === undefined) {
    const said = authorization === undefined ? "This needs a token: POST /v1/sessions gives one." : "The token is not known, has expired, or was taken back.";
    // RFC 6750 section 3.
    throw new Problem("not-logged-in", said, { headers: { "www-authenticate": authorization === undefined ? "Bearer" : 'Bearer error="invalid_token"' } });
  }
  return caller;
}

/** Whose credential it is, with the rights of this moment; undefined where it has ended, or they may not log in. */
export async function callerWith({ db, now }: Context, credential: CredentialRow | undefined): Promise<OwnCaller | undefined> {
  const user = credential === undefined || credential.expires <= now() ? undefined : await userById(db, credential.user_id);
  if (credential === undefined || user === undefined || user.disabled === 1) return undefined;
  const scopes = credential.scopes === null ? undefined : new Set(JSON.parse(credential.scopes) as readonly Action[]);
  const onlyOrganization = credential.organization ?? undefined;
  return { kind: "own", user, credential, actor: { platformRole: user.platform_role, roles: await rolesOf(db, user.id), scopes, onlyOrganization } };
}

export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new Error(`${request.routeOptions.url}: nobody has to log in here`);
  return request.caller;
}

/** Throws a Problem where it was not a session or an API token of ours: for what hangs on one. */
export function ownCallerOf(request: FastifyRequest, said: string): OwnCaller {
  const caller = callerOf(request);
  if (caller.kind === "own") return caller;
  throw new Problem("not-allowed", said);
}

/** Throws a Problem where the caller may not: for what they may know of. */
export function allow(request: FastifyRequest, action: Action, subject: Subject = {}): void {
  if (!may(callerOf(request).actor, action, subject)) throw new Problem("not-allowed", `This needs leave for ${action}${subject.organization === undefined ? "" : " in this organization"}.`);
}

/** The row, where it is there and the caller may know of it; the same Problem in both other cases. */
export function visible<T extends { readonly organization: string }>(request: FastifyRequest, action: Action, row: T | undefined): T {
  if (row === undefined || !may(callerOf(request).actor, action, { organization: row.organization })) throw notFound();
  return row;
}

/** Changes something, and writes down who did, in one transaction. `work` gives what is to be written. */
export async function act<T>(context: Context, request: FastifyRequest, work: (db: InTransaction) => Promise<{ readonly result: T; readonly entry: Omit<AuditEntry, "time" | "actor" | "address"> | undefined }>): Promise<T> {
  return context.db.transaction().execute(async (transaction) => {
    const { result, entry } = await work(transaction);
    if (entry !== undefined) await record(transaction, { time: context.now(), actor: actorName(request), address: request.ip, ...entry });
    return result;
  });
}

export function actorName(request: FastifyRequest): string {
  const { caller } = request;
  if (caller === null) return "nobody";
  if (caller.kind === "oidc") return caller.user.name;
  return caller.credential.kind === "token" ? `user:${caller.user.name} token:${caller.credential.id}` : `user:${caller.user.name}`;
}
