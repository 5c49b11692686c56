/** `render`: writes the small files of a bundle, to be looked at. */

import type { Command } from "commander";
import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { EnvironmentError } from "../core/environment-error.ts";
import { absolute } from "./documents.ts";
import { drawBundle, loadSpec, needsVmdk } from "./draw.ts";
import { releaseOptions, resolveInputs, type ReleaseOptions } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import { showAside } from "./show-report.ts";
import { writeTextAside } from "./write-aside.ts";

interface Options extends ReleaseOptions {
  readonly out: string;
  readonly locked?: true;
  readonly force?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  releaseOptions(command.argument("<spec>", "the cloudlet spec; - is standard input"))
    .description("Write the small files that a bundle of this spec would hold: everything but the blobs and the seal.")
    .requiredOption("--out <folder>", "where to write them")
    .option("--locked", "ask nobody: the lock and the blobs must be there")
    .option("--force", "write into a folder that is not empty, over files of the same name")
    .option("--quiet", "no progress")
    .addHelpText("after", "\nExample:\n  cloudlet-bundle render berlin-1.yaml --release release.yaml --out look")
    .action(async (spec: string, options: Options) => done(await render(spec, options, io)));
}

async function render(specPath: string, options: Options, io: Io): Promise<ExitStatus> {
  const spec = await loadSpec(io, specPath);
  const inputs = await resolveInputs(io, { ...options, vmdk: needsVmdk(spec) });
  const drawn = inputs.resolved === undefined ? undefined : drawBundle(io, spec, inputs.resolved);
  showAside(io, [...inputs.reports, ...(drawn?.reports ?? [])]);
  if (drawn?.drawn === undefined) return 1;
  const out = absolute(io, options.out);
  await mkdir(out, { recursive: true });
  if (options.force !== true && (await readdir(out)).length > 0) {
    throw new EnvironmentError(`${options.out} is not empty`, { hint: "choose another folder, or write over it: --force" });
  }
  let count = 0;
  for (const file of drawn.drawn.tree.files) {
    if (file.body.kind !== "bytes") continue;
    await writeTextAside(join(out, file.path), file.body.bytes, { mode: file.mode });
    count += 1;
  }
  io.out(`wrote ${count} files to ${options.out}\n`);
  return 0;
}
