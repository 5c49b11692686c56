/** Who signs, as the command line names them: key files, external commands, or nobody. */

import { Option, type Command } from "commander";
import { readFile } from "node:fs/promises";
import { pemSigner, type Signer } from "../seal/sign.ts";
import { sshSignature } from "../seal/ssh-signature.ts";
import { commandSigner } from "../store/command-signer.ts";
import { absolute } from "./documents.ts";
import type { Io } from "./io.ts";
import type { ReportedDocument } from "./report-issues.ts";
import { writeTextAside } from "./write-aside.ts";

export interface SignerOptions {
  readonly key?: readonly string[];
  readonly signCommand?: readonly string[];
  readonly publicKey?: readonly string[];
  readonly unsigned?: true;
}

export function signerOptions(command: Command): Command {
  return command
    .addOption(new Option("--key <file>", "sign with this ECDSA P-256 key (PEM); with a trust policy the option may be given again").argParser(another).conflicts("unsigned"))
    .addOption(
      new Option("--sign-command <command>", "sign with an external command: the bytes on its stdin, a DER signature on its stdout; needs --public-key; may be given again, too")
        .argParser(another)
        .conflicts("unsigned"),
    )
    .addOption(new Option("--public-key <file>", "the public half (PEM) of the key that --sign-command uses; of several, in the same order").argParser(another));
}

/** An option that may be given again; not one of many words, which would take the arguments after it. */
export function another(word: string, before: readonly string[] = []): readonly string[] {
  return [...before, word];
}

export interface ChosenSigners {
  /** Without those in whose reports there is an error. */
  readonly signers: readonly Signer[];
  readonly reports: readonly ReportedDocument[];
}

/** What is wrong with the options as such; undefined where nothing is. */
export function signerUsage({ signCommand = [], publicKey = [] }: SignerOptions): string | undefined {
  return signCommand.length === publicKey.length ? undefined : "--sign-command needs --public-key, one for each, so that what it gives can be checked";
}

/** A key's text is never part of a report. */
export async function signersOf(io: Io, { key = [], signCommand = [], publicKey = [] }: SignerOptions): Promise<ChosenSigners> {
  const signers: Signer[] = [];
  const reports: ReportedDocument[] = [];
  for (const file of key) {
    const made = pemSigner(await readFile(absolute(io, file), "utf8"));
    if (made.ok) signers.push(made.value);
    reports.push({ name: file, issues: made.issues });
  }
  for (const [index, command] of signCommand.entries()) {
    const file = publicKey[index] ?? "";
    const publicKeyPem = await readFile(absolute(io, file), "utf8");
    const made = commandSigner({ command, publicKeyPem, environment: io.environment, signal: io.signal });
    if (made.ok) signers.push(made.value);
    reports.push({ name: file, issues: made.issues });
  }
  return { signers, reports };
}

/** Writes each signer's signature over SHA256SUMS for ssh-keygen; the name tells whose it is. Gives the paths. */
export async function writeSshSignatures(sums: Uint8Array, signers: readonly Signer[], beside: string): Promise<readonly string[]> {
  const paths: string[] = [];
  for (const signer of signers) {
    const path = `${beside}.SHA256SUMS.${signer.fingerprint.slice("SHA256:".length, "SHA256:".length + 12)}.sshsig`;
    await writeTextAside(path, await sshSignature(sums, signer));
    paths.push(path);
  }
  return paths;
}
