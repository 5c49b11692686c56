/** The service as a whole: opens its state, starts worker and HTTP, and closes all of it in order. */

import { sha256 } from "../core/digest.ts";
import { canonicalJson } from "../core/json.ts";
import type { BuilderId } from "../evidence/provenance.ts";
import type { Signer } from "../seal/sign.ts";
import { assetsOf, versionOf } from "../store/package-folder.ts";
import { passwordsWith, type PasswordCost } from "./access/passwords.ts";
import { hashOfSecret, newSecret } from "./access/secrets.ts";
import { openFolder, type Backing } from "./backing.ts";
import { usualLimits, type Context, type Limits } from "./context.ts";
import { openDeliverer, recoverDeliveries, type DelivererOptions } from "./delivery/deliverer.ts";
import { openInstaller, type InstallerOptions } from "./direct/installer.ts";
import { makeApp, type App } from "./http/app.ts";
import { drawingIn, type Drawing } from "./jobs/drawing.ts";
import { requeueLost } from "./jobs/lost-files.ts";
import { recoverJobs, startWorker } from "./jobs/worker.ts";
import { logTo } from "./log.ts";
import type { Oidc, OidcOptions } from "./oidc/open-oidc.ts";
import type { ScaledOut } from "./scaled/backing.ts";
import { invite, removeExpired } from "./state/credentials.ts";
import { keepSigningKey } from "./state/keys.ts";
import { adminCount } from "./state/users.ts";

export interface ServiceOptions {
  /** Where all state is, unless it is scaled out. */
  readonly folder?: string;
  readonly scaledOut?: ScaledOut;
  readonly packageFolder: string;
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly writeLog: (line: string) => void;
  /** Undefined is the service's own key, in the state folder; scaled out there is none. */
  readonly signer?: Signer;
  /** Undefined is whom `build` names, so that both make the same bytes. */
  readonly builder?: BuilderId | undefined;
  readonly tls?: { readonly cert: Uint8Array; readonly key: Uint8Array } | undefined;
  readonly limits?: Partial<Limits>;
  /** Somebody else's, who closes it; its own when left out. */
  readonly drawing?: Drawing;
  readonly passwordCost?: PasswordCost;
  readonly installer?: Partial<InstallerOptions>;
  /** Undefined: nothing is delivered. */
  readonly deliverer?: DelivererOptions | undefined;
  /** Whose tokens are taken besides our own; undefined is nobody's. */
  readonly oidc?: OidcOptions | undefined;
}

export interface Service {
  readonly context: Context;
  readonly app: App;
  /** Shown once, where there is no administrator yet. */
  readonly invitation: string | undefined;
  /** Stops listening, lets what is on its way come to its end for so long, puts the job at hand back, and closes the state. */
  readonly close: (drainMs: number) => Promise<void>;
}

const invitationMs = 24 * 3_600_000;
const sweepMs = 10 * 60_000;
const idleMs = 100;

/** Throws an EnvironmentError where the state can't be used: somebody else has it, or a newer program wrote it. */
export async function openService(options: ServiceOptions): Promise<Service> {
  const backing = await opened(options);
  try {
    return await started(options, backing);
  } catch (error) {
    await backing.close();
    throw error;
  }
}

async function opened({ folder, scaledOut, signer, installer, now, random, writeLog }: ServiceOptions): Promise<Backing> {
  if (scaledOut !== undefined) {
    // Neither PostgreSQL nor S3 is loaded by whoever has a folder.
    const { openScaledOut } = await import("./scaled/backing.ts");
    return openScaledOut(scaledOut, signer, logTo(writeLog, now));
  }
  if (folder === undefined) throw new Error("the service has no place for its state");
  return openFolder(folder, { signer, sealingKeys: installer?.sealingKeys, now, random });
}

async function started(options: ServiceOptions, backing: Backing): Promise<Service> {
  const { now, random, packageFolder } = options;
  const { db, signer, blobs, drawn, queue, news } = backing;
  const { publicKeyPem, fingerprint } = signer;
  await keepSigningKey(db, { fingerprint, public_key: publicKeyPem, created: now() });
  const stop = new AbortController();
  const version = versionOf(packageFolder);
  const log = logTo(options.writeLog, now);
  const oidc = await openedOidc(options, { now, log, stopping: stop.signal });
  const drawing = options.drawing ?? drawingIn(packageFolder);
  const context: Context = {
    db, signer, blobs, drawn, queue, news, drawing, version, now, random, packageFolder,
    programDigest: sha256(canonicalJson({ version, assets: Object.fromEntries(assetsOf(packageFolder)) })),
    builder: options.builder,
    passwords: passwordsWith(random, options.passwordCost),
    oidc, log,
    stopping: stop.signal,
    limits: { ...usualLimits, ...options.limits },
  };
  const sweep = (): Promise<void> => db.transaction().execute((transaction) => removeExpired(transaction, now()));
  await sweep();
  if (backing.isAlone) await recoverJobs(context);
  await requeueLost(context);
  const invitation = await inviteFirst(context);
  const installer = backing.installing === undefined ? undefined : await openInstaller(context, { ...backing.installing, ...options.installer });
  if (installer !== undefined) await recoverDeliveries(context);
  const deliverer = installer === undefined || options.deliverer === undefined ? undefined : openDeliverer(context, installer.sealing, options.deliverer);
  const app = await makeApp(context, { installer, deliverer, tls: options.tls });
  const worker = startWorker(context);
  const sweeping = setInterval(() => void sweep().catch((error: Error) => context.log("error", "sweep", { message: error.message })), sweepMs);
  const close = async (drainMs: number): Promise<void> => {
    clearInterval(sweeping);
    stop.abort(new Error("the service is stopping"));
    // Whoever is still downloading then goes on with a range, from another one or from this one when it is back.
    const cut = setTimeout(() => app.server.closeAllConnections(), drainMs);
    // Closing ends the connections that are idle just then; those that become so later, nobody else does.
    const idle = setInterval(() => app.server.closeIdleConnections(), idleMs);
    await app.close();
    clearTimeout(cut);
    clearInterval(idle);
    await worker.stopped;
    await Promise.all([installer?.close(), deliverer?.close()]);
    if (options.drawing === undefined) await drawing.close();
    await backing.close();
  };
  return { context, app, invitation, close };
}

async function openedOidc({ oidc }: ServiceOptions, given: Pick<Context, "now" | "log" | "stopping">): Promise<Oidc | undefined> {
  if (oidc === undefined) return undefined;
  // Who has no provider does not load jose.
  const { openOidc } = await import("./oidc/open-oidc.ts");
  return openOidc(oidc, given);
}

/** Nobody is an administrator by default: whoever can read what the first start prints becomes one. */
async function inviteFirst({ db, random, now }: Context): Promise<string | undefined> {
  if ((await adminCount(db)) > 0) return undefined;
  const invitation = newSecret("invitation", random);
  // Of several processes that start at once, one has the last word.
  await db.transaction().execute((transaction) => invite(transaction, hashOfSecret(invitation), null, now() + invitationMs));
  return invitation;
}
