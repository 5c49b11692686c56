/** What an installation or a delivery says, as it comes: server-sent events, and all of it as text. */

import { Readable } from "node:stream";
import type { Action } from "../access/roles.ts";
import type { Context } from "../context.ts";
import { installationEventsAfter, installationOf, type Way } from "../state/installations.ts";
import type { InstallationEventRow, InstallationState } from "../state/tables.ts";
import type { App } from "./app.ts";
import { visible } from "./caller.ts";
import { answerWithEvents, eventAnswers, lastEventHeader, type Told } from "./event-stream.ts";
import { answers, params } from "./schemas.ts";

/** As many as are read at a time. */
const pageSize = 500;

export interface Streamed {
  readonly way: Way;
  /** `/v1/NOUNs/:id`, and the operations' names. */
  readonly noun: "installation" | "delivery";
  readonly path: string;
  readonly action: Action;
  /** What is told and not kept: how far it is just now. */
  readonly passing?: (id: string) => object | undefined;
}

export function installationStreams(app: App, context: Context, { way, noun, path, action, passing }: Streamed): void {
  const { db } = context;
  const tags = [path.slice("/v1/".length)];
  const also = passing === undefined ? "" : " `progress`, without an id, is how far it is just now: {phase, done, total}.";

  app.get<{ Params: { id: string } }>(`${path}/:id/events`, {
    schema: {
      operationId: `${noun}Events`, summary: `Lines and states as server-sent events; goes on after Last-Event-ID. Ends when the ${noun} has ended.`, tags, params: params("id"), headers: lastEventHeader,
      response: answers(eventAnswers(`Events \`line\`, and one named as each state, whose data is JSON: {message, time}, of a state {state, message, time}.${also}`)),
    },
  }, async (request, reply) => {
    const { id } = visible(request, action, await installationOf(db, way, request.params.id));
    return answerWithEvents(context, request, reply, {
      topic: id,
      after: async (number) => {
        const rows = await installationEventsAfter(db, id, number, pageSize);
        return { events: rows.map(told), more: rows.length === pageSize };
      },
      isEnded: async () => isEnd((await installationOf(db, way, id))?.state),
      ...(passing === undefined ? {} : { passing: () => passing(id) }),
    });
  });

  app.get<{ Params: { id: string } }>(`${path}/:id/log`, {
    schema: { operationId: `${noun}Log`, summary: "Every line that was said, so far.", tags, params: params("id"), response: answers({ 200: { description: "Text.", content: { "text/plain": { schema: { type: "string" } } } } }) },
  }, async (request, reply) => {
    const row = visible(request, action, await installationOf(db, way, request.params.id));
    const body = Readable.from(lines(context, row.id), { objectMode: false });
    body.once("error", (error) => context.log("error", `${noun}-log`, { message: error.message }));
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
