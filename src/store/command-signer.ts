/** Signs with an external command, such as one that drives an HSM: the key never comes here. */

import { spawn } from "node:child_process";
import { EnvironmentError } from "../core/environment-error.ts";
import type { Outcome } from "../core/issue.ts";
import { signatureBytes } from "../pack/limits.ts";
import { readPublicKey } from "../seal/keys.ts";
import type { Signer } from "../seal/sign.ts";

/**
 * A signer that runs `command` in a shell, with the bytes to be signed on its standard input, and takes a DER signature
 * (ECDSA P-256, SHA-256) from its standard output; what it says on standard error is the user's. An issue where
 * `publicKeyPem` is no such key. Whoever seals checks what comes.
 */
export function commandSigner(command: string, publicKeyPem: string): Outcome<Signer> {
  const key = readPublicKey(publicKeyPem);
  if (!key.ok) return key;
  const { publicKeyPem: pem, fingerprint } = key.value;
  return { ok: true, value: { publicKeyPem: pem, fingerprint, sign: (bytes) => run(command, bytes) }, issues: key.issues };
}

function run(command: string, bytes: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const failed = (says: string): void =>
      reject(new EnvironmentError(`the signing command ${says}`, { hint: `try it by hand: ${command} < SHA256SUMS > SHA256SUMS.sig` }));
    const child = spawn("/bin/sh", ["-c", command], { stdio: ["pipe", "pipe", "inherit"] });
    const parts: Buffer[] = [];
    let size = 0;
    child.on("error", (error) => failed(`can't be run: ${error.message}`));
    child.stdout.on("data", (chunk: Buffer) => {
      size += chunk.byteLength;
      if (size <= signatureBytes) parts.push(chunk);
    });
    child.on("close", (status, signal) => {
      if (status !== 0) failed(signal === null ? `ended with status ${status}` : `was ended by ${signal}`);
      else if (size > signatureBytes) failed(`gave ${size} bytes; a signature in DER has at most ${signatureBytes}`);
      else resolve(Buffer.concat(parts));
    });
    // A command that does not read its input is told so by what it gives, not by a broken pipe.
    child.stdin.on("error", () => undefined);
    child.stdin.end(bytes);
  });
}
