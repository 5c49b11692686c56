/** /v1/cloudlets: the specs, each owned by an organization. */

import type { FastifyRequest } from "fastify";
import { sha256 } from "../../core/digest.ts";
import type { SpecDocument } from "../../spec/read-spec.ts";
import { may, organizationsFor } from "../access/roles.ts";
import { newId } from "../context.ts";
import { readCloudletSpec } from "../jobs/documents.ts";
import { addCloudlet, changeCloudlet, cloudletById, cloudlets, removeCloudlet } from "../state/cloudlets.ts";
import type { Database } from "../state/database.ts";
import { documentText, keepDocument } from "../state/documents.ts";
import { cloudletIsBusy } from "../state/installations.ts";
import type { CloudletRow, CloudletState } from "../state/tables.ts";
import { organizationByName } from "../state/users.ts";
import { located, type LocatedIssue } from "../located-issues.ts";
import type { Resource } from "./app.ts";
import { act, allow, callerOf, visible } from "./caller.ts";
import { notValid, readBody, soundBody, takeDocuments, type ReceivedDocument } from "./document-body.ts";
import { requireMatch } from "./etags.ts";
import { cursorOf, limitOf, pageOf, type PageQuery } from "./paging.ts";
import { Problem } from "./problem.ts";
import { answers, count, digest, flag, headers, id, listOf, nothing, object, organizationName, page, pageQuery, params, query, text, time } from "./schemas.ts";

const issues = listOf({ $ref: "Issue#" }, "What was found; warnings do not stand in the way.");
const state = text("What is known of it: `installed` and `removed` are what the operator's receipts say.", { enum: ["defined", "installed", "removed"] });
const properties = {
  id, organization: organizationName, name: text("Of the cloudlet."), region: text("Of MobiledgeX."), platform: text("The kind of IaaS."), state,
  revision: count("Grows with each change of the spec."), specDigest: digest, created: time("When it was created."), updated: time("When it was last changed."),
};
const cloudletSchema = object(properties);
const writtenSchema = object({ ...properties, warnings: issues });
const tags = ["cloudlets"];
const ifMatch = headers({ "if-match": "The ETag of what was seen." }, ["if-match"]);
const etag = { etag: { type: "string", description: "For If-Match." } };

type Filters = PageQuery & { readonly organization?: string; readonly region?: string; readonly platform?: string; readonly state?: CloudletState; readonly name?: string };

export const cloudletResource: Resource = (app, context) => {
  const { db, now } = context;
  takeDocuments(app, "Cloudlet");

  app.get<{ Querystring: Filters }>("/v1/cloudlets", {
    schema: {
      operationId: "listCloudlets", summary: "The cloudlets that the caller may know of, by organization and name.", tags,
      querystring: query({ ...pageQuery, organization: organizationName, region: text("Only of this region.", { maxLength: 100 }), platform: text("Only on this kind of IaaS.", { maxLength: 100 }), state, name: text("Only of this name.", { maxLength: 100 }) }),
      response: answers({ 200: page(cloudletSchema) }),
    },
  }, async (request) => {
    const { cursor: _, limit: __, ...filter } = request.query;
    const limit = limitOf(request.query);
    const after = cursorOf(request.query, 2);
    const among = organizationsFor(callerOf(request).actor, "cloudlet:read");
    const rows = await cloudlets(db, { ...filter, among }, after === undefined ? undefined : { organization: after[0] ?? "", name: after[1] ?? "" }, limit + 1);
    return pageOf(rows, limit, shown, ({ organization, name }) => [organization, name]);
  });

  app.post("/v1/cloudlets/validate", {
    config: { document: "Cloudlet" },
    schema: { operationId: "validateCloudlet", summary: "Look at a spec without keeping it.", tags, response: answers({ 200: object({ valid: flag("It has no error."), issues }) }) },
  }, async (request) => {
    const received = readBody(request, readCloudletSpec);
    return received.ok ? { valid: true, issues: received.document.warnings } : { valid: false, issues: received.issues };
  });

  app.post("/v1/cloudlets", {
    config: { document: "Cloudlet" },
    schema: { operationId: "addCloudlet", summary: "Create a cloudlet of its spec.", tags, response: answers({ 201: { description: "It is there.", headers: { ...etag, location: { type: "string" } }, content: { "application/json": { schema: writtenSchema } } } }) },
  }, async (request, reply) => {
    const document = soundBody(request, readCloudletSpec);
    const { spec } = document.value;
    await mayWriteFor(db, request, document);
    const row = await act(context, request, async (transaction) => {
      const at = now();
      const made: CloudletRow = {
        id: newId(context), organization: spec.organization, name: spec.name, region: spec.region, platform: spec.platform.type,
        document: await keepDocument(transaction, document.text), spec_digest: document.value.digest, revision: 1, state: "defined", created: at, updated: at,
      };
      if (!(await addCloudlet(transaction, made))) throw new Problem("exists-already", "The organization has a cloudlet of that name already.");
      return { result: made, entry: { action: "cloudlet:create", subject: `cloudlet:${made.id}`, organization: made.organization, detail: { name: made.name, document: made.document } } };
    });
    return reply.code(201).headers({ etag: tagOf(row), location: `/v1/cloudlets/${row.id}` }).send({ ...shown(row), warnings: document.warnings });
  });

  app.get<{ Params: { id: string } }>("/v1/cloudlets/:id", {
    schema: { operationId: "getCloudlet", summary: "One cloudlet.", tags, params: params("id"), response: answers({ 200: { description: "The cloudlet.", headers: etag, content: { "application/json": { schema: cloudletSchema } } } }) },
  }, async (request, reply) => {
    const row = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    return reply.header("etag", tagOf(row)).send(shown(row));
  });

  app.get<{ Params: { id: string } }>("/v1/cloudlets/:id/spec", {
    schema: { operationId: "getSpec", summary: "Its spec, as it was written.", tags, params: params("id"), response: answers({ 200: { description: "YAML or JSON.", headers: etag, content: { "application/yaml": { schema: { $ref: "#/components/schemas/Cloudlet" } } } } }) },
  }, async (request, reply) => {
    const row = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    return reply.headers({ etag: tagOf(row), "content-type": "application/yaml" }).send(await documentText(db, row.document));
  });

  app.put<{ Params: { id: string } }>("/v1/cloudlets/:id", {
    config: { document: "Cloudlet" },
    schema: { operationId: "changeCloudlet", summary: "Give it another spec. Needs If-Match with the ETag of what was seen.", tags, params: params("id"), headers: ifMatch, response: answers({ 200: { description: "It is changed.", headers: etag, content: { "application/json": { schema: writtenSchema } } } }) },
  }, async (request, reply) => {
    const row = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    allow(request, "cloudlet:write", row);
    requireMatch(request.headers["if-match"], tagOf(row));
    const document = soundBody(request, readCloudletSpec);
    refuseOther(row, document);
    const { spec, digest: spec_digest } = document.value;
    const changed = await act(context, request, async (transaction) => {
      const change = { document: await keepDocument(transaction, document.text), spec_digest, region: spec.region, platform: spec.platform.type, updated: now() };
      if (!(await changeCloudlet(transaction, row.id, row.revision, change))) throw new Problem("changed-meanwhile", "It is not as you have seen it any more: get it again.");
      return { result: { ...row, ...change, revision: row.revision + 1 }, entry: { action: "cloudlet:change", subject: `cloudlet:${row.id}`, organization: row.organization, detail: { before: row.document, document: change.document } } };
    });
    return reply.header("etag", tagOf(changed)).send({ ...shown(changed), warnings: document.warnings });
  });

  app.delete<{ Params: { id: string } }>("/v1/cloudlets/:id", {
    schema: { operationId: "removeCloudlet", summary: "Remove it with its bundles, keys and receipts. Needs If-Match.", tags, params: params("id"), headers: ifMatch, response: answers({ 204: nothing }) },
  }, async (request, reply) => {
    const row = visible(request, "cloudlet:read", await cloudletById(db, request.params.id));
    allow(request, "cloudlet:delete", row);
    requireMatch(request.headers["if-match"], tagOf(row));
    await act(context, request, async (transaction) => {
      if (await cloudletIsBusy(transaction, row.id)) throw new Problem("in-use", "It is being installed: cancel that first.");
      if (!(await removeCloudlet(transaction, row.id, row.revision))) throw new Problem("changed-meanwhile", "It is not as you have seen it any more: get it again.");
      return { result: undefined, entry: { action: "cloudlet:delete", subject: `cloudlet:${row.id}`, organization: row.organization, detail: { name: row.name, document: row.document } } };
    });
    return reply.code(204).send();
  });
};

/** The spec names the organization: the same answer where it is not there and where the caller may not know of it. */
async function mayWriteFor(db: Database, request: FastifyRequest, document: ReceivedDocument<SpecDocument>): Promise<void> {
  const { organization } = document.value.spec;
  const row = await organizationByName(db, organization);
  const isKnown = (["organization:read", "cloudlet:write"] as const).some((action) => may(callerOf(request).actor, action, { organization }));
  if (row === undefined || !isKnown) {
    throw notValid([issueAt(document, "/organization", "there is no such organization, or you are not in it")]);
  }
  allow(request, "cloudlet:write", { organization });
}

function refuseOther(row: CloudletRow, document: ReceivedDocument<SpecDocument>): void {
  const { spec } = document.value;
  const wrong = [
    ...(spec.name === row.name ? [] : [issueAt(document, "/name", `this is the cloudlet ${JSON.stringify(row.name)}; another name is another cloudlet`)]),
    ...(spec.organization === row.organization ? [] : [issueAt(document, "/organization", "a cloudlet stays in its organization")]),
  ];
  if (wrong.length > 0) throw notValid(wrong);
}

function issueAt({ text: written }: ReceivedDocument<SpecDocument>, pointer: string, message: string): LocatedIssue {
  const [issue] = located([{ code: "service/other-cloudlet", severity: "error", pointer, message }], written);
  if (issue === undefined) throw new Error("one issue has one place");
  return issue;
}

/** Revisions of one cloudlet differ; so do cloudlets that were created anew under an old name. */
function tagOf({ id: name, revision }: CloudletRow): string {
  return `"${sha256(`${name}.${revision}`).slice("sha256:".length, "sha256:".length + 32)}"`;
}

function shown(row: CloudletRow): object {
  const { organization, name, region, platform, revision } = row;
  return { id: row.id, organization, name, region, platform, state: row.state, revision, specDigest: row.spec_digest, created: new Date(row.created).toISOString(), updated: new Date(row.updated).toISOString() };
}
