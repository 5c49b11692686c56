/** Runs install.sh for those who ask: a few at a time, one of each cloudlet; cancelled, stopped with the service, and found again after a crash. */

import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../../core/digest.ts";
import type { Context } from "../context.ts";
import { activeInstallations } from "../state/installations.ts";
import { stopLeft } from "./confined.ts";
import { leaveRun } from "./ended-run.ts";
import type { LibvirtHost } from "./libvirt-host.ts";
import { runInstallation } from "./run.ts";
import { tidyState, type RunAs } from "./run-folder.ts";
import { sealAnew } from "./seal-anew.ts";
import { sealingWith, type Sealing } from "./sealing.ts";
import type { SiteLogin } from "./site-login.ts";
import { turnsOf, type Turns } from "./turns.ts";

export interface InstallerOptions {
  /** Folder of the runs that go on. */
  readonly runs: string;
  /** Folder with what install.sh keeps of each cloudlet. */
  readonly installations: string;
  readonly sealingKeys: readonly Uint8Array[];
  /** The file that holds a blob. */
  readonly blobFile: (digest: Digest) => string;
  /** PATH of install.sh: where the sites' clients are. */
  readonly clients?: string | undefined;
  readonly runAs?: RunAs | undefined;
  /** This machine as a KVM host; undefined where it is none for anybody. */
  readonly libvirt?: LibvirtHost | undefined;
  /** How many run at a time. */
  readonly atOnce?: number;
  /** From SIGTERM to SIGKILL. */
  readonly graceMs?: number;
  /** Of one run. */
  readonly timeoutMs?: number;
}

/** Begun with the login, which is kept in memory alone. */
export interface Installer extends Turns<SiteLogin> {
  readonly sealing: Sealing;
  readonly libvirt: LibvirtHost | undefined;
  /** What install.sh has done there before, if the service was it. */
  readonly journalOf: (cloudletId: string) => string;
}

/** An upload takes hours at a slow site; a client that hangs shall not hang for ever. */
const usualTimeoutMs = 4 * 3_600_000;
/** install.sh stops its client and closes what it has open. */
const usualGraceMs = 20_000;
const usualAtOnce = 4;
/** Where a system's clients are. */
const usualClients = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Ends what an earlier process has left, and seals with the first key what was sealed with another. */
export async function openInstaller(context: Context, options: InstallerOptions): Promise<Installer> {
  const { runs, installations, sealingKeys, runAs } = options;
  const graceMs = options.graceMs ?? usualGraceMs;
  const sealing = sealingWith(sealingKeys, context.random);
  const mode = runAs === undefined ? 0o700 : 0o711;
  for (const folder of [runs, installations]) {
    await mkdir(folder, { recursive: true });
    await chmod(folder, mode);
  }
  // Another user may pass through the state folder, to what is theirs.
  if (runAs !== undefined) await chmod(join(runs, ".."), mode);
  await recover(context, options, graceMs);
  await sealAnew(context, sealing);
  const settings = { runs, installations, sealing, blobFile: options.blobFile, runAs, libvirt: options.libvirt, graceMs, timeoutMs: options.timeoutMs ?? usualTimeoutMs, clients: options.clients ?? usualClients };
  const turns = turnsOf<SiteLogin>({
    atOnce: options.atOnce ?? usualAtOnce, stopping: context.stopping,
    run: (id, login) => runInstallation(context, settings, id, login),
    leave: (id, state, message) => leaveRun(context, id, state, message),
  });
  return { sealing, libvirt: options.libvirt, journalOf: (cloudletId) => join(installations, cloudletId, "journal"), ...turns };
}

/** What was queued had its login in the memory of a process that is gone; what ran goes on from its journal when somebody asks. */
async function recover(context: Context, { runs, installations }: InstallerOptions, graceMs: number): Promise<void> {
  for (const row of await activeInstallations(context.db, "direct")) {
    const wasThere = await stopLeft({ pid: row.pid, born: row.born, mark: row.id }, graceMs);
    await tidyState(join(installations, row.cloudlet_id));
    await leaveRun(context, row.id, "interrupted", wasThere ? "the service had ended; install.sh was still running, and was stopped" : "the service had ended, and install.sh with it");
    context.log("warn", "installation-interrupted", { installation: row.id, wasRunning: wasThere });
  }
  // Whatever secret a run was given lies there.
  for (const name of await readdir(runs)) await rm(join(runs, name), { recursive: true, force: true });
}
