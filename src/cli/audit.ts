/** `audit`: asks a bundle, or what a spec would become, every audit rule, and says what is not met. */

import type { Command } from "commander";
import { auditText } from "../evidence/audit/audit-file.ts";
import { severities } from "../evidence/audit/rule.ts";
import { auditAsSarif } from "../evidence/audit/sarif.ts";
import { auditAsOscal } from "../evidence/oscal.ts";
import { auditPath } from "../pack/layout.ts";
import { textIn } from "../seal/contents.ts";
import { auditAsText, failures } from "./audit-text.ts";
import { bundleArgument } from "./bundle-argument.ts";
import { releaseOptions, type ReleaseOptions } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import { judge, type Judged } from "./judged.ts";
import { version } from "./version.ts";
import { tellExpired, todayOf } from "./waivers.ts";

interface Options extends ReleaseOptions {
  readonly failOn: string;
  readonly all?: true;
  readonly json?: true;
  readonly sarif?: true;
  readonly oscal?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  releaseOptions(command.argument("<bundle|spec>", `${bundleArgument}; or a spec (.yaml, .yml, .json), with its release`))
    .description(
      "Ask a bundle, or what a spec would become, every rule of docs/reference/audit-rules.md: what is not met is shown with its severity, file and line, waivers with their reason and last day. The answers are found anew from the files; whether those are what their signer made, verify says.",
    )
    .option("--fail-on <severity>", `exit with 1 where a rule of this severity or a higher one is not met: ${severities.join(", ")}`, "high")
    .option("--all", "also show what is met, and what only the site can answer")
    .option("--json", "print evidence/audit.json, made anew")
    .option("--sarif", "print the results as SARIF 2.1.0")
    .option("--oscal", "print the results as OSCAL 1.1.3 assessment results")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle audit berlin-1.cloudlet.tar
  cloudlet-bundle audit berlin-1.yaml --release release.yaml --fail-on medium
  cloudlet-bundle audit bundle/ --sarif > audit.sarif

Exit status: 0 nothing of that severity is unmet, 1 something is, or it can't be judged, 2 usage, 3 it can't be read.`,
    )
    .action(async (what: string, options: Options) => done(await audit(what, options, io)));
}

async function audit(what: string, options: Options, io: Io): Promise<ExitStatus> {
  const failOn = severities.find((each) => each === options.failOn);
  if (failOn === undefined) {
    io.err(`cloudlet-bundle audit: there is no severity ${options.failOn}; there are ${severities.join(", ")}\n`);
    return 2;
  }
  if ([options.json, options.sarif, options.oscal].filter(Boolean).length > 1) {
    io.err("cloudlet-bundle audit: --json, --sarif or --oscal: one of them\n");
    return 2;
  }
  const judged = await judge(io, what, options);
  if (judged === undefined) return 1;
  await compareAudit(io, judged);
  const { input, results } = judged;
  const today = todayOf(io);
  const generator = { name: "cloudlet-bundle", version: version(io) };
  if (options.json) io.out(auditText(input, results));
  else if (options.sarif) io.out(auditAsSarif(input, results, generator));
  else if (options.oscal) io.out(auditAsOscal(input, results, generator));
  else io.out(auditAsText(results, { today, all: options.all === true }));
  tellExpired(io, results);
  return failures(results, failOn, today) > 0 ? 1 : 0;
}

/** Whether the bundle says of itself what is found in it. */
async function compareAudit(io: Io, { contents, input, results }: Judged): Promise<void> {
  if (contents === undefined) return;
  const told = await textIn(contents, auditPath);
  if (told.ok && told.value === auditText(input, results)) return;
  io.err(`warning: ${auditPath} says something else: the bundle was changed, or made by another version${contents.manifest === undefined ? "" : ` (${contents.manifest.generator.version})`}; this is what is found now\n`);
}
