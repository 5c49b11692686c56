/** What the service installs on by itself, what it has to be given for that, and whether it does so for a cloudlet. */

import type { CloudletRow } from "../state/tables.ts";
import { mayHaveVm, type LibvirtHost } from "./libvirt-host.ts";

/** What somebody logs in to. */
export const loginPlatforms = ["openstack", "vsphere"] as const;
export type LoginPlatform = (typeof loginPlatforms)[number];

export const directPlatforms = [...loginPlatforms, "libvirt"] as const;
export type DirectPlatform = (typeof directPlatforms)[number];

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
export const loginVariables: Readonly<Record<LoginPlatform, readonly LoginVariable[]>> = {
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

/** What the service was started with, as far as it matters here. */
export interface Installing {
  readonly libvirt: LibvirtHost | undefined;
}

/** Why the service does not install on this platform, for this cloudlet or, without one, at all; undefined where it does. `installing` is undefined where the service has no state folder. */
export function notInstalling(platform: string, installing: Installing | undefined, cloudlet?: Pick<CloudletRow, "organization" | "name">): string | undefined {
  if (!isDirect(platform)) return `The service itself installs on ${directPlatforms.slice(0, -1).join(", ")} and ${directPlatforms.at(-1) ?? ""}; on ${platform} somebody at the site runs install.sh.`;
  if (installing === undefined) return "This service is scaled out and has no state folder, which an installation needs: install from one that has.";
  if (platform !== "libvirt") return undefined;
  if (installing.libvirt === undefined) return "On libvirt install.sh runs on the KVM host itself, and this service was not started as one (serve --libvirt): somebody on the host runs install.sh.";
  if (cloudlet !== undefined && !mayHaveVm(installing.libvirt, cloudlet)) return "Whoever runs this service's host has not named this cloudlet as one that gets a VM there (serve --libvirt).";
  return undefined;
}

export function isDirect(platform: string): platform is DirectPlatform {
  return directPlatforms.some((each) => each === platform);
}

export function needsLogin(platform: DirectPlatform): platform is LoginPlatform {
  return platform !== "libvirt";
}
