/** /v1/installations: what the service installs by itself, with the bundle's own install.sh. */

import { existsSync } from "node:fs";
import { organizationsFor } from "../access/roles.ts";
import type { Context } from "../context.ts";
import type { Installer } from "../direct/installer.ts";
import type { GivenLogin } from "../direct/site-login.ts";
import { bundleById } from "../state/bundles.ts";
import { cloudletById } from "../state/cloudlets.ts";
import { installationOf, installations, lastLines } from "../state/installations.ts";
import type { InstallationAction, InstallationRow, InstallationState } from "../state/tables.ts";
import type { App, Resource } from "./app.ts";
import { allow, callerOf, visible } from "./caller.ts";
import { parametersFor, refuseBeyondHost } from "./installation-host.ts";
import { installationStreams } from "./installation-streams.ts";
import { loginFor, platformFor } from "./installation-login.ts";
import { cursorOf, limitOf, pageOf, type PageQuery } from "./paging.ts";
import { Problem } from "./problem.ts";
import { cancelRun, parametersSchema, queueAgain, queueRun, readyBundle, refuseInputs, wantedInputs, type WantedRun } from "./queued-run.ts";
import { answers, count, flag, id, listOf, object, orNull, page, pageQuery, params, query, text, time, type Schema } from "./schemas.ts";

export const runState = text("How far it is. `findings`: install.sh ended with status 1. `interrupted`: the service was stopped, or died.", { enum: ["queued", "running", "done", "findings", "failed", "cancelled", "interrupted"] });
const action = text("What install.sh does; `check` is installing with --check, which changes nothing.", { enum: ["install", "upgrade", "rollback", "uninstall", "check"] });
export const installationSchema = object({
  id, cloudlet: id, bundle: id, organization: text("Whose it is."), action, parameters: parametersSchema, allowOlder: flag("Also where an older bundle takes a newer one's place."), state: runState, attempts: count("How often it was begun."),
  credential: orNull(text("The kept credentials that are used; null where they are given for one run.")), exitStatus: orNull({ type: "integer", description: "Of install.sh." }), receipt: orNull(text("The receipt that came of it.")),
  lastLines: listOf(text("A line."), "What install.sh said last."), requested: time("When somebody asked."), requestedBy: text("Who."), started: orNull(time("When it was begun last.")), finished: orNull(time("When it ended.")),
});
const listed = object({ ...(installationSchema["properties"] as Readonly<Record<string, Schema>>) }, { optional: ["lastLines"] });
/** Of a login: variables, or the text of an openrc or clouds.yaml. Never given back. */
export const loginSchema: Schema = {
  description: "A login to the site: an object of variables (OS_…, GOVC_…; certificates and keys as text; a clouds.yaml as `clouds.yaml`), or the text of an openrc or a clouds.yaml. Never given back.",
  anyOf: [{ type: "string", minLength: 1, maxLength: 65_536 }, { type: "object", maxProperties: 100, propertyNames: { maxLength: 100 }, additionalProperties: { type: "string", maxLength: 65_536 } }],
};
const loginFields = { credentials: loginSchema, credential: text("Kept credentials, by id or name.", { minLength: 1, maxLength: 100 }) };
const tags = ["installations"];

interface Wanted extends WantedRun {
  readonly action: InstallationAction;
  readonly credentials?: GivenLogin;
  readonly credential?: string;
}

export const installationResource = (installer: Installer): Resource => (app, context) => {
  const { db } = context;

  app.get<{ Querystring: PageQuery & { cloudlet?: string; state?: InstallationState } }>("/v1/installations", {
    schema: { operationId: "listInstallations", summary: "The installations that the caller may know of, the newest first.", tags, querystring: query({ ...pageQuery, cloudlet: text("Only of this one.", { maxLength: 100 }), state: runState }), response: answers({ 200: page(listed) }) },
  }, async (request) => {
    const limit = limitOf(request.query);
    const after = cursorOf(request.query, 2);
    const requested = Number(after?.[0] ?? 0);
    if (!Number.isSafeInteger(requested)) throw new Problem("bad-request", "the cursor is not one that this list gave");
    const among = organizationsFor(callerOf(request).actor, "installation:read");
    const rows = await installations(db, { way: "direct", among, cloudlet: request.query.cloudlet, state: request.query.state }, after === undefined ? undefined : { requested, id: after[1] ?? "" }, limit + 1);
    return pageOf(rows, limit, shown, (row) => [String(row.requested), row.id]);
  });

  app.get<{ Params: { id: string } }>("/v1/installations/:id", {
    schema: { operationId: "getInstallation", summary: "One installation.", tags, params: params("id"), response: answers({ 200: installationSchema }) },
  }, async (request) => whole(context, visible(request, "installation:read", await installationOf(db, "direct", request.params.id))));

  beginRoute(app, context, installer);
  retryRoute(app, context, installer);
  cancelRoute(app, context, installer);
  installationStreams(app, context, { way: "direct", noun: "installation", path: "/v1/installations", action: "installation:read" });
};

function beginRoute(app: App, context: Context, installer: Installer): void {
  const { db } = context;
  app.post<{ Body: Wanted }>("/v1/installations", {
    schema: {
      operationId: "beginInstallation", summary: "Install, upgrade, go back, uninstall or check. One at a time of each cloudlet.", tags,
      body: object({
        cloudlet: text("Its id.", { maxLength: 100 }), bundle: text("The id of a bundle of this cloudlet that is ready.", { maxLength: 100 }), action, ...wantedInputs, ...loginFields,
      }, { optional: [...Object.keys(wantedInputs), "credentials", "credential"] }),
      response: answers({ 202: installationSchema }),
    },
  }, async (request, reply) => {
    const { body } = request;
    const cloudlet = visible(request, "cloudlet:read", await cloudletById(db, body.cloudlet));
    allow(request, "installation:write", cloudlet);
    const bundle = await readyBundle(context, request, body);
    refuseInputs(body);
    const platform = await platformFor(context, installer, cloudlet, bundle);
    const given = platform === "libvirt" ? await parametersFor(installer, cloudlet.id, body) : (body.parameters ?? {});
    if (platform === "libvirt") await refuseBeyondHost(context, installer, bundle, { action: body.action, parameters: given });
    const { login, credential } = await loginFor({ context, installer }, { cloudletId: cloudlet.id, platform, given: body, kept: null });
    const hasJournal = existsSync(installer.journalOf(cloudlet.id));
    const row = await queueRun(context, request, installer.sealing, { way: "direct", cloudlet, bundle, wanted: { ...body, parameters: given }, credential, hasJournal, detail: { credential } });
    installer.begin(row.id, login);
    return reply.code(202).header("location", `/v1/installations/${row.id}`).send(await whole(context, row));
  });
}

function retryRoute(app: App, context: Context, installer: Installer): void {
  const { db } = context;
  app.post<{ Params: { id: string }; Body: { credentials?: GivenLogin; credential?: string } }>("/v1/installations/:id/retry", {
    // Where the credentials are kept there is nothing to say.
    preValidation: async (request) => void (request.body ??= {}),
    schema: { operationId: "retryInstallation", summary: "Go on where it ended, by its journal, with the same parameters and secrets. Credentials that were given for one run are given again.", tags, params: params("id"), body: object(loginFields, { optional: ["credentials", "credential"] }), response: answers({ 202: installationSchema }) },
  }, async (request, reply) => {
    const row = visible(request, "installation:read", await installationOf(db, "direct", request.params.id));
    allow(request, "installation:write", row);
    if (row.state === "done") throw new Problem("in-use", "It is done: begin another one.");
    const bundle = await bundleById(db, row.bundle_id);
    if (bundle === undefined) throw new Error("an installation has no bundle");
    const cloudlet = visible(request, "installation:read", await cloudletById(db, row.cloudlet_id));
    const platform = await platformFor(context, installer, cloudlet, bundle);
    // The host may give less than when it was begun.
    if (platform === "libvirt") await refuseBeyondHost(context, installer, bundle, { action: row.action, parameters: JSON.parse(row.parameters) as Readonly<Record<string, string>> });
    const { login, credential } = await loginFor({ context, installer }, { cloudletId: cloudlet.id, platform, given: request.body, kept: row.credential });
    const again = await queueAgain(context, request, row, { credential, detail: { credential } });
    installer.begin(again.id, login);
    return reply.code(202).send(await whole(context, again));
  });
}

function cancelRoute(app: App, context: Context, installer: Installer): void {
  const { db } = context;
  app.post<{ Params: { id: string } }>("/v1/installations/:id/cancel", {
    schema: { operationId: "cancelInstallation", summary: "Stop it. What was done stays, and is recorded: retry goes on, uninstall removes it. Of one that has ended it changes nothing.", tags, params: params("id"), response: answers({ 200: { description: "It has ended already.", ...installationSchema }, 202: installationSchema }) },
  }, async (request, reply) => {
    const row = visible(request, "installation:read", await installationOf(db, "direct", request.params.id));
    allow(request, "installation:write", row);
    if (!(await cancelRun(context, request, row, installer))) return whole(context, row);
    return reply.code(202).send(await whole(context, (await installationOf(db, "direct", row.id)) ?? row));
  });
}

/** Enough to see why it ended. */
export const lastLineCount = 20;

/** With its last lines. */
async function whole({ db }: Context, row: InstallationRow): Promise<object> {
  return { ...shown(row), lastLines: await lastLines(db, row.id, lastLineCount) };
}

/** What is told of every run, in whichever way. */
export function shown(row: InstallationRow): Readonly<Record<string, unknown>> {
  const at = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());
  return {
    id: row.id, cloudlet: row.cloudlet_id, bundle: row.bundle_id, organization: row.organization, action: row.action, parameters: JSON.parse(row.parameters) as object, allowOlder: row.allow_older === 1, state: row.state, attempts: row.attempts,
    credential: row.credential, exitStatus: row.exit_status, receipt: row.receipt_id, requested: at(row.requested), requestedBy: row.requested_by, started: at(row.started), finished: at(row.finished),
  };
}
