/** `lock`: fetches what a release names into the blob store, and notes what it is. */

import type { Command } from "commander";
import { releaseOptions, resolveInputs, type ReleaseOptions } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import { showAside } from "./show-report.ts";

interface Options extends ReleaseOptions {
  readonly json?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  releaseOptions(command.argument("[release]", "the release; the same as --release"))
    .description(
      "Resolve a release: fetch its VM image and containers into the blob store, check every digest, and write the lock. With the lock a bundle is made without asking anybody.",
    )
    .option("--json", "print the result as JSON")
    .option("--quiet", "no progress")
    .addHelpText("after", "\nExample:\n  cloudlet-bundle lock release.yaml")
    .action(async (release: string | undefined, options: Options) => done(await lock({ ...options, release: release ?? options.release }, io)));
}

async function lock(options: Options, io: Io): Promise<ExitStatus> {
  const inputs = await resolveInputs(io, { ...options, locked: undefined, refresh: true });
  showAside(io, inputs.reports);
  if (inputs.resolved === undefined) return 1;
  const { lock, lockPath, digest } = inputs.resolved;
  io.out(
    options.json
      ? `${JSON.stringify({ lock: lockPath, digest, vmImage: lock.vmImage, payload: lock.payload }, null, 2)}\n`
      : `lock      ${lockPath}\nvm image  ${lock.vmImage.digest}  ${lock.vmImage.size} bytes\npayload   ${lock.payload.digest}  ${lock.payload.size} bytes, ${lock.containers.length} containers\n`,
  );
  return 0;
}
