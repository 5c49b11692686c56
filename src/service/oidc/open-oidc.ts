/** The issuers whose tokens the service takes, with their keys. Nobody is asked before a token of theirs comes. */

import type { Send } from "../../store/sources/http-send.ts";
import type { Context } from "../context.ts";
import type { OidcConfig } from "./config.ts";
import { fetchKeys, readKeys } from "./fetch-keys.ts";
import { issuerKeys } from "./issuer-keys.ts";
import { verifyToken, type Bearer, type TrustedIssuer } from "./verify-token.ts";

export interface Oidc {
  readonly config: OidcConfig;
  /** Throws TokenRefused, or KeysAway where nothing can be said of it. */
  readonly verify: (token: string) => Promise<Bearer>;
}

export interface OidcOptions {
  /** Paths of files are whole ones. */
  readonly config: OidcConfig;
  readonly send: Send;
}

/** Throws an EnvironmentError where a file of keys can't be used. */
export async function openOidc({ config, send }: OidcOptions, { now, log, stopping }: Pick<Context, "now" | "log" | "stopping">): Promise<Oidc> {
  for (const { keysFile } of config.issuers) if (keysFile !== undefined) await readKeys(keysFile);
  const issuers = new Map(config.issuers.map((each): readonly [string, TrustedIssuer] => [each.issuer, {
    config: each,
    keys: issuerKeys({ load: () => fetchKeys(each, send, stopping), now, failed: (error) => log("warn", "oidc-keys", { issuer: each.issuer, message: error.message }) }),
  }]));
  return { config, verify: (token) => verifyToken(token, issuers, now()) };
}
