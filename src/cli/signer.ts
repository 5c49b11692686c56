/** Who signs, as the command line names it: a key file, an external command, or nobody. */

import type { Command } from "commander";
import { readFile } from "node:fs/promises";
import { pemSigner, type Signer } from "../seal/sign.ts";
import { commandSigner } from "../store/command-signer.ts";
import { EnvironmentError } from "../core/environment-error.ts";
import { absolute } from "./documents.ts";
import type { Io } from "./io.ts";

export interface SignerOptions {
  readonly key?: string;
  readonly signCommand?: string;
  readonly publicKey?: string;
  readonly unsigned?: true;
}

export function signerOptions(command: Command): Command {
  return command
    .option("--key <file>", "sign with this ECDSA P-256 key (PEM)")
    .option("--sign-command <command>", "sign with an external command: SHA256SUMS on its stdin, a DER signature on its stdout")
    .option("--public-key <file>", "the public half (PEM) of the key that --sign-command uses")
    .option("--unsigned", "do not sign, and do not warn");
}

/** Undefined where the bundle shall not be signed. Throws an EnvironmentError where the key can't be used. */
export async function signerOf(io: Io, options: SignerOptions): Promise<Signer | undefined> {
  const given = [options.key, options.signCommand, options.unsigned].filter((each) => each !== undefined).length;
  if (given > 1) throw new EnvironmentError("--key, --sign-command and --unsigned exclude each other", { hint: "give one of them" });
  if (options.key !== undefined) return pemSigner(await readFile(absolute(io, options.key), "utf8"));
  if (options.signCommand === undefined) return undefined;
  if (options.publicKey === undefined) throw new EnvironmentError("--sign-command needs --public-key, so that its signatures can be checked");
  return commandSigner(options.signCommand, await readFile(absolute(io, options.publicKey), "utf8"));
}
