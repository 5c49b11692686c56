/** Whether a token is one that an issuer of ours has made for this service, and for whom (RFC 9068, RFC 8725). */

import { decodeJwt, errors, jwtVerify, type JWTPayload, type JWTVerifyGetKey } from "jose";
import { withoutSlash, type IssuerConfig } from "./config.ts";
import { KeysAway } from "./issuer-keys.ts";
import { rightsOf, type Rights } from "./rights.ts";

/** Whom a good token names. */
export interface Bearer {
  /** Without a slash at the end. */
  readonly issuer: string;
  readonly subject: string;
  /** What the provider shows for them; nothing depends on it. */
  readonly name: string | null;
  /** Undefined where no rule applies to them. */
  readonly rights: Rights | undefined;
}

/** Not good, and why, in words that hold nothing of it. */
export class TokenRefused extends Error {
  override readonly name = "TokenRefused";
}

export interface TrustedIssuer {
  readonly config: IssuerConfig;
  readonly keys: JWTVerifyGetKey;
}

/** Node reads no more than 16 KiB of headers altogether. */
const mostCharacters = 12_288;

/** Throws TokenRefused, or KeysAway where nothing can be said. `now`: milliseconds since the Epoch. */
export async function verifyToken(token: string, issuers: ReadonlyMap<string, TrustedIssuer>, now: number): Promise<Bearer> {
  if (token.length > mostCharacters) throw new TokenRefused("The token is too long.");
  const trusted = issuers.get(issuerIn(token) ?? "");
  if (trusted === undefined) throw new TokenRefused("The token is of no issuer that the service knows.");
  const { config, keys } = trusted;
  const payload = await verified(token, trusted, keys, now);
  const subject = textual(payload.sub);
  if (subject === undefined) throw new TokenRefused("The token names nobody.");
  refuseTimes(payload, config, now);
  refuseOtherKinds(payload);
  refuseOtherClients(payload, config);
  return { issuer: config.issuer, subject, name: textual(payload[config.nameClaim]) ?? null, rights: rightsOf(config.rules, payload) };
}

/** Only to know whose keys to ask for: nothing is believed yet. */
function issuerIn(token: string): string | undefined {
  try {
    const { iss } = decodeJwt(token);
    return typeof iss === "string" ? withoutSlash(iss) : undefined;
  } catch {
    return undefined;
  }
}

async function verified(token: string, { config }: TrustedIssuer, keys: JWTVerifyGetKey, now: number): Promise<JWTPayload> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      // Keys are those of the issuer alone: jwk, jku, x5c and x5u in a header are not looked at.
      algorithms: [...config.algorithms],
      issuer: [config.issuer, `${config.issuer}/`],
      audience: config.audience,
      requiredClaims: ["exp", "iat", "sub"],
      clockTolerance: config.clockSkewSeconds,
      currentDate: new Date(now),
    });
    // RFC 7515 section 4.1.9: "application/" may be left out, and case does not matter.
    const type = String(protectedHeader.typ ?? "").toLowerCase().replace(/^application\//, "");
    if (!config.tokenTypes.some((each) => each.toLowerCase() === type)) throw new TokenRefused("The token is no access token: its type is another one.");
    return payload;
  } catch (error) {
    if (error instanceof TokenRefused || error instanceof KeysAway) throw error;
    throw new TokenRefused(reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return "The token has expired.";
  if (error instanceof errors.JWTClaimValidationFailed) return claimReasons[error.claim] ?? "The token's claims are not as they must be.";
  if (error instanceof errors.JOSEAlgNotAllowed) return "The token is signed in a way that is not taken.";
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) return "The token names no key of its issuer.";
  return "The token is not signed by its issuer.";
}

const claimReasons: Readonly<Record<string, string>> = {
  aud: "The token is not for this service.",
  nbf: "The token is not good yet.",
  iss: "The token is of no issuer that the service knows.",
  sub: "The token names nobody.",
  exp: "The token has no end.",
  iat: "The token does not say when it was made.",
};

/** RFC 7519 section 4.1.6; jose has looked at exp and nbf, and that all are numbers. */
function refuseTimes({ iat = NaN, exp = NaN }: JWTPayload, { clockSkewSeconds, lifetimeHours }: IssuerConfig, now: number): void {
  if (!(iat <= now / 1_000 + clockSkewSeconds)) throw new TokenRefused("The token is from the future.");
  if (!(exp - iat <= lifetimeHours * 3_600)) throw new TokenRefused("The token is good for longer than the service takes.");
}

/**
 * Where `typ` is a plain JWT, what else a provider signs has to be told apart: ID tokens by the claims that OpenID Connect Core
 * sections 2 and 3.3.2.11 give them, logout tokens by `events`, and what Keycloak names so in a claim `typ`. A token with `cnf`
 * (RFC 7800) is worth nothing to who has found it, and must stay so.
 */
function refuseOtherKinds(payload: JWTPayload): void {
  const kind = payload["typ"];
  if (payload["cnf"] !== undefined) throw new TokenRefused("The token is bound to a key of its bearer's, which is not asked for here.");
  if (["nonce", "at_hash", "c_hash", "s_hash", "events"].some((name) => payload[name] !== undefined) || (kind !== undefined && kind !== "Bearer")) {
    throw new TokenRefused("The token is no access token.");
  }
}

/** RFC 9068 section 2.2 has client_id; others have azp. Where both are there, they must agree. */
function refuseOtherClients(payload: JWTPayload, { clients }: IssuerConfig): void {
  if (clients === undefined) return;
  const named = [payload["client_id"], payload["azp"]].filter((each) => each !== undefined);
  if (named.length === 0 || !named.every((each) => typeof each === "string" && clients.includes(each)) || new Set(named).size > 1) {
    throw new TokenRefused("The token was given to a client that the service does not know.");
  }
}

/** A text that can be kept and shown; OpenID Connect Core section 2 has at most 255 characters for a subject. */
function textual(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" && value.length <= 255 && value.isWellFormed() && !/\p{Cc}/u.test(value) ? value : undefined;
}
