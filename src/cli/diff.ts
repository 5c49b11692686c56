/** `diff`: what changed from one bundle, or spec, to another, grouped by what an auditor asks. */

import type { Command } from "commander";
import { differencesAsJson } from "../evidence/diff.ts";
import { differencesAsHtml } from "../evidence/diff-html.ts";
import { groups, type Group } from "../evidence/diff-rules.ts";
import { chunksOf } from "../evidence/report/known-texts.ts";
import { compareSides, type ComparedSide } from "../seal/compared-side.ts";
import { bundleArgument, isSpecName } from "./bundle-argument.ts";
import { bundleSide, specSide } from "./diff-side.ts";
import { differencesAsText } from "./diff-text.ts";
import { releaseOptions, type ReleaseOptions } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";

interface Options extends ReleaseOptions {
  readonly releaseBefore?: string;
  readonly releaseAfter?: string;
  readonly lockBefore?: string;
  readonly lockAfter?: string;
  readonly failOn?: readonly string[];
  readonly json?: true;
  readonly html?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      `Say what changed from one bundle to another: every field and every file, in the groups ${groups.join(", ")}, with the lines that show it in both. Either may be a spec with its release: then it is what would be built of it. The manifests and locks tell of the blobs, so these need not be there; every other file of a bundle must be the one that its manifest lists. Whether each is what its signer made, verify says.`,
    )
    .argument("<before>", `${bundleArgument}; or a spec (.yaml, .yml, .json), with its release`)
    .argument("<after>", "the other one, in any of these forms, but for standard input only one of the two")
    .option("--fail-on <groups>", "exit with 1 where something in one of these groups changed; several with commas between, or the option again", also)
    .option("--json", "print the result as JSON")
    .option("--html", "print the result as one HTML page that loads nothing");
  releaseOptions(command)
    .option("--release-before <file>", "the release of a spec that is <before>, where the two have different ones")
    .option("--lock-before <file>", "its lock; beside it when left out")
    .option("--release-after <file>", "the release of a spec that is <after>")
    .option("--lock-after <file>", "its lock; beside it when left out")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle diff berlin-1-2026.11.tar berlin-1-2026.12.tar
  cloudlet-bundle diff old/ new/ --fail-on exposure,privilege
  cloudlet-bundle diff berlin-1.tar berlin-1.yaml --release release.yaml --html > diff.html
  cloudlet-bundle diff berlin-1.yaml berlin-1.yaml --release-before 2026.11.yaml --release-after 2026.12.yaml

Exit status: 0 compared, 1 something changed in a group of --fail-on, or one of them is no bundle or sound spec, 2 usage, 3 one can't be read.`,
    )
    .action(async (before: string, after: string, options: Options) => done(await diff(before, after, options, io)));
}

/** Not an option of many words: it would take the bundles after it for groups. */
function also(words: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...words.split(",")];
}

async function diff(before: string, after: string, options: Options, io: Io): Promise<ExitStatus> {
  const wrong = usageMistake(before, after, options);
  if (wrong !== undefined) {
    io.err(`cloudlet-bundle diff: ${wrong}\n`);
    return 2;
  }
  const x = await sideOf(io, before, inputsOf(options, options.releaseBefore, options.lockBefore));
  const y = x === undefined ? undefined : await sideOf(io, after, inputsOf(options, options.releaseAfter, options.lockAfter));
  if (x === undefined || y === undefined) return 1;
  const { a, b, found } = await compareSides(x, y);
  if (options.json) io.out(differencesAsJson({ before, after }, found));
  else if (options.html) for (const chunk of chunksOf(differencesAsHtml({ name: before, side: a }, { name: after, side: b }, found))) await io.outBytes(chunk);
  else io.out(differencesAsText(found));
  const failOn = (options.failOn ?? []) as readonly Group[];
  return found.some((each) => failOn.includes(each.group)) ? 1 : 0;
}

function usageMistake(before: string, after: string, options: Options): string | undefined {
  const unknown = (options.failOn ?? []).filter((word) => !(groups as readonly string[]).includes(word));
  if (unknown.length > 0) return `there is no group ${unknown.join(", ")}; there are ${groups.join(", ")}`;
  if (options.json && options.html) return "--json or --html, not both";
  if (before === "-" && after === "-") return "standard input holds one bundle, not two";
  if (!isSpecName(before) && (options.releaseBefore ?? options.lockBefore) !== undefined) return `${before} is no spec (.yaml, .yml, .json), and a bundle has its release in it`;
  if (!isSpecName(after) && (options.releaseAfter ?? options.lockAfter) !== undefined) return `${after} is no spec (.yaml, .yml, .json), and a bundle has its release in it`;
  return undefined;
}

/** A lock belongs to its release: where a side has a release of its own, the lock of both is not asked for. */
function inputsOf({ lock: both, release, store, architecture, quiet }: Options, ownRelease: string | undefined, ownLock: string | undefined): ReleaseOptions & { readonly quiet?: true } {
  const lock = ownLock ?? (ownRelease === undefined ? both : undefined);
  return { release: ownRelease ?? release, architecture, ...(lock === undefined ? {} : { lock }), ...(store === undefined ? {} : { store }), ...(quiet === undefined ? {} : { quiet }) };
}

function sideOf(io: Io, name: string, inputs: ReleaseOptions & { readonly quiet?: true }): Promise<ComparedSide | undefined> {
  return isSpecName(name) ? specSide(io, name, inputs) : bundleSide(io, name);
}
