/** /api/v1: the calls of MobiledgeX's master controller that its clients make for cloudlets, answered as it answers. */

import type { FastifyRequest } from "fastify";
import type { Json } from "../../core/json.ts";
import type { Context } from "../context.ts";
import { NotAnObject } from "../mc/fields.ts";
import { Refusal } from "../mc/refusal.ts";
import { problemOf, type Resource } from "./app.ts";
import { mcChanges } from "./mc-changes.ts";
import { mcKeys } from "./mc-keys.ts";
import { mcReading } from "./mc-reading.ts";
import type { McCall } from "./mc-request.ts";
import { Problem, problemKinds } from "./problem.ts";
import { logIn } from "./sessions.ts";

export const mcResource: Resource = (app, context) => {
  app.setErrorHandler((error, request, reply) => {
    const { message, status, headers } = refusalOf(context, request, error as Error);
    return reply.code(status).headers(headers).type("application/json").send(JSON.stringify({ message }));
  });

  app.post("/api/v1/login", { config: { open: true }, bodyLimit: objectBytes, schema: { hide: true } }, async (request, reply) => {
    const { token, isAdmin } = await enter(context, request);
    return reply.send({ token, ...(isAdmin ? { admin: true } : {}) });
  });

  const calls: Readonly<Record<string, McCall>> = { ...mcChanges(context), ...mcReading(context), ...mcKeys(context) };
  for (const [name, call] of Object.entries(calls)) {
    app.post(`/api/v1/auth/ctrl/${name}`, { bodyLimit: objectBytes, schema: { hide: true } }, async (request, reply) => {
      const body = shallow(request.body);
      return call(request, reply, body);
    });
  }
};

/** A cloudlet with an OpenRC file and certificates has some 20 KiB; what an import looks for in more would keep others waiting. */
const objectBytes = 65_536;

/** Deeper than any cloudlet, and so shallow that nothing that walks it runs out of stack. */
const deepest = 16;

function shallow(body: unknown): Json {
  let level: readonly unknown[] = [body];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > deepest) throw new Refusal("Invalid JSON data: it is nested too deeply");
    level = level.flatMap((each) => (typeof each === "object" && each !== null ? Object.values(each) : []));
  }
  return (body ?? {}) as Json;
}

async function enter(context: Context, request: FastifyRequest): Promise<{ readonly token: string; readonly isAdmin: boolean }> {
  const { username, password, apikey, apikeyid } = (typeof request.body === "object" && request.body !== null ? request.body : {}) as Readonly<Record<string, unknown>>;
  if (apikey !== undefined || apikeyid !== undefined) throw new Refusal("An API token of this service needs no login: send it as bearer token");
  if (typeof username !== "string" || username === "") throw new Refusal("Username not specified");
  if (typeof password !== "string" || password === "") throw new Refusal("Please specify password");
  // As the schema of /v1/sessions has it.
  if (username.length > 200 || password.length > 256) throw new Refusal("Invalid username or password");
  const { token, user } = await logIn(context, request, { name: username, password });
  return { token, isAdmin: user.platform_role === "admin" };
}

interface Refused {
  readonly message: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

function refusalOf(context: Context, request: FastifyRequest, error: Error): Refused {
  if (error instanceof Refusal) return { message: error.message, status: error.status, headers: {} };
  if (error instanceof NotAnObject) return { message: error.message, status: 400, headers: {} };
  const problem = problemOf(error as Parameters<typeof problemOf>[0]);
  const status = problemKinds[problem.kind];
  if (status >= 500 && !(error instanceof Problem)) {
    context.log("error", problem.kind, { request: request.id, route: request.routeOptions.url ?? "", message: error.message, stack: error.stack });
  }
  return { ...wordsFor(problem, request, status), headers: problem.headers };
}

/** The master controller's words, where it has some for it. */
function wordsFor(problem: Problem, request: FastifyRequest, status: number): { readonly message: string; readonly status: number } {
  switch (problem.kind) {
    case "not-logged-in":
      return request.headers.authorization === undefined ? { message: "No bearer token found", status: 400 } : { message: "Invalid or expired jwt", status: 401 };
    case "login-failed":
      return { message: "Invalid username or password", status: 400 };
    case "not-allowed":
    case "not-found":
      return { message: "Forbidden", status: 403 };
    case "not-valid":
      return { message: [problem.message, ...problem.issues.map(({ message }) => message)].filter((each, index, all) => all.indexOf(each) === index).join("; "), status: 400 };
    case "too-large":
      return { message: `At most ${objectBytes} bytes are read`, status };
    default:
      return { message: problem.message, status };
  }
}
