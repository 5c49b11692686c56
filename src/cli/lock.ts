/** `lock`: fetches what a release names into the blob store, and notes what it is. */

import type { Command } from "commander";
import type { Lock, LockedBlob } from "../spec/lock.ts";
import { printable } from "../spec/show.ts";
import { releaseOptions, resolveInputs, type ReleaseOptions } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import { showAside } from "./show-report.ts";

interface Options extends ReleaseOptions {
  readonly vmdk?: true;
  readonly qemuImg?: true;
  readonly json?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  releaseOptions(command.argument("[release]", "the release; the same as --release"))
    .description(
      "Resolve a release: fetch its VM image and containers into the blob store, check every digest, and write the lock. With the lock a bundle is made without asking anybody.",
    )
    .option("--vmdk", "both disks as streamOptimized VMDK as well, as vSphere and vCloud Director take them; build does the same where its platform needs it")
    .option("--qemu-img", "with --vmdk: let this machine's qemu-img convert the VM image; what comes out is another's with each version of it")
    .option("--json", "print the result as JSON")
    .option("--quiet", "no progress")
    .addHelpText("after", "\nExamples:\n  cloudlet-bundle lock release.yaml\n  cloudlet-bundle lock --vmdk release.yaml")
    .action(async (release: string | undefined, options: Options) => done(await lock({ ...options, release: release ?? options.release }, io)));
}

async function lock(options: Options, io: Io): Promise<ExitStatus> {
  if (options.qemuImg === true && options.vmdk !== true) {
    io.err("cloudlet-bundle lock: --qemu-img goes with --vmdk\n");
    return 2;
  }
  const inputs = await resolveInputs(io, { ...options, vmdk: options.vmdk === true, locked: undefined, refresh: true });
  showAside(io, inputs.reports);
  if (inputs.resolved === undefined) return 1;
  const { lock, lockPath, digest, softwareUnknown } = inputs.resolved;
  if (options.json) {
    const { vmImage, payload, vmdk } = lock;
    const why = softwareUnknown === undefined ? {} : { softwareUnknown };
    io.out(`${JSON.stringify({ lock: lockPath, digest, vmImage, ...why, payload, ...(vmdk === undefined ? {} : { vmdk }) }, null, 2)}\n`);
    return 0;
  }
  io.out(`lock      ${lockPath}\nvm image  ${sized(lock.vmImage)}\n          ${packages(lock.vmImage.software, softwareUnknown)}\npayload   ${sized(lock.payload)}, ${lock.containers.length} containers\n`);
  if (lock.vmdk !== undefined) io.out(`as VMDK   ${sized(lock.vmdk.vmImage)}\n          ${sized(lock.vmdk.payload)}\n`);
  return 0;
}

function packages(software: Lock["vmImage"]["software"], unknown = "nobody has said them"): string {
  if (software === undefined) return `packages unknown: ${printable(unknown)}`;
  const { from, system, packages: all } = software;
  const named = system === undefined ? "" : ` of ${system.id}${system.version === undefined ? "" : ` ${system.version}`}`;
  return `${all.length} packages${named}, ${from === "image" ? "read out of it" : "from the list that the release names"}`;
}

function sized({ digest, size }: LockedBlob): string {
  return `${digest}  ${size} bytes`;
}
