/** StreamCloudlet: what becomes of a cloudlet, by its bundle and by the receipts of its site, until it is set up or has failed. */

import type { Context } from "../context.ts";
import { bundles, eventsAfter } from "../state/bundles.ts";
import { cloudletById } from "../state/cloudlets.ts";
import type { BundleRow, CloudletRow } from "../state/tables.ts";
import { messageLine, Refusal, resultLine } from "./refusal.ts";

/** As long as MobiledgeX waits for a platform (PlatformInitTimeout). */
const platformInitMs = 20 * 60_000;

/** An empty line between JSON objects is none, and keeps a quiet stream from being taken for a dead one. */
const quietMs = 15_000;

/** Lines of the answer. Ends early when `gone` is aborted. */
export async function* followCloudlet(context: Context, id: string, gone: AbortSignal, waitMs = platformInitMs): AsyncGenerator<string> {
  const bell = bellOf(context, id, gone);
  const end = context.now() + waitMs;
  let told: Told = { bundle: undefined, event: 0, isWaiting: false };
  try {
    while (!gone.aborted) {
      const row = await cloudletById(context.db, id);
      const [bundle] = await bundles(context.db, { among: undefined, cloudlet: id }, undefined, 1);
      if (bundle !== undefined && bundle.id !== told.bundle) {
        bell.listen(bundle.id);
        told = { bundle: bundle.id, event: 0, isWaiting: false };
        // Read anew: something may have happened before anybody listened.
        continue;
      }
      const events = bundle === undefined ? [] : await eventsAfter(context.db, bundle.id, told.event);
      for (const { message } of events) yield messageLine(`Bundle: ${message}`);
      told = { ...told, event: events.at(-1)?.number ?? told.event };
      const last = lastLines(row, bundle);
      if (last !== undefined) {
        yield* last;
        return;
      }
      if (!told.isWaiting && (bundle === undefined || bundle.state === "ready")) {
        yield messageLine(bundle === undefined ? "No bundle was asked for yet: run `GetCloudletManifest`" : "Waiting for the receipt of the cloudlet's site");
        told = { ...told, isWaiting: true };
      }
      if (context.now() >= end) {
        yield messageLine("platform bringup timed out");
        yield resultLine(new Refusal("Timed out waiting for cloudlet state to be Ready"));
        return;
      }
      if (!(await bell.heard(Math.min(quietMs, end - context.now())))) yield "\n";
    }
  } finally {
    bell.close();
  }
}

interface Told {
  readonly bundle: string | undefined;
  readonly event: number;
  /** Said what is waited for. */
  readonly isWaiting: boolean;
}

/** Undefined as long as there is more to come. */
function lastLines(row: CloudletRow | undefined, bundle: BundleRow | undefined): readonly string[] | undefined {
  if (row === undefined) return [messageLine("Deleted Cloudlet successfully")];
  if (row.state === "installed") return [messageLine("Cloudlet setup successfully")];
  if (row.state === "removed") return [messageLine("Cloudlet was removed from its site")];
  if (bundle?.state !== "failed") return undefined;
  const { title } = JSON.parse(bundle.problem ?? "{}") as { readonly title?: string };
  const failure = new Refusal(`Encountered failures: ${title ?? "the bundle can't be made"}`);
  return [messageLine(failure.message), resultLine(failure)];
}

interface Bell {
  readonly listen: (topic: string) => void;
  /** True when something happened, or the reader has gone; false after so many milliseconds. */
  readonly heard: (ms: number) => Promise<boolean>;
  readonly close: () => void;
}

function bellOf({ news }: Context, topic: string, gone: AbortSignal): Bell {
  let rang = false;
  let awake: () => void = () => undefined;
  const ring = (): void => {
    rang = true;
    awake();
  };
  const deaf = [news.listen(topic, ring)];
  gone.addEventListener("abort", ring, { once: true });
  return {
    listen: (other) => void deaf.push(news.listen(other, ring)),
    heard: async (ms) => {
      if (!rang) {
        let timer: NodeJS.Timeout | undefined;
        await new Promise<void>((resolve) => {
          awake = resolve;
          timer = setTimeout(resolve, Math.max(0, ms));
        });
        clearTimeout(timer);
      }
      const heard = rang;
      rang = false;
      return heard;
    },
    close: () => {
      for (const each of deaf) each();
      gone.removeEventListener("abort", ring);
    },
  };
}
