/** News between processes: PostgreSQL's LISTEN and NOTIFY, and looking again by oneself as long as nobody listens. */

import { Client } from "pg";
import type { Pool } from "pg";
import { newsOf, type News } from "../context.ts";
import type { DatabaseAddress } from "./database-address.ts";
import { clientConfig } from "./postgres.ts";

export interface Notices extends News {
  readonly stop: () => Promise<void>;
}

const channel = "cloudlet_bundle";

/** After this long without a connection everyone looks by themselves, and another one is tried. */
const againMs = 1_000;

/** A connection that a firewall has forgotten hears nothing, and says nothing either. */
const heartbeatMs = 10_000;

export function noticesOf(address: DatabaseAddress, pool: Pool): Notices {
  const { tell, listen } = newsOf();
  const topics = new Map<string, number>();
  const all = (): void => [...topics.keys()].forEach(tell);
  let isStopped = false;
  let client: Client | undefined;
  let next: NodeJS.Timeout | undefined;

  const connect = async (): Promise<void> => {
    const mine = new Client({ ...clientConfig(address), query_timeout: 5_000 });
    client = mine;
    let isOver = false;
    const over = (): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(next);
      mine.end().catch(() => undefined);
      if (isStopped) return;
      all();
      next = setTimeout(() => void connect(), againMs);
    };
    const beat = (): void => {
      next = setTimeout(() => void mine.query("select 1").then(beat, over), heartbeatMs);
    };
    mine.on("error", over);
    mine.on("end", over);
    mine.on("notification", ({ payload }) => tell(payload ?? ""));
    try {
      await mine.connect();
      await mine.query(`listen ${channel}`);
      if (isOver || isStopped) return over();
      // What was told meanwhile was not heard.
      all();
      beat();
    } catch {
      over();
    }
  };
  void connect();

  return {
    tell: (topic) => {
      // This process at once; the others, and this one again, by way of the database.
      tell(topic);
      void pool.query("select pg_notify($1, $2)", [channel, topic]).catch(() => undefined);
    },
    listen: (topic, heard) => {
      topics.set(topic, (topics.get(topic) ?? 0) + 1);
      const deaf = listen(topic, heard);
      return () => {
        deaf();
        const left = (topics.get(topic) ?? 1) - 1;
        if (left > 0) topics.set(topic, left);
        else topics.delete(topic);
      };
    },
    stop: async () => {
      isStopped = true;
      clearTimeout(next);
      await client?.end().catch(() => undefined);
    },
  };
}
