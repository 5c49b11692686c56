/** Runs install.sh for those who ask: a few at a time, one of each cloudlet; cancelled, stopped with the service, and found again after a crash. */

import { chmod, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../../core/digest.ts";
import type { Context } from "../context.ts";
import { record } from "../state/audit-trail.ts";
import { activeInstallations, addInstallationEvents, installationById, setInstallation } from "../state/installations.ts";
import type { InstallationRow, InstallationState } from "../state/tables.ts";
import { stopLeft } from "./confined.ts";
import type { LibvirtHost } from "./libvirt-host.ts";
import { runInstallation, type Running } from "./run.ts";
import { tidyState, type RunAs } from "./run-folder.ts";
import { sealAnew } from "./seal-anew.ts";
import { sealingWith, type Sealing } from "./sealing.ts";
import type { SiteLogin } from "./site-login.ts";

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

export interface Installer {
  readonly sealing: Sealing;
  readonly libvirt: LibvirtHost | undefined;
  /** What install.sh has done there before, if the service was it. */
  readonly journalOf: (cloudletId: string) => string;
  /** The row is queued; the login is kept in memory alone, until the run has ended. */
  readonly begin: (id: string, login: SiteLogin) => void;
  /** Ends it; false where it does not run. */
  readonly cancel: (id: string) => Promise<boolean>;
  /** Stops what runs; going on with it is up to whoever asked for it. */
  readonly close: () => Promise<void>;
}

/** An upload takes hours at a slow site; a client that hangs shall not hang for ever. */
const usualTimeoutMs = 4 * 3_600_000;
/** install.sh stops its client and closes what it has open. */
const usualGraceMs = 20_000;
const usualAtOnce = 4;
/** Where a system's clients are. */
const usualClients = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

interface Waiting {
  readonly id: string;
  readonly login: SiteLogin;
}

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
  const waiting: Waiting[] = [];
  const running = new Map<string, { readonly run: Running; readonly ended: Promise<void> }>();
  const settings = { runs, installations, sealing, blobFile: options.blobFile, runAs, graceMs, timeoutMs: options.timeoutMs ?? usualTimeoutMs, clients: options.clients ?? usualClients };
  const next = (): void => {
    while (running.size < (options.atOnce ?? usualAtOnce) && !context.stopping.aborted) {
      const first = waiting.shift();
      if (first === undefined) return;
      const run = runInstallation(context, settings, first.id, first.login);
      const ended = run.ended.finally(() => {
        running.delete(first.id);
        next();
      });
      running.set(first.id, { run, ended });
    }
  };
  return {
    sealing,
    libvirt: options.libvirt,
    journalOf: (cloudletId) => join(installations, cloudletId, "journal"),
    begin: (id, login) => {
      waiting.push({ id, login });
      next();
    },
    cancel: async (id) => {
      const at = waiting.findIndex((each) => each.id === id);
      if (at >= 0) {
        waiting.splice(at, 1);
        await leave(context, id, "cancelled", "cancelled before it began");
        return true;
      }
      const found = running.get(id);
      found?.run.stop("cancelled");
      return found !== undefined;
    },
    close: async () => {
      for (const { id } of waiting.splice(0)) await leave(context, id, "interrupted", "the service was stopped before it began");
      const all = [...running.values()];
      for (const { run } of all) run.stop("interrupted");
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}

/** What was queued had its login in the memory of a process that is gone; what ran goes on from its journal when somebody asks. */
async function recover(context: Context, { runs, installations }: InstallerOptions, graceMs: number): Promise<void> {
  for (const row of await activeInstallations(context.db)) {
    const wasThere = await stopLeft({ pid: row.pid, born: row.born, mark: row.id }, graceMs);
    await tidyState(join(installations, row.cloudlet_id));
    await leave(context, row.id, "interrupted", wasThere ? "the service had ended; install.sh was still running, and was stopped" : "the service had ended, and install.sh with it");
    context.log("warn", "installation-interrupted", { installation: row.id, wasRunning: wasThere });
  }
  // Whatever secret a run was given lies there.
  for (const name of await readdir(runs)) await rm(join(runs, name), { recursive: true, force: true });
}

async function leave(context: Context, id: string, state: InstallationState, message: string): Promise<void> {
  const row: InstallationRow | undefined = await installationById(context.db, id);
  if (row === undefined) return;
  const time = context.now();
  await context.db.transaction().execute(async (transaction) => {
    if (!(await setInstallation(transaction, id, ["queued", "running"], { state, finished: time, pid: null, born: null }))) return;
    await addInstallationEvents(transaction, id, [{ time, state, message }]);
    await record(transaction, { time, actor: "service", address: "", action: `installation:${state}`, subject: `installation:${id}`, organization: row.organization, detail: { action: row.action, cloudlet: row.cloudlet_id } });
  });
  context.news.tell(id);
}
