/** The bytes of a bundle: the tar, any range of it, and each of its files, made as they are asked for. Nothing is written to a disk. */

import type { ServerResponse } from "node:http";
import type { FastifyReply, FastifyRequest } from "fastify";
import { hexOf, sha256 } from "../../core/digest.ts";
import { produce } from "../../pack/stream.ts";
import { ringOf } from "../../store/ring.ts";
import type { Context } from "../context.ts";
import { layoutOf, readerOf, type StoredFile, type StoredLayout } from "../jobs/stored-layout.ts";
import { bundleById } from "../state/bundles.ts";
import type { BundleRow } from "../state/tables.ts";
import type { Resource } from "./app.ts";
import { act, visible } from "./caller.ts";
import { matches, matchesWeakly } from "./etags.ts";
import { notFound, Problem } from "./problem.ts";
import { rangeOf } from "./ranges.ts";
import { answers, count, headers, listOf, object, params, text, type Schema } from "./schemas.ts";
import { ticketRoutes } from "./tickets.ts";

const tags = ["bundles"];
const fileSchema = object({ path: text("Within the bundle."), mode: text("Octal.", { pattern: "^0[67][0-7][0-7]$" }), role: text("What it is for."), size: count("Bytes."), sha256: text("Of its bytes.", { pattern: "^[0-9a-f]{64}$" }) });

export const downloadResource: Resource = (app, context) => {
  const { db } = context;
  const downloads = { running: 0 };

  const ready = async (request: FastifyRequest, of = (request.params as { readonly id: string }).id): Promise<Ready> => {
    const row = visible(request, "bundle:read", await bundleById(db, of));
    if (row.layout === null) throw new Problem("not-ready", `The bundle is ${row.state}.`);
    return { row, layout: JSON.parse(row.layout) as StoredLayout };
  };
  const send = (request: FastifyRequest, reply: FastifyReply, what: Sent): Promise<FastifyReply> => sendStretch({ context, downloads, request, reply }, what);

  ticketRoutes(app, context, { ready, send });

  for (const method of ["GET", "HEAD"] as const) {
    const prefix = method === "GET" ? "get" : "head";
    const schema = (name: string, summary: string, types: readonly string[], ...names: readonly string[]): Schema => ({
      operationId: `${prefix}${name}`, summary: method === "GET" ? summary : `The headers alone: ${summary}`, tags, params: params(...names), headers: asked,
      response: answers({ 200: { description: "All of it.", content: bytesOf(...types) }, 206: { description: "The range.", content: bytesOf(...types) }, 304: { type: "null", description: "The one that If-None-Match names." } }),
    });

    app.route({
      method, url: "/v1/bundles/:id/download", schema: schema("BundleTar", "The tar; Range and If-Range go on where a download has ended.", ["application/x-tar"], "id"),
      handler: async (request, reply) => {
        const { row, layout } = await ready(request);
        return send(request, reply, { row, layout, start: 0, size: layout.size, tag: layout.tag, type: "application/x-tar", name: layout.fileName });
      },
    });

    app.route<{ Params: { id: string; "*": string } }>({
      method, url: "/v1/bundles/:id/files/*", schema: schema("BundleFile", "One file of the bundle, such as SHA256SUMS, its signature, or a piece of evidence.", Object.values(fileTypes), "id", "*"),
      handler: async (request, reply) => {
        const { row, layout } = await ready(request);
        const file = layout.files.find(({ path }) => path === request.params["*"]);
        if (file === undefined) throw notFound();
        return send(request, reply, { row, layout, start: file.start, size: file.size, tag: file.sha256, type: typeOf(file), name: file.path.slice(file.path.lastIndexOf("/") + 1) });
      },
    });
  }

  app.get("/v1/bundles/:id/files", {
    schema: { operationId: "listBundleFiles", summary: "What is in it.", tags, params: params("id"), response: answers({ 200: object({ items: listOf(fileSchema, "In the order of the tar.") }) }) },
  }, async (request) => ({ items: (await ready(request)).layout.files.map(({ start: _, ...file }) => file) }));

  app.get("/v1/bundles/:id/provenance", {
    schema: { operationId: "getProvenance", summary: "The provenance in its signed envelope (DSSE), as cosign and slsa-verifier read it.", tags, params: params("id"), response: answers({ 200: { description: "DSSE.", content: { "application/vnd.dsse.envelope.v1+json": { schema: { type: "object", required: ["payload", "payloadType", "signatures"] } } } } }) },
  }, async (request, reply) => {
    const { drawn, attestation } = (await ready(request)).layout;
    const parts: Uint8Array[] = [];
    for await (const chunk of context.drawn.read(drawn, attestation.from, attestation.from + attestation.size)) parts.push(chunk);
    const bytes = Buffer.concat(parts);
    return reply.headers({ etag: `"${hexOf(sha256(bytes))}"`, "content-type": "application/vnd.dsse.envelope.v1+json" }).send(bytes);
  });
};

/** Bytes of these types, of which a schema has nothing to say (OpenAPI 3.1, section 4.8.14.3). */
export function bytesOf(...types: readonly string[]): Schema {
  return Object.fromEntries(types.map((type) => [type, { schema: {} }]));
}

export const asked = headers({
  range: "bytes=FIRST-LAST, bytes=FIRST- or bytes=-LENGTH.", "if-range": "The ETag that the range goes with: of another one comes the whole.", "if-match": "Only this one.", "if-none-match": "Not this one, which is there already.",
});

const fileTypes = { json: "application/json", text: "text/plain", other: "application/octet-stream" } as const;

/** A browser shall save it, whatever it is: a page of ours in the service's own origin would be read as the service's. */
function typeOf({ path }: StoredFile): string {
  if (path.endsWith(".json")) return fileTypes.json;
  return /\.(md|sh|txt|yaml|env|template)$|^[A-Z0-9]+SUMS$/.test(path) ? `${fileTypes.text}; charset=utf-8` : fileTypes.other;
}

/** A bundle that is there. */
export interface Ready {
  readonly row: BundleRow;
  readonly layout: StoredLayout;
}

/** A stretch of the tar: all of it, or a file. */
export interface Sent extends Ready {
  readonly start: number;
  readonly size: number;
  readonly tag: string;
  readonly type: string;
  readonly name: string;
  /** More headers, or others. */
  readonly headers?: Readonly<Record<string, string>>;
}

interface Sending {
  readonly context: Context;
  readonly downloads: { running: number };
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** Preconditions in the order of RFC 9110 section 13.2.2, then the range, then the bytes. */
async function sendStretch(sending: Sending, what: Sent): Promise<FastifyReply> {
  const { request, reply } = sending;
  const { headers } = request;
  const tag = `"${what.tag}"`;
  // `no-cache`: it may be kept, and is asked about each time, for whoever may see it today may not tomorrow.
  reply.headers({ etag: tag, "accept-ranges": "bytes", "cache-control": "private, no-cache", "content-type": what.type, "content-disposition": `attachment; filename="${what.name}"`, ...what.headers });
  if (headers["if-match"] !== undefined && !matches(headers["if-match"], tag)) throw new Problem("changed-meanwhile", "It is not the one that If-Match names.");
  if (headers["if-none-match"] !== undefined && matchesWeakly(headers["if-none-match"], tag)) return reply.code(304).send();
  const ifRange = headers["if-range"];
  const isSame = ifRange === undefined || ifRange === tag;
  // RFC 9110 section 14.2: Range is defined for GET alone.
  const range = isSame && request.method === "GET" ? rangeOf(headers.range, what.size) : "whole";
  if (range === "unsatisfiable") throw new Problem("no-such-range", `It has ${what.size} bytes.`, { headers: { "content-range": `bytes */${what.size}` } });
  const { start, end } = range === "whole" ? { start: 0, end: what.size } : range;
  reply.header("content-length", end - start);
  if (range !== "whole") reply.code(206).header("content-range", `bytes ${start}-${end - 1}/${what.size}`);
  if (request.method === "HEAD" || end === start) return reply.send();
  await refuseLacking(sending, what, start, end);
  // Who goes on with a range has begun before; a single file is looked at, not taken away.
  if (start === 0 && what.size === what.layout.size) await note(sending, what.row);
  return stream(sending, what, start, end);
}

/** Once the first byte is sent, a blob that is gone can only cut the connection. */
async function refuseLacking({ context }: Sending, { layout, start: at }: Sent, start: number, end: number): Promise<void> {
  const touched = layout.segments.filter((segment) => segment.start < at + end && segment.start + segment.size > at + start);
  for (const digest of new Set(touched.map((segment) => segment.digest))) {
    if ((await (digest === layout.drawn ? context.drawn : context.blobs).stat(digest)) === undefined) {
      throw new Problem("not-ready", `The service's blob store lacks ${digest}: resolve the release again, cloudlet-bundle lock --store FOLDER.`);
    }
  }
}

async function note({ context, request }: Sending, { id, organization }: BundleRow): Promise<void> {
  await act(context, request, async () => ({ result: undefined, entry: { action: "bundle:download", subject: `bundle:${id}`, organization } }));
}

/**
 * What is read at a time, bytes, when so many downloads are on their way. A download holds three pieces. Large ones are quicker; when
 * there are many, there is enough to do with small ones. Two hundred hold 38 MiB, and no more than 81 MiB where those that came
 * first have stopped reading with the pieces of theirs.
 */
export function pieceBytes(running: number): number {
  if (running > 64) return 65_536;
  if (running > 32) return 131_072;
  return running > 8 ? 262_144 : 1_048_576;
}

/**
 * Writes one piece at a time and waits until the system has it: then its memory may be used for the next but two, and a
 * download takes three pieces, whatever its length.
 */
async function stream({ context, downloads, request, reply }: Sending, { layout, start: at }: Sent, start: number, end: number): Promise<FastifyReply> {
  if (downloads.running >= context.limits.downloads) throw new Problem("overloaded", "As many downloads as the service serves at a time are on their way.", { headers: { "retry-after": "10" } });
  downloads.running += 1;
  const { raw } = reply;
  const gone = new AbortController();
  const stop = (): void => gone.abort(new Error("the reader is gone"));
  raw.once("close", stop);
  reply.hijack();
  try {
    raw.writeHead(reply.statusCode, reply.getHeaders() as Record<string, string | number>);
    const ring = ringOf(() => pieceBytes(downloads.running));
    const stores = { drawn: context.drawn.reusing(ring), blobs: context.blobs.reusing(ring) };
    for await (const piece of produce(layoutOf(layout), readerOf(layout, stores), at + start, at + end, gone.signal)) await written(raw, piece, gone.signal);
    raw.end();
  } catch (error) {
    // The length was announced: only a cut connection says that not all of it came.
    raw.destroy();
    if (!gone.signal.aborted) context.log("error", "download", { request: request.id, message: (error as Error).message });
  } finally {
    downloads.running -= 1;
    raw.off("close", stop);
  }
  return reply;
}

function written(raw: ServerResponse, piece: Uint8Array, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason as Error);
    if (signal.aborted) return stop();
    signal.addEventListener("abort", stop, { once: true });
    raw.write(piece, (error) => {
      signal.removeEventListener("abort", stop);
      if (error) reject(error);
      else resolve();
    });
  });
}
