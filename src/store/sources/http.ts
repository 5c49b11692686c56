/** A file by HTTP or HTTPS: resumed where it broke off, bounded in size, retries and time. */

import { open, readFile, rename, rm, stat, statfs, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleepFor } from "node:timers/promises";
import { EnvironmentError } from "../../core/environment-error.ts";
import { orDiskFull, refuseFullDisk } from "../disk-space.ts";
import type { PartialDownload } from "../partials.ts";

export interface Fetching {
  readonly url: string;
  /** Nobody else's while this lasts. */
  readonly partial: PartialDownload;
  /** Bytes; a longer answer throws TooBig. */
  readonly sizeLimit: number;
  readonly progress: (done: number, total: number) => void;
  readonly signal: AbortSignal;
  /** Tests give their own. */
  readonly patience?: Patience;
}

export interface Patience {
  /** Tries in a row that bring no byte before it is given up. */
  readonly tries: number;
  /** The first pause; each further one is twice as long. */
  readonly pauseMs: number;
  /** A connection that brings nothing for so long is given up. */
  readonly idleMs: number;
}

/** The server has no such file, or does not give it to us: the release names a wrong place. */
export class NotServed extends Error {
  override readonly name = "NotServed";
}

export class TooBig extends Error {
  override readonly name = "TooBig";
}

const usual: Patience = { tries: 5, pauseMs: 1_000, idleMs: 60_000 };
const mostRedirects = 5;

/**
 * Brings the whole file to `partial.bytes`. Throws NotServed where the server refuses for good, TooBig, or an
 * EnvironmentError where network or server fail again and again; what has arrived is kept for the next time.
 */
export async function fetchFile(fetching: Fetching): Promise<void> {
  const patience = fetching.patience ?? usual;
  let fruitless = 0;
  // A server that can't go on begins anew each time: only what was never reached before is a step ahead.
  let most = await arrived(fetching);
  for (;;) {
    try {
      await fetchRest(fetching, patience);
      return;
    } catch (error) {
      fetching.signal.throwIfAborted();
      if (error instanceof NotServed || error instanceof TooBig || error instanceof EnvironmentError) throw error;
      if (isDisk(error)) throw await orDiskFull(error, statfs, dirname(fetching.partial.bytes));
      const now = await arrived(fetching);
      fruitless = now > most ? 0 : fruitless + 1;
      most = Math.max(most, now);
      if (fruitless >= patience.tries) throw givenUp(fetching.url, error);
      await sleepFor(patience.pauseMs * 2 ** Math.max(0, fruitless - 1), undefined, { signal: fetching.signal });
    }
  }
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

async function fetchRest(fetching: Fetching, patience: Patience): Promise<void> {
  const note = await readNote(fetching);
  const from = note === undefined ? 0 : await arrived(fetching);
  const idle = new AbortController();
  let timer = setTimeout(() => idle.abort(new Error("nothing came for a while")), patience.idleMs);
  try {
    const answer = await request(fetching, from, note, AbortSignal.any([fetching.signal, idle.signal]));
    const { start, total } = await placeOf(answer, from, fetching);
    if (total === from && start === from) return;
    if (start === 0) await startOver(fetching, answer);
    if (total !== undefined) await refuseFullDisk(statfs, dirname(fetching.partial.bytes), total - start);
    const file = await open(fetching.partial.bytes, start === 0 ? "w" : "a");
    try {
      let done = start;
      for await (const chunk of answer.body ?? []) {
        clearTimeout(timer);
        timer = setTimeout(() => idle.abort(new Error("nothing came for a while")), patience.idleMs);
        done += chunk.byteLength;
        if (done > fetching.sizeLimit) throw new TooBig(`the answer has more than ${fetching.sizeLimit} bytes`);
        await file.writeFile(chunk);
        fetching.progress(done, total ?? fetching.sizeLimit);
      }
      if (total !== undefined && done !== total) {
        throw new Error(`the connection ended after ${done} of ${total} bytes`);
      }
    } finally {
      await file.close();
    }
  } finally {
    clearTimeout(timer);
  }
}

/** Follows redirects itself, so that https never leads to http, and a `file:` or other scheme nowhere. */
async function request(
  fetching: Fetching,
  from: number,
  note: Note | undefined,
  signal: AbortSignal,
): Promise<Response> {
  let url = new URL(fetching.url);
  // A content coding would make offsets mean something else: RFC 9110 section 14.2.
  const headers: Record<string, string> = { "accept-encoding": "identity" };
  if (from > 0 && note !== undefined) {
    headers["range"] = `bytes=${from}-`;
    headers["if-range"] = note.validator;
  }
  for (let hops = 0; hops <= mostRedirects; hops += 1) {
    const answer = await fetch(url, { headers, redirect: "manual", signal });
    const location = answer.headers.get("location");
    if (answer.status < 300 || answer.status >= 400 || location === null) return answer;
    await answer.body?.cancel();
    const next = URL.parse(location, url.href);
    if (next === null || next.username !== "" || next.password !== "") {
      throw new NotServed(`${url.href} leads to an address that can't be fetched`);
    }
    if (next.protocol !== "https:" && !(next.protocol === "http:" && url.protocol === "http:")) {
      throw new NotServed(`${url.href} leads to ${next.protocol}//…, which is less safe`);
    }
    url = next;
  }
  throw new NotServed(`${fetching.url} leads on more than ${mostRedirects} times`);
}

/** Where the answer's bytes belong, and how many there are in all. */
async function placeOf(
  answer: Response,
  from: number,
  fetching: Fetching,
): Promise<{ readonly start: number; readonly total: number | undefined }> {
  const coding = answer.headers.get("content-encoding") ?? "identity";
  if (coding !== "identity") {
    throw await refused(answer, new NotServed(`the server sends it in another coding (${coding}), though none was asked for`));
  }
  const length = Number(answer.headers.get("content-length") ?? Number.NaN);
  if (answer.status === 200) {
    const total = Number.isNaN(length) ? undefined : length;
    if (total !== undefined && total > fetching.sizeLimit) {
      throw await refused(answer, new TooBig(`the file has ${total} bytes, at most ${fetching.sizeLimit} are taken`));
    }
    return { start: 0, total };
  }
  const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(answer.headers.get("content-range") ?? "");
  const total = range?.[2] === undefined ? undefined : Number(range[2]);
  if (answer.status === 206 && Number(range?.[1]) === from && total !== undefined) return { start: from, total };
  // All of it is there already: RFC 9110 section 15.5.17.
  if (answer.status === 416 && total === from) {
    await answer.body?.cancel();
    return { start: from, total };
  }
  if (answer.status === 206 || answer.status === 416) {
    await forget(fetching.partial);
    throw await refused(answer, new Error("the server's range is not the one that was asked for"));
  }
  const says = `the server answers ${answer.status}${answer.statusText === "" ? "" : ` ${answer.statusText}`}`;
  // Too early, too many, or a timeout of the server's: worth another try. Every other 4xx stays so.
  const passing = answer.status >= 500 || [408, 425, 429].includes(answer.status);
  throw await refused(answer, passing ? new Error(says) : new NotServed(says));
}

async function refused(answer: Response, error: Error): Promise<Error> {
  await answer.body?.cancel();
  return error;
}

/** Notes what is about to arrive; without a strong validator it could not be continued, so nothing is noted. */
async function startOver(fetching: Fetching, answer: Response): Promise<void> {
  await forget(fetching.partial);
  const tag = answer.headers.get("etag");
  const validator = tag !== null && !tag.startsWith("W/") ? tag : undefined;
  if (validator === undefined) return;
  const note: Note = { url: fetching.url, validator };
  await writeFile(`${fetching.partial.note}.new`, JSON.stringify(note));
  await rename(`${fetching.partial.note}.new`, fetching.partial.note);
}

async function readNote(fetching: Fetching): Promise<Note | undefined> {
  const text = await readFile(fetching.partial.note, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const note = parseNote(text);
  return note?.url === fetching.url && typeof note.validator === "string" ? (note as Note) : undefined;
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

function givenUp(url: string, error: unknown): EnvironmentError {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const says = cause instanceof Error ? cause.message : String(cause);
  return new EnvironmentError(`${url} can't be fetched: ${says}`, {
    hint: "what has arrived is kept: the same command goes on from there",
    cause: error,
  });
}
