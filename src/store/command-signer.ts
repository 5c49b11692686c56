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
    signal.throwIfAborted();
    const child = spawn("/bin/sh", ["-c", command], { stdio: ["pipe", "pipe", "inherit"], env: { ...environment, CLOUDLET_BUNDLE_SIGNS: thing } });
    const failed = (says: string): void => {
      signal.removeEventListener("abort", stop);
      // What the shell has started is not ended with it, and may hold the pipes: nobody waits for that.
      for (const each of [child.stdin, child.stdout]) each.destroy();
      child.kill();
      child.unref();
      reject(new EnvironmentError(`the signing command ${says}`, { hint: `try it by hand: ${command} < SHA256SUMS > SHA256SUMS.sig` }));
    };
    const stop = (): void => failed("was stopped");
    signal.addEventListener("abort", stop);
    const parts: Buffer[] = [];
    let size = 0;
    child.on("error", (error) => failed(`can't be run: ${error.message}`));
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.byteLength;
      parts.push(chunk);
      // It may go on for ever.
      if (size > signatureBytes) failed(`gave more than ${signatureBytes} bytes; a signature in DER has at most so many`);
    });
    child.on("close", (status, signalled) => {
      signal.removeEventListener("abort", stop);
      if (status !== 0) failed(signalled === null ? `ended with status ${status}` : `was ended by ${signalled}`);
      else resolve(Buffer.concat(parts));
    });
    // A command that does not read its input is told so by what it gives, not by a broken pipe.
    child.stdin.on("error", () => undefined);
    child.stdin.end(bytes);
  });
}
