/** Where an issuer's keys come from: discovery, a URL or a file. */

import { readFile } from "node:fs/promises";
import type { JSONWebKeySet } from "jose";
import { EnvironmentError } from "../../core/environment-error.ts";
import { isLoopback, type Send } from "../../store/sources/http-send.ts";
import { withoutSlash, type IssuerConfig } from "./config.ts";

/** An answer that takes longer keeps those waiting whose tokens are good. */
const answerMs = 5_000;

/** A key has about a kilobyte, with its certificates a few more; discovery some ten. */
const mostBytes = 262_144;

/** Throws an Error that says what was wrong; nothing of an answer is in it. */
export async function fetchKeys(config: IssuerConfig, send: Send, stopping: AbortSignal): Promise<JSONWebKeySet> {
  if (config.keysFile !== undefined) return readKeys(config.keysFile);
  return keySet(await fetchJson(config.keysUrl ?? (await discovered(config, send, stopping)), send, stopping));
}

/** Throws an EnvironmentError: the file is not there, is none, or holds what is secret. */
export async function readKeys(file: string): Promise<JSONWebKeySet> {
  try {
    return keySet(JSON.parse(await readFile(file, "utf8")));
  } catch (error) {
    const said = error instanceof SyntaxError ? "it is no JSON" : (error as Error).message;
    throw new EnvironmentError(`the keys of ${file} can't be used: ${said}`, { hint: "save what the issuer's jwks_uri gives" });
  }
}

/** OpenID Connect Discovery 1.0 section 4. */
async function discovered({ issuer }: IssuerConfig, send: Send, stopping: AbortSignal): Promise<string> {
  const document = await fetchJson(`${issuer}/.well-known/openid-configuration`, send, stopping);
  const { issuer: named, jwks_uri: uri } = (typeof document === "object" && document !== null ? document : {}) as Readonly<Record<string, unknown>>;
  // Section 4.3: else anyone could speak for anyone.
  if (typeof named !== "string" || withoutSlash(named) !== issuer) throw new Error("discovery names another issuer");
  const url = typeof uri === "string" ? URL.parse(uri) : null;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url.hostname) && isLoopback(new URL(issuer).hostname));
  if (url === null || !isSafe || url.username !== "") throw new Error("discovery names no jwks_uri that is safe to use");
  return url.href;
}

/** No redirect is followed: where the keys are, the configuration or discovery says. */
async function fetchJson(url: string, send: Send, stopping: AbortSignal): Promise<unknown> {
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(answerMs)]);
  const answer = await send(new URL(url), { headers: { accept: "application/json" }, signal });
  if (answer.status !== 200) {
    answer.discard();
    throw new Error(`${url} answers ${answer.status}`);
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    size += chunk.byteLength;
    if (size > mostBytes) throw new Error(`${url} answers with more than ${mostBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new Error(`${url} answers with what is no JSON`);
  }
}

/** RFC 7517 section 5. */
function keySet(value: unknown): JSONWebKeySet {
  const keys = typeof value === "object" && value !== null && "keys" in value ? value.keys : undefined;
  if (!Array.isArray(keys) || !keys.every((each) => typeof each === "object" && each !== null)) throw new Error("it is no JWK Set");
  // Private halves and shared secrets: of an algorithm that is taken they verify nothing, and they should be nowhere near here.
  if (keys.some((each: object) => "d" in each || "k" in each)) throw new Error("the JWK Set holds secret keys");
  return { keys: keys as JSONWebKeySet["keys"] };
}
