/** `audit`: asks a bundle, or what a spec would become, every audit rule, and says what is not met. */

import type { Command } from "commander";
import { createHash } from "node:crypto";
import { audit as auditOf } from "../evidence/audit/audit.ts";
import { auditText } from "../evidence/audit/audit-file.ts";
import type { AuditInput, BundledFile } from "../evidence/audit/input.ts";
import { inputOfFiles } from "../evidence/audit/input.ts";
import { inputOfRecord } from "../evidence/audit/record-input.ts";
import type { AuditResult } from "../evidence/audit/rule.ts";
import { severities } from "../evidence/audit/rule.ts";
import { auditAsSarif } from "../evidence/audit/sarif.ts";
import { auditAsOscal } from "../evidence/oscal.ts";
import { auditPath, isBlobPath, sealPaths } from "../pack/layout.ts";
import { contentsPaths, textIn, type Contents } from "../seal/contents.ts";
import { auditAsText, failures } from "./audit-text.ts";
import { bundleArgument, isSpecName, openContents, recordIn, refuse } from "./bundle-argument.ts";
import { drawBundle, loadSpec, needsVmdk } from "./draw.ts";
import { releaseOptions, resolveInputs, type ReleaseOptions } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import { showAside } from "./show-report.ts";
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
  const judged = isSpecName(what) ? await ofSpec(io, what, options) : await ofBundle(io, what);
  if (judged === undefined) return 1;
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

interface Judged {
  readonly input: AuditInput;
  readonly results: readonly AuditResult[];
}

async function ofSpec(io: Io, specPath: string, options: Options): Promise<Judged | undefined> {
  const loaded = await loadSpec(io, specPath);
  const inputs = await resolveInputs(io, { ...options, vmdk: needsVmdk(loaded) });
  const drawn = inputs.resolved === undefined ? undefined : drawBundle(io, loaded, inputs.resolved);
  showAside(io, [...inputs.reports, ...(drawn?.reports ?? [])]);
  if (drawn?.drawn === undefined) return undefined;
  const { tree, documents } = drawn.drawn;
  const { spec, release, lock } = documents;
  const input = inputOfFiles(tree.files, { spec: spec.spec, release: release.release, lock: lock.lock });
  return { input, results: auditOf(input) };
}

/** Undefined where it can't be read as a bundle, which has been said. */
async function ofBundle(io: Io, name: string): Promise<Judged | undefined> {
  const contents = await openContents(io, name);
  const record = contents === undefined ? undefined : await recordIn(io, name, contents);
  const files = contents === undefined || record === undefined ? undefined : await filesOf(io, name, contents);
  if (contents === undefined || record === undefined || files === undefined) return undefined;
  const input = inputOfRecord(files, record);
  if (!input.ok) {
    refuse(io, name, input.issues);
    return undefined;
  }
  const results = auditOf(input.value);
  const told = await textIn(contents, auditPath);
  if (!told.ok || told.value !== auditText(input.value, results)) {
    io.err(`warning: ${auditPath} says something else: the bundle was changed, or made by another version${contents.manifest === undefined ? "" : ` (${contents.manifest.generator.version})`}; this is what is found now\n`);
  }
  return { input: input.value, results };
}

/** What is there and what the manifest lists: blobs need not have come along. */
async function filesOf(io: Io, name: string, contents: Contents): Promise<readonly BundledFile[] | undefined> {
  const modes = new Map(contents.files.map(({ path, mode }) => [path, (mode & 0o100) === 0 ? ("0644" as const) : ("0755" as const)]));
  const files: BundledFile[] = [];
  for (const path of new Set([...contents.listed.keys(), ...contentsPaths(contents)])) {
    if (sealPaths.includes(path)) continue;
    const line = contents.listed.get(path);
    const text = isBlobPath(path) ? undefined : await textIn(contents, path);
    if (text?.ok === false) {
      refuse(io, name, text.issues);
      return undefined;
    }
    files.push({
      path,
      mode: line?.mode ?? modes.get(path) ?? "0644",
      role: line?.role ?? (path.startsWith("evidence/") ? "evidence" : "site"),
      source: line?.origin ?? "",
      sha256: line?.sha256 ?? (contents.manifest === undefined && text !== undefined ? createHash("sha256").update(text.value).digest("hex") : undefined),
      text: text?.value,
    });
  }
  return files;
}
