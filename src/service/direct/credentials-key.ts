/** The keys that kept credentials are sealed with: the state folder's own, a file's, or what an external command gives. */

import { execFile } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { EnvironmentError } from "../../core/environment-error.ts";
import { makeKey } from "../service-key.ts";
import { sealingKeyBytes } from "./sealing.ts";

export interface CredentialsKeySource {
  readonly file?: string | undefined;
  /** For the shell; prints the keys. */
  readonly command?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** One key a line; the first seals, the others still open what was sealed with them. Throws an EnvironmentError where there is none. */
export async function givenSealingKeys({ file, command, environment }: CredentialsKeySource): Promise<readonly Uint8Array[] | undefined> {
  if (command !== undefined) return keysIn(await printed(command, environment), "what --credentials-key-command prints");
  return file === undefined ? undefined : sealingKeysOf(file);
}

/** Reads the state folder's own, making it where it is missing. */
export async function ownSealingKeys(path: string, random: (bytes: number) => Uint8Array): Promise<readonly Uint8Array[]> {
  await makeKey(path, () => `${Buffer.from(random(sealingKeyBytes)).toString("base64")}\n`);
  return sealingKeysOf(path);
}

async function sealingKeysOf(path: string): Promise<readonly Uint8Array[]> {
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) throw new EnvironmentError(`${path} may be read by others`, { hint: `chmod 600 ${path}; if somebody has read it: put a new key on its first line, and change the credentials at the sites` });
  return keysIn(await readFile(path, "utf8"), path);
}

function keysIn(text: string, source: string): readonly Uint8Array[] {
  const lines = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
  const keys = lines.map((line) => Buffer.from(line, "base64"));
  if (keys.length === 0 || keys.some((key, at) => key.byteLength !== sealingKeyBytes || key.toString("base64") !== lines[at])) {
    throw new EnvironmentError(`${source} does not hold keys: each line is ${sealingKeyBytes} random bytes as base64`, { hint: "make one with: openssl rand -base64 32" });
  }
  return keys;
}

/** Somebody may have to enter a PIN. */
const commandMs = 60_000;

function printed(command: string, environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("/bin/sh", ["-c", command], { env: environment, timeout: commandMs, maxBuffer: 65_536 }, (error, stdout) => {
      // Its message would have what it printed.
      if (error) reject(new EnvironmentError(`--credentials-key-command failed (${error.killed === true ? "it took too long" : `status ${String(error.code)}`})`, { hint: "try it by hand" }));
      else resolve(stdout);
    });
  });
}
