/** /v1/bundles: bundles on request. The same inputs are the same bundle, made once. */

import type { FastifyRequest } from "fastify";
import { sha256 } from "../../core/digest.ts";
import { canonicalJson } from "../../core/json.ts";
import { lockFor, takesVmdk } from "../../store/draw.ts";
import { organizationsFor } from "../access/roles.ts";
import { newId, queueTopic, type Context } from "../context.ts";
import { keptLock, keptRelease, keptSpec } from "../jobs/documents.ts";
import type { StoredLayout } from "../jobs/stored-layout.ts";
import { addBundle, addEvent, bundleById, bundleByInputs, bundles, eventsAfter, setBundle } from "../state/bundles.ts";
import { cloudletById } from "../state/cloudlets.ts";
import { releaseById } from "../state/releases.ts";
import type { BundleRow, BundleState, CloudletRow, EventRow, ReleaseRow } from "../state/tables.ts";
import { located, type LocatedIssue } from "../located-issues.ts";
import type { App, Resource } from "./app.ts";
import { act, allow, callerOf, visible } from "./caller.ts";
import { answerWithEvents, eventAnswers, lastEventHeader, type Told } from "./event-stream.ts";
import { cursorOf, limitOf, pageOf, type PageQuery } from "./paging.ts";
import { Problem } from "./problem.ts";
import { answers, count, digest, id, listOf, object, page, pageQuery, params, query, text, time } from "./schemas.ts";

const state = text("How far it is.", { enum: ["queued", "building", "ready", "failed"] });
const failure = object({ title: text("Why it failed."), issues: listOf({ $ref: "Issue#" }, "Every mistake.") });
export const bundleSchema = object(
  {
    id, cloudlet: id, release: id, organization: text("Whose it is."), state, fingerprint: text("Of the key that it is signed with."), fileName: text("Of the tar."), size: count("Bytes of the tar."),
    sums: digest, failure, requested: time("When it was first asked for."), finished: time("When it was ready, or failed."),
  },
  { optional: ["fileName", "size", "sums", "failure", "finished"] },
);
const tags = ["bundles"];

export const bundleResource: Resource = (app, context) => {
  const { db } = context;

  app.get<{ Querystring: PageQuery & { cloudlet?: string; state?: BundleState } }>("/v1/bundles", {
    schema: { operationId: "listBundles", summary: "The bundles that the caller may know of, the newest first.", tags, querystring: query({ ...pageQuery, cloudlet: text("Only of this one.", { maxLength: 100 }), state }), response: answers({ 200: page(bundleSchema) }) },
  }, async (request) => {
    const limit = limitOf(request.query);
    const after = cursorOf(request.query, 2);
    const among = organizationsFor(callerOf(request).actor, "bundle:read");
    const rows = await bundles(db, { among, cloudlet: request.query.cloudlet, state: request.query.state }, after === undefined ? undefined : { requested: numberOr(after[0]), id: after[1] ?? "" }, limit + 1);
    return pageOf(rows, limit, shown, (row) => [String(row.requested), row.id]);
  });

  app.post<{ Body: { cloudlet: string; release: string } }>("/v1/bundles", {
    schema: {
      operationId: "requestBundle", summary: "Ask for the bundle of a cloudlet and a release. Whoever asks for the same gets the same.", tags,
      body: object({ cloudlet: text("Its id.", { maxLength: 100 }), release: text("Its id.", { maxLength: 100 }) }), response: answers({ 200: bundleSchema, 202: bundleSchema }),
    },
  }, async (request, reply) => {
    const cloudlet = visible(request, "cloudlet:read", await cloudletById(db, request.body.cloudlet));
    allow(request, "bundle:request", cloudlet);
    const release = await releaseById(db, request.body.release);
    if (release === undefined) throw refused("/release", "there is no such release");
    const wanted = await wantedBundle(context, cloudlet, release, callerOf(request).user.name);
    const row = await askFor(context, request, wanted);
    return reply.code(row.state === "ready" ? 200 : 202).header("location", `/v1/bundles/${row.id}`).send(shown(row));
  });

  app.get<{ Params: { id: string } }>("/v1/bundles/:id", {
    schema: { operationId: "getBundle", summary: "One bundle.", tags, params: params("id"), response: answers({ 200: bundleSchema }) },
  }, async (request) => shown(visible(request, "bundle:read", await bundleById(db, request.params.id))));

  eventsRoute(app, context);
};

function numberOr(text: string | undefined): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Problem("bad-request", "the cursor is not one that this list gave");
  return value;
}

/** The row of that bundle, whether it was there or not; one that has failed is tried again. */
export async function askFor(context: Context, request: FastifyRequest, wanted: BundleRow): Promise<BundleRow> {
  const row = await act(context, request, async (transaction) => {
    const isNew = await addBundle(transaction, wanted);
    const there = isNew ? wanted : await bundleByInputs(transaction, wanted.inputs);
    if (there === undefined) throw new Error("a bundle that could not be added is not there");
    const isAgain = there.state === "failed";
    if (isAgain) await setBundle(transaction, there.id, { state: "queued", problem: null, finished: null });
    if (isNew || isAgain) {
      await context.queue.add(transaction, there.id, context.now());
      await addEvent(transaction, there.id, { time: context.now(), state: "queued", message: isAgain ? "asked for again" : "asked for" });
    }
    const result: BundleRow = isAgain ? { ...there, state: "queued", problem: null, finished: null } : there;
    const entry = { action: "bundle:request", subject: `bundle:${there.id}`, organization: there.organization, detail: { cloudlet: there.cloudlet_id, release: there.release_id } };
    return { result, entry: isNew || isAgain ? entry : undefined };
  });
  context.news.tell(row.cloudlet_id);
  context.news.tell(queueTopic);
  return row;
}

/** The row that the request asks for; what it is made of decides which one it is. */
export async function wantedBundle(context: Context, cloudlet: CloudletRow, release: ReleaseRow, requestedBy: string): Promise<BundleRow> {
  const { db, signer } = context;
  if (release.lock_document === null) throw refused("/release", "the release has no lock yet: PUT /v1/releases/ID/lock");
  const spec = await keptSpec(db, cloudlet.document);
  const lock = await keptLock(db, release.lock_document);
  if (takesVmdk(spec) && lock.lock.vmdk === undefined) throw refused("/release", "its lock was made without VMDKs, which this platform needs: cloudlet-bundle lock --vmdk, then PUT the new one");
  const inputs = sha256(canonicalJson({
    cloudlet: cloudlet.id,
    // As they are written in the bundle, comments aside.
    spec: sha256(canonicalJson(spec.written)),
    release: sha256(canonicalJson((await keptRelease(db, release.document)).written)),
    lock: lockFor(spec, lock).digest,
    signer: signer.fingerprint,
    program: context.programDigest,
    builder: context.builder ?? "",
  }));
  return {
    id: newId(context), inputs, cloudlet_id: cloudlet.id, organization: cloudlet.organization, release_id: release.id,
    spec_document: cloudlet.document, release_document: release.document, lock_document: release.lock_document, fingerprint: signer.fingerprint,
    state: "queued", problem: null, layout: null, sums: null, requested: context.now(), requested_by: requestedBy, finished: null,
  };
}

function refused(pointer: string, message: string): Problem {
  return new Problem("not-valid", message, { issues: located([{ code: "service/not-to-be-built", severity: "error", pointer, message }]) });
}

function shown(row: BundleRow): object {
  const layout = row.layout === null ? undefined : (JSON.parse(row.layout) as StoredLayout);
  const problem = row.problem === null ? undefined : (JSON.parse(row.problem) as { readonly title: string; readonly issues: readonly LocatedIssue[] });
  return {
    id: row.id, cloudlet: row.cloudlet_id, release: row.release_id, organization: row.organization, state: row.state, fingerprint: row.fingerprint,
    ...(layout === undefined ? {} : { fileName: layout.fileName, size: layout.size }),
    ...(row.sums === null ? {} : { sums: `sha256:${row.sums}` }),
    ...(problem === undefined ? {} : { failure: problem }),
    requested: new Date(row.requested).toISOString(),
    ...(row.finished === null ? {} : { finished: new Date(row.finished).toISOString() }),
  };
}

function eventsRoute(app: App, context: Context): void {
  const { db } = context;
  app.get<{ Params: { id: string } }>("/v1/bundles/:id/events", {
    schema: {
      operationId: "bundleEvents", summary: "How far it is, as server-sent events; goes on after Last-Event-ID. Ends when the bundle is ready or has failed.", tags, params: params("id"), headers: lastEventHeader,
      response: answers(eventAnswers("Events whose data is JSON: {state, message, time}.")),
    },
  }, async (request, reply) => {
    const { id } = visible(request, "bundle:read", await bundleById(db, request.params.id));
    return answerWithEvents(context, request, reply, {
      topic: id,
      after: async (number) => ({ events: (await eventsAfter(db, id, number)).map(told), more: false }),
      isEnded: async () => isEnd((await bundleById(db, id))?.state),
    });
  });
}

function isEnd(state: BundleState | undefined): boolean {
  return state === undefined || state === "ready" || state === "failed";
}

function told({ number, state: of, message, time: at }: EventRow): Told {
  return { number, event: of, data: { state: of, message, time: new Date(at).toISOString() } };
}
