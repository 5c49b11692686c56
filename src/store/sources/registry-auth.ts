/** Shows a registry who we are: Basic (RFC 7617), or a Bearer token (RFC 6750) from the realm that the registry names. */

import { isPlain, type RegistryReference } from "./registry-reference.ts";
import type { Credentials } from "./registry-credentials.ts";
import type { Answer, Send } from "./http-send.ts";
import { NotServed, refusal } from "./patience.ts";

export interface Challenge {
  /** In lower case. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A token is some kilobytes. */
const mostTokenBytes = 1_048_576;
/** A token may run out again while others use it; one that is never taken is no token for this. */
const mostRenewals = 3;

/**
 * A `send` that answers the registry's challenges. What it knows goes to the registry's own origin and, to get a token, to
 * the realm; never anywhere else, whatever a redirect says. A token that has run out is had anew.
 */
export function authorizing(
  send: Send,
  reference: RegistryReference,
  credentials: () => Promise<Credentials | undefined>,
): Send {
  let authorization: string | undefined;
  let renewing: Promise<string | undefined> | undefined;
  const renewed = async (challenge: string, signal: AbortSignal): Promise<string | undefined> => {
    // Several blobs find out at once that a token is too old; one asks for all.
    renewing ??= authorize(send, reference, challengesOf(challenge), credentials, signal).finally(() => {
      renewing = undefined;
    });
    return renewing;
  };
  return async (url, asking) => {
    if (url.origin !== reference.origin) return send(url, asking);
    for (let renewals = 0; ; renewals += 1) {
      const used = authorization;
      const headers = used === undefined ? asking.headers : { ...asking.headers, authorization: used };
      const answer = await send(url, { ...asking, headers });
      if (answer.status !== 401 || renewals === mostRenewals) return answer;
      if (authorization === used) authorization = await renewed(answer.header("www-authenticate") ?? "", asking.signal);
      if (authorization === undefined || authorization === used) return answer;
      answer.discard();
    }
  };
}

/** RFC 9110 section 11.6.1: several challenges may stand in one field, separated by the comma that separates parameters too. */
export function challengesOf(field: string): readonly Challenge[] {
  const found: { readonly scheme: string; readonly parameters: Record<string, string> }[] = [];
  const next = /[\s,]*([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?/y;
  for (let match = next.exec(field); match !== null; match = next.exec(field)) {
    const [, name = "", quoted, plain] = match;
    const value = quoted?.replace(/\\(.)/g, "$1") ?? plain;
    if (value === undefined) found.push({ scheme: name.toLowerCase(), parameters: {} });
    else Object.assign(found.at(-1)?.parameters ?? {}, { [name.toLowerCase()]: value });
  }
  return found;
}

async function authorize(
  send: Send,
  reference: RegistryReference,
  challenges: readonly Challenge[],
  credentials: () => Promise<Credentials | undefined>,
  signal: AbortSignal,
): Promise<string | undefined> {
  const bearer = challenges.find((each) => each.scheme === "bearer");
  if (bearer !== undefined) return `Bearer ${await tokenFrom(send, reference, bearer, await credentials(), signal)}`;
  const known = challenges.some((each) => each.scheme === "basic") ? await credentials() : undefined;
  return known?.kind === "password" ? basic(known.user, known.password) : undefined;
}

/** Distribution's "Token Authentication Specification" (GET) and "OAuth 2 token authentication" (POST). */
async function tokenFrom(
  send: Send,
  reference: RegistryReference,
  { parameters }: Challenge,
  known: Credentials | undefined,
  signal: AbortSignal,
): Promise<string> {
  const realm = realmOf(parameters["realm"] ?? "", reference);
  const words = new Map([["scope", parameters["scope"] ?? `repository:${reference.repository}:pull`]]);
  if (parameters["service"] !== undefined) words.set("service", parameters["service"]);
  let answer: Answer;
  if (known?.kind === "identity") {
    const form = new URLSearchParams([...words, ["grant_type", "refresh_token"], ["client_id", "cloudlet-bundle"], ["refresh_token", known.token]]);
    answer = await send(realm, { headers: {}, signal, form });
  } else {
    for (const [name, value] of words) realm.searchParams.set(name, value);
    if (known !== undefined) realm.searchParams.set("account", known.user);
    const headers: Record<string, string> = known === undefined ? {} : { authorization: basic(known.user, known.password) };
    answer = await send(realm, { headers, signal });
  }
  // A redirect is not followed: the credentials are for this address.
  if (answer.status !== 200) throw refusedToken(answer, realm, known);
  const token = await readToken(answer);
  if (token === undefined) throw new NotServed(`${realm.host} gives no token`, 401);
  return token;
}

function refusedToken(answer: Answer, realm: URL, known: Credentials | undefined): Error {
  const error = refusal(answer);
  if (!(error instanceof NotServed)) return error;
  const who = known?.kind === "password" ? `the user ${known.user}` : known === undefined ? "whoever has no credentials" : "the identity token";
  return new NotServed(`${realm.host} gives no token to ${who}: ${error.message}`, 401);
}

/** Credentials go over TLS, unless nothing leaves this machine. */
function realmOf(text: string, reference: RegistryReference): URL {
  const realm = URL.parse(text);
  const isSafe = realm?.protocol === "https:" || (realm?.protocol === "http:" && isPlain(realm.host) && isPlain(reference.registry));
  if (realm === null || !isSafe || realm.username !== "" || realm.password !== "") {
    throw new NotServed(`it sends us for a token to ${JSON.stringify(text)}, where no credentials may go`, 401);
  }
  return realm;
}

async function readToken(answer: Answer): Promise<string | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of answer.body) {
    if ((size += chunk.byteLength) > mostTokenBytes) return undefined;
    parts.push(chunk);
  }
  const { token, access_token: access } = tokensIn(Buffer.concat(parts).toString("utf8"));
  const found = typeof token === "string" && token !== "" ? token : access;
  // RFC 6750 section 2.1: anything else would not be one header field.
  return typeof found === "string" && /^[0-9A-Za-z._~+/-]+=*$/.test(found) ? found : undefined;
}

function tokensIn(text: string): { readonly token?: unknown; readonly access_token?: unknown } {
  try {
    return (JSON.parse(text) as { readonly token?: unknown } | null) ?? {};
  } catch {
    return {};
  }
}

/** RFC 7617 section 2. */
function basic(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}
