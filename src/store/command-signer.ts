/** Signs with an external command, such as one that drives an HSM: the key never comes here. */

import { spawn } from "node:child_process";
import { EnvironmentError } from "../core/environment-error.ts";
import type { Outcome } from "../core/issue.ts";
import { signatureBytes } from "../pack/limits.ts";
import { readPublicKey } from "../seal/keys.ts";
import type { SignedThing, Signer } from "../seal/sign.ts";

export interface SigningCommand {
  /** For the shell. */
  readonly command: string;
  readonly publicKeyPem: string;
  /** Of the command, which is also told what it signs, in `CLOUDLET_BUNDLE_SIGNS`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Ends a command that still waits, for a PIN or a touch. */
  readonly signal: AbortSignal;
}

/**
 * A signer that runs the command in a shell, with the bytes to be signed on its standard input, and takes a DER signature
 * (ECDSA P-256, SHA-256) from its standard output; what it says on standard error is the user's. An issue where
 * `publicKeyPem` is no such key. Whoever seals checks what comes.
 */
export function commandSigner(how: SigningCommand): Outcome<Signer> {
  const key = readPublicKey(how.publicKeyPem);
  if (!key.ok) return key;
  const { publicKeyPem, fingerprint } = key.value;
  return { ok: true, value: { publicKeyPem, fingerprint, sign: (bytes, thing) => run(how, bytes, thing) }, issues: key.issues };
}

function run({ command, environment, signal }: SigningCommand, bytes: Uint8Array, thing: SignedThing | undefined): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const failed = (says: string): void =>
      reject(new EnvironmentError(`the signing command ${says}`, { hint: `try it by hand: ${command} < SHA256SUMS > SHA256SUMS.sig` }));
    const child = spawn("/bin/sh", ["-c", command], { stdio: ["pipe", "pipe", "inherit"], env: { ...environment, CLOUDLET_BUNDLE_SIGNS: thing }, signal });
    const parts: Buffer[] = [];
    let size = 0;
    child.on("error", (error) => failed(`can't be run: ${error.message}`));
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= signatureBytes) parts.push(chunk);
    });
    child.on("close", (status, signalled) => {
      if (status !== 0) failed(signalled === null ? `ended with status ${status}` : `was ended by ${signalled}`);
      else if (size > signatureBytes) failed(`gave ${size} bytes; a signature in DER has at most ${signatureBytes}`);
      else resolve(Buffer.concat(parts));
    });
    // A command that does not read its input is told so by what it gives, not by a broken pipe.
    child.stdin.on("error", () => undefined);
    child.stdin.end(bytes);
  });
}
