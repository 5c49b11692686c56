/** One run of a bundle's install.sh: its folder, its process, its lines as they come, and what came of it. */

import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "../../core/digest.ts";
import type { Context } from "../context.ts";
import { readReceipt } from "../jobs/receipt.ts";
import { siteValues } from "../jobs/site-values.ts";
import type { StoredLayout } from "../jobs/stored-layout.ts";
import { bundleById } from "../state/bundles.ts";
import { addInstallationEvents, installationById, setInstallation } from "../state/installations.ts";
import type { BundleRow, InstallationRow, InstallationState } from "../state/tables.ts";
import { startConfined, usualProcessLimits, type Confined, type Ended, type ProcessLimits } from "./confined.ts";
import { changesSite, endRun, type WrittenReceipt } from "./ended-run.ts";
import { keptLines } from "./kept-lines.ts";
import type { LibvirtHost } from "./libvirt-host.ts";
import { forgetMachine, libvirtLimits, libvirtParameters } from "./libvirt-run.ts";
import { giveTo, makeRunFolder, tidyState, type RunAs, type RunFolder } from "./run-folder.ts";
import { aboutSecrets } from "./seal-anew.ts";
import type { Sealing } from "./sealing.ts";
import { hiddenIn, hiderOf } from "./secret-lines.ts";
import type { SiteLogin } from "./site-login.ts";
import { runningFor, type Asked, type Running, type StopReason } from "./turns.ts";

export interface RunSettings {
  /** The file that holds a blob. */
  readonly blobFile: (digest: Digest) => string;
  readonly runs: string;
  readonly installations: string;
  readonly sealing: Sealing;
  readonly runAs: RunAs | undefined;
  readonly libvirt: LibvirtHost | undefined;
  readonly graceMs: number;
  readonly timeoutMs: number;
  readonly clients: string;
}

export function runInstallation(context: Context, settings: RunSettings, id: string, login: SiteLogin): Running {
  return runningFor(context, { id, noun: "installation", timeoutMs: settings.timeoutMs }, (asked) => perform(context, settings, { id, login, ...asked }));
}

interface Wanted extends Asked {
  readonly id: string;
  readonly login: SiteLogin;
}

async function perform(context: Context, settings: RunSettings, asked: Wanted): Promise<void> {
  const { db, now, log } = context;
  const row = await installationById(db, asked.id);
  if (row === undefined) return;
  const folder = join(settings.runs, row.id);
  const secrets = row.secrets === null ? undefined : settings.sealing.open({ box: row.secrets, keyId: row.secrets_key ?? "" }, aboutSecrets(row.id));
  const hide = hiderOf([...asked.login.secrets, ...hiddenIn(secrets ?? "")]);
  const lines = keptLines(context, row.id, hide);
  const began = now();
  let result: Result;
  try {
    result = await ran(context, settings, asked, row, { folder, secrets, onLine: lines.take });
  } catch (error) {
    // A stop before the process began is none; what the disk says holds a path, and is the log's.
    if (asked.why() === undefined) log("error", "installation", { installation: row.id, message: hide((error as Error).message) });
    result = { ended: { status: null, signal: null }, receipt: undefined, problem: asked.why() === undefined ? "it could not be started: the service's disk or a program that it needs fails; its log has more" : undefined };
  }
  await lines.end();
  await Promise.all([rm(folder, { recursive: true, force: true }), tidyState(join(settings.installations, row.cloudlet_id))]).catch((error: Error) => log("error", "run-folder", { installation: row.id, message: error.message }));
  const state = await finish(context, row, result, asked.why());
  if (state === "done" && row.action === "uninstall") await forgetMachine(join(settings.installations, row.cloudlet_id));
  log(state === "done" ? "info" : "warn", "installation", { installation: row.id, action: row.action, state, status: result.ended.status, ms: now() - began });
}

interface Result {
  readonly ended: Ended;
  readonly receipt: WrittenReceipt | undefined;
  readonly problem: string | undefined;
}

interface Run {
  readonly folder: string;
  readonly secrets: string | undefined;
  readonly onLine: (line: string) => void;
}

async function ran(context: Context, settings: RunSettings, { id, login, signal }: Wanted, row: InstallationRow, run: Run): Promise<Result> {
  const { db, news } = context;
  const bundle = await bundleById(db, row.bundle_id);
  if (bundle?.layout === undefined || bundle.layout === null) throw new Error("the bundle is not ready any more");
  if (row.secrets !== null && run.secrets === undefined) return { ended: { status: null, signal: null }, receipt: undefined, problem: "its secrets are sealed with a key that the service does not have" };
  const layout = JSON.parse(bundle.layout) as StoredLayout;
  const state = join(settings.installations, row.cloudlet_id);
  await mkdir(state, { recursive: true, mode: 0o700 });
  const { parameters, limits, runAs } = await termsOf(context, settings, row, layout, state);
  if (runAs !== undefined) await giveTo(state, runAs);
  const withBlobs = row.action !== "rollback" && row.action !== "uninstall";
  const made = await makeRunFolder(run.folder, { layout, withBlobs, login, secrets: run.secrets }, { drawn: context.drawn, blobs: context.blobs, blobFile: settings.blobFile }, runAs, signal);
  signal.throwIfAborted();
  const child = await startConfined({
    words: words(row, bundle, parameters, made, state), folder: made.home, mark: row.id, runAs, limits, onLine: run.onLine,
    environment: { PATH: settings.clients, HOME: made.home, TMPDIR: made.home, LC_ALL: "C", ...made.variables },
  });
  try {
    await noteRunning(context, id, child);
  } catch (error) {
    // Nobody would know of it.
    await child.stop(0);
    throw error;
  }
  news.tell(id);
  child.go();
  const ended = await endOf(child, signal, settings.graceMs);
  return { ended, receipt: ended.status === 0 && changesSite(row) ? await receiptIn(made) : undefined, problem: undefined };
}

interface Terms {
  readonly parameters: Readonly<Record<string, string>>;
  readonly limits: ProcessLimits;
  readonly runAs: RunAs | undefined;
}

async function termsOf(context: Context, { libvirt, runAs }: RunSettings, { action, parameters }: InstallationRow, layout: StoredLayout, state: string): Promise<Terms> {
  const asked = JSON.parse(parameters) as Readonly<Record<string, string>>;
  const machines = await siteValues(context, layout);
  if (!machines.some((site) => site["CB_PLATFORM"] === "libvirt")) return { parameters: asked, limits: usualProcessLimits, runAs };
  if (libvirt === undefined) throw new Error("this machine is no KVM host for anybody");
  // virtlogd lets root alone read what a VM says; who is in the group libvirt is root in all but name.
  return { parameters: await libvirtParameters(libvirt, action, asked, state), limits: libvirtLimits(libvirt, asked, machines, layout), runAs: undefined };
}

async function noteRunning({ db, now }: Context, id: string, { pid, born }: Confined): Promise<void> {
  const time = now();
  await db.transaction().execute(async (transaction) => {
    await setInstallation(transaction, id, ["queued"], { state: "running", pid, born, started: time });
    await addInstallationEvents(transaction, id, [{ time, state: "running", message: "running" }]);
  });
}

async function endOf(child: Confined, signal: AbortSignal, graceMs: number): Promise<Ended> {
  const stop = (): void => void child.stop(graceMs);
  if (signal.aborted) stop();
  else signal.addEventListener("abort", stop, { once: true });
  const ended = await child.ended;
  signal.removeEventListener("abort", stop);
  return ended;
}

/** What install.sh is called with; no secret is among it. */
function words(row: InstallationRow, { fingerprint }: BundleRow, given: Readonly<Record<string, string>>, { bundle, receipt, secrets }: RunFolder, state: string): readonly string[] {
  const program = ["sh", join(bundle, "install.sh"), "--state", state, "--receipt", receipt, "--yes", "--no-colour"];
  const parameters = Object.entries(given).flatMap(([name, value]) => ["--parameter", `${name}=${value}`]);
  const inputs = ["--trust", fingerprint, ...(secrets === undefined ? [] : ["--secrets", secrets]), ...parameters, ...(row.allow_older === 1 ? ["--allow-older"] : [])];
  switch (row.action) {
    case "install":
      return [...program, ...inputs];
    case "check":
      return [...program, ...inputs, "--check"];
    case "upgrade":
      return [...program, ...inputs, "--upgrade"];
    case "rollback":
      return [...program, "--rollback"];
    case "uninstall":
      return [...program, ...parameters, "--uninstall"];
    default:
      throw new Error(`the service itself does no ${row.action}`);
  }
}

/** Undefined where there is none that is sound. */
async function receiptIn({ receipt: path }: RunFolder): Promise<Result["receipt"]> {
  const written = await readFile(path, "utf8").catch(() => undefined);
  const read = written === undefined ? undefined : readReceipt(written);
  return written !== undefined && read?.ok === true ? { written, receipt: read.value } : undefined;
}

/** What a state means, where there is nothing more to say. */
export const said: Readonly<Record<InstallationState, string>> = {
  queued: "queued", running: "running", done: "done", findings: "findings: see the lines above", failed: "failed: see the lines above",
  cancelled: "cancelled; a retry goes on where it was", interrupted: "the service was stopped; a retry goes on where it was",
};

async function finish(context: Context, row: InstallationRow, { ended, receipt, problem }: Result, why: StopReason | undefined): Promise<InstallationState> {
  const state = stateOf(ended, why);
  const message = why === "late" && state === "failed" ? "failed: it took too long, and was stopped; a retry goes on where it was" : (problem ?? said[state]);
  await endRun(context, row, { state, message, status: ended.status, receipt });
  return state;
}

/** What was done before a stop came through is done. */
export function stateOf({ status }: Pick<Ended, "status">, why: StopReason | undefined): InstallationState {
  if (status === 0) return "done";
  if (why === "cancelled" || why === "interrupted") return why;
  return status === 1 ? "findings" : "failed";
}
