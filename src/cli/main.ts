/** The command line: finds the verb, runs it, turns its outcome into an exit status. */

import { Command, CommanderError } from "commander";
import { EnvironmentError } from "../core/environment-error.ts";
import type { ExitStatus, Io } from "./io.ts";
import { systemError } from "./system-error.ts";
import { verbs } from "./verbs.ts";
import { version } from "./version.ts";

/** Runs one command. Never throws for a mistake of the user or the world; a bug ends in its stack trace and status 3. */
export async function main(argv: readonly string[], io: Io): Promise<ExitStatus> {
  let status: ExitStatus = 0;
  const program = await programFor(argv, io, (result) => {
    status = result;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
    return status;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    return report(error, io);
  }
}

/** The whole command tree with every verb defined, for `completion` and the tests of the documents. */
export async function wholeProgram(io: Io): Promise<Command> {
  const program = bare(io);
  for (const entry of verbs) {
    const command = program.command(entry.name).summary(entry.summary).description(sentence(entry.summary));
    (await entry.load()).define(command, io, () => undefined);
  }
  return program;
}

/** Loads the one verb that is named; the others are there by name and summary only. */
async function programFor(argv: readonly string[], io: Io, done: (status: ExitStatus) => void): Promise<Command> {
  const program = bare(io);
  // `help VERB` needs the verb's options as well.
  const named = argv.find((word) => !word.startsWith("-") && word !== "help");
  for (const entry of verbs) {
    const command = program.command(entry.name).summary(entry.summary).description(sentence(entry.summary));
    if (entry.name === named) (await entry.load()).define(command, io, done);
  }
  return program;
}

function bare(io: Io): Command {
  return new Command("cloudlet-bundle")
    .description("Makes self-contained, reproducible, signed bundles that install a cloudlet where nobody outside can reach.")
    .version(version(io), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help, with examples")
    .showSuggestionAfterError()
    .showHelpAfterError("(add --help for the options and examples)")
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle init --platform openstack cloudlet.yaml
  cloudlet-bundle check cloudlet.yaml
  cloudlet-bundle build cloudlet.yaml --release release.yaml --key signing-key.pem
  cloudlet-bundle verify munich-tdg-2026.11.cloudlet.tar --trust signing-key.pub.pem

Exit status: 0 done, 1 findings (invalid spec, failed verification), 2 usage, 3 environment (disk, network).`,
    );
}

function report(error: unknown, io: Io): ExitStatus {
  if (io.signal.aborted) {
    io.err("cloudlet-bundle: stopped; nothing was left under a final name, and the same command goes on from here\n");
    return 3;
  }
  if (error instanceof EnvironmentError) {
    io.err(`cloudlet-bundle: ${error.message}\n${error.hint === undefined ? "" : `  ${error.hint}\n`}`);
    return 3;
  }
  const known = systemError(error);
  if (known !== undefined) {
    io.err(`cloudlet-bundle: ${known}\n`);
    return 3;
  }
  io.err(`cloudlet-bundle: a defect of this program; please report it with the text below\n${error instanceof Error ? error.stack : String(error)}\n`);
  return 3;
}

function sentence(summary: string): string {
  return `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
}
