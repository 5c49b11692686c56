/** Who we are to a registry, as `docker login`, `podman login` and `skopeo login` note it. */

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { EnvironmentError } from "../../core/environment-error.ts";
import type { Environment } from "./http-send.ts";
import type { RegistryReference } from "./registry-reference.ts";

export type Credentials =
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  /** OAuth 2 refresh token: a token of access is had for it. */
  | { readonly kind: "identity"; readonly token: string };

interface Config {
  readonly auths?: Readonly<Record<string, Entry>>;
  readonly credHelpers?: Readonly<Record<string, string>>;
  readonly credsStore?: string;
}

interface Entry {
  /** Base64 of `user:password`. */
  readonly auth?: string;
  readonly identitytoken?: string;
}

/** A helper may ask for a PIN, and waits for it. */
const helperMs = 120_000;
const mostHelperBytes = 65_536;

/**
 * From $REGISTRY_AUTH_FILE, $DOCKER_CONFIG/config.json or ~/.docker/config.json, whichever is named first. Undefined where
 * the registry is not in it. Throws an EnvironmentError where the file or a helper that it names can't be used.
 */
export async function findCredentials(
  reference: RegistryReference,
  environment: Environment,
  signal: AbortSignal,
): Promise<Credentials | undefined> {
  const config = await readConfig(environment);
  if (config === undefined) return undefined;
  const keys = keysOf(reference);
  const helper = keys.map((key) => config.credHelpers?.[key]).find((each) => each !== undefined) ?? config.credsStore;
  if (helper !== undefined && helper !== "") {
    for (const key of keys.filter((each) => !each.includes("/") || each.includes("://"))) {
      const found = await askHelper(helper, key, environment, signal);
      if (found !== undefined) return found;
    }
  }
  const entries = new Map(Object.entries(config.auths ?? {}).map(([key, entry]) => [withoutScheme(key), entry]));
  for (const key of keys) {
    const found = credentialsOf(entries.get(withoutScheme(key)));
    if (found !== undefined) return found;
  }
  return undefined;
}

async function readConfig(environment: Environment): Promise<Config | undefined> {
  const { REGISTRY_AUTH_FILE: named, DOCKER_CONFIG: folder, HOME: home } = environment;
  const path = named || (folder ? join(folder, "config.json") : home ? join(home, ".docker/config.json") : undefined);
  if (path === undefined) return undefined;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" && !named) return undefined;
    throw new EnvironmentError(`the registry credentials can't be read: ${path}`, { hint: "REGISTRY_AUTH_FILE and DOCKER_CONFIG say where they are", cause: error });
  }
  const config = parse(text);
  if (config === undefined) {
    throw new EnvironmentError(`the registry credentials are no JSON object: ${path}`, { hint: "make the file anew: docker login, or skopeo login" });
  }
  return config;
}

function parse(text: string): Config | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The nearest first: containers-auth.json(5) files credentials under a part of the repository's path too. */
function keysOf({ registry, repository }: RegistryReference): readonly string[] {
  const parts = repository.split("/");
  const nearer = parts.map((_, index) => [registry, ...parts.slice(0, parts.length - index)].join("/"));
  // Docker files its own registry under the address of long ago.
  const hub = ["docker.io", "index.docker.io"].includes(registry) ? ["https://index.docker.io/v1/", "docker.io", "index.docker.io"] : [];
  return [...nearer, registry, ...hub];
}

/** Files of old hold URLs: `https://registry.example/v1/`. */
function withoutScheme(key: string): string {
  return key.replace(/^https?:\/\//, "").replace(/\/(v[12]\/?)?$/, "");
}

function credentialsOf(entry: Entry | undefined): Credentials | undefined {
  if (typeof entry?.identitytoken === "string" && entry.identitytoken !== "") return { kind: "identity", token: entry.identitytoken };
  if (typeof entry?.auth !== "string") return undefined;
  const text = Buffer.from(entry.auth, "base64").toString("utf8").replace(/\0+$/, "");
  const colon = text.indexOf(":");
  return colon < 1 ? undefined : { kind: "password", user: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** The protocol of docker-credential-helpers: the registry on stdin, JSON on stdout. */
async function askHelper(name: string, registry: string, environment: Environment, signal: AbortSignal): Promise<Credentials | undefined> {
  if (!/^[0-9A-Za-z][0-9A-Za-z._-]*$/.test(name)) throw new EnvironmentError(`${JSON.stringify(name)} is no name of a credential helper`);
  const program = `docker-credential-${name}`;
  const { error, text } = await new Promise<{ readonly error: Error | null; readonly text: string }>((resolve) => {
    const options = { env: { ...environment }, signal, timeout: helperMs, maxBuffer: mostHelperBytes };
    const child = execFile(program, ["get"], options, (error, stdout) => resolve({ error, text: stdout }));
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(registry);
  });
  signal.throwIfAborted();
  if (error !== null && /credentials not found/i.test(text)) return undefined;
  const answer = parse(text) as { readonly Username?: unknown; readonly Secret?: unknown } | undefined;
  if (error !== null || typeof answer?.Username !== "string" || typeof answer.Secret !== "string") {
    // What it prints may hold the secret: it is not shown.
    const isMissing = (error as NodeJS.ErrnoException | null)?.code === "ENOENT";
    throw new EnvironmentError(`${program} ${isMissing ? "is not installed" : "does not give credentials"}`, {
      hint: `the registry credentials name it for ${registry}; try it: echo ${registry} | ${program} get`,
    });
  }
  if (answer.Username === "<token>") return { kind: "identity", token: answer.Secret };
  return answer.Username === "" ? undefined : { kind: "password", user: answer.Username, password: answer.Secret };
}
