/** What an installation says, as it comes: server-sent events, and all of it as text. */

import { Readable } from "node:stream";
import type { Context } from "../context.ts";
import { installationById, installationEventsAfter } from "../state/installations.ts";
import type { InstallationEventRow, InstallationState } from "../state/tables.ts";
import type { App } from "./app.ts";
import { visible } from "./caller.ts";
import { answerWithEvents, eventAnswers, lastEventHeader, type Told } from "./event-stream.ts";
import { answers, params } from "./schemas.ts";

const tags = ["installations"];

/** As many as are read at a time. */
const pageSize = 500;

export function installationStreams(app: App, context: Context): void {
  const { db } = context;

  app.get<{ Params: { id: string } }>("/v1/installations/:id/events", {
    schema: {
      operationId: "installationEvents", summary: "Lines and states as server-sent events; goes on after Last-Event-ID. Ends when the installation has ended.", tags, params: params("id"), headers: lastEventHeader,
      response: answers(eventAnswers("Events `line`, and one named as each state, whose data is JSON: {message, time}, of a state {state, message, time}.")),
    },
  }, async (request, reply) => {
    const { id } = visible(request, "installation:read", await installationById(db, request.params.id));
    return answerWithEvents(context, request, reply, {
      topic: id,
      after: async (number) => {
        const rows = await installationEventsAfter(db, id, number, pageSize);
        return { events: rows.map(told), more: rows.length === pageSize };
      },
      isEnded: async () => isEnd((await installationById(db, id))?.state),
    });
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

function isEnd(state: InstallationState | undefined): boolean {
  return state !== "queued" && state !== "running";
}

function told({ number, state, message, time: at }: InstallationEventRow): Told {
  const time = new Date(at).toISOString();
  return state === null ? { number, event: "line", data: { message, time } } : { number, event: state, data: { state, message, time } };
}
