/** The login with which an installation is run: given with the request, or kept. */

import type { Context } from "../context.ts";
import type { Installer } from "../direct/installer.ts";
import { aboutCredentials } from "../direct/seal-anew.ts";
import { isDirect, needsLogin, notInstalling, type DirectPlatform, type LoginPlatform } from "../direct/direct-platform.ts";
import { noLogin, readLogin, type GivenLogin, type SiteLogin } from "../direct/site-login.ts";
import { keptSpec } from "../jobs/documents.ts";
import { located } from "../located-issues.ts";
import { siteCredential } from "../state/installations.ts";
import type { BundleRow, CloudletRow } from "../state/tables.ts";
import { notValid } from "./document-body.ts";
import { Problem } from "./problem.ts";

export interface LoginWanted {
  readonly cloudletId: string;
  readonly platform: DirectPlatform;
  readonly given: { readonly credentials?: GivenLogin; readonly credential?: string };
  /** Of the run before. */
  readonly kept: string | null;
}

/** Throws a Problem where there is none, or none that is good. */
export async function loginFor({ context, installer }: { readonly context: Context; readonly installer: Installer }, wanted: LoginWanted): Promise<{ readonly login: SiteLogin; readonly credential: string | null }> {
  const { cloudletId, platform, given, kept } = wanted;
  if (!needsLogin(platform)) {
    if (given.credentials !== undefined || given.credential !== undefined) throw new Problem("bad-request", `On ${platform} the service installs without a login: leave out credentials.`);
    return { login: noLogin, credential: null };
  }
  if (given.credentials !== undefined && given.credential !== undefined) throw new Problem("bad-request", "Give credentials, or the name of kept ones, not both.");
  if (given.credentials !== undefined) return { login: soundLogin(platform, given.credentials), credential: null };
  const which = given.credential ?? kept;
  if (which === null) throw new Problem("bad-request", "This needs credentials for the site: `credentials` for this run, or `credential`, the id of kept ones.");
  const row = await siteCredential(context.db, cloudletId, which);
  if (row === undefined) throw new Problem("bad-request", "The cloudlet has no kept credentials of that id.");
  const opened = installer.sealing.open({ box: row.sealed, keyId: row.sealed_key }, aboutCredentials(cloudletId, row.name));
  if (opened === undefined) throw new Problem("not-ready", "The kept credentials are sealed with a key that the service does not have: give it back, or keep them anew.");
  return { login: soundLogin(platform, JSON.parse(opened) as GivenLogin), credential: row.name };
}

export function soundLogin(platform: LoginPlatform, given: GivenLogin): SiteLogin {
  const read = readLogin(platform, given);
  if (read.ok) return read.value;
  throw notValid(located(read.issues));
}

/** Of the bundle, which may be older than what the cloudlet's spec says now. Throws a Problem where the service does not install on it for this cloudlet. */
export async function platformFor({ db }: Context, installer: Installer, cloudlet: Pick<CloudletRow, "organization" | "name">, bundle: Pick<BundleRow, "spec_document">): Promise<DirectPlatform> {
  return offered((await keptSpec(db, bundle.spec_document)).spec.platform.type, installer, cloudlet);
}

/** Throws a Problem where no login to it is of any use. */
export function loginPlatform(name: string, installer: Installer): LoginPlatform {
  const platform = offered(name, installer);
  if (needsLogin(platform)) return platform;
  throw new Problem("bad-request", `On ${platform} the service installs without a login.`);
}

function offered(name: string, installer: Installer, cloudlet?: Pick<CloudletRow, "organization" | "name">): DirectPlatform {
  const reason = notInstalling(name, installer, cloudlet);
  if (isDirect(name) && reason === undefined) return name;
  throw new Problem("not-offered", reason ?? "");
}
