/** The service as a whole: opens the state folder, starts worker and HTTP, and closes all of it in order. */

import { sha256 } from "../core/digest.ts";
import { canonicalJson } from "../core/json.ts";
import type { BuilderId } from "../evidence/provenance.ts";
import type { Signer } from "../seal/sign.ts";
import { openStore } from "../store/blob-store.ts";
import { assetsOf, versionOf } from "../store/package-folder.ts";
import { passwordsWith, type PasswordCost } from "./access/passwords.ts";
import { hashOfSecret, newSecret } from "./access/secrets.ts";
import { newsOf, usualLimits, type Context, type Limits } from "./context.ts";
import { ownSealingKeys } from "./direct/credentials-key.ts";
import { openInstaller, type InstallerOptions } from "./direct/installer.ts";
import { makeApp, type App } from "./http/app.ts";
import { drawingIn, type Drawing } from "./jobs/drawing.ts";
import { requeueLost } from "./jobs/lost-files.ts";
import { recoverJobs, startWorker } from "./jobs/worker.ts";
import { logTo } from "./log.ts";
import { ownSigner } from "./service-key.ts";
import { openDatabase, type Database } from "./state/database.ts";
import { invite, removeExpired } from "./state/credentials.ts";
import { keepSigningKey } from "./state/keys.ts";
import { migrate } from "./state/migrations.ts";
import { lockStateFolder, makeStateFolder, stateFolderAt } from "./state/state-folder.ts";
import { adminCount } from "./state/users.ts";

export interface ServiceOptions {
  readonly folder: string;
  readonly packageFolder: string;
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly writeLog: (line: string) => void;
  /** Undefined is the service's own key, in the state folder. */
  readonly signer?: Signer;
  /** Undefined is whom `build` names, so that both make the same bytes. */
  readonly builder?: BuilderId | undefined;
  readonly tls?: { readonly cert: Uint8Array; readonly key: Uint8Array } | undefined;
  readonly limits?: Partial<Limits>;
  /** Somebody else's, who closes it; its own when left out. */
  readonly drawing?: Drawing;
  readonly passwordCost?: PasswordCost;
  readonly installer?: Partial<InstallerOptions>;
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

/** Throws an EnvironmentError where the folder can't be used: somebody else has it, or a newer program wrote it. */
export async function openService(options: ServiceOptions): Promise<Service> {
  const places = stateFolderAt(options.folder);
  await makeStateFolder(places);
  const unlock = lockStateFolder(places);
  let db: Database | undefined;
  try {
    db = openDatabase(places.database);
    await migrate(db);
    const signer = options.signer ?? (await ownSigner(places.signingKey, options.random));
    const { publicKeyPem, fingerprint } = signer;
    await keepSigningKey(db, { fingerprint, public_key: publicKeyPem, created: options.now() });
    const sealingKeys = options.installer?.sealingKeys ?? (await ownSealingKeys(places.credentialsKey, options.random));
    const installer = { ...options.installer, sealingKeys, runs: places.runs, installations: places.installations };
    return await started(options, { db, signer, unlock, blobs: places.blobs, drawn: places.drawn, installer });
  } catch (error) {
    await db?.destroy();
    unlock();
    throw error;
  }
}

/** What `read` gives at a time: a download that waits for its reader holds three of them. */
const readBytes = 256 * 1_024;

async function started(options: ServiceOptions, opened: { readonly db: Database; readonly signer: Signer; readonly unlock: () => void; readonly blobs: string; readonly drawn: string; readonly installer: InstallerOptions }): Promise<Service> {
  const { now, random, packageFolder } = options;
  const { db, signer, unlock } = opened;
  const stop = new AbortController();
  const version = versionOf(packageFolder);
  const drawing = options.drawing ?? drawingIn(packageFolder);
  const context: Context = {
    db, signer, drawing, version, now, random, packageFolder,
    blobs: await openStore(opened.blobs, { now, readBytes }),
    drawn: await openStore(opened.drawn, { now, readBytes }),
    programDigest: sha256(canonicalJson({ version, assets: Object.fromEntries(assetsOf(packageFolder)) })),
    builder: options.builder,
    passwords: passwordsWith(random, options.passwordCost),
    log: logTo(options.writeLog, now),
    news: newsOf(),
    stopping: stop.signal,
    limits: { ...usualLimits, ...options.limits },
  };
  await removeExpired(db, now());
  await recoverJobs(context);
  await requeueLost(context);
  const invitation = await inviteFirst(context);
  const installer = await openInstaller(context, opened.installer);
  const app = await makeApp(context, { wake: () => worker.wake(), installer, tls: options.tls });
  const worker = startWorker(context);
  const sweeping = setInterval(() => void removeExpired(db, now()).catch((error: Error) => context.log("error", "sweep", { message: error.message })), sweepMs);
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
    await installer.close();
    if (options.drawing === undefined) await drawing.close();
    await db.destroy();
    unlock();
  };
  return { context, app, invitation, close };
}

/** Nobody is an administrator by default: whoever can read what the first start prints becomes one. */
async function inviteFirst({ db, random, now }: Context): Promise<string | undefined> {
  if ((await adminCount(db)) > 0) return undefined;
  const invitation = newSecret("invitation", random);
  await invite(db, hashOfSecret(invitation), null, now() + invitationMs);
  return invitation;
}
