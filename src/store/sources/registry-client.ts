/** One repository of a registry: its addresses, and its small documents, asked for with patience and bounded in size. */

import { EnvironmentError } from "../../core/environment-error.ts";
import type { Answer, Send } from "./http-send.ts";
import { followRedirects } from "./http-redirects.ts";
import { NotServed, pauseAfter, refusal, usualPatience, type Patience } from "./patience.ts";
import type { RegistryReference } from "./registry-reference.ts";

export interface RegistryClient {
  readonly reference: RegistryReference;
  /** With our credentials, where the registry asks for them. */
  readonly send: Send;
  readonly signal: AbortSignal;
  readonly patience: Patience | undefined;
}

export interface SmallDocument {
  readonly bytes: Uint8Array;
  readonly header: (name: string) => string | undefined;
}

/** Distribution spec 1.1, "Pulling manifests" and "Pulling blobs". */
export function urlOf({ origin, repository }: RegistryReference, kind: "manifests" | "blobs", name: string): URL {
  return new URL(`/v2/${repository}/${kind}/${name}`, origin);
}

/** Throws NotServed where the registry refuses for good or the answer has more bytes than `limit`, or an EnvironmentError. */
export async function readSmall(client: RegistryClient, url: URL, accept: string, limit: number): Promise<SmallDocument> {
  const patience = client.patience ?? usualPatience;
  for (let fruitless = 1; ; fruitless += 1) {
    try {
      return await readOnce(client, url, accept, limit, AbortSignal.any([client.signal, AbortSignal.timeout(patience.idleMs)]));
    } catch (error) {
      client.signal.throwIfAborted();
      if (error instanceof NotServed || error instanceof EnvironmentError) throw error;
      await pauseAfter(error, fruitless, { url: url.href, patience, signal: client.signal });
    }
  }
}

async function readOnce(client: RegistryClient, url: URL, accept: string, limit: number, signal: AbortSignal): Promise<SmallDocument> {
  const answer = await followRedirects(client.send, url, { headers: { accept, "accept-encoding": "identity" }, signal });
  if (answer.status !== 200) throw refusal(answer);
  return { bytes: await all(answer, limit), header: (name) => answer.header(name) };
}

async function all(answer: Answer, limit: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    if ((size += chunk.byteLength) > limit) throw new NotServed(`a document of it has more than ${limit} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}
