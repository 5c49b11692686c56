/** A real OpenID provider on this machine (oidc-provider), a program that logs in to it, and a person with a browser's manners. */

import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK } from "jose";
import { Provider } from "oidc-provider";

export const audience = "https://bundles.example.com";
export const elsewhere = "https://other.example.com";

const callback = "http://127.0.0.1/callback";
const secret = randomBytes(24).toString("base64url");

export interface Tokens {
  readonly access_token: string;
  readonly id_token?: string;
}

export interface RunningProvider {
  readonly issuer: string;
  /** Of the client `ci`. */
  readonly secret: string;
  /** Of each subject; read when a token is made. */
  readonly groups: Map<string, readonly string[]>;
  /** By client_credentials; an empty resource makes an opaque token. */
  readonly program: (resource: string) => Promise<Tokens>;
  /** By the authorization code flow with PKCE, through the provider's own pages. */
  readonly person: (login: string, resource?: string) => Promise<Tokens>;
  /** New keys in the place of the old ones. */
  readonly rotate: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly start: () => Promise<void>;
  /** How often its keys were asked for. */
  readonly asked: () => number;
}

export async function startProvider(): Promise<RunningProvider> {
  const groups = new Map<string, readonly string[]>();
  let answer: ReturnType<Provider["callback"]> | undefined;
  let asked = 0;
  let server: Server | undefined;
  let port = 0;
  const start = async (): Promise<void> => {
    const made = createServer((request, response) => {
      if (request.url === "/jwks") asked += 1;
      void answer?.(request, response);
    });
    server = made;
    await new Promise<void>((resolve) => made.listen(port, "127.0.0.1", resolve));
    port = (made.address() as AddressInfo).port;
  };
  await start();
  const issuer = `http://127.0.0.1:${port}`;
  const rotate = async (): Promise<void> => {
    answer = new Provider(issuer, await configuration(groups)).callback();
  };
  await rotate();
  return {
    issuer, secret, groups, rotate, start, asked: () => asked,
    program: (resource) => token(issuer, { grant_type: "client_credentials", scope: "bundles", ...(resource === "" ? {} : { resource }) }, { authorization: `Basic ${Buffer.from(`ci:${secret}`).toString("base64")}` }),
    person: (login, resource = audience) => loggedIn(issuer, login, resource),
    stop: () => new Promise((resolve) => {
      server?.close(() => resolve());
      server?.closeAllConnections();
    }),
  };
}

async function configuration(groups: ReadonlyMap<string, readonly string[]>): Promise<object> {
  const kid = randomBytes(8).toString("hex");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid, use: "sig", alg: "RS256" }] },
    cookies: { keys: [randomBytes(16).toString("hex")] },
    clients: [
      { client_id: "ci", client_secret: secret, grant_types: ["client_credentials"], response_types: [], redirect_uris: [] },
      { client_id: "cli", application_type: "native", token_endpoint_auth_method: "none", grant_types: ["authorization_code"], response_types: ["code"], redirect_uris: [callback] },
    ],
    scopes: ["openid", "bundles"],
    pkce: { required: () => true },
    findAccount: (_: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id }) }),
    extraTokenClaims: (_: unknown, { accountId, clientId }: { readonly accountId?: string; readonly clientId?: string }) => ({ groups: groups.get(accountId ?? clientId ?? "") ?? [], preferred_username: `${accountId ?? clientId ?? ""}@corp` }),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => undefined,
        useGrantedResource: () => true,
        getResourceServerInfo: (_: unknown, resource: string) => ({ scope: "bundles", audience: resource, accessTokenTTL: 600, accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } } }),
      },
    },
  };
}

async function token(issuer: string, form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Tokens> {
  const answer = await fetch(`${issuer}/token`, { method: "POST", headers, body: new URLSearchParams(form) });
  const text = await answer.text();
  if (answer.status !== 200) throw new Error(`the provider gives no token: ${answer.status} ${text}`);
  return JSON.parse(text) as Tokens;
}

/** Login and consent are forms; cookies and redirects are followed as a browser would. */
async function loggedIn(issuer: string, login: string, resource: string): Promise<Tokens> {
  const verifier = randomBytes(32).toString("base64url");
  const cookies = new Map<string, string>();
  const query = new URLSearchParams({
    client_id: "cli", response_type: "code", redirect_uri: callback, scope: "openid bundles", resource, nonce: "n", state: "s",
    code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256",
  });
  let url = `${issuer}/auth?${query}`;
  let form: URLSearchParams | undefined;
  for (let step = 0; step < 12; step += 1) {
    const answer = await fetch(url, {
      redirect: "manual", headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
      ...(form === undefined ? {} : { method: "POST", body: form }),
    });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      cookies.set(name, value);
    }
    const location = answer.headers.get("location");
    const page = await answer.text();
    form = undefined;
    if (location?.startsWith(callback) === true) {
      const code = new URL(location).searchParams.get("code");
      if (code === null) throw new Error(`the provider sends back no code: ${location}`);
      return token(issuer, { grant_type: "authorization_code", client_id: "cli", code, redirect_uri: callback, code_verifier: verifier, resource });
    }
    if (location !== null) url = new URL(location, url).href;
    else {
      const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1];
      if (prompt === undefined) throw new Error(`the provider shows a page that is no form: ${answer.status} ${page.slice(0, 500)}`);
      form = new URLSearchParams({ prompt, ...(prompt === "login" ? { login, password: "any" } : {}) });
    }
  }
  throw new Error("the provider leads on and on");
}
