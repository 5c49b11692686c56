/** /v1/organizations: the operators, and who is what in each. */

import { organizationsFor, may } from "../access/roles.ts";
import type { MemberRole, OrganizationRow } from "../state/tables.ts";
import { organizationHasCloudlets } from "../state/cloudlets.ts";
import { addOrganization, membersOf, organizationByName, organizations, removeMembership, removeOrganization, setMembership, userByName } from "../state/users.ts";
import type { FastifyRequest } from "fastify";
import type { Resource } from "./app.ts";
import { act, allow, callerOf } from "./caller.ts";
import { cursorOf, limitOf, pageOf, type PageQuery } from "./paging.ts";
import { notFound, Problem } from "./problem.ts";
import { answers, listOf, memberRole, nothing, object, organizationName, page, pageQuery, params, query, time, userName } from "./schemas.ts";

const organizationSchema = object({ name: organizationName, created: time("When it was added.") });
const memberSchema = object({ name: userName, role: memberRole });
const tags = ["organizations"];

export const organizationResource: Resource = (app, context) => {
  const { db, now } = context;

  app.get<{ Querystring: PageQuery }>("/v1/organizations", {
    schema: { operationId: "listOrganizations", summary: "The organizations that the caller may know of.", tags, querystring: query(pageQuery), response: answers({ 200: page(organizationSchema) }) },
  }, async (request) => {
    const limit = limitOf(request.query);
    const [after = ""] = cursorOf(request.query, 1) ?? [];
    const rows = await organizations(db, after, limit + 1, organizationsFor(callerOf(request).actor, "organization:read"));
    return pageOf(rows, limit, shown, ({ name }) => [name]);
  });

  app.post<{ Body: { name: string } }>("/v1/organizations", {
    schema: { operationId: "addOrganization", summary: "Add an operator's organization.", tags, body: object({ name: organizationName }), response: answers({ 201: organizationSchema }) },
  }, async (request, reply) => {
    allow(request, "organization:create");
    const row = { name: request.body.name, created: now() };
    await act(context, request, async (transaction) => {
      if (!(await addOrganization(transaction, row))) throw new Problem("exists-already", "There is an organization of that name already.");
      return { result: undefined, entry: { action: "organization:create", subject: `organization:${row.name}`, organization: row.name } };
    });
    return reply.code(201).send(shown(row));
  });

  app.get<{ Params: { organization: string } }>("/v1/organizations/:organization", {
    schema: { operationId: "getOrganization", summary: "One organization.", tags, params: params("organization"), response: answers({ 200: organizationSchema }) },
  }, async (request) => shown(known(request, await organizationByName(db, request.params.organization))));

  app.delete<{ Params: { organization: string } }>("/v1/organizations/:organization", {
    schema: { operationId: "removeOrganization", summary: "Remove an organization that has no cloudlets.", tags, params: params("organization"), response: answers({ 204: nothing }) },
  }, async (request, reply) => {
    const { name } = known(request, await organizationByName(db, request.params.organization));
    allow(request, "organization:delete", { organization: name });
    await act(context, request, async (transaction) => {
      if (await organizationHasCloudlets(transaction, name)) throw new Problem("in-use", "The organization has cloudlets.");
      await removeOrganization(transaction, name);
      return { result: undefined, entry: { action: "organization:delete", subject: `organization:${name}`, organization: name } };
    });
    return reply.code(204).send();
  });

  app.get<{ Params: { organization: string } }>("/v1/organizations/:organization/members", {
    schema: { operationId: "listMembers", summary: "Who is what in it.", tags, params: params("organization"), response: answers({ 200: object({ items: listOf(memberSchema, "By name.") }) }) },
  }, async (request) => {
    const { name } = known(request, await organizationByName(db, request.params.organization));
    allow(request, "membership:read", { organization: name });
    return { items: await membersOf(db, name) };
  });

  app.put<{ Params: { organization: string; user: string }; Body: { role: MemberRole } }>("/v1/organizations/:organization/members/:user", {
    schema: { operationId: "setMember", summary: "Give somebody a role in it.", tags, params: params("organization", "user"), body: object({ role: memberRole }), response: answers({ 200: memberSchema }) },
  }, async (request) => {
    const { name } = known(request, await organizationByName(db, request.params.organization));
    allow(request, "membership:write", { organization: name });
    const { role } = request.body;
    return act(context, request, async (transaction) => {
      const user = await userByName(transaction, request.params.user);
      if (user === undefined) throw notFound();
      await setMembership(transaction, name, user.id, role);
      return { result: { name: user.name, role }, entry: { action: "membership:set", subject: `user:${user.name}`, organization: name, detail: { role } } };
    });
  });

  app.delete<{ Params: { organization: string; user: string } }>("/v1/organizations/:organization/members/:user", {
    schema: { operationId: "removeMember", summary: "Take somebody out of it.", tags, params: params("organization", "user"), response: answers({ 204: nothing }) },
  }, async (request, reply) => {
    const { name } = known(request, await organizationByName(db, request.params.organization));
    allow(request, "membership:write", { organization: name });
    await act(context, request, async (transaction) => {
      const user = await userByName(transaction, request.params.user);
      if (user === undefined || !(await removeMembership(transaction, name, user.id))) throw notFound();
      return { result: undefined, entry: { action: "membership:remove", subject: `user:${user.name}`, organization: name } };
    });
    return reply.code(204).send();
  });
};

/** The same Problem for one that is not there and one that the caller may not know of. */
function known(request: FastifyRequest, row: OrganizationRow | undefined): OrganizationRow {
  if (row === undefined || !may(callerOf(request).actor, "organization:read", { organization: row.name })) throw notFound();
  return row;
}

function shown({ name, created }: OrganizationRow): object {
  return { name, created: new Date(created).toISOString() };
}
