/** How the user logs in: agent, key files, password. A secret is asked for when its turn comes, once, and is never told. */

import { readFile, stat } from "node:fs/promises";
import { EnvironmentError } from "../core/environment-error.ts";
import { Refused } from "./refused.ts";

/** Asks on the terminal without showing what is typed; undefined where there is no terminal. */
export type AskSecret = (question: string) => Promise<string | undefined>;

export interface Credentials {
  /** Of the agent; undefined where there is none. */
  readonly agentSocket?: string;
  readonly keyFiles: readonly KeyFile[];
  /** Given as texts; they come first. */
  readonly keys?: readonly GivenKey[];
  /** Of encrypted keys, where the user gave it in a file. */
  readonly passphrase?: string;
  readonly password?: string;
  readonly ask: AskSecret;
}

export interface KeyFile {
  readonly path: string;
  /** One that is named must be there and readable; one of the usual names may be missing. */
  readonly isNamed: boolean;
}

export interface GivenKey {
  /** For messages. */
  readonly name: string;
  readonly pem: string;
}

/** A private key as the transport's library holds it, or what is wrong with it. */
export type ParseKey<Key> = (pem: Buffer, passphrase?: string) => Key | Error;

export type LoginMethod<Key> =
  | { readonly type: "agent"; readonly socket: string }
  | { readonly type: "publickey"; readonly key: Key; readonly path: string }
  /** Also answers a host that asks by itself (keyboard-interactive). Undefined where it has to be asked for, if the host takes one. */
  | { readonly type: "password"; readonly password: string | undefined };

/** The ways in one after another; what each needs is got when it is asked for. `tried` is filled for the message at the end. */
export async function* loginMethods<Key>(credentials: Credentials, parse: ParseKey<Key>, tried: string[]): AsyncGenerator<LoginMethod<Key>> {
  const { agentSocket, keyFiles } = credentials;
  for (const { name, pem } of credentials.keys ?? []) yield* keyMethod(credentials, { name, pem: Buffer.from(pem), isNamed: true }, parse, tried);
  // A key that is named comes before the agent, whose keys may be more than a host lets one try.
  for (const file of keyFiles.filter((each) => each.isNamed)) yield* fileMethod(credentials, file, parse, tried);
  if (agentSocket !== undefined) {
    tried.push("the agent's keys");
    yield { type: "agent", socket: agentSocket };
  }
  for (const file of keyFiles.filter((each) => !each.isNamed)) yield* fileMethod(credentials, file, parse, tried);
  yield { type: "password", password: credentials.password };
}

async function* fileMethod<Key>(credentials: Credentials, { path, isNamed }: KeyFile, parse: ParseKey<Key>, tried: string[]): AsyncGenerator<LoginMethod<Key>> {
  const pem = await readSecretFile(path, "private key").catch((error: NodeJS.ErrnoException) => {
    if (isNamed) throw error;
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") tried.push(error.message);
    return undefined;
  });
  if (pem !== undefined) yield* keyMethod(credentials, { name: path, pem, isNamed }, parse, tried);
}

interface FoundKey {
  readonly name: string;
  readonly pem: Buffer;
  readonly isNamed: boolean;
}

async function* keyMethod<Key>(credentials: Credentials, { name, pem, isNamed }: FoundKey, parse: ParseKey<Key>, tried: string[]): AsyncGenerator<LoginMethod<Key>> {
  let key = parse(pem);
  if (key instanceof Error && /encrypted/i.test(key.message)) {
    const passphrase = credentials.passphrase ?? (await credentials.ask(`Passphrase of ${name}: `));
    if (passphrase === undefined) {
      tried.push(`${name} is encrypted, and there is no passphrase`);
      return;
    }
    key = parse(pem, passphrase);
    if (key instanceof Error) {
      throw new Refused("login", `the passphrase of ${name} is wrong`, { hint: "give the right one (--passphrase-file, or on the terminal), or load the key into an agent: ssh-add" });
    }
  }
  if (key instanceof Error) {
    if (isNamed) throw new Refused("login", `${name} holds no private key that can be read`, { hint: "an OpenSSH, PKCS#8 or PEM key is wanted; keys on a FIDO token: --transport openssh" });
    tried.push(`${name} can't be read as a private key`);
    return;
  }
  tried.push(name);
  yield { type: "publickey", key, path: name };
}

/** A file that holds a secret, and that nobody else may read. */
export async function readSecretFile(path: string, what: string): Promise<Buffer> {
  const { mode } = await stat(path);
  // Its own bits of a file on a file system without any are all set; ssh refuses it as well.
  if ((mode & 0o077) !== 0) throw new EnvironmentError(`${path} (${what}) may be read by others: its mode is ${(mode & 0o7777).toString(8).padStart(4, "0")}`, { hint: `chmod 600 ${path}` });
  return readFile(path);
}

/** The secret in a file: its first line. */
export async function secretIn(path: string, what: string): Promise<string> {
  const [line = ""] = (await readSecretFile(path, what)).toString("utf8").split(/\r?\n/);
  if (line === "") throw new EnvironmentError(`${path} (${what}) is empty`);
  return line;
}
