/** `diff`: what changed from one bundle to another, grouped by what an auditor asks. */

import type { Command } from "commander";
import { createHash } from "node:crypto";
import { differences, differencesAsJson, type DiffFile, type DiffSide } from "../evidence/diff.ts";
import { groups, type Group } from "../evidence/diff-rules.ts";
import { isMadeText, remake } from "../evidence/trace.ts";
import { isBlobPath, sealPaths } from "../pack/layout.ts";
import { textIn, type Contents } from "../seal/contents.ts";
import { signersIn } from "../seal/signers-in.ts";
import { bundleArgument, openContents, recordIn, refuse } from "./bundle-argument.ts";
import { differencesAsText } from "./diff-text.ts";
import { assetsOf } from "./draw.ts";
import type { ExitStatus, Io } from "./io.ts";

interface Options {
  readonly failOn?: readonly string[];
  readonly json?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      `Say what changed from one bundle to another: every field and every file, in the groups ${groups.join(", ")}, with the lines that show it in both. The manifests tell of the blobs, so these need not be there; every other file must be the one that its manifest lists. Whether each is what its signer made, verify says.`,
    )
    .argument("<before>", bundleArgument)
    .argument("<after>", "the other one, in any of these forms, but for standard input only one of the two")
    .option("--fail-on <groups>", "exit with 1 where something in one of these groups changed; several with commas between, or the option again", also)
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle diff berlin-1-2026.11.tar berlin-1-2026.12.tar
  cloudlet-bundle diff old/ new/ --fail-on exposure,privilege

Exit status: 0 compared, 1 something changed in a group of --fail-on, or one of them is no bundle, 2 usage, 3 one can't be read.`,
    )
    .action(async (before: string, after: string, options: Options) => done(await diff(before, after, options, io)));
}

/** Not an option of many words: it would take the bundles after it for groups. */
function also(words: string, before: readonly string[] = []): readonly string[] {
  return [...before, ...words.split(",")];
}

async function diff(before: string, after: string, options: Options, io: Io): Promise<ExitStatus> {
  const failOn = options.failOn ?? [];
  const unknown = failOn.filter((word) => !(groups as readonly string[]).includes(word));
  if (unknown.length > 0) {
    io.err(`cloudlet-bundle diff: there is no group ${unknown.join(", ")}; there are ${groups.join(", ")}\n`);
    return 2;
  }
  if (before === "-" && after === "-") {
    io.err("cloudlet-bundle diff: standard input holds one bundle, not two\n");
    return 2;
  }
  const [x, y] = [await openContents(io, before), await openContents(io, after)];
  if (x === undefined || y === undefined) return 1;
  const [a, b] = [await sideOf(io, before, x, y), await sideOf(io, after, y, x)];
  if (a === undefined || b === undefined) return 1;
  const found = differences(a, b);
  io.out(options.json ? differencesAsJson({ before: [before], after: [after] }, found) : differencesAsText(found));
  return found.some((each) => (failOn as readonly Group[]).includes(each.group)) ? 1 : 0;
}

/** Undefined where it is not what it must be, which has been said. */
async function sideOf(io: Io, name: string, contents: Contents, other: Contents): Promise<DiffSide | undefined> {
  const record = await recordIn(io, name, contents);
  if (record === undefined) return undefined;
  const made = remake(record, assetsOf(io.packageFolder));
  const files = new Map<string, DiffFile>();
  const blobs = [...contents.listed].filter(([path]) => isBlobPath(path) && other.manifest !== undefined);
  for (const [path, line] of blobs) files.set(path, { mode: line.mode, role: line.role, sha256: line.sha256, text: undefined });
  const modes = new Map(contents.files.map(({ path, mode }) => [path, mode.toString(8).padStart(4, "0")]));
  for (const path of new Set([...contents.listed.keys(), ...modes.keys()])) {
    if (sealPaths.includes(path) || isBlobPath(path)) continue;
    const line = contents.listed.get(path);
    const text = await textIn(contents, path);
    if (!text.ok) {
      refuse(io, name, text.issues);
      return undefined;
    }
    const sha256 = line?.sha256 ?? createHash("sha256").update(text.value).digest("hex");
    // Without a manifest, what this build would make of the record tells what each file is for.
    files.set(path, { mode: line?.mode ?? modes.get(path) ?? "0644", role: line?.role ?? made.get(path)?.role ?? "site", sha256, text: text.value });
  }
  const { manifest } = contents;
  const isMade = (path: string): boolean => isMadeText(made, path, files.get(path)?.text);
  return { record, files, isMade, fingerprint: (await signersIn(contents)).join(" ") || undefined, generator: manifest === undefined || other.manifest === undefined ? undefined : `${manifest.generator.name} ${manifest.generator.version}` };
}
