/** /v1/installations: what the service installs by itself, with the bundle's own install.sh. */

import { existsSync } from "node:fs";
import type { FastifyRequest } from "fastify";
import { organizationsFor } from "../access/roles.ts";
import { newId, type Context } from "../context.ts";
import type { Installer } from "../direct/installer.ts";
import type { GivenLogin } from "../direct/site-login.ts";
import { bundleById } from "../state/bundles.ts";
import { cloudletById } from "../state/cloudlets.ts";
import { addInstallation, addInstallationEvents, cloudletIsBusy, forgetSecrets, installationById, installations, lastLines, latestChange, setInstallation } from "../state/installations.ts";
import type { BundleRow, InstallationAction, InstallationRow, InstallationState } from "../state/tables.ts";
import type { App, Resource } from "./app.ts";
import { act, actorName, allow, callerOf, visible } from "./caller.ts";
import { installationStreams } from "./installation-streams.ts";
import { loginFor, platformFor } from "./installation-login.ts";
import { sealedSecrets, type AccessKeyChoice } from "./installation-secrets.ts";
import { cursorOf, limitOf, pageOf, type PageQuery } from "./paging.ts";
import { Problem } from "./problem.ts";
import { answers, count, flag, id, listOf, object, orNull, page, pageQuery, params, query, text, time, type Schema } from "./schemas.ts";

const state = text("How far it is. `findings`: install.sh ended with status 1. `interrupted`: the service was stopped, or died.", { enum: ["queued", "running", "done", "findings", "failed", "cancelled", "interrupted"] });
const action = text("What install.sh does; `check` is installing with --check, which changes nothing.", { enum: ["install", "upgrade", "rollback", "uninstall", "check"] });
const parameters: Schema = {
  type: "object", description: "For --parameter: what only the site knows.", maxProperties: 100, propertyNames: { pattern: "^[A-Za-z][A-Za-z0-9_]{0,99}$", "x-form": "letters, digits and _" },
  additionalProperties: { type: "string", maxLength: 4_096, pattern: "^[^\\u0000-\\u001f\\u007f]*$", "x-form": "a text without control characters" },
};
export const installationSchema = object({
  id, cloudlet: id, bundle: id, organization: text("Whose it is."), action, parameters, allowOlder: flag("Also where an older bundle takes a newer one's place."), state, attempts: count("How often it was begun."),
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

interface Wanted {
  readonly cloudlet: string;
  readonly bundle: string;
  readonly action: InstallationAction;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly allowOlder?: boolean;
  readonly credentials?: GivenLogin;
  readonly credential?: string;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly accessKey?: AccessKeyChoice;
}

export const installationResource = (installer: Installer): Resource => (app, context) => {
  const { db } = context;

  app.get<{ Querystring: PageQuery & { cloudlet?: string; state?: InstallationState } }>("/v1/installations", {
    schema: { operationId: "listInstallations", summary: "The installations that the caller may know of, the newest first.", tags, querystring: query({ ...pageQuery, cloudlet: text("Only of this one.", { maxLength: 100 }), state }), response: answers({ 200: page(listed) }) },
  }, async (request) => {
    const limit = limitOf(request.query);
    const after = cursorOf(request.query, 2);
    const requested = Number(after?.[0] ?? 0);
    if (!Number.isSafeInteger(requested)) throw new Problem("bad-request", "the cursor is not one that this list gave");
    const among = organizationsFor(callerOf(request).actor, "installation:read");
    const rows = await installations(db, { among, cloudlet: request.query.cloudlet, state: request.query.state }, after === undefined ? undefined : { requested, id: after[1] ?? "" }, limit + 1);
    return pageOf(rows, limit, shown, (row) => [String(row.requested), row.id]);
  });

  app.get<{ Params: { id: string } }>("/v1/installations/:id", {
    schema: { operationId: "getInstallation", summary: "One installation.", tags, params: params("id"), response: answers({ 200: installationSchema }) },
  }, async (request) => whole(context, visible(request, "installation:read", await installationById(db, request.params.id))));

  beginRoute(app, context, installer);
  retryRoute(app, context, installer);
  cancelRoute(app, context, installer);
  installationStreams(app, context);
};

function beginRoute(app: App, context: Context, installer: Installer): void {
  const { db, now } = context;
  app.post<{ Body: Wanted }>("/v1/installations", {
    schema: {
      operationId: "beginInstallation", summary: "Install, upgrade, go back, uninstall or check. One at a time of each cloudlet.", tags,
      body: object({
        cloudlet: text("Its id.", { maxLength: 100 }), bundle: text("The id of a bundle of this cloudlet that is ready.", { maxLength: 100 }), action, parameters, allowOlder: flag("--allow-older."), ...loginFields,
        secrets: {
          type: "object", description: "Secret slots of the bundle besides the access key, as site/secrets.template names them. Never given back.", maxProperties: 100, propertyNames: { pattern: "^[A-Z][A-Z0-9_]{0,63}$", "x-form": "capital letters, digits and _" },
          additionalProperties: { type: "string", maxLength: 65_536 },
        },
        accessKey: text("`issue`: a new key, if none was issued. `reissue`: what was issued is revoked first. `keep`: none. Left out: `issue` to install, `reissue` to upgrade.", { enum: ["issue", "reissue", "keep"] }),
      }, { optional: ["parameters", "allowOlder", "credentials", "credential", "secrets", "accessKey"] }),
      response: answers({ 202: installationSchema }),
    },
  }, async (request, reply) => {
    const { body } = request;
    const cloudlet = visible(request, "cloudlet:read", await cloudletById(db, body.cloudlet));
    allow(request, "installation:write", cloudlet);
    const bundle = await readyBundle(context, request, body);
    refuseInputs(body);
    const platform = await platformFor(context, installer, cloudlet, bundle);
    const { login, credential } = await loginFor({ context, installer }, { cloudletId: cloudlet.id, platform, given: body, kept: null });
    const hasJournal = existsSync(installer.journalOf(cloudlet.id));
    const row = await act(context, request, async (transaction) => {
      if (await cloudletIsBusy(transaction, cloudlet.id)) throw busy();
      const made = newId(context);
      const sealed = await sealedSecrets({ context, request, installer, transaction }, { id: made, cloudlet, bundle, action: body.action, given: body.secrets ?? {}, accessKey: body.accessKey, hasJournal });
      const wanted: InstallationRow = {
        id: made, cloudlet_id: cloudlet.id, organization: cloudlet.organization, bundle_id: bundle.id, action: body.action, parameters: JSON.stringify(body.parameters ?? {}), allow_older: body.allowOlder === true ? 1 : 0,
        state: "queued", attempts: 1, credential, secrets: sealed?.box ?? null, secrets_key: sealed?.keyId ?? null, pid: null, born: null, exit_status: null, receipt_id: null,
        requested: now(), requested_by: callerOf(request).user.name, started: null, finished: null,
      };
      if (!(await addInstallation(transaction, wanted))) throw busy();
      if (body.action !== "check") await forgetSecrets(transaction, cloudlet.id, wanted.id);
      await addInstallationEvents(transaction, wanted.id, [{ time: now(), state: "queued", message: "asked for" }]);
      return { result: wanted, entry: { action: "installation:begin", subject: `installation:${wanted.id}`, organization: cloudlet.organization, detail: { action: body.action, cloudlet: cloudlet.id, bundle: bundle.id, credential } } };
    });
    installer.begin(row.id, login);
    return reply.code(202).header("location", `/v1/installations/${row.id}`).send(await whole(context, row));
  });
}

function retryRoute(app: App, context: Context, installer: Installer): void {
  const { db, now } = context;
  app.post<{ Params: { id: string }; Body: { credentials?: GivenLogin; credential?: string } }>("/v1/installations/:id/retry", {
    // Where the credentials are kept there is nothing to say.
    preValidation: async (request) => void (request.body ??= {}),
    schema: { operationId: "retryInstallation", summary: "Go on where it ended, by its journal, with the same parameters and secrets. Credentials that were given for one run are given again.", tags, params: params("id"), body: object(loginFields, { optional: ["credentials", "credential"] }), response: answers({ 202: installationSchema }) },
  }, async (request, reply) => {
    const row = visible(request, "installation:read", await installationById(db, request.params.id));
    allow(request, "installation:write", row);
    if (row.state === "done") throw new Problem("in-use", "It is done: begin another one.");
    const bundle = await bundleById(db, row.bundle_id);
    if (bundle === undefined) throw new Error("an installation has no bundle");
    const cloudlet = visible(request, "installation:read", await cloudletById(db, row.cloudlet_id));
    const platform = await platformFor(context, installer, cloudlet, bundle);
    const { login, credential } = await loginFor({ context, installer }, { cloudletId: cloudlet.id, platform, given: request.body, kept: row.credential });
    const again = await act(context, request, async (transaction) => {
      if (await cloudletIsBusy(transaction, row.cloudlet_id)) throw busy();
      const last = await latestChange(transaction, row.cloudlet_id);
      if (row.action !== "check" && last?.id !== row.id) throw new Problem("in-use", "A later installation of this cloudlet has taken its place: begin another one.");
      const change = { state: "queued" as const, attempts: row.attempts + 1, credential, exit_status: null, started: null, finished: null };
      if (!(await setInstallation(transaction, row.id, ["findings", "failed", "cancelled", "interrupted"], change))) throw busy();
      await addInstallationEvents(transaction, row.id, [{ time: now(), state: "queued", message: "asked for again" }]);
      return { result: { ...row, ...change }, entry: { action: "installation:retry", subject: `installation:${row.id}`, organization: row.organization, detail: { attempt: change.attempts, credential } } };
    });
    installer.begin(again.id, login);
    return reply.code(202).send(await whole(context, again));
  });
}

function cancelRoute(app: App, context: Context, installer: Installer): void {
  const { db } = context;
  app.post<{ Params: { id: string } }>("/v1/installations/:id/cancel", {
    schema: { operationId: "cancelInstallation", summary: "Stop it. What was done stays, and is recorded: retry goes on, uninstall removes it. Of one that has ended it changes nothing.", tags, params: params("id"), response: answers({ 200: { description: "It has ended already.", ...installationSchema }, 202: installationSchema }) },
  }, async (request, reply) => {
    const row = visible(request, "installation:read", await installationById(db, request.params.id));
    allow(request, "installation:write", row);
    if (row.state !== "queued" && row.state !== "running") return whole(context, row);
    await act(context, request, async () => ({ result: undefined, entry: { action: "installation:cancel", subject: `installation:${row.id}`, organization: row.organization, detail: { by: actorName(request) } } }));
    await installer.cancel(row.id);
    return reply.code(202).send(await whole(context, (await installationById(db, row.id)) ?? row));
  });
}

async function readyBundle({ db }: Context, request: FastifyRequest, { bundle: wanted, cloudlet }: Wanted): Promise<BundleRow> {
  const bundle = visible(request, "bundle:read", await bundleById(db, wanted));
  if (bundle.cloudlet_id !== cloudlet) throw new Problem("bad-request", "The bundle is another cloudlet's.");
  if (bundle.state !== "ready") throw new Problem("not-ready", `The bundle is ${bundle.state}.`);
  return bundle;
}

/** What install.sh would refuse when much was done already, or would not look at. */
function refuseInputs(wanted: Wanted): void {
  const { action: verb } = wanted;
  if (verb !== "rollback" && verb !== "uninstall") return;
  const given = (["parameters", "secrets", "accessKey", "allowOlder"] as const).filter((name) => wanted[name] !== undefined);
  if (given.length > 0) throw new Problem("bad-request", `Of ${verb}, leave out ${given.join(", ")}: everything is as it was.`);
}

function busy(): Problem {
  return new Problem("in-use", "Another installation of this cloudlet is queued or running.");
}

/** Enough to see why it ended. */
const lastLineCount = 20;

async function whole({ db }: Context, row: InstallationRow): Promise<object> {
  return { ...shown(row), lastLines: await lastLines(db, row.id, lastLineCount) };
}

function shown(row: InstallationRow): object {
  const at = (time: number | null): string | null => (time === null ? null : new Date(time).toISOString());
  return {
    id: row.id, cloudlet: row.cloudlet_id, bundle: row.bundle_id, organization: row.organization, action: row.action, parameters: JSON.parse(row.parameters) as object, allowOlder: row.allow_older === 1, state: row.state, attempts: row.attempts,
    credential: row.credential, exitStatus: row.exit_status, receipt: row.receipt_id, requested: at(row.requested), requestedBy: row.requested_by, started: at(row.started), finished: at(row.finished),
  };
}
