/** The HTTP application: what holds for every request, and the resources under /v1. */

import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import fastify from "fastify";
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from "fastify";
import { EnvironmentError } from "../../core/environment-error.ts";
import { RequestRates } from "../access/throttle.ts";
import type { Context } from "../context.ts";
import type { Deliverer } from "../delivery/deliverer.ts";
import type { Installer } from "../direct/installer.ts";
import { awayBecause } from "../state/away.ts";
import { accessKeyResource } from "./access-keys.ts";
import { auditResource } from "./audit.ts";
import { bundleResource } from "./bundles.ts";
import { authenticate } from "./caller.ts";
import { differenceResource } from "./bundle-differences.ts";
import { explanationResource } from "./bundle-explanations.ts";
import { cloudletResource } from "./cloudlets.ts";
import { consoleFiles } from "./console.ts";
import { deliveryResource } from "./deliveries.ts";
import { downloadResource } from "./downloads.ts";
import { healthResource } from "./health.ts";
import { identityResource } from "./identities.ts";
import { installationPlatformResource } from "./installation-platforms.ts";
import { installationResource } from "./installations.ts";
import { locationResource } from "./locations.ts";
import { mcResource } from "./mc.ts";
import { describeApi } from "./openapi.ts";
import { importResource } from "./imports.ts";
import { organizationResource } from "./organizations.ts";
import { pictureResource } from "./pictures.ts";
import { notFound, Problem, problemDocument, problemKinds } from "./problem.ts";
import { receiptResource } from "./receipts.ts";
import { releaseResource } from "./releases.ts";
import { shared, type Schema } from "./schemas.ts";
import { sessionResource } from "./sessions.ts";
import { signingKeyResource } from "./signing-keys.ts";
import { siteCredentialResource } from "./site-credentials.ts";
import { starterResource } from "./starters.ts";
import { tokenResource } from "./tokens.ts";
import { userResource } from "./users.ts";
import { validatorCompiler } from "./validation.ts";

export type App = FastifyInstance;

/** What only the application needs besides the context. */
export interface Outside {
  /** Undefined where the state is in no folder: nothing is installed from there. */
  readonly installer: Installer | undefined;
  /** Undefined where nobody has switched it on. */
  readonly deliverer: Deliverer | undefined;
  readonly tls: { readonly cert: Uint8Array; readonly key: Uint8Array } | undefined;
}

/** A resource adds its routes. */
export type Resource = (app: App, context: Context, outside: Outside) => void | Promise<void>;

const resources: readonly Resource[] = [
  healthResource, sessionResource, userResource, identityResource, organizationResource, tokenResource, cloudletResource, accessKeyResource,
  releaseResource, signingKeyResource, bundleResource, downloadResource, receiptResource, auditResource,
  starterResource, importResource, pictureResource, explanationResource, differenceResource,
  locationResource, installationPlatformResource, mcResource,
];

/** What there is only where the service may reach out. */
function outward({ installer, deliverer }: Outside): readonly Resource[] {
  return [...(installer === undefined ? [] : [installationResource(installer), siteCredentialResource(installer)]), ...(deliverer === undefined ? [] : [deliveryResource(deliverer)])];
}

/** More than any spec, release or lock may have (DOCUMENT_MAX_BYTES); JSON bodies are far smaller. */
const bodyBytes = 1_048_576;

/** A client that sends nothing for so long is gone, or means no good. */
const requestMs = 60_000;

export async function makeApp(context: Context, outside: Outside): Promise<App> {
  const options = {
    logger: false,
    bodyLimit: bodyBytes,
    requestTimeout: requestMs,
    connectionTimeout: context.limits.stalledMs,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: 500 },
    // What the router and Node itself refuse never comes to a route, nor to its hooks.
    frameworkErrors: (error, _, reply) => {
      reply.headers(securityHeaders);
      void answer(reply, error.code === "FST_ERR_MAX_PARAM_LENGTH" ? notFound() : new Problem("bad-request", "The path is not percent-encoded as it must be."));
    },
    clientErrorHandler: refuseConnection,
    // A proxy in front would have to be named; until then the address is that of the connection.
    trustProxy: false,
    ...(outside.tls === undefined ? {} : { https: outside.tls }),
  } satisfies FastifyServerOptions & { readonly https?: object } as FastifyServerOptions;
  const app: App = fastify(options);
  app.server.headersTimeout = requestMs;
  app.setValidatorCompiler<Schema>(validatorCompiler());
  // Answers are written as they are: a serializer that follows the schema would drop, in silence, what does not.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  for (const schema of Object.values(shared)) app.addSchema(schema);
  app.decorateRequest("caller", null);
  forEveryRequest(app, context, outside);
  await describeApi(app, context);
  for (const resource of [...resources, ...outward(outside)]) {
    await app.register(async (inner) => {
      await resource(inner, context, outside);
    });
  }
  await app.ready();
  return app;
}

function forEveryRequest(app: App, context: Context, { tls }: Outside): void {
  const rates = new RequestRates(context.limits.requestsPerMinute, context.now);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(tls === undefined ? securityHeaders : { ...securityHeaders, "strict-transport-security": "max-age=31536000" });
    slowDown(rates, `address:${request.ip}`);
    if (request.routeOptions.config.open === true || request.routeOptions.url === undefined) return;
    request.caller = await authenticate(context, request);
    slowDown(rates, `user:${request.caller.user.id}`);
  });
  app.addHook("onResponse", async (request, reply) => {
    // The route, not the address: whatever somebody writes into a query is nobody's business.
    context.log("info", "request", {
      request: request.id, method: request.method, route: request.routeOptions.url ?? "", status: reply.statusCode,
      ms: Math.round(reply.elapsedTime), address: request.ip, user: request.caller?.user.name ?? null,
    });
  });
  const pages = consoleFiles(context.packageFolder);
  app.setNotFoundHandler((request, reply) => (pages.answer(request, reply) ? reply : answer(reply, notFoundOrMethod(app, request))));
  app.setErrorHandler((error: FastifyError, request, reply) => {
    // Fastify looks at the body before it says that there is nothing: of QUERY (RFC 10008) it wants a content type first.
    const problem = request.is404 ? notFoundOrMethod(app, request) : problemOf(error);
    if (problem.kind === "defect" || (problem.kind === "overloaded" && !(error instanceof Problem))) {
      context.log("error", problem.kind, { request: request.id, route: request.routeOptions.url ?? "", message: error.message, stack: error.stack });
    }
    return answer(reply, problem);
  });
}

/** What is no HTTP, has headers that are too long, or takes too long to come. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed || !socket.writable) return void socket.destroy();
  const problem = error.code === "HPE_HEADER_OVERFLOW" ? new Problem("too-large", "The headers are too long.") : new Problem("bad-request", "This is no HTTP request that can be read.");
  const body = JSON.stringify(problemDocument(problem));
  const status = problemKinds[problem.kind];
  const headers = Object.entries({ ...securityHeaders, "content-type": "application/problem+json", "content-length": String(Buffer.byteLength(body)), connection: "close" });
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`);
}

const securityHeaders: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

function slowDown(rates: RequestRates, key: string): void {
  const seconds = rates.take(key);
  if (seconds > 0) throw new Problem("too-many-requests", `Wait ${seconds} s.`, { headers: { "retry-after": String(seconds) } });
}

function answer(reply: FastifyReply, problem: Problem): FastifyReply {
  // Whatever a route has set for its good answer is not this one's.
  for (const name of ["etag", "content-length", "content-disposition", "accept-ranges"]) reply.removeHeader(name);
  return reply.code(problemKinds[problem.kind]).headers(problem.headers).type("application/problem+json").send(JSON.stringify(problemDocument(problem)));
}

const methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

function notFoundOrMethod(app: App, request: FastifyRequest): Problem {
  const path = request.url.split("?")[0] ?? "";
  const allowed = methods.filter((method) => app.findRoute({ method, url: path }) !== null);
  return allowed.length === 0 ? notFound() : new Problem("wrong-method", `${request.method} can't be done here.`, { headers: { allow: allowed.join(", ") } });
}

/** SQLite's primary result codes (sqlite.org/rescode.html): BUSY, READONLY, IOERR, FULL. */
const diskErrors: ReadonlySet<number> = new Set([5, 8, 10, 13]);

function isDiskError(error: Error & { readonly errcode?: number }): boolean {
  // The lowest byte; what is above says more exactly what it was.
  return error.errcode !== undefined && diskErrors.has(error.errcode & 0xff);
}

export function problemOf(error: FastifyError): Problem {
  if (error instanceof Problem) return error;
  if (awayBecause(error) !== undefined) return new Problem("overloaded", "The service's database or object store does not answer; its log has more.", { headers: { "retry-after": "5" } });
  if (error instanceof EnvironmentError) return new Problem("overloaded", "The service's disk or a program that it needs fails; its log has more.");
  // 22021: SQLite keeps a NUL in a text, PostgreSQL takes none.
  if (error.code === "22021") return new Problem("bad-request", "A text has a character that can't be kept.");
  if (isDiskError(error)) return new Problem("overloaded", "The service's disk is full, or fails; its log has more.");
  switch (error.statusCode) {
    case 413:
      return new Problem("too-large", `At most ${bodyBytes} bytes are read.`);
    case 415:
      return new Problem("wrong-content-type", "This content type is not read here; the API's description names the ones that are.");
    case 503:
      return new Problem("overloaded", "The service is stopping.");
    default:
      // What Fastify itself finds wrong with a request: JSON that is none, a Content-Length that lies.
      if (error.statusCode !== undefined && error.statusCode < 500) return new Problem("bad-request", error.message);
      return new Problem("defect", "It has been written to the service's log.");
  }
}
