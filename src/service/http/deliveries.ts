/** /v1/deliveries: bundles that the service brings to a host of the site over SSH, and runs there. */

import { defaultFolder } from "../../deliver/target.ts";
import { organizationsFor } from "../access/roles.ts";
import type { Context } from "../context.ts";
import type { Deliverer } from "../delivery/deliverer.ts";
import type { StoredLayout } from "../jobs/stored-layout.ts";
import { cloudletById } from "../state/cloudlets.ts";
import { addDestination, deliveryById, destinations, type Delivery } from "../state/deliveries.ts";
import { installations, lastLines, latestChange } from "../state/installations.ts";
import type { InstallationState } from "../state/tables.ts";
import type { App, Resource } from "./app.ts";
import { allow, callerOf, visible } from "./caller.ts";
import { authSchema, readAuth, readWay, waySchemas, type GivenAuth, type GivenWay } from "./delivery-request.ts";
import { installationSchema, lastLineCount, runState, shown as shownRun } from "./installations.ts";
import { installationStreams } from "./installation-streams.ts";
import { cursorOf, limitOf, pageOf, type PageQuery } from "./paging.ts";
import { Problem } from "./problem.ts";
import { cancelRun, queueAgain, queueRun, readyBundle, refuseInputs, wantedInputs, type WantedRun } from "./queued-run.ts";
import { answers, count, flag, listOf, object, orNull, page, pageQuery, params, query, text, type Schema } from "./schemas.ts";

const action = text("`deliver` brings the bundle and has it verified there. install.sh does `install`, `upgrade`, `rollback`, `uninstall`, `status`, and `check`, which is installing with --check. `remove` takes away what was brought.", { enum: ["deliver", "install", "upgrade", "rollback", "uninstall", "check", "status", "remove"] });
const folder = text("On the host, from the home folder or absolute; cloudlet-bundle/NAME when left out.", { minLength: 1, maxLength: 400, pattern: "^[^\\u0000-\\u001f\\u007f]*[^\\u0000-\\u001f\\u007f/][^\\u0000-\\u001f\\u007f]*$", "x-form": "a path without control characters" });
const source = text("A file on the host that its shell reads before install.sh, such as an openrc; from the home folder or absolute.", { maxLength: 400, pattern: "^[^\\u0000-\\u001f\\u007f]*$", "x-form": "a path without control characters" });
const removeAfter = flag("Take away what was brought when install.sh has ended with 0.");
const progress = object({ phase: text("What it is at.", { enum: ["connecting", "checking", "comparing", "sending", "verifying", "running", "removing"] }), done: count("Bytes."), total: count("Bytes; 0 where nobody knows.") }, { description: "How far it is." });

const { credential: _, ...common } = installationSchema["properties"] as Readonly<Record<string, Schema>>;
const deliverySchema = object({
  ...common, action, lastLines: listOf(text("A line."), "What was said last."), host: text("user@host[:port]."), jumps: listOf(text("user@host[:port]."), "Hosts on the way."), hostKeys: text("How they are known."),
  folder, source, removeAfter, progress: orNull(progress),
});
const listed = object({ ...(deliverySchema["properties"] as Readonly<Record<string, Schema>>) }, { optional: ["lastLines"] });
const tags = ["deliveries"];

interface Wanted extends WantedRun, GivenWay {
  readonly auth: GivenAuth;
  readonly folder?: string;
  readonly source?: string;
  readonly removeAfter?: boolean;
}

export const deliveryResource = (deliverer: Deliverer): Resource => (app, context) => {
  const { db } = context;

  app.get<{ Querystring: PageQuery & { cloudlet?: string; state?: InstallationState } }>("/v1/deliveries", {
    schema: { operationId: "listDeliveries", summary: "The deliveries that the caller may know of, the newest first.", tags, querystring: query({ ...pageQuery, cloudlet: text("Only of this one.", { maxLength: 100 }), state: runState }), response: answers({ 200: page(listed) }) },
  }, async (request) => {
    const limit = limitOf(request.query);
    const after = cursorOf(request.query, 2);
    const requested = Number(after?.[0] ?? 0);
    if (!Number.isSafeInteger(requested)) throw new Problem("bad-request", "the cursor is not one that this list gave");
    const among = organizationsFor(callerOf(request).actor, "delivery:read");
    const rows = await installations(db, { way: "ssh", among, cloudlet: request.query.cloudlet, state: request.query.state }, after === undefined ? undefined : { requested, id: after[1] ?? "" }, limit + 1);
    const to = new Map((await destinations(db, rows.map((row) => row.id))).map((each) => [each.id, each]));
    const found = rows.flatMap((run): readonly Delivery[] => {
      const there = to.get(run.id);
      return there === undefined ? [] : [{ run, to: there }];
    });
    return pageOf(found, limit, (each) => shown(each, deliverer), ({ run }) => [String(run.requested), run.id]);
  });

  app.get<{ Params: { id: string } }>("/v1/deliveries/:id", {
    schema: { operationId: "getDelivery", summary: "One delivery.", tags, params: params("id"), response: answers({ 200: deliverySchema }) },
  }, async (request) => {
    const delivery = await deliveryById(db, request.params.id);
    visible(request, "delivery:read", delivery?.run);
    return whole(context, deliverer, delivery as Delivery);
  });

  beginRoute(app, context, deliverer);
  retryRoute(app, context, deliverer);
  cancelRoute(app, context, deliverer);
  installationStreams(app, context, { way: "ssh", noun: "delivery", path: "/v1/deliveries", action: "delivery:read", passing: deliverer.progressOf });
};

function beginRoute(app: App, context: Context, deliverer: Deliverer): void {
  const { db } = context;
  app.post<{ Body: Wanted }>("/v1/deliveries", {
    schema: {
      operationId: "beginDelivery", summary: "Bring a bundle to a host over SSH, and do something with it there. One installation or delivery at a time of each cloudlet.", tags,
      body: object({
        cloudlet: text("Its id.", { maxLength: 100 }), bundle: text("The id of a bundle of this cloudlet that is ready.", { maxLength: 100 }), action, ...waySchemas, auth: authSchema, folder, source, removeAfter, ...wantedInputs,
      }, { optional: ["jumps", "folder", "source", "removeAfter", ...Object.keys(wantedInputs)] }),
      response: answers({ 202: deliverySchema }),
    },
  }, async (request, reply) => {
    const { body } = request;
    const cloudlet = visible(request, "cloudlet:read", await cloudletById(db, body.cloudlet));
    allow(request, "delivery:write", cloudlet);
    const bundle = await readyBundle(context, request, body);
    refuseInputs(body);
    refuseOptions(body);
    const way = readWay(body);
    const logins = readAuth(body.auth, way.jumps.length);
    const { fileName } = JSON.parse(bundle.layout ?? "{}") as StoredLayout;
    const there = (body.folder ?? defaultFolder(fileName)).replace(/(?<=.)\/+$/, "");
    const row = await queueRun(context, request, deliverer.sealing, {
      way: "ssh", cloudlet, bundle, wanted: body, credential: null, hasJournal: (await latestChange(db, cloudlet.id)) !== undefined,
      besides: (transaction, id) => addDestination(transaction, {
        id, target: way.target, jumps: JSON.stringify(way.jumps), known_hosts: way.knownHosts, pins: JSON.stringify(way.pins), folder: there, source: body.source ?? "",
        remove_after: body.removeAfter === true ? 1 : 0, run_id: null, log_at: 0,
      }),
      detail: { host: way.target, jumps: way.jumps },
    });
    deliverer.begin(row.id, logins);
    return reply.code(202).header("location", `/v1/deliveries/${row.id}`).send(await whole(context, deliverer, (await deliveryById(db, row.id)) as Delivery));
  });
}

/** What says nothing, or more than is meant. */
function refuseOptions({ action: verb, removeAfter: isRemoved, source: file }: Wanted): void {
  const isRun = verb !== "deliver" && verb !== "remove";
  if (isRemoved === true && !isRun) throw new Problem("bad-request", `Of ${verb}, leave out removeAfter: it is for what install.sh does.`);
  if (file !== undefined && !isRun) throw new Problem("bad-request", `Of ${verb}, leave out source: install.sh is not run.`);
}

function retryRoute(app: App, context: Context, deliverer: Deliverer): void {
  const { db } = context;
  app.post<{ Params: { id: string }; Body: { auth: GivenAuth } }>("/v1/deliveries/:id/retry", {
    schema: { operationId: "retryDelivery", summary: "Go on where it ended: the upload at the byte, an installation that goes on at the host by showing it, everything else by the journal there. The login is given again.", tags, params: params("id"), body: object({ auth: authSchema }), response: answers({ 202: deliverySchema }) },
  }, async (request, reply) => {
    const delivery = await deliveryById(db, request.params.id);
    const row = visible(request, "delivery:read", delivery?.run);
    allow(request, "delivery:write", row);
    const jumps = JSON.parse(delivery?.to.jumps ?? "[]") as readonly string[];
    const logins = readAuth(request.body.auth, jumps.length);
    await queueAgain(context, request, row, { credential: null, detail: {} });
    deliverer.begin(row.id, logins);
    return reply.code(202).send(await whole(context, deliverer, (await deliveryById(db, row.id)) as Delivery));
  });
}

function cancelRoute(app: App, context: Context, deliverer: Deliverer): void {
  const { db } = context;
  app.post<{ Params: { id: string } }>("/v1/deliveries/:id/cancel", {
    schema: { operationId: "cancelDelivery", summary: "Stop it: install.sh at the host is told to end, and what has arrived stays. Retry goes on; a delivery with the action remove takes it away. Of one that has ended it changes nothing.", tags, params: params("id"), response: answers({ 200: { description: "It has ended already.", ...deliverySchema }, 202: deliverySchema }) },
  }, async (request, reply) => {
    const delivery = await deliveryById(db, request.params.id);
    const row = visible(request, "delivery:read", delivery?.run);
    allow(request, "delivery:write", row);
    const code = (await cancelRun(context, request, row, deliverer)) ? 202 : 200;
    return reply.code(code).send(await whole(context, deliverer, (await deliveryById(db, row.id)) ?? (delivery as Delivery)));
  });
}

async function whole({ db }: Context, deliverer: Deliverer, delivery: Delivery): Promise<object> {
  return { ...shown(delivery, deliverer), lastLines: await lastLines(db, delivery.run.id, lastLineCount) };
}

function shown({ run, to }: Delivery, { progressOf }: Deliverer): object {
  const { credential: _, ...rest } = shownRun(run);
  const pins = JSON.parse(to.pins) as readonly (readonly [string, string])[];
  return {
    ...rest, host: to.target, jumps: JSON.parse(to.jumps) as readonly string[], hostKeys: [...(to.known_hosts === "" ? [] : [to.known_hosts]), ...pins.map(([name, fingerprint]) => `${name}=${fingerprint}`)].join("\n"),
    folder: to.folder, source: to.source, removeAfter: to.remove_after === 1, progress: progressOf(run.id) ?? null,
  };
}
