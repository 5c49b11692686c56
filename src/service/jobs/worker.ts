/** Does the jobs, one after another, as long as the service runs. */

import { EnvironmentError } from "../../core/environment-error.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Context } from "../context.ts";
import { queueTopic } from "../context.ts";
import { record } from "../state/audit-trail.ts";
import { awayBecause } from "../state/away.ts";
import { addEvent, bundleById, eventsAfter, setBundle } from "../state/bundles.ts";
import type { InTransaction } from "../state/database.ts";
import { requeueAll } from "../state/jobs.ts";
import type { BundleRow, BundleState } from "../state/tables.ts";
import { buildBundle, type Built } from "./build-bundle.ts";
import type { ClaimedJob } from "./queue.ts";

export interface Worker {
  /** Ends when the job at hand has ended, or is back in the queue. */
  readonly stopped: Promise<void>;
}

/** A job that takes the process with it each time shall not do so for ever. */
const attemptsAtMost = 3;

export function startWorker(context: Context): Worker {
  const { stopping } = context;
  let awake: () => void = () => undefined;
  let woken = true;
  const wake = (): void => {
    woken = true;
    awake();
  };
  const deaf = context.news.listen(queueTopic, wake);
  stopping.addEventListener("abort", wake, { once: true });
  const run = async (): Promise<void> => {
    while (!stopping.aborted) {
      woken = false;
      const didSomething = await claimAndPerform(context);
      if (didSomething || woken) continue;
      const pause = setTimeout(wake, context.queue.pauseMs);
      await new Promise<void>((resolve) => (awake = resolve));
      clearTimeout(pause);
    }
    deaf();
  };
  return { stopped: run() };
}

/** Where the database itself fails (a full disk), the job is begun again when its lease has ended. */
async function claimAndPerform(context: Context): Promise<boolean> {
  try {
    const job = await context.queue.claim();
    return job !== undefined && (await perform(context, job));
  } catch (error) {
    context.log("error", "queue", { message: (error as Error).message });
    return false;
  }
}

/** What a process left half-done, which is gone, is begun anew. */
export async function recoverJobs({ db, now, log }: Context): Promise<void> {
  const found = await db.transaction().execute(async (transaction) => {
    const ids = await requeueAll(transaction);
    for (const id of ids) await change(transaction, id, { state: "queued" }, now(), "queued again: the service was stopped");
    return ids;
  });
  if (found.length > 0) log("info", "jobs-recovered", { jobs: found.length });
}

/** False where something is away that comes back: whoever takes the job again at once meets the same. */
async function perform(context: Context, job: ClaimedJob): Promise<boolean> {
  const { db, now, log, stopping } = context;
  const began = now();
  const renewing = setInterval(() => void job.renew().catch(() => undefined), job.renewMs);
  try {
    const row = await bundleById(db, job.bundleId);
    if (row === undefined) {
      // Its cloudlet was deleted.
      await db.transaction().execute((transaction) => job.end(transaction));
      return true;
    }
    const built = job.attempts > attemptsAtMost ? givenUp : await buildBundle(context, row, (message) => tell(context, row.id, { state: "building" }, message));
    await finish(context, row, job, built);
    log(built.ok ? "info" : "warn", "bundle", { bundle: row.id, state: built.ok ? "ready" : "failed", ms: now() - began });
  } catch (error) {
    const away = awayBecause(error);
    if (stopping.aborted) await putBack(context, job, "the service is stopping");
    else if (away !== undefined) await putBack(context, job, away);
    else await fail(context, job, error);
    return away === undefined;
  } finally {
    clearInterval(renewing);
    context.news.tell(job.bundleId);
  }
  return true;
}

const givenUp: Built = { ok: false, title: `it was begun ${attemptsAtMost} times, and the service ended each time before it was made`, issues: [] };

async function finish(context: Context, row: BundleRow, job: ClaimedJob, built: Built): Promise<void> {
  const { db, now } = context;
  await db.transaction().execute(async (transaction) => {
    // Whoever has the job by now, or took the bundle away, decides.
    if (!(await job.end(transaction))) return;
    const finished = now();
    const outcome = built.ok
      ? { state: "ready" as const, layout: JSON.stringify(built.layout), sums: built.sums, problem: null, finished }
      : { state: "failed" as const, problem: JSON.stringify({ title: built.title, issues: built.issues }), finished };
    await change(transaction, row.id, outcome, finished, built.ok ? "ready" : built.title);
    const detail: JsonObject = built.ok ? { sums: `sha256:${built.sums}`, size: built.layout.size } : { reason: built.title };
    await record(transaction, { time: finished, actor: "service", address: "", action: `bundle:${outcome.state}`, subject: `bundle:${row.id}`, organization: row.organization, detail });
  });
}

async function putBack({ db, now, log }: Context, job: ClaimedJob, reason: string): Promise<void> {
  const { bundleId } = job;
  const message = `queued again: ${reason}`;
  log("info", "job-put-back", { bundle: bundleId, reason });
  await db.transaction().execute(async (transaction) => {
    if (!(await job.release(transaction))) return;
    // What is away for an hour is told once.
    const isKnown = (await eventsAfter(transaction, bundleId, 0)).some((event) => event.message === message);
    if (isKnown) await setBundle(transaction, bundleId, { state: "queued" });
    else await change(transaction, bundleId, { state: "queued" }, now(), message);
  });
}

/** A full disk or a signer that fails is told; anything else is a defect, whose text stays in the log. */
async function fail(context: Context, job: ClaimedJob, error: unknown): Promise<void> {
  const id = job.bundleId;
  const isKnown = error instanceof EnvironmentError;
  context.log("error", "job-failed", { bundle: id, message: (error as Error).message, ...(isKnown ? {} : { stack: (error as Error).stack }) });
  const row = await bundleById(context.db, id);
  if (row === undefined) return;
  await finish(context, row, job, { ok: false, title: isKnown ? error.message : "a defect of the service; its log has more", issues: [] });
}

async function tell(context: Context, id: string, to: { readonly state: BundleState }, message: string): Promise<void> {
  await context.db.transaction().execute((transaction) => change(transaction, id, to, context.now(), message));
  context.news.tell(id);
}

async function change(db: InTransaction, id: string, to: Parameters<typeof setBundle>[2] & { readonly state: BundleState }, time: number, message: string): Promise<void> {
  // Its cloudlet may have been deleted meanwhile.
  if (!(await setBundle(db, id, to))) return;
  await addEvent(db, id, { time, state: to.state, message });
}
