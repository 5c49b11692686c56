/** Bundles whose small files are gone, as after a backup was restored elsewhere: they are made again of their documents. */

import type { Digest } from "../../core/digest.ts";
import type { Context } from "../context.ts";
import { addEvent, bundleById, setBundle } from "../state/bundles.ts";
import type { StoredLayout } from "./stored-layout.ts";

export async function requeueLost({ db, drawn, queue, now, log }: Context): Promise<void> {
  // In this order: what another process makes meanwhile is not lost.
  const rows = await db.selectFrom("bundles").select(["id", "layout"]).where("state", "=", "ready").execute();
  const there = new Set<string>((await drawn.list()).map(({ digest }) => digest));
  const lost = rows.filter(({ layout }) => !there.has(drawnOf(layout)));
  for (const { id, layout } of lost) {
    await db.transaction().execute(async (transaction) => {
      // Another process may have found it first.
      if ((await bundleById(transaction, id))?.layout !== layout) return;
      await setBundle(transaction, id, { state: "queued", layout: null, finished: null });
      await queue.add(transaction, id, now());
      await addEvent(transaction, id, { time: now(), state: "queued", message: "queued again: its small files are not in the state folder" });
    });
  }
  if (lost.length > 0) log("warn", "bundles-lost", { bundles: lost.length });
}

function drawnOf(layout: string | null): Digest {
  return (JSON.parse(layout ?? "{}") as StoredLayout).drawn;
}
