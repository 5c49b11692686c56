/** /v1/users: the people who may log in. */

import { hashOfSecret, newSecret } from "../access/secrets.ts";
import { newId } from "../context.ts";
import { invite, removeCredentialsOf } from "../state/credentials.ts";
import type { UserRow } from "../state/tables.ts";
import { addUser, adminCount, changeUser, userByName, users } from "../state/users.ts";
import type { Resource } from "./app.ts";
import { act, allow } from "./caller.ts";
import { cursorOf, limitOf, pageOf, type PageQuery } from "./paging.ts";
import { notFound, Problem } from "./problem.ts";
import { answers, flag, object, page, pageQuery, params, platformRole, query, text, time, userName } from "./schemas.ts";

const userSchema = object({ name: userName, platformRole, disabled: flag("They can't log in."), hasPassword: flag("They have used their invitation."), created: time("When they were added.") });
const invitationSchema = object({ invitation: text("For POST /v1/setup; shown this once."), expires: time("When it ends.") });
const tags = ["people"];
const invitationMs = 7 * 24 * 3_600_000;

export const userResource: Resource = (app, context) => {
  const { db, now, random } = context;

  app.get<{ Querystring: PageQuery }>("/v1/users", {
    schema: { operationId: "listUsers", summary: "Everybody.", tags, querystring: query(pageQuery), response: answers({ 200: page(userSchema) }) },
  }, async (request) => {
    allow(request, "user:read");
    const limit = limitOf(request.query);
    const [after = ""] = cursorOf(request.query, 1) ?? [];
    return pageOf(await users(db, after, limit + 1), limit, shown, ({ name }) => [name]);
  });

  app.get<{ Params: { name: string } }>("/v1/users/:name", {
    schema: { operationId: "getUser", summary: "One person.", tags, params: params("name"), response: answers({ 200: userSchema }) },
  }, async (request) => {
    allow(request, "user:read");
    return shown(found(await userByName(db, request.params.name)));
  });

  app.post<{ Body: { name: string; platformRole?: UserRow["platform_role"] } }>("/v1/users", {
    schema: {
      operationId: "addUser", summary: "Add somebody: gives an invitation with which they set their password.", tags,
      body: object({ name: userName, platformRole }, { optional: ["platformRole"] }), response: answers({ 201: invitationSchema }),
    },
  }, async (request, reply) => {
    allow(request, "user:write");
    const { name, platformRole: role = null } = request.body;
    const invitation = newSecret("invitation", random);
    const expires = now() + invitationMs;
    await act(context, request, async (transaction) => {
      const row: UserRow = { id: newId(context), name, password: null, platform_role: role, disabled: 0, created: now() };
      if (!(await addUser(transaction, row))) throw new Problem("exists-already", `There is a user ${name} already.`);
      await invite(transaction, hashOfSecret(invitation), row.id, expires);
      return { result: undefined, entry: { action: "user:add", subject: `user:${name}`, detail: { platformRole: role } } };
    });
    return reply.code(201).send({ invitation, expires: new Date(expires).toISOString() });
  });

  app.post<{ Params: { name: string } }>("/v1/users/:name/invitation", {
    schema: { operationId: "inviteUser", summary: "Invite somebody again, who has forgotten their password. Earlier invitations and all their tokens end.", tags, params: params("name"), response: answers({ 201: invitationSchema }) },
  }, async (request, reply) => {
    allow(request, "user:write");
    const invitation = newSecret("invitation", random);
    const expires = now() + invitationMs;
    await act(context, request, async (transaction) => {
      const user = found(await userByName(transaction, request.params.name));
      await invite(transaction, hashOfSecret(invitation), user.id, expires);
      await removeCredentialsOf(transaction, user.id);
      return { result: undefined, entry: { action: "user:invite", subject: `user:${user.name}` } };
    });
    return reply.code(201).send({ invitation, expires: new Date(expires).toISOString() });
  });

  app.patch<{ Params: { name: string }; Body: { platformRole?: UserRow["platform_role"]; disabled?: boolean } }>("/v1/users/:name", {
    schema: {
      operationId: "changeUser", summary: "Change somebody's role, or let them in no more: then all their tokens end.", tags, params: params("name"),
      body: object({ platformRole, disabled: flag("They can't log in.") }, { optional: ["platformRole", "disabled"] }), response: answers({ 200: userSchema }),
    },
  }, async (request) => {
    allow(request, "user:write");
    const { platformRole: role, disabled } = request.body;
    return act(context, request, async (transaction) => {
      const user = found(await userByName(transaction, request.params.name));
      await changeUser(transaction, user.id, {
        platform_role: role === undefined ? user.platform_role : role,
        disabled: Number(disabled ?? user.disabled === 1),
      });
      if ((await adminCount(transaction)) === 0) throw new Problem("in-use", "The last administrator stays one.");
      if (disabled === true) await removeCredentialsOf(transaction, user.id);
      const changed = found(await userByName(transaction, user.name));
      return { result: shown(changed), entry: { action: "user:change", subject: `user:${user.name}`, detail: { platformRole: changed.platform_role, disabled: changed.disabled === 1 } } };
    });
  });
};

function found(user: UserRow | undefined): UserRow {
  if (user === undefined) throw notFound();
  return user;
}

function shown(user: UserRow): object {
  return { name: user.name, platformRole: user.platform_role, disabled: user.disabled === 1, hasPassword: user.password !== null, created: new Date(user.created).toISOString() };
}
