/** /v1/setup, /v1/sessions, /v1/me: how somebody becomes known to the service. */

import type { FastifyRequest } from "fastify";
import { passwordCharacters } from "../access/passwords.ts";
import { hashOfSecret, newSecret } from "../access/secrets.ts";
import { freeFailures, waitMs } from "../access/throttle.ts";
import { newId, type Context } from "../context.ts";
import { record } from "../state/audit-trail.ts";
import { addCredential, attemptsOf, forgetAttempts, removeCredential, removeCredentialsOf, setAttempts, takeInvitation } from "../state/credentials.ts";
import type { InTransaction } from "../state/database.ts";
import type { UserRow } from "../state/tables.ts";
import { addUser, changeUser, userById, userByName } from "../state/users.ts";
import type { Resource } from "./app.ts";
import { act, callerOf, ownCallerOf } from "./caller.ts";
import { ownTokenOnly } from "./openapi.ts";
import { Problem } from "./problem.ts";
import { answers, listOf, memberRole, nothing, object, organizationName, orNull, platformRole, text, time, userName } from "./schemas.ts";

const password = text(`From ${passwordCharacters.least} to ${passwordCharacters.most} characters.`, { minLength: passwordCharacters.least, maxLength: passwordCharacters.most });
const tags = ["access"];

export const sessionResource: Resource = (app, context) => {
  app.post<{ Body: { token: string; name: string; password: string } }>("/v1/setup", {
    config: { open: true },
    schema: {
      operationId: "setUp", summary: "Set a password with an invitation: the first start's, which makes an administrator, or an administrator's.", tags, security: [],
      body: object({ token: text("The invitation.", { maxLength: 200 }), name: userName, password }),
      response: answers({ 204: nothing }),
    },
  }, async (request, reply) => {
    await setUp(context, request, request.body);
    return reply.code(204).send();
  });

  app.post<{ Body: { name: string; password: string } }>("/v1/sessions", {
    config: { open: true },
    schema: {
      operationId: "logIn", summary: "Log in: gives a token for the header `Authorization: Bearer TOKEN`.", tags, security: [],
      body: object({ name: text("Whose session it is.", { maxLength: 200 }), password: text("The password.", { maxLength: passwordCharacters.most }) }),
      response: answers({ 201: object({ token: text("Shown this once."), expires: time("When it ends.") }) }),
    },
  }, async (request, reply) => {
    const { token, expires } = await logIn(context, request, request.body);
    return reply.code(201).send({ token, expires });
  });

  app.delete("/v1/sessions/current", {
    schema: { operationId: "logOut", summary: "Log out: the token of this request is good no more.", tags, security: ownTokenOnly, response: answers({ 204: nothing }) },
  }, async (request, reply) => {
    const { credential, user } = ownCallerOf(request, "The token is its issuer's: it ends there, or by itself.");
    await act(context, request, async (db) => {
      await removeCredential(db, credential.id, user.id);
      return { result: undefined, entry: { action: "session:end", subject: `user:${user.name}` } };
    });
    return reply.code(204).send();
  });

  app.get("/v1/me", {
    schema: {
      operationId: "me", summary: "Who this token belongs to, and what they are.", tags,
      response: answers({ 200: object({
        name: text("A user's name, or `oidc:ISSUER#SUBJECT` of who comes with a provider's token."), platformRole, memberships: listOf(object({ organization: organizationName, role: memberRole }), "Organizations and roles."),
        identity: object({ issuer: text("Whose token it is."), subject: text("Who they are there."), name: orNull(text("As the provider shows it.")) }),
      }, { optional: ["identity"] }) }),
    },
  }, async (request) => {
    const { user, actor, ...caller } = callerOf(request);
    const memberships = [...actor.roles].map(([organization, role]) => ({ organization, role }));
    const identity = caller.kind === "own" ? undefined : { issuer: caller.identity.issuer, subject: caller.identity.subject, name: caller.identity.name };
    return { name: user.name, platformRole: actor.platformRole, memberships, ...(identity === undefined ? {} : { identity }) };
  });

  app.put<{ Body: { current: string; password: string } }>("/v1/me/password", {
    schema: {
      operationId: "changePassword", summary: "Change one's own password. Every session ends; API tokens go on.", tags, security: ownTokenOnly,
      body: object({ current: text("The password so far.", { maxLength: passwordCharacters.most }), password }),
      response: answers({ 204: nothing }),
    },
  }, async (request, reply) => {
    const { user, credential } = ownCallerOf(request, "Who comes with a provider's token has no password here.");
    if (credential.kind !== "session") throw new Problem("not-allowed", "A password is changed by whoever is logged in, not with an API token.");
    await throttled(context, request, user.name, async () => (await context.passwords.check(request.body.current, user.password)).right);
    const hash = await context.passwords.hash(request.body.password);
    await act(context, request, async (db) => {
      await changeUser(db, user.id, { password: hash });
      await removeCredentialsOf(db, user.id, "session");
      return { result: undefined, entry: { action: "password:change", subject: `user:${user.name}` } };
    });
    return reply.code(204).send();
  });
};

async function setUp(context: Context, request: FastifyRequest, body: { readonly token: string; readonly name: string; readonly password: string }): Promise<void> {
  const { db, now, passwords } = context;
  const address = addressOf(request);
  await countAttempt(context, [address]);
  const hash = await passwords.hash(body.password);
  const isDone = await db.transaction().execute(async (transaction) => {
    const invitation = await takeInvitation(transaction, hashOfSecret(body.token), now());
    const user = invitation === undefined ? undefined : await invited(context, transaction, invitation.userId, body.name, hash);
    if (user === undefined) return false;
    await changeUser(transaction, user.id, { password: hash });
    await removeCredentialsOf(transaction, user.id);
    await record(transaction, { time: now(), actor: `user:${user.name}`, address: request.ip, action: "password:set", subject: `user:${user.name}`, detail: { administrator: user.platform_role === "admin" } });
    return true;
  }).catch((error: unknown) => {
    if (error === wrongName) return false;
    throw error;
  });
  if (isDone) return takeBack(context, address);
  throw new Problem("login-failed", "The invitation is not known, was used, has expired, or is somebody else's.");
}

/** Thrown so that the invitation is not used up. */
const wrongName = new Error("the invitation is somebody else's");

async function invited(context: Context, db: InTransaction, userId: string | null, name: string, password: string): Promise<UserRow | undefined> {
  if (userId !== null) {
    const user = await userById(db, userId);
    if (user?.name !== name) throw wrongName;
    return user;
  }
  const row: UserRow = { id: newId(context), name, password, platform_role: "admin", disabled: 0, created: context.now() };
  if (!(await addUser(db, row))) throw wrongName;
  return row;
}

export async function logIn(context: Context, request: FastifyRequest, { name, password: given }: { readonly name: string; readonly password: string }): Promise<{ readonly token: string; readonly expires: string; readonly user: UserRow }> {
  const { db, now, random, passwords, limits } = context;
  const user = await userByName(db, name);
  const { rehash } = await throttled(context, request, name, async () => {
    // Whoever is not known takes as long as whoever is.
    const checked = await passwords.check(given, user?.password ?? null);
    return checked.right && user?.disabled === 0 ? checked : false;
  });
  if (user === undefined) throw new Error("somebody unknown has logged in");
  const token = newSecret("session", random);
  const expires = now() + limits.sessionMs;
  const better = rehash ? await passwords.hash(given) : undefined;
  await db.transaction().execute(async (transaction) => {
    await addCredential(transaction, { id: newId(context), hash: hashOfSecret(token), kind: "session", user_id: user.id, name: "session", scopes: null, organization: null, created: now(), expires });
    if (better !== undefined) await changeUser(transaction, user.id, { password: better });
    await record(transaction, { time: now(), actor: `user:${user.name}`, address: request.ip, action: "session:begin", subject: `user:${user.name}` });
  });
  return { token, expires: new Date(expires).toISOString(), user };
}

/** An attempt counts as failed until it has succeeded, so that many at once are as many failures. */
async function throttled<T extends object | true>(context: Context, request: FastifyRequest, name: string, attempt: () => Promise<T | false>): Promise<T> {
  const account = { key: `account:${hashOfSecret(name)}`, free: freeFailures.account };
  const address = addressOf(request);
  await countAttempt(context, [account, address]);
  const result = await attempt();
  if (result !== false) {
    await forgetAttempts(context.db, account.key);
    await takeBack(context, address);
    return result;
  }
  await context.db.transaction().execute(async (transaction) => {
    // A name that nobody has may be a password in the wrong field: it is not written down.
    const known = await userByName(transaction, name);
    await record(transaction, { time: context.now(), actor: "nobody", address: request.ip, action: "session:refuse", subject: known === undefined ? "user" : `user:${known.name}` });
  });
  throw new Problem("login-failed", "No such name, or another password.");
}

interface Counted {
  readonly key: string;
  /** How many failures cost nothing. */
  readonly free: number;
}

function addressOf({ ip }: FastifyRequest): Counted {
  return { key: `address:${ip}`, free: freeFailures.address };
}

/** Throws a Problem where one of them has to wait; else counts one more for each. */
async function countAttempt({ db, now }: Context, counted: readonly Counted[]): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    for (const { key, free } of counted) {
      const before = await attemptsOf(transaction, key);
      const wait = waitMs(before, free, now());
      const seconds = Math.ceil(wait / 1_000);
      if (wait > 0) throw new Problem("too-many-requests", `After so many failed attempts the next one is looked at in ${seconds} s.`, { headers: { "retry-after": String(seconds) } });
      await setAttempts(transaction, key, { failures: (before?.failures ?? 0) + 1, last: now() });
    }
  });
}

/** The one that has succeeded; those of others behind the same address stay. */
async function takeBack({ db }: Context, { key }: Counted): Promise<void> {
  await db.transaction().execute(async (transaction) => {
    const before = await attemptsOf(transaction, key);
    if (before !== undefined) await setAttempts(transaction, key, { ...before, failures: Math.max(0, before.failures - 1) });
  });
}
