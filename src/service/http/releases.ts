/** /v1/releases: what bundles are made of, besides the spec. The blobs come with `cloudlet-bundle lock --store`. */

import type { ReleaseDocument } from "../../spec/read-release.ts";
import { readLock } from "../../spec/read-lock.ts";
import { readRelease } from "../../spec/read-release.ts";
import { missingBlobs } from "../../store/resolve.ts";
import { newId, type Context } from "../context.ts";
import { keptLock, keptRelease } from "../jobs/documents.ts";
import { documentText, keepDocument } from "../state/documents.ts";
import { addRelease, releaseById, releaseHasBundles, releases, removeRelease, setLock } from "../state/releases.ts";
import type { ReleaseRow } from "../state/tables.ts";
import { located } from "../located-issues.ts";
import type { Resource } from "./app.ts";
import { act, allow } from "./caller.ts";
import { notValid, soundBody, takeDocuments } from "./document-body.ts";
import { notFound, Problem } from "./problem.ts";
import { answers, count, digest, flag, id, listOf, nothing, object, orNull, params, text, time } from "./schemas.ts";

const properties = {
  id, name: text("Of the release."), sequence: count("Grows with each release."), digest, lockDigest: orNull(digest), vmdk: flag("The lock has the disks as VMDK, which VMware's platforms need."), created: time("When it was uploaded."),
};
const releaseSchema = object(properties);
const oneSchema = object({ ...properties, missing: listOf(digest, "Blobs that the lock names and the service's blob store lacks: without them no bundle is made.") });
const written = object({ ...properties, warnings: listOf({ $ref: "Issue#" }, "What was found.") });
const tags = ["releases"];

export const releaseResource: Resource = (app, context) => {
  const { db, now } = context;
  takeDocuments(app, "Release");

  app.get("/v1/releases", {
    schema: { operationId: "listReleases", summary: "Every release, the newest first.", tags, response: answers({ 200: object({ items: listOf(releaseSchema, "By sequence.") }) }) },
  }, async (request) => {
    allow(request, "release:read");
    return { items: await Promise.all((await releases(db)).map((row) => shown(context, row))) };
  });

  app.post("/v1/releases", {
    config: { document: "Release" },
    schema: { operationId: "addRelease", summary: "Upload a release. Its lock follows.", tags, response: answers({ 201: written }) },
  }, async (request, reply) => {
    allow(request, "release:write");
    const { text: release, value, warnings } = soundBody(request, readRelease);
    const row = await act(context, request, async (transaction) => {
      const { name, sequence } = value.release;
      const made: ReleaseRow = { id: newId(context), name, sequence, document: await keepDocument(transaction, release), digest: value.digest, lock_document: null, lock_digest: null, created: now() };
      if (!(await addRelease(transaction, made))) throw new Problem("exists-already", `There is a release ${name} already.`);
      return { result: made, entry: { action: "release:create", subject: `release:${made.id}`, detail: { name, document: made.document } } };
    });
    return reply.code(201).header("location", `/v1/releases/${row.id}`).send({ ...(await shown(context, row)), warnings });
  });

  app.get<{ Params: { id: string } }>("/v1/releases/:id", {
    schema: { operationId: "getRelease", summary: "One release, and which blobs it lacks.", tags, params: params("id"), response: answers({ 200: oneSchema }) },
  }, async (request) => {
    allow(request, "release:read");
    const row = found(await releaseById(db, request.params.id));
    const missing = row.lock_document === null ? [] : await missingBlobs((await keptLock(db, row.lock_document)).lock, context.blobs);
    return { ...(await shown(context, row)), missing };
  });

  app.get<{ Params: { id: string } }>("/v1/releases/:id/release", {
    schema: { operationId: "getReleaseDocument", summary: "The release, as it was written.", tags, params: params("id"), response: answers({ 200: { description: "YAML or JSON.", content: { "application/yaml": { schema: { $ref: "#/components/schemas/Release" } } } } }) },
  }, async (request, reply) => {
    allow(request, "release:read");
    const row = found(await releaseById(db, request.params.id));
    return reply.type("application/yaml").send(await documentText(db, row.document));
  });

  app.put<{ Params: { id: string } }>("/v1/releases/:id/lock", {
    config: { document: "Lock" },
    schema: { operationId: "setLock", summary: "Give the release its lock, or another one, with VMDKs say.", tags, params: params("id"), response: answers({ 200: written }) },
  }, async (request) => {
    allow(request, "release:write");
    const row = found(await releaseById(db, request.params.id));
    const { text: lock, value, warnings } = soundBody(request, readLock);
    refuseOther(await keptRelease(db, row.document), value.lock.release.digest, lock);
    const changed = await act(context, request, async (transaction) => {
      const document = await keepDocument(transaction, lock);
      await setLock(transaction, row.id, document, value.digest);
      return { result: { ...row, lock_document: document, lock_digest: value.digest }, entry: { action: "release:lock", subject: `release:${row.id}`, detail: { document } } };
    });
    return { ...(await shown(context, changed)), warnings };
  });

  app.delete<{ Params: { id: string } }>("/v1/releases/:id", {
    schema: { operationId: "removeRelease", summary: "Remove a release of which there is no bundle.", tags, params: params("id"), response: answers({ 204: nothing }) },
  }, async (request, reply) => {
    allow(request, "release:write");
    await act(context, request, async (transaction) => {
      const row = found(await releaseById(transaction, request.params.id));
      if (await releaseHasBundles(transaction, row.id)) throw new Problem("in-use", "There are bundles of this release.");
      await removeRelease(transaction, row.id);
      return { result: undefined, entry: { action: "release:delete", subject: `release:${row.id}`, detail: { name: row.name } } };
    });
    return reply.code(204).send();
  });
};

function refuseOther(release: ReleaseDocument, of: string, lock: string): void {
  if (release.digest === of) return;
  throw notValid(located([{ code: "service/other-lock", severity: "error", pointer: "/release/digest", message: `this is the lock of another release; this one has ${release.digest}`, hint: "make it: cloudlet-bundle lock --release FILE" }], lock));
}

function found(row: ReleaseRow | undefined): ReleaseRow {
  if (row === undefined) throw notFound();
  return row;
}

async function shown({ db }: Context, row: ReleaseRow): Promise<object> {
  const lock = row.lock_document === null ? undefined : (await keptLock(db, row.lock_document)).lock;
  return { id: row.id, name: row.name, sequence: row.sequence, digest: row.digest, lockDigest: row.lock_digest, vmdk: lock?.vmdk !== undefined, created: new Date(row.created).toISOString() };
}
