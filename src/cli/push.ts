/** `push`: brings a bundle to a jump host over SSH, has it verified there, and installs it from there. */

import type { Command } from "commander";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleepFor } from "node:timers/promises";
import { EnvironmentError } from "../core/environment-error.ts";
import { bringBundle, type BringWatch } from "../deliver/bring.ts";
import { lastingLine, usualPatience, type LastingLine } from "../deliver/lasting-line.ts";
import { plainText } from "../deliver/plain-text.ts";
import { cancelRun, followRun, outcomeOfRun, receiptOfRun, removeAll, startRun } from "../deliver/remote-run.ts";
import { runVerbWell, answer, type RemoteFolder } from "../deliver/remote-shell.ts";
import { refuseFullHost, survey, type Survey } from "../deliver/survey.ts";
import { showTarget } from "../deliver/target.ts";
import { openTar } from "../deliver/tar-on-disk.ts";
import { digestOf, type TarSource } from "../deliver/tar-source.ts";
import { readSecretFile } from "../deliver/authentication.ts";
import { verdictText } from "../seal/verdict.ts";
import { verifyBundle } from "../seal/verify.ts";
import { openBundle } from "../store/bundle-file.ts";
import type { ExitStatus, Io } from "./io.ts";
import { progressOn, type Progress } from "./progress.ts";
import { openerOf } from "./push-line.ts";
import { addPushOptions, readPushRequest, type PushOptions, type PushRequest } from "./push-request.ts";
import { pushTeller, type Tell } from "./push-tell.ts";
import { clockOf } from "./verify.ts";
import { writeTextAside } from "./write-aside.ts";

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  addPushOptions(command).action(async (bundle: string, host: string, words: readonly string[], options: PushOptions) => done(await push({ bundle, host, words, options }, io)));
}

/** What every step of a push has. */
interface Delivery {
  readonly request: PushRequest;
  readonly io: Io;
  readonly lasting: LastingLine;
  readonly remote: RemoteFolder;
  readonly tell: Tell;
  readonly progress: Progress;
  /** Of this push. */
  readonly id: string;
}

async function push(given: { readonly bundle: string; readonly host: string; readonly words: readonly string[]; readonly options: PushOptions }, io: Io): Promise<ExitStatus> {
  const request = await readPushRequest(given, io);
  if (request === undefined) return 2;
  const progress = progressOn(io, request.quiet || request.json);
  const tell = pushTeller(io, request, progress);
  const script = await readFile(join(io.packageFolder, "templates/push/host.sh"), "utf8");
  const lasting = lastingLine(await openerOf(request, io), {
    patience: { ...usualPatience, tries: request.tries },
    sleep: (ms) => sleepFor(ms, undefined, { signal: io.signal }),
    cut: (why, pauseMs) => tell({ event: "cut", why, pauseMs }),
    up: (times) => tell({ event: times === 1 ? "connected" : "reconnected", host: showTarget(request.target) }),
    signal: io.signal,
  });
  const delivery: Delivery = { request, io, lasting, remote: { script, folder: request.folder }, tell, progress, id: Buffer.from(io.random(12)).toString("hex") };
  try {
    return await modes[request.mode](delivery);
  } finally {
    progress.finish();
    lasting.close();
  }
}

const modes: Readonly<Record<PushRequest["mode"], (delivery: Delivery) => Promise<ExitStatus>>> = {
  push: deliver,
  plan,
  attach: (delivery) => attach(delivery),
  cancel,
  remove,
};

async function deliver(delivery: Delivery): Promise<ExitStatus> {
  const tar = await openTar(delivery.request.bundle);
  try {
    return await bring(delivery, tar);
  } finally {
    await tar.close();
  }
}

async function bring(delivery: Delivery, source: TarSource): Promise<ExitStatus> {
  const { request, lasting, remote, tell, io, id } = delivery;
  const secrets = request.secrets === undefined ? undefined : new Uint8Array(await readSecretFile(request.secrets, "secrets"));
  const there = await look(delivery);
  if (!(await isGoodHere(delivery, source.size))) return 1;
  const digest = await digestHere(delivery, source);
  const { trust } = request;
  const verdict = await bringBundle({ lasting, remote, there, source, digest, id, trust }, watchOf(delivery, source.size, there));
  tell({ event: "verified", good: verdict.isGood, trust, text: verdict.text });
  if (!verdict.isGood) {
    io.err("cloudlet-bundle push: the bundle on the host is not what its signer made; nothing of it was run. Remove it (--remove), look at that host's disk, and push it again.\n");
    return 1;
  }
  return request.install ? install(delivery, secrets) : 0;
}

/** What is on the host; a folder that is not push's, and an installation that goes on, are nobody's to touch. */
async function look({ request, lasting, remote }: Delivery): Promise<Survey> {
  const there = await lasting.use((line) => survey(line, remote));
  if (there.state === "foreign") throw new EnvironmentError(`${plainText(there.folder)} on the host was not made by push`, { hint: "choose another with --folder; this one is left as it is" });
  if (there.run === "going" && request.mode !== "plan") {
    throw new EnvironmentError("an installation of this bundle is going on there", { hint: "see it with --attach, stop it with --cancel" });
  }
  return there;
}

/** Before a byte is sent: verify.sh on the host comes out of the bundle itself, so the first judge has to be here. */
async function isGoodHere({ request, io, tell, progress }: Delivery, size: number): Promise<boolean> {
  let done = 0;
  const hashed = (bytes: number): void => progress.report("verifying here", Math.min(size, (done += bytes)), size);
  const source = await openBundle(request.bundle, { hashed, signal: io.signal });
  const verdict = await verifyBundle(source, request.trust, { now: clockOf(io) }).finally(progress.finish);
  if (verdict.good) return true;
  tell({ event: "refused-here", text: verdictText(verdict) });
  return false;
}

async function digestHere({ io, progress }: Delivery, source: TarSource): Promise<string> {
  return digestOf(source, 0, source.size, io.signal, (at) => progress.report("reading", at, source.size)).finally(progress.finish);
}

function watchOf({ tell, progress, io }: Delivery, size: number, there: Survey): BringWatch {
  return {
    sent: (at) => progress.report("sending", at, size),
    compared: (from, to) => tell({ event: "comparing", from, to }),
    damaged: (from) => tell({ event: "damaged", from }),
    arrived: (kept) => tell(kept === undefined ? { event: "there", folder: there.folder } : { event: "sent", size, kept, folder: there.folder }),
    signal: io.signal,
  };
}

async function install(delivery: Delivery, secrets: Uint8Array | undefined): Promise<ExitStatus> {
  const { request, lasting, remote, tell, id } = delivery;
  const folder = answer(await lasting.use((line) => runVerbWell(line, remote, "prepare")), "folder");
  const words = ["--trust", request.trust, "--yes", "--receipt", `${folder}/run/receipt.json`, ...(secrets === undefined ? [] : ["--secrets", `${folder}/secrets`]), ...request.words];
  await startRun(lasting, remote, { id, source: request.source, words, secrets });
  tell({ event: "started", folder });
  return attach(delivery);
}

/** Shows a run until its end, whoever started it, and brings its receipt. */
async function attach(delivery: Delivery): Promise<ExitStatus> {
  const { request, io, lasting, remote, tell } = delivery;
  const decoder = new TextDecoder();
  try {
    await followRun(lasting, remote, (bytes) => tell({ event: "log", text: plainText(decoder.decode(bytes, { stream: true })) }));
  } catch (error) {
    if (!io.signal.aborted) throw error;
    tell({ event: "left", attach: `cloudlet-bundle push ${request.again} --attach`, cancel: `cloudlet-bundle push ${request.again} --cancel` });
    return 3;
  }
  const outcome = await outcomeOfRun(lasting, remote);
  if (outcome.kind === "going") throw new EnvironmentError("the installation goes on, and its log has ended", { hint: "attach again: --attach" });
  if (outcome.kind === "died") {
    io.err("cloudlet-bundle push: the installation was killed, or the host was restarted. The same command with --install goes on where it was.\n");
    return 3;
  }
  const receipt = await bringReceipt(delivery, outcome.hasReceipt);
  tell({ event: "installed", status: outcome.status, ...(receipt === undefined ? {} : { receipt }) });
  if (outcome.status === 0 && request.removeAfter) return remove(delivery);
  return asExitStatus(outcome.status);
}

/** 130 and 143: install.sh was interrupted. */
function asExitStatus(status: number): ExitStatus {
  return status === 0 || status === 1 || status === 2 ? status : 3;
}

async function bringReceipt({ request, io, lasting, remote }: Delivery, isThere: boolean): Promise<string | undefined> {
  if (request.receipt === undefined) return undefined;
  if (!isThere) {
    io.err("cloudlet-bundle push: the run has written no receipt\n");
    return undefined;
  }
  await writeTextAside(request.receipt, await receiptOfRun(lasting, remote));
  return request.receipt;
}

async function cancel({ lasting, remote, tell }: Delivery): Promise<ExitStatus> {
  const result = await cancelRun(lasting, remote);
  tell({ event: "cancelled", result });
  return result === "not running" ? 1 : 0;
}

async function remove({ lasting, remote, tell }: Delivery): Promise<ExitStatus> {
  const left = (await removeAll(lasting, remote)).map(plainText);
  tell({ event: "removed", folder: remote.folder, left });
  return left.length === 0 ? 0 : 1;
}

/** What would be done. Nothing is changed on the host, and nothing is sent. */
async function plan(delivery: Delivery): Promise<ExitStatus> {
  const { request, tell } = delivery;
  const source = await openTar(request.bundle);
  const { size } = source;
  try {
    const there = await look(delivery);
    if (!(await isGoodHere(delivery, size))) return 1;
    const isThere = there.unpacked === (await digestHere(delivery, source));
    if (!isThere) refuseFullHost(there, size);
    tell({ event: "plan", folder: there.folder, size, arrived: Math.min(size, there.arrived), isThere, free: there.free ?? null, run: there.run, trust: request.trust, install: request.install, words: request.words, secrets: request.secrets ?? null });
    return 0;
  } finally {
    await source.close();
  }
}
