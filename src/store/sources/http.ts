/** A file by HTTP or HTTPS: resumed where it broke off, bounded in size, retries and time. */

import { createHash, type Hash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Digest } from "../../core/digest.ts";
import { EnvironmentError } from "../../core/environment-error.ts";
import { BlobMismatch } from "../blob-store.ts";
import { orDiskFull, refuseFullDisk } from "../disk-space.ts";
import type { PartialDownload } from "../partials.ts";
import type { Answer, Send } from "./http-send.ts";
import { followRedirects } from "./http-redirects.ts";
import { NotServed, pauseAfter, refusal, usualPatience, type Patience } from "./patience.ts";

export interface Fetching {
  readonly url: string;
  readonly send: Send;
  /** Nobody else's while this lasts. */
  readonly partial: PartialDownload;
  /** Bytes; a longer answer throws TooBig. */
  readonly sizeLimit: number;
  /**
   * Where the address stands for its bytes, as a registry's blob does: they are checked while they arrive, and what one
   * server began another may end.
   */
  readonly content?: Content;
  readonly progress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
  /** Tests give their own. */
  readonly patience?: Patience;
}

export interface Content {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

export class TooBig extends Error {
  override readonly name = "TooBig";
}

/**
 * Brings the whole file to `partial.bytes`. Throws NotServed where the server refuses for good, TooBig, BlobMismatch where
 * the content is another one, or an EnvironmentError where network or server fail again and again; what has arrived is kept
 * for the next time.
 */
export async function fetchFile(fetching: Fetching): Promise<void> {
  const patience = fetching.patience ?? usualPatience;
  const check = fetching.content === undefined ? undefined : contentCheck(fetching.content);
  let fruitless = 0;
  // A server that can't go on begins anew each time: only what was never reached before is a step ahead.
  let most = await arrived(fetching);
  for (;;) {
    try {
      await fetchRest(fetching, patience, check);
      check?.judge();
      return;
    } catch (error) {
      fetching.signal.throwIfAborted();
      if (isFinal(error)) throw error;
      if (isDisk(error)) throw await orDiskFull(error, statfs, dirname(fetching.partial.bytes));
      const now = await arrived(fetching);
      fruitless = now > most ? 0 : fruitless + 1;
      most = Math.max(most, now);
      await pauseAfter(error, fruitless, { url: fetching.url, patience, signal: fetching.signal });
    }
  }
}

function isFinal(error: unknown): boolean {
  return [NotServed, TooBig, BlobMismatch, EnvironmentError].some((each) => error instanceof each);
}

/** So that the next try begins anew. */
export async function forget(partial: PartialDownload): Promise<void> {
  await rm(partial.bytes, { force: true });
  await rm(partial.note, { force: true });
}

/**
 * What a partial file is part of: another answer's bytes must not be joined to it.
 * RFC 9110 section 8.8.1: strong validators.
 */
interface Note {
  readonly url: string;
  readonly validator: string;
}

async function fetchRest(fetching: Fetching, patience: Patience, check: ContentCheck | undefined): Promise<void> {
  const note = await readNote(fetching);
  const from = note === undefined ? 0 : await arrived(fetching);
  await check?.reach(fetching.partial.bytes, from, fetching.signal);
  if (from > 0 && from === fetching.content?.size) return;
  const idle = new AbortController();
  const tooLong = (): void => idle.abort(new Error("nothing came for a while"));
  let timer = setTimeout(tooLong, patience.idleMs);
  try {
    const answer = await request(fetching, from, note, AbortSignal.any([fetching.signal, idle.signal]));
    const { start, total } = await placeOf(answer, from, fetching);
    if (total === from && start === from) return;
    if (start === 0) await startOver(fetching, answer);
    await check?.reach(fetching.partial.bytes, start, fetching.signal);
    if (total !== undefined) await refuseFullDisk(statfs, dirname(fetching.partial.bytes), total - start);
    const file = await open(fetching.partial.bytes, start === 0 ? "w" : "a");
    try {
      let done = start;
      for await (const chunk of answer.body) {
        clearTimeout(timer);
        timer = setTimeout(tooLong, patience.idleMs);
        done += chunk.byteLength;
        if (done > fetching.sizeLimit) throw new TooBig(`the answer has more than ${fetching.sizeLimit} bytes`);
        const writing = file.writeFile(chunk);
        writing.catch(() => undefined);
        check?.take(chunk);
        await writing;
        fetching.progress(done, total ?? fetching.sizeLimit);
      }
      if (total !== undefined && done !== total) {
        throw new Error(`the connection ended after ${done} of ${total} bytes`);
      }
    } finally {
      answer.discard();
      await file.close();
    }
  } catch (error) {
    throw idle.signal.aborted ? idle.signal.reason : error;
  } finally {
    clearTimeout(timer);
  }
}

interface ContentCheck {
  /** The check stands at `offset`: what it has not seen of the file before is read. */
  reach(path: string, offset: number, signal: AbortSignal): Promise<void>;
  take(chunk: Uint8Array): void;
  /** Throws BlobMismatch unless all that was taken is the content. */
  judge(): void;
}

function contentCheck(content: Content): ContentCheck {
  let hash: Hash = createHash("sha256");
  let seen = 0;
  const take = (chunk: Uint8Array): void => {
    hash.update(chunk);
    seen += chunk.byteLength;
  };
  return {
    take,
    async reach(path, offset, signal) {
      if (seen === offset) return;
      hash = createHash("sha256");
      seen = 0;
      if (offset === 0) return;
      const file = createReadStream(path, { end: offset - 1, highWaterMark: 1_048_576, signal });
      for await (const chunk of file) take(chunk as Uint8Array);
    },
    judge() {
      if (seen !== content.size) throw new BlobMismatch("size", `${content.size} bytes`, `${seen} bytes`);
      const digest: Digest = `sha256:${hash.digest("hex")}`;
      if (digest !== content.digest) throw new BlobMismatch("digest", content.digest, digest);
    },
  };
}

function request(
  fetching: Fetching,
  from: number,
  note: Note | undefined,
  signal: AbortSignal,
): Promise<Answer> {
  // A content coding would make offsets mean something else: RFC 9110 section 14.2.
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (from > 0 && note !== undefined) {
    headers["range"] = `bytes=${from}-`;
    if (fetching.content === undefined) headers["if-range"] = note.validator;
  }
  return followRedirects(fetching.send, new URL(fetching.url), { headers, signal });
}

/** Where the answer's bytes belong, and how many there are in all. */
async function placeOf(
  answer: Answer,
  from: number,
  fetching: Fetching,
): Promise<{ readonly start: number; readonly total: number | undefined }> {
  const coding = answer.header("content-encoding") ?? "identity";
  if (coding !== "identity") {
    throw refused(answer, new NotServed(`the server sends it in another coding (${coding}), though none was asked for`));
  }
  const length = Number(answer.header("content-length") ?? Number.NaN);
  if (answer.status === 200) {
    const total = Number.isNaN(length) ? undefined : length;
    if (total !== undefined && total > fetching.sizeLimit) {
      throw refused(answer, new TooBig(`the file has ${total} bytes, at most ${fetching.sizeLimit} are taken`));
    }
    return { start: 0, total };
  }
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(answer.header("content-range") ?? "");
  const total = range?.[2] === undefined ? undefined : Number(range[2]);
  if (answer.status === 206 && Number(range?.[1]) === from && total !== undefined) return { start: from, total };
  // All of it is there already: RFC 9110 section 15.5.17.
  if (answer.status === 416 && total === from) {
    answer.discard();
    return { start: from, total };
  }
  if (answer.status === 206 || answer.status === 416) {
    await forget(fetching.partial);
    throw refused(answer, new Error("the server's range is not the one that was asked for"));
  }
  throw refusal(answer);
}

function refused(answer: Answer, error: Error): Error {
  answer.discard();
  return error;
}

/** Notes what is about to arrive; without a strong validator it could not be continued, so nothing is noted. */
async function startOver(fetching: Fetching, answer: Answer): Promise<void> {
  await forget(fetching.partial);
  const tag = answer.header("etag");
  const validator = fetching.content?.digest ?? (tag?.startsWith("W/") ? undefined : tag);
  if (validator === undefined) return;
  const note: Note = { url: placeNoted(fetching), validator };
  await writeFile(`${fetching.partial.note}.new`, JSON.stringify(note));
  await rename(`${fetching.partial.note}.new`, fetching.partial.note);
}

async function readNote(fetching: Fetching): Promise<Note | undefined> {
  const text = await readFile(fetching.partial.note, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const note = parseNote(text);
  return note?.url === placeNoted(fetching) && typeof note.validator === "string" ? (note as Note) : undefined;
}

/** A content is the same wherever it comes from. */
function placeNoted(fetching: Fetching): string {
  return fetching.content?.digest ?? fetching.url;
}

/** A note that a power cut left torn is no note: then the download begins anew. */
function parseNote(text: string): Partial<Note> | null {
  try {
    return JSON.parse(text) as Partial<Note> | null;
  } catch {
    return null;
  }
}

async function arrived(fetching: Fetching): Promise<number> {
  return (await stat(fetching.partial.bytes).catch(() => undefined))?.size ?? 0;
}

function isDisk(error: unknown): boolean {
  return ["ENOSPC", "EDQUOT", "EROFS", "EACCES", "EIO"].includes((error as NodeJS.ErrnoException).code ?? "");
}
