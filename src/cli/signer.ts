/** Who signs, as the command line names it: a key file, an external command, or nobody. */

import { Option, type Command } from "commander";
import { readFile } from "node:fs/promises";
import { pemSigner, type Signer } from "../seal/sign.ts";
import { commandSigner } from "../store/command-signer.ts";
import { absolute } from "./documents.ts";
import type { Io } from "./io.ts";
import type { ReportedDocument } from "./report-issues.ts";

export interface SignerOptions {
  readonly key?: string;
  readonly signCommand?: string;
  readonly publicKey?: string;
  readonly unsigned?: true;
}

export function signerOptions(command: Command): Command {
  return command
    .addOption(new Option("--key <file>", "sign with this ECDSA P-256 key (PEM)").conflicts(["signCommand", "unsigned"]))
    .addOption(
      new Option("--sign-command <command>", "sign with an external command: SHA256SUMS on its stdin, a DER signature on its stdout; needs --public-key")
        .conflicts(["key", "unsigned"]),
    )
    .addOption(new Option("--public-key <file>", "the public half (PEM) of the key that --sign-command uses"))
    .option("--unsigned", "do not sign, and do not warn");
}

export interface ChosenSigner {
  /** Undefined where the bundle shall not be signed, or where `report` has an error. */
  readonly signer: Signer | undefined;
  readonly report: ReportedDocument | undefined;
}

/** The key's text is never part of a report. */
export async function signerOf(io: Io, options: SignerOptions): Promise<ChosenSigner> {
  if (options.key !== undefined) {
    const made = pemSigner(await readFile(absolute(io, options.key), "utf8"));
    return { signer: made.ok ? made.value : undefined, report: { name: options.key, issues: made.issues } };
  }
  if (options.signCommand === undefined) return { signer: undefined, report: undefined };
  const publicKeyPem = await readFile(absolute(io, options.publicKey ?? ""), "utf8");
  const made = commandSigner(options.signCommand, publicKeyPem);
  return { signer: made.ok ? made.value : undefined, report: { name: options.publicKey ?? "", issues: made.issues } };
}
