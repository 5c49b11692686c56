/** A bundle on a web server, read by ranges: what is looked at is fetched, and nothing else. */

import { createHash } from "node:crypto";
import { EnvironmentError } from "../core/environment-error.ts";
import type { ArchiveSource, Place } from "../seal/bundle-source.ts";
import { followRedirects } from "./sources/http-redirects.ts";
import type { Answer, Send } from "./sources/http-send.ts";
import { NotServed, pauseAfter, refusal, usualPatience, type Patience } from "./sources/patience.ts";

/** The small files of a bundle have some hundred KiB: they come with one or two requests. Bytes. */
const blockBytes = 262_144;

/** Blocks that are kept; a long read goes through them once. */
const keptBlocks = 16;

export interface FromUrl {
  readonly url: URL;
  readonly send: Send;
  readonly signal: AbortSignal;
  /** Tests give their own. */
  readonly patience?: Patience;
}

/** Throws an EnvironmentError where the server does not serve it, not in ranges, or changes it meanwhile. */
export async function openUrl(from: FromUrl): Promise<ArchiveSource> {
  const first = await ask(from, 0, undefined);
  const blocks = new Map<number, Promise<Uint8Array>>([[0, Promise.resolve(first.bytes)]]);
  const block = (index: number): Promise<Uint8Array> => {
    const bytes = blocks.get(index) ?? ask(from, index * blockBytes, first).then((piece) => piece.bytes);
    blocks.delete(index);
    blocks.set(index, bytes);
    for (const oldest of blocks.keys()) if (blocks.size > keptBlocks) blocks.delete(oldest);
    return bytes;
  };
  return {
    kind: "archive",
    size: first.total,
    async read(place) {
      const pieces: Uint8Array[] = [];
      for await (const piece of piecesOf(place, block)) pieces.push(piece);
      return new Uint8Array(Buffer.concat(pieces));
    },
    async hash(places) {
      const digests: string[] = [];
      for (const place of places) {
        const hash = createHash("sha256");
        for await (const piece of piecesOf(place, block)) hash.update(piece);
        digests.push(hash.digest("hex"));
      }
      return digests;
    },
  };
}

async function* piecesOf({ start, end }: Place, block: (index: number) => Promise<Uint8Array>): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; ) {
    const index = Math.floor(at / blockBytes);
    const bytes = await block(index);
    const part = bytes.subarray(at - index * blockBytes, end - index * blockBytes);
    if (part.byteLength === 0) return;
    at += part.byteLength;
    yield part;
  }
}

interface Piece {
  readonly bytes: Uint8Array;
  /** Of the whole. */
  readonly total: number;
  readonly version: Version;
}

/** By what the server tells one state of the file from another, where it does. */
interface Version {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

/** The block that begins at `start`; `known` is what all of them must belong to. */
async function ask(from: FromUrl, start: number, known: Piece | undefined): Promise<Piece> {
  const first = await askPatiently(from, start, start + blockBytes, known);
  const pieces = [first.bytes];
  const end = Math.min(start + blockBytes, first.total);
  // A server may give less than it was asked for: RFC 9110 section 15.3.7.
  for (let at = start + first.bytes.byteLength; at < end; ) {
    const { bytes } = await askPatiently(from, at, end, known ?? first);
    pieces.push(bytes);
    at += bytes.byteLength;
  }
  return { ...first, bytes: new Uint8Array(Buffer.concat(pieces)) };
}

async function askPatiently(from: FromUrl, start: number, end: number, known: Piece | undefined): Promise<Piece> {
  const patience = from.patience ?? usualPatience;
  for (let fruitless = 0; ; fruitless += 1) {
    try {
      return await askOnce(from, { start, end }, known, patience);
    } catch (error) {
      from.signal.throwIfAborted();
      if (error instanceof NotServed) throw new EnvironmentError(`${shown(from.url)}: ${error.message}`, { cause: error });
      if (error instanceof EnvironmentError) throw error;
      await pauseAfter(error, fruitless + 1, { url: shown(from.url), patience, signal: from.signal, hint: "ask again when the server answers" });
    }
  }
}

/** What the server gives of these bytes, the first of them at least. */
async function askOnce({ url, send, signal }: FromUrl, { start, end }: Omit<Place, "file">, known: Piece | undefined, patience: Patience): Promise<Piece> {
  // RFC 9110 section 13.1.5: a weak validator can't be in If-Range.
  const validator = known?.version.etag?.startsWith("W/") ? undefined : known?.version.etag;
  const headers = {
    // A content coding would make offsets mean something else: RFC 9110 section 14.2.
    "accept-encoding": "identity",
    range: `bytes=${start}-${end - 1}`,
    ...(validator === undefined ? {} : { "if-range": validator }),
  };
  const answer = await followRedirects(send, url, { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(patience.idleMs)]) });
  if (answer.status === 200) {
    answer.discard();
    throw known === undefined
      ? new EnvironmentError(`${url.host} gives no ranges of a file`, { hint: "fetch the bundle whole, or through a pipe: curl URL | cloudlet-bundle inspect -" })
      : changed(url);
  }
  if (answer.status !== 206) throw refusal(answer);
  const [, first, last, whole] = (/^bytes (\d+)-(\d+)\/(\d+)$/.exec(answer.header("content-range") ?? "") ?? []).map(Number);
  const total = whole ?? Number.NaN;
  const given = (last ?? Number.NaN) + 1;
  if (first !== start || !(given > start && given <= Math.min(end, total)) || !Number.isSafeInteger(total) || (answer.header("content-encoding") ?? "identity") !== "identity") {
    answer.discard();
    throw new NotServed("the server's range is not the one that was asked for");
  }
  const version: Version = { etag: answer.header("etag"), lastModified: answer.header("last-modified") };
  if (known !== undefined && (total !== known.total || isAnother(version, known.version))) {
    answer.discard();
    throw changed(url);
  }
  return { bytes: await bytesOf(answer, given - start), total, version };
}

/** If-Range is passed over by some servers, and can't be asked with a weak validator. */
function isAnother(version: Version, known: Version): boolean {
  if (version.etag !== undefined && known.etag !== undefined) return version.etag !== known.etag;
  return version.lastModified !== undefined && known.lastModified !== undefined && version.lastModified !== known.lastModified;
}

async function bytesOf(answer: Answer, size: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let arrived = 0;
  for await (const chunk of answer.body) {
    chunks.push(chunk);
    arrived += chunk.byteLength;
    if (arrived > size) break;
  }
  if (arrived === size) return new Uint8Array(Buffer.concat(chunks));
  answer.discard();
  throw new Error(`the answer has ${arrived > size ? "more" : "less"} than the ${size} bytes that it says`);
}

function changed(url: URL): EnvironmentError {
  return new EnvironmentError(`${shown(url)} has become another file meanwhile`, { hint: "begin again" });
}

/** Without user, password and query, which may hold a secret. */
function shown(url: URL): string {
  return `${url.origin}${url.pathname}`;
}
