/** What an installation says, as it comes: server-sent events, and all of it as text. */

import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import type { Context } from "../context.ts";
import { installationById, installationEventsAfter } from "../state/installations.ts";
import type { InstallationEventRow, InstallationState } from "../state/tables.ts";
import type { App } from "./app.ts";
import { visible } from "./caller.ts";
import { answers, headers, params } from "./schemas.ts";

const tags = ["installations"];

/** So that proxies don't take a quiet stream for a dead one. */
const quietMs = 15_000;
/** As many as are read at a time. */
const pageSize = 500;

export function installationStreams(app: App, context: Context): void {
  const { db } = context;

  app.get<{ Params: { id: string } }>("/v1/installations/:id/events", {
    schema: {
      operationId: "installationEvents", summary: "Lines and states as server-sent events; goes on after Last-Event-ID. Ends when the installation has ended.", tags, params: params("id"), headers: headers({ "last-event-id": "The last one that was heard." }),
      response: answers({ 200: { description: "Events `line`, and one named as each state, whose data is JSON: {message, time}, of a state {state, message, time}.", content: { "text/event-stream": { schema: { type: "string" } } } }, 204: { type: "null", description: "It has ended, and there is nothing new: a browser asks no more." } }),
    },
  }, async (request, reply) => {
    const row = visible(request, "installation:read", await installationById(db, request.params.id));
    const given = request.headers["last-event-id"];
    const after = typeof given === "string" && /^\d{1,9}$/.test(given) ? Number(given) : 0;
    if (isEnd(row.state) && (await installationEventsAfter(db, row.id, after, 1)).length === 0) return reply.code(204).send();
    await stream(context, reply, row.id, after);
    return reply;
  });

  app.get<{ Params: { id: string } }>("/v1/installations/:id/log", {
    schema: { operationId: "installationLog", summary: "Every line that install.sh has said, so far.", tags, params: params("id"), response: answers({ 200: { description: "Text.", content: { "text/plain": { schema: { type: "string" } } } } }) },
  }, async (request, reply) => {
    const row = visible(request, "installation:read", await installationById(db, request.params.id));
    const body = Readable.from(lines(context, row.id), { objectMode: false });
    body.once("error", (error) => context.log("error", "installation-log", { message: error.message }));
    return reply.type("text/plain; charset=utf-8").send(body);
  });
}

async function* lines({ db }: Context, id: string): AsyncGenerator<string> {
  for (let after = 0; ; ) {
    const rows = await installationEventsAfter(db, id, after, pageSize);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows.map(({ state, message }) => (state === null ? `${message}\n` : "")).join("");
    after = last.number;
  }
}

async function stream({ db, news, stopping, log }: Context, reply: FastifyReply, id: string, after: number): Promise<void> {
  const { raw } = reply;
  reply.hijack();
  raw.writeHead(200, { ...(reply.getHeaders() as Record<string, string>), "content-type": "text/event-stream", "x-accel-buffering": "no" });
  let heard = true;
  let awake: () => void = () => undefined;
  const wake = (): void => {
    heard = true;
    awake();
  };
  const deaf = news.listen(id, wake);
  const quiet = setInterval(() => raw.write(": \n\n"), quietMs);
  stopping.addEventListener("abort", wake, { once: true });
  raw.once("close", wake);
  try {
    for (let last = after; !stopping.aborted && !raw.destroyed; ) {
      heard = false;
      // Looked at before the events: what ends it and its event are written together.
      const now = await installationById(db, id);
      const rows = await installationEventsAfter(db, id, last, pageSize);
      for (const row of rows) raw.write(eventText(row));
      last = rows.at(-1)?.number ?? last;
      if (now === undefined || (isEnd(now.state) && rows.length < pageSize)) break;
      if (!heard && rows.length < pageSize) await new Promise<void>((resolve) => (awake = resolve));
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

function isEnd(state: InstallationState): boolean {
  return state !== "queued" && state !== "running";
}

function eventText({ number, state, message, time: at }: InstallationEventRow): string {
  const time = new Date(at).toISOString();
  return `id: ${number}\nevent: ${state ?? "line"}\ndata: ${JSON.stringify(state === null ? { message, time } : { state, message, time })}\n\n`;
}
