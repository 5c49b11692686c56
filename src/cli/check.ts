/** `check`: validates specs and releases, and says every mistake at once. */

import type { Command } from "commander";
import { platforms } from "../platforms/registry.ts";
import { readLock } from "../spec/read-lock.ts";
import { readRelease } from "../spec/read-release.ts";
import { readSpec } from "../spec/read-spec.ts";
import { load } from "./documents.ts";
import type { ExitStatus, Io } from "./io.ts";
import type { ReportedDocument } from "./report-issues.ts";
import { hasErrors, showResult } from "./show-report.ts";

interface Options {
  readonly release?: string;
  readonly lock?: string;
  readonly json?: true;
  readonly sarif?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description("Validate cloudlet specs, without asking anybody and without writing anything. Every mistake is shown at once, at its line.")
    .argument("<spec...>", "cloudlet specs; - is standard input")
    .option("--release <file>", "also validate a release")
    .option("--lock <file>", "also validate a lock")
    .option("--json", "print the issues as JSON")
    .option("--sarif", "print the issues as SARIF 2.1.0")
    .addHelpText("after", "\nExamples:\n  cloudlet-bundle check cloudlet.yaml\n  cloudlet-bundle check --sarif *.yaml > issues.sarif\n\nExit status: 0 no errors (warnings may be there), 1 errors, 3 a file can't be read.")
    .action(async (specs: readonly string[], options: Options) => done(await check(specs, options, io)));
}

async function check(specs: readonly string[], options: Options, io: Io): Promise<ExitStatus> {
  const reports: ReportedDocument[] = [];
  for (const path of specs) {
    reports.push((await load(io, path, (text) => readSpec(text, { platforms: platforms.map((platform) => platform.name) }))).report);
  }
  if (options.release !== undefined) reports.push((await load(io, options.release, readRelease)).report);
  if (options.lock !== undefined) reports.push((await load(io, options.lock, readLock)).report);
  showResult(io, reports, options);
  return hasErrors(reports) ? 1 : 0;
}
