/** `check`: validates specs, releases and OVF packages, and says every mistake at once. */

import type { Command } from "commander";
import { platforms } from "../platforms/registry.ts";
import { readLock } from "../spec/read-lock.ts";
import { readRelease } from "../spec/read-release.ts";
import { readSpec } from "../spec/read-spec.ts";
import { checkedPackage, packageKind } from "./check-ovf.ts";
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
    .description("Validate cloudlet specs, and OVF packages of anyone's (.ova, or .ovf with its files beside it), without asking anybody and without writing anything. Every mistake is shown at once, at its line.")
    .argument("<file...>", "cloudlet specs (- is standard input) and OVF packages, told apart by what is in them")
    .option("--release <file>", "also validate a release")
    .option("--lock <file>", "also validate a lock")
    .option("--json", "print the issues as JSON")
    .option("--sarif", "print the issues as SARIF 2.1.0")
    .addHelpText("after", "\nExamples:\n  cloudlet-bundle check cloudlet.yaml\n  cloudlet-bundle check --sarif *.yaml > issues.sarif\n  cloudlet-bundle check porto-1.ova\n\nExit status: 0 no errors (warnings may be there), 1 errors, 3 a file can't be read.")
    .action(async (files: readonly string[], options: Options) => done(await check(files, options, io)));
}

async function check(files: readonly string[], options: Options, io: Io): Promise<ExitStatus> {
  const reports: ReportedDocument[] = [];
  for (const path of files) {
    const kind = await packageKind(io, path);
    if (kind !== undefined) reports.push(...(await checkedPackage(io, path, kind, options.json === true || options.sarif === true)));
    else reports.push((await load(io, path, (text) => readSpec(text, { platforms: platforms.map((platform) => platform.name) }))).report);
  }
  if (options.release !== undefined) reports.push((await load(io, options.release, readRelease)).report);
  if (options.lock !== undefined) reports.push((await load(io, options.lock, readLock)).report);
  showResult(io, reports, options);
  return hasErrors(reports) ? 1 : 0;
}
