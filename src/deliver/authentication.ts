/** How the user logs in: agent, key files, password. A secret is asked for when its turn comes, once, and is never told. */

import { readFile, stat } from "node:fs/promises";
import { EnvironmentError } from "../core/environment-error.ts";

/** Asks on the terminal without showing what is typed; undefined where there is no terminal. */
export type AskSecret = (question: string) => Promise<string | undefined>;

export interface Credentials {
  /** Of the agent; undefined where there is none. */
  readonly agentSocket?: string;
  readonly keyFiles: readonly KeyFile[];
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
  // A key that is named comes before the agent, whose keys may be more than a host lets one try.
  for (const file of keyFiles.filter((each) => each.isNamed)) yield* keyMethod(credentials, file, parse, tried);
  if (agentSocket !== undefined) {
    tried.push("the agent's keys");
    yield { type: "agent", socket: agentSocket };
  }
  for (const file of keyFiles.filter((each) => !each.isNamed)) yield* keyMethod(credentials, file, parse, tried);
  yield { type: "password", password: credentials.password };
}

async function* keyMethod<Key>(credentials: Credentials, file: KeyFile, parse: ParseKey<Key>, tried: string[]): AsyncGenerator<LoginMethod<Key>> {
  const pem = await readSecretFile(file.path, "private key").catch((error: NodeJS.ErrnoException) => {
    if (file.isNamed) throw error;
    if (error.code !== "ENOENT" && error.code !== "ENOTDIR") tried.push(error.message);
    return undefined;
  });
  if (pem === undefined) return;
  let key = parse(pem);
  if (key instanceof Error && /encrypted/i.test(key.message)) {
    const passphrase = credentials.passphrase ?? (await credentials.ask(`Passphrase of ${file.path}: `));
    if (passphrase === undefined) {
      tried.push(`${file.path} is encrypted, and there is no passphrase`);
      return;
    }
    key = parse(pem, passphrase);
    if (key instanceof Error) {
      throw new EnvironmentError(`the passphrase of ${file.path} is wrong`, { hint: "give the right one (--passphrase-file, or on the terminal), or load the key into an agent: ssh-add" });
    }
  }
  if (key instanceof Error) {
    if (file.isNamed) throw new EnvironmentError(`${file.path} holds no private key that can be read`, { hint: "an OpenSSH, PKCS#8 or PEM key is wanted; keys on a FIDO token: --transport openssh" });
    tried.push(`${file.path} can't be read as a private key`);
    return;
  }
  tried.push(file.path);
  yield { type: "publickey", key, path: file.path };
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
