/** One delivery: its courier, what it says, and what came of it. */

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { produce } from "../../pack/stream.ts";
import type { Reach } from "../../deliver/reach.ts";
import { hostAndPort, readTarget, type Target } from "../../deliver/target.ts";
import type { Context } from "../context.ts";
import { endRun, type WrittenReceipt } from "../direct/ended-run.ts";
import { keptLines } from "../direct/kept-lines.ts";
import { said, stateOf } from "../direct/run.ts";
import { aboutSecrets } from "../direct/seal-anew.ts";
import type { Sealing } from "../direct/sealing.ts";
import { hiddenIn, hiderOf } from "../direct/secret-lines.ts";
import { runningFor, type Asked, type Running } from "../direct/turns.ts";
import { readReceipt } from "../jobs/receipt.ts";
import { layoutOf, readerOf, type StoredLayout } from "../jobs/stored-layout.ts";
import { bundleById } from "../state/bundles.ts";
import { cloudletById } from "../state/cloudlets.ts";
import { deliveryById, noteRun, type Delivery } from "../state/deliveries.ts";
import { addInstallationEvents, setInstallation } from "../state/installations.ts";
import type { BundleRow, CloudletRow, InstallationRow, InstallationState } from "../state/tables.ts";
import { sendCourier } from "./courier.ts";
import type { CarryEnd, GivenLogin, Order, Phase } from "./courier-messages.ts";

export interface DeliverySettings {
  readonly sealing: Sealing;
  readonly reach: Reach;
  /** In a row that bring nothing. */
  readonly tries: number;
  readonly timeoutMs: number;
  readonly silenceMs: number;
  /** How long install.sh at the host has to end when it is cancelled. */
  readonly cancelMs: number;
  /** How far it is. */
  readonly passing: (id: string, progress: Progress | undefined) => void;
}

export interface Progress {
  readonly phase: Phase;
  readonly done: number;
  readonly total: number;
}

export function runDelivery(context: Context, settings: DeliverySettings, id: string, logins: readonly GivenLogin[]): Running {
  return runningFor(context, { id, noun: "delivery", timeoutMs: settings.timeoutMs }, (asked) => perform(context, settings, { id, logins, ...asked }));
}

interface Wanted extends Asked {
  readonly id: string;
  readonly logins: readonly GivenLogin[];
}

async function perform(context: Context, settings: DeliverySettings, asked: Wanted): Promise<void> {
  const { db, now, log } = context;
  const delivery = await deliveryById(db, asked.id);
  if (delivery === undefined) return;
  const { run } = delivery;
  const secrets = run.secrets === null ? undefined : settings.sealing.open({ box: run.secrets, keyId: run.secrets_key ?? "" }, aboutSecrets(run.id));
  const hide = hiderOf([...asked.logins.flatMap(secretsOf), ...hiddenIn(secrets ?? "")]);
  const began = now();
  let end: CarryEnd | undefined;
  try {
    if (run.secrets !== null && secrets === undefined) end = { kind: "failed", message: "its secrets are sealed with a key that the service does not have", about: undefined };
    else end = await carried(context, settings, asked, { delivery, secrets, hide });
  } catch (error) {
    // What the disk says holds a path, and is the log's.
    log("error", "delivery", { delivery: run.id, message: hide((error as Error).message) });
  } finally {
    settings.passing(run.id, undefined);
  }
  const state = await finish(context, delivery, end, asked, hide);
  log(state === "done" ? "info" : "warn", "delivery", { delivery: run.id, action: run.action, state, ms: now() - began });
}

function secretsOf({ privateKey = "", passphrase = "", password = "" }: GivenLogin): readonly string[] {
  return [passphrase, password, ...privateKey.split(/\r?\n/).filter((line) => line.length >= 8 && !line.startsWith("-----"))];
}

interface Known {
  readonly delivery: Delivery;
  readonly secrets: string | undefined;
  readonly hide: (text: string) => string;
}

async function carried(context: Context, settings: DeliverySettings, asked: Wanted, { delivery, secrets, hide }: Known): Promise<CarryEnd | undefined> {
  const { db, news, now } = context;
  const { run, to } = delivery;
  const bundle = await bundleById(db, run.bundle_id);
  if (bundle?.layout === undefined || bundle.layout === null) throw new Error("the bundle is not ready any more");
  const layout = JSON.parse(bundle.layout) as StoredLayout;
  const order = await orderOf(context, settings, { delivery, bundle, layout, secrets, logins: asked.logins });
  asked.signal.throwIfAborted();
  const time = now();
  await db.transaction().execute(async (transaction) => {
    await setInstallation(transaction, run.id, ["queued"], { state: "running", started: time });
    await addInstallationEvents(transaction, run.id, [{ time, state: "running", message: "running" }]);
  });
  news.tell(run.id);
  let logAt = to.log_at;
  const lines = keptLines(context, run.id, hide, (transaction) => noteRun(transaction, run.id, { log_at: logAt }));
  const [laid, reader] = [layoutOf(layout), readerOf(layout, context)];
  const courier = sendCourier({
    order, mark: run.id, silenceMs: settings.silenceMs,
    read: async (from, to) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of produce(laid, reader, from, to)) pieces.push(Uint8Array.from(piece));
      return Buffer.concat(pieces);
    },
    hear: async (message) => {
      switch (message.type) {
        case "phase":
          settings.passing(run.id, { phase: message.phase, done: message.done, total: message.total });
          return;
        case "said":
          return lines.take(message.text);
        case "line":
          logAt = message.at;
          return lines.take(message.text);
        case "begins":
          logAt = 0;
          await noteRun(db, run.id, { run_id: message.run, log_at: 0 });
          return;
      }
    },
    died: (how) => context.log("error", "courier", { delivery: run.id, message: hide(how) }),
  });
  let late: NodeJS.Timeout | undefined;
  const stop = (): void => {
    // Stopping with the service lets the line go at once: a run at the host goes on, and a retry shows it.
    if (asked.why() !== "cancelled") return courier.kill();
    courier.cancel();
    late = setTimeout(courier.kill, settings.cancelMs);
  };
  if (asked.signal.aborted) stop();
  else asked.signal.addEventListener("abort", stop, { once: true });
  try {
    return await courier.ended;
  } finally {
    clearTimeout(late);
    asked.signal.removeEventListener("abort", stop);
    await lines.end();
  }
}

interface OrderParts {
  readonly delivery: Delivery;
  readonly bundle: BundleRow;
  readonly layout: StoredLayout;
  readonly secrets: string | undefined;
  readonly logins: readonly GivenLogin[];
}

async function orderOf({ packageFolder }: Context, { reach, tries }: DeliverySettings, { delivery: { run, to }, bundle, layout, secrets, logins }: OrderParts): Promise<Order> {
  const own = `${Buffer.from(run.id, "base64url").toString("hex")}-`;
  return {
    action: run.action, hops: hopsOf(to), logins, knownHosts: to.known_hosts, pins: JSON.parse(to.pins) as Order["pins"], reach, tries,
    script: await readFile(join(packageFolder, "templates/push/host.sh"), "utf8"), folder: to.folder,
    size: layout.size, files: layout.files.map(({ path, start, size, sha256 }) => ({ path, start, size, sha256 })),
    trust: bundle.fingerprint, words: wordsOf(run), secrets, source: to.source, removeAfter: to.remove_after === 1,
    own, run: `${own}${run.attempts}`, awaited: to.run_id ?? undefined, logAt: to.log_at,
  };
}

/** Jump hosts first. */
export function hopsOf({ target, jumps }: Delivery["to"]): readonly Target[] {
  return [...(JSON.parse(jumps) as readonly string[]), target].map((text) => {
    const read = readTarget(text, "");
    if (!read.ok) throw new Error(`a delivery goes to no host: ${read.message}`);
    return read.value;
  });
}

/** Of install.sh; no secret is among them. */
function wordsOf(run: InstallationRow): readonly string[] {
  const parameters = Object.entries(JSON.parse(run.parameters) as Readonly<Record<string, string>>).flatMap(([name, value]) => ["--parameter", `${name}=${value}`]);
  const inputs = [...parameters, ...(run.allow_older === 1 ? ["--allow-older"] : [])];
  switch (run.action) {
    case "install":
      return inputs;
    case "deliver":
    case "remove":
      return [];
    case "check":
    case "upgrade":
      return [...inputs, `--${run.action}`];
    case "status":
    case "rollback":
    case "uninstall":
      return [`--${run.action}`];
  }
}

async function finish(context: Context, { run, to }: Delivery, end: CarryEnd | undefined, { why }: Asked, hide: (text: string) => string): Promise<InstallationState> {
  const cloudlet = await cloudletById(context.db, run.cloudlet_id);
  const receipt = cloudlet === undefined || end?.kind !== "ended" ? undefined : receiptIn(end, run, cloudlet);
  const state = stateAfter(end, why());
  const message = end?.kind === "ended" && receipt === "foreign" ? `${said[state]}; the receipt that came back is none of this cloudlet's, and is not kept` : messageOf(end, state, to, why());
  // Of a run whose end is known there is nothing to come back to.
  if (end?.kind === "ended" || end?.kind === "died") await noteRun(context.db, run.id, { run_id: null });
  await endRun(context, run, { state, message: hide(message), status: end?.kind === "ended" ? end.status : null, receipt: receipt === "foreign" ? undefined : receipt });
  return state;
}

function stateAfter(end: CarryEnd | undefined, why: ReturnType<Asked["why"]>): InstallationState {
  switch (end?.kind) {
    case "done":
      return "done";
    case "left":
      return "findings";
    case "ended":
      return stateOf(end, why) === "done" && end.left.length > 0 ? "findings" : stateOf(end, why);
    case "died":
    case "failed":
    case "stopped":
    case undefined:
      return why === "cancelled" || why === "interrupted" ? why : "failed";
  }
}

function messageOf(end: CarryEnd | undefined, state: InstallationState, to: Delivery["to"], why: ReturnType<Asked["why"]>): string {
  if (why === "late" && end?.kind !== "ended") return "failed: it took too long, and the line was let go; a retry goes on where it was";
  switch (end?.kind) {
    case "done":
      return end.message;
    case "left":
      return `findings: what was brought is gone; this is not its own, and stays: ${end.names.slice(0, 20).join(", ")}`;
    case "died":
      return "failed: install.sh was killed there, or the host was restarted; a retry goes on where it was";
    case "failed":
      return `failed: ${end.message}${end.about === undefined ? "" : `. ${advice[end.about]}`}`;
    case "ended":
      return said[state];
    default:
      if (state === "cancelled") return end?.kind === "stopped" ? said.cancelled : `cancelled, but ${hostAndPort(lastOf(to))} could not be told: an installation may go on there; a retry shows it, and can be cancelled`;
      return state === "interrupted" ? "the service was stopped; an installation that was begun at the host goes on, and a retry shows it" : "failed: what holds the line to the host has ended by itself; the service's log has more";
  }
}

function lastOf(to: Delivery["to"]): Target {
  return hopsOf(to).at(-1) as Target;
}

const advice = {
  "host-key": "Nothing was sent. Compare the fingerprint with what the host's administrator says by another channel; if it is the same, begin another delivery with it",
  login: "Retry with the right key or password",
} as const;

/** A receipt is a document: larger ones are not read. */
const receiptMaxBytes = 1_048_576;

/** The host says what it likes: a receipt of another cloudlet is none. */
function receiptIn({ receipt: written }: Extract<CarryEnd, { kind: "ended" }>, run: InstallationRow, cloudlet: CloudletRow): WrittenReceipt | "foreign" | undefined {
  if (written === undefined || (run.action !== "install" && run.action !== "upgrade" && run.action !== "rollback" && run.action !== "uninstall")) return undefined;
  const read = written.length > receiptMaxBytes ? undefined : readReceipt(written);
  if (read?.ok !== true || read.value.cloudlet !== cloudlet.name || read.value.organization !== cloudlet.organization) return "foreign";
  return { written, receipt: read.value };
}
