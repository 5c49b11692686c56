/** Server-sent events (HTML Living Standard, 9.2) of something that goes on: what was written down of it, then what is added, until it has ended. */

import type { FastifyReply, FastifyRequest } from "fastify";
import type { Context } from "../context.ts";
import { headers, type Schema } from "./schemas.ts";

export const lastEventHeader = headers({ "last-event-id": "The last one that was heard." });

export interface Told {
  readonly number: number;
  /** Its name, and its data as JSON. */
  readonly event: string;
  readonly data: object;
}

export interface EventSource {
  /** Of the news that there is more. */
  readonly topic: string;
  /** The next ones after that number, at most a page of them; `more` where there may be others behind. */
  readonly after: (number: number) => Promise<{ readonly events: readonly Told[]; readonly more: boolean }>;
  /** What ends it and its event are written together, so nothing can come after. */
  readonly isEnded: () => Promise<boolean>;
  /** What is true just now and not written down; told as `progress` when it is another than before, without a number. */
  readonly passing?: () => object | undefined;
}

/** So that proxies don't take a quiet stream for a dead one. */
const quietMs = 15_000;

/** What both answers of such a route are, for its schema. Of a stream without an end there is no schema. */
export function eventAnswers(description: string): Readonly<Record<number, Schema>> {
  return {
    200: { description, content: { "text/event-stream": { schema: {} } } },
    204: { type: "null", description: "It has ended, and there is nothing new: a browser asks no more." },
  };
}

/** Goes on after Last-Event-ID; 204 where it has ended and all was heard. */
export async function answerWithEvents(context: Context, request: FastifyRequest, reply: FastifyReply, source: EventSource): Promise<FastifyReply> {
  const given = request.headers["last-event-id"];
  const after = typeof given === "string" && /^\d{1,9}$/.test(given) ? Number(given) : 0;
  if ((await source.isEnded()) && (await source.after(after)).events.length === 0) return reply.code(204).send();
  await stream(context, reply, source, after);
  return reply;
}

async function stream({ news, stopping, log }: Context, reply: FastifyReply, source: EventSource, after: number): Promise<void> {
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), "content-type": "text/event-stream", "x-accel-buffering": "no" });
  let heard = true;
  let awake: () => void = () => undefined;
  const wake = (): void => {
    heard = true;
    awake();
  };
  const deaf = news.listen(source.topic, wake);
  const quiet = setInterval(() => raw.write(": \n\n"), quietMs);
  stopping.addEventListener("abort", wake, { once: true });
  raw.once("close", wake);
  try {
    let passed = "";
    for (let last = after; !stopping.aborted && !raw.destroyed; ) {
      heard = false;
      // Looked at before the events, or the last of them could come in between.
      const isEnded = await source.isEnded();
      const { events, more } = await source.after(last);
      for (const { number, event, data } of events) raw.write(`id: ${number}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      last = events.at(-1)?.number ?? last;
      const now = isEnded || more ? undefined : source.passing?.();
      const passing = now === undefined ? passed : JSON.stringify(now);
      if (passing !== passed) raw.write(`event: progress\ndata: ${passing}\n\n`);
      passed = passing;
      if (isEnded && !more) break;
      if (!heard && !more) await new Promise<void>((resolve) => (awake = resolve));
    }
  } catch (error) {
    log("error", "events", { message: (error as Error).message });
  } finally {
    clearInterval(quiet);
    deaf();
    stopping.removeEventListener("abort", wake);
    raw.end();
  }
}
