/** What the courier does with the line to a host: brings the bundle, has it verified there, runs install.sh, and takes away what it brought. */

import { Buffer } from "node:buffer";
import { setTimeout as sleepFor } from "node:timers/promises";
import { EnvironmentError } from "../../core/environment-error.ts";
import type { Credentials } from "../../deliver/authentication.ts";
import { bringBundle, type BringWatch } from "../../deliver/bring.ts";
import { hostKeys } from "../../deliver/host-keys.ts";
import { parseKnownHosts } from "../../deliver/known-hosts.ts";
import { lastingLine, usualPatience, type LastingLine } from "../../deliver/lasting-line.ts";
import { plainText } from "../../deliver/plain-text.ts";
import { connectWithin } from "../../deliver/reach.ts";
import { Refused } from "../../deliver/refused.ts";
import { cancelRun, followRun, outcomeOfRun, receiptOfRun, removeAll, startRun } from "../../deliver/remote-run.ts";
import { answer, runVerbWell, type RemoteFolder } from "../../deliver/remote-shell.ts";
import { openSsh2Line } from "../../deliver/ssh2-line.ts";
import { survey, type Survey } from "../../deliver/survey.ts";
import { showTarget, type Target } from "../../deliver/target.ts";
import type { AskedTar } from "./asked-tar.ts";
import type { CarryEnd, FromCourier, Order } from "./courier-messages.ts";
import { logLines } from "./log-lines.ts";
import { digestOfWhole } from "./whole-tar.ts";

export interface Carrying {
  /** As Ctrl-C would: what was sent stays, and install.sh at the host is told to end. */
  readonly cancel: () => void;
  /** Never fails. */
  readonly ended: Promise<CarryEnd>;
}

export interface Outside {
  readonly tar: AskedTar;
  readonly tell: (message: FromCourier) => void;
  /** Resolves when it is written down that the run begins. */
  readonly begins: (run: string) => Promise<void>;
}

/** install.sh writes kilobytes; a host that sends without an end is none that we talk to. */
const logBytes = 33_554_432;

interface Work {
  readonly order: Order;
  readonly outside: Outside;
  readonly lasting: LastingLine;
  readonly remote: RemoteFolder;
  readonly signal: AbortSignal;
  /** Of this turn, so that the host tells its lines from another's. */
  readonly id: string;
}

/** As install.sh has it: what something is at stands at the margin, what it tells of it is set in. */
const setIn = "    ";

export function carry(order: Order, outside: Outside): Carrying {
  const stop = new AbortController();
  const { signal } = stop;
  const say = (text: string): void => sayBy(outside, text);
  const target = order.hops.at(-1) as Target;
  const lasting = lastingLine(() => openLine(order, signal), {
    patience: { ...usualPatience, tries: order.tries },
    sleep: (ms) => sleepFor(ms, undefined, { signal }),
    cut: (why, pauseMs) => say(`${plainText(why)}; again in ${(pauseMs / 1_000).toFixed(1)} s`),
    up: (times) => say(times === 1 ? `connected to ${showTarget(target)}` : "the line is up again"),
    signal,
  });
  const work: Work = { order, outside, lasting, remote: { script: order.script, folder: order.folder }, signal, id: order.run };
  // Once install.sh goes on there, a stop is the host's to do; until then the line is let go.
  let stopRun: (() => Promise<void>) | undefined;
  const ended = carried(work, (how) => (stopRun = how))
    .catch((error: unknown) => failure(error, signal))
    .finally(() => lasting.close());
  return {
    cancel: () => {
      if (stopRun === undefined) stop.abort(new Error("cancelled"));
      else void stopRun().catch((error: Error) => say(plainText(error.message)));
    },
    ended,
  };
}

function sayBy({ tell }: Outside, text: string): void {
  tell({ type: "said", text: `${setIn}${text}` });
}

function failure(error: unknown, signal: AbortSignal): CarryEnd {
  if (signal.aborted) return { kind: "stopped" };
  const message = error instanceof EnvironmentError ? plainText(error.message) : `a defect: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`;
  return { kind: "failed", message, about: error instanceof Refused ? error.about : undefined };
}

async function openLine({ hops, logins, knownHosts, pins, reach }: Order, signal: AbortSignal): ReturnType<typeof openSsh2Line> {
  return openSsh2Line({
    hops, signal,
    hostKeys: hostKeys(parseKnownHosts(knownHosts, "the host keys that were given"), new Map(pins)),
    credentials: (hop) => credentialsOf(logins[hops.indexOf(hop)] ?? {}),
    connect: (hop) => connectWithin(reach, hop, signal),
  });
}

function credentialsOf({ privateKey, passphrase, password }: Order["logins"][number]): Credentials {
  return {
    keyFiles: [], ask: () => Promise.resolve(undefined),
    keys: privateKey === undefined ? [] : [{ name: "the private key", pem: privateKey }],
    ...(passphrase === undefined ? {} : { passphrase }),
    ...(password === undefined ? {} : { password }),
  };
}

async function carried(work: Work, stopsBy: (how: () => Promise<void>) => void): Promise<CarryEnd> {
  const { order, outside, lasting, remote } = work;
  const { action } = order;
  outside.tell({ type: "said", text: "connect" });
  outside.tell({ type: "phase", phase: "connecting", done: 0, total: 0 });
  const there = await lasting.use((line) => survey(line, remote));
  if (there.state === "foreign") throw new EnvironmentError(`${plainText(there.folder)} on the host was not made by push: choose another folder; this one is left as it is`);
  if (action === "remove") return removed(work);
  const isOwn = there.runId.startsWith(order.own);
  if (there.run === "going" && !isOwn) throw new EnvironmentError("an installation that is not this delivery's is going on there: wait for it, or see it with cloudlet-bundle push --attach");
  // What a turn before this one began goes on, or has ended with nobody to see it.
  const isAttached = there.run === "going" || (there.run.startsWith("ended") && there.runId === order.awaited);
  if (!isAttached) {
    const refusal = await brought(work, there);
    if (refusal !== undefined) return refusal;
    if (action === "deliver") return { kind: "done", message: "the bundle is there, verified" };
  }
  let started: Promise<void> = Promise.resolve();
  stopsBy(async () => {
    await started.catch(() => undefined);
    if ((await cancelRun(lasting, remote)) === "killed") sayBy(outside, "install.sh did not end by itself, and was killed");
  });
  if (isAttached) sayBy(outside, "the installation that was begun there is shown on");
  else await (started = begun(work));
  return followed(work, isAttached && there.runId === order.awaited ? order.logAt : 0);
}

/** Undefined where it is there, verified. */
async function brought(work: Work, there: Survey): Promise<CarryEnd | undefined> {
  const { order, outside, lasting, remote, signal, id } = work;
  const { size, trust } = order;
  outside.tell({ type: "said", text: "bring the bundle" });
  const digest = await digestOfWhole(outside.tar, order.files, signal, (done) => outside.tell({ type: "phase", phase: "checking", done, total: size }));
  const say = (text: string): void => sayBy(outside, text);
  const watch: BringWatch = {
    sent: (done) => outside.tell({ type: "phase", phase: "sending", done, total: size }),
    compared: (from, to) => {
      outside.tell({ type: "phase", phase: "comparing", done: from, total: to });
    },
    damaged: (from) => say(`what is there is not this bundle from byte ${from} on; it is sent again from there`),
    arrived: (kept) => {
      say(kept === undefined ? "nothing was sent: the bundle is there" : `${size - kept} bytes sent${kept === 0 ? "" : `; ${kept} were there`}`);
      outside.tell({ type: "phase", phase: "verifying", done: 0, total: 0 });
    },
    signal,
  };
  const verdict = await bringBundle({ lasting, remote, there, source: outside.tar, digest, id, trust }, watch);
  for (const line of verdict.text.split("\n")) if (line.trim() !== "") say(line.trimEnd());
  if (verdict.isGood) return void say(`verified there, signed by ${trust}`);
  return { kind: "failed", message: "the bundle on the host is not what its signer made, and nothing of it was run. Remove it, look at that host's disk, and deliver it again", about: undefined };
}

async function begun({ order, outside, lasting, remote }: Work): Promise<void> {
  const { secrets } = order;
  const folder = answer(await lasting.use((line) => runVerbWell(line, remote, "prepare")), "folder");
  await outside.begins(order.run);
  const words = ["--trust", order.trust, "--yes", "--no-colour", "--receipt", `${folder}/run/receipt.json`, ...(secrets === undefined ? [] : ["--secrets", `${folder}/secrets`]), ...order.words];
  await startRun(lasting, remote, { id: order.run, source: order.source, words, secrets: secrets === undefined ? undefined : Buffer.from(secrets) });
}

async function followed(work: Work, from: number): Promise<CarryEnd> {
  const { order, outside, lasting, remote } = work;
  outside.tell({ type: "phase", phase: "running", done: 0, total: 0 });
  const lines = logLines(from, (text, at) => outside.tell({ type: "line", text, at }));
  let taken = 0;
  await followRun(lasting, remote, (bytes) => {
    taken += bytes.byteLength;
    if (taken > logBytes) throw new EnvironmentError(`the log of install.sh there is longer than ${logBytes} bytes`);
    lines.take(bytes);
  }, from);
  lines.end();
  const outcome = await outcomeOfRun(lasting, remote);
  if (outcome.kind === "going") throw new EnvironmentError("the installation goes on, and its log has ended: retry shows it on");
  if (outcome.kind === "died") return { kind: "died" };
  const { status, hasReceipt } = outcome;
  const receipt = hasReceipt ? await receiptOfRun(lasting, remote) : undefined;
  const left = status === 0 && order.removeAfter ? await takenAway(work) : [];
  return { kind: "ended", status, receipt, left };
}

async function removed(work: Work): Promise<CarryEnd> {
  const left = await takenAway(work);
  return left.length === 0 ? { kind: "done", message: "nothing is left there" } : { kind: "left", names: left };
}

async function takenAway({ order, outside, lasting, remote }: Work): Promise<readonly string[]> {
  outside.tell({ type: "said", text: "take away what was brought" });
  outside.tell({ type: "phase", phase: "removing", done: 0, total: 0 });
  const left = (await removeAll(lasting, remote)).map(plainText);
  sayBy(outside, left.length === 0 ? `what was brought to ${order.folder} is taken away: nothing is left there` : `what was brought to ${order.folder} is taken away; this is not its own, and stays: ${left.slice(0, 20).join(", ")}`);
  return left;
}
