/** `keygen`: makes a signing key. */

import type { Command } from "commander";
import { lstat } from "node:fs/promises";
import { EnvironmentError } from "../core/environment-error.ts";
import { generateKey, publicHalf } from "../seal/keys.ts";
import { absolute } from "./documents.ts";
import type { ExitStatus, Io } from "./io.ts";
import { writeTextAside } from "./write-aside.ts";

interface Options {
  readonly out: string;
  readonly json?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      "Make a signing key: ECDSA P-256, PEM. The private half stays with you, mode 0600; the public half and its fingerprint go to the operator, by another channel than the bundle.",
    )
    .option("--out <file>", "the private key's file; the public one gets .pub.pem", "signing-key.pem")
    .option("--json", "print the result as JSON")
    .addHelpText("after", "\nExample:\n  cloudlet-bundle keygen --out release-2026.pem")
    .action(async (options: Options) => done(await keygen(options, io)));
}

async function keygen(options: Options, io: Io): Promise<ExitStatus> {
  const path = absolute(io, options.out);
  const publicPath = path.endsWith(".pem") ? path.replace(/\.pem$/, ".pub.pem") : `${path}.pub.pem`;
  for (const each of [path, publicPath]) if (await isThere(each)) throw new EnvironmentError(`${each} exists already and is not replaced`, { hint: "choose another name, or move it away first" });
  const privateKeyPem = generateKey(io.random);
  const { publicKeyPem, fingerprint } = publicHalf(privateKeyPem);
  await writeTextAside(path, privateKeyPem, { mode: 0o600, exclusive: true });
  await writeTextAside(publicPath, publicKeyPem, { mode: 0o644, exclusive: true });
  io.out(
    options.json
      ? `${JSON.stringify({ privateKey: path, publicKey: publicPath, fingerprint }, null, 2)}\n`
      : `private key  ${path}\npublic key   ${publicPath}\nfingerprint  ${fingerprint}\n`,
  );
  return 0;
}

/** Neither half is written over: the public one there may be that of another key, in an HSM perhaps. */
async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
