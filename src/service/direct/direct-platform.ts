/** What the service installs on by itself, what it has to be given for that, and whether it does so for a cloudlet. */

import type { Installer } from "./installer.ts";
import { directPlatforms, type DirectPlatform } from "./site-login.ts";

/** A variable of a login, as a form shows it. */
export interface LoginVariable {
  readonly name: string;
  readonly description: string;
  /** Without it there is no login. */
  readonly isNeeded: boolean;
  readonly isSecret: boolean;
  /** The text of a certificate or key, of several lines. */
  readonly isText: boolean;
}

type More = { readonly needed?: true; readonly secret?: true; readonly text?: true };
const variable = (name: string, description: string, { needed, secret, text }: More = {}): LoginVariable => ({ name, description, isNeeded: needed === true, isSecret: secret === true, isText: text === true });

/** The usual ones, in the order in which a form asks for them; site-login.ts takes a few more. */
export const loginVariables: Readonly<Record<DirectPlatform, readonly LoginVariable[]>> = {
  openstack: [
    variable("OS_AUTH_URL", "Address of Keystone", { needed: true }),
    variable("OS_USERNAME", "User"),
    variable("OS_PASSWORD", "Password", { secret: true }),
    variable("OS_USER_DOMAIN_NAME", "Domain of the user"),
    variable("OS_PROJECT_NAME", "Project"),
    variable("OS_PROJECT_DOMAIN_NAME", "Domain of the project"),
    variable("OS_REGION_NAME", "Region"),
    variable("OS_APPLICATION_CREDENTIAL_ID", "Application credential, in the place of user and project"),
    variable("OS_APPLICATION_CREDENTIAL_SECRET", "Secret of the application credential", { secret: true }),
    variable("OS_CACERT", "Certificate of the CA (PEM)", { text: true }),
  ],
  vsphere: [
    variable("GOVC_URL", "Address of vCenter or the ESXi host", { needed: true }),
    variable("GOVC_USERNAME", "User"),
    variable("GOVC_PASSWORD", "Password", { secret: true }),
    variable("GOVC_TLS_CA_CERTS", "Certificate of the CA (PEM)", { text: true }),
  ],
};

/** Why the service does not install on this platform; undefined where it does. `installer` is undefined where the service has no state folder. */
export function notInstalling(platform: string, installer: Installer | undefined): string | undefined {
  if (!isDirect(platform)) return `The service itself installs on ${directPlatforms.join(" and ")}; on ${platform} somebody at the site runs install.sh.`;
  if (installer === undefined) return "This service is scaled out and has no state folder, which an installation needs: install from one that has.";
  return undefined;
}

export function isDirect(platform: string): platform is DirectPlatform {
  return directPlatforms.some((each) => each === platform);
}
