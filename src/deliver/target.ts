/** Where a bundle is pushed to, as the command line names it: `[user@]host[:port]`. */

import { basename } from "node:path";

export interface Target {
  readonly user: string;
  /** A name or an address, without brackets. */
  readonly host: string;
  readonly port: number;
}

export type TargetReading = { readonly ok: true; readonly value: Target } | { readonly ok: false; readonly message: string };

const sshPort = 22;

/**
 * Reads `[user@]host[:port]`; an IPv6 address that has a port stands in brackets. What a host can't be called is refused, so
 * that no name can be taken for an option or a second word by whoever gets it next.
 */
export function readTarget(text: string, defaultUser: string): TargetReading {
  const at = text.lastIndexOf("@");
  const user = at < 0 ? defaultUser : text.slice(0, at);
  const [host, portText] = hostAndPortIn(text.slice(at + 1));
  const port = Number(portText ?? sshPort);
  if (!isHost(host)) return no(text, "is no [user@]host[:port]");
  if (!/^\d{1,5}$/.test(portText ?? "22") || port < 1 || port > 65_535) return no(text, "has a port that is not from 1 to 65535");
  if (user === "") return no(text, "names no user");
  if (/^-|[\u0000-\u001f\u007f-\u009f]/.test(user)) return no(text, "has a user that can't be one");
  return { ok: true, value: { user, host, port } };
}

function hostAndPortIn(text: string): readonly [string, string | undefined] {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  if (bracketed !== null) return [bracketed[1] ?? "", bracketed[2]];
  const [host = "", port, ...more] = text.split(":");
  // An address with colons and no brackets has no port: its last group would be one.
  return more.length > 0 ? [text, undefined] : [host, port];
}

function isHost(text: string): boolean {
  return text.length <= 255 && (/^[A-Za-z0-9_][A-Za-z0-9._-]*$/.test(text) || /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(%[A-Za-z0-9._-]+)?$/.test(text));
}

function no(text: string, what: string): TargetReading {
  return { ok: false, message: `${JSON.stringify(text)} ${what}` };
}

/** As people write it. */
export function showTarget({ user, host, port }: Target): string {
  return `${user}@${hostAndPort({ host, port })}`;
}

/** Without the user; the port where it is another than SSH's own. */
export function hostAndPort({ host, port }: Pick<Target, "host" | "port">): string {
  const name = host.includes(":") ? `[${host}]` : host;
  return port === sshPort ? name : `${name}:${port}`;
}

/** The name under which known_hosts lists it: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". */
export function knownHostsName({ host, port }: Pick<Target, "host" | "port">): string {
  return port === sshPort ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** The folder of a bundle on the host, where the user names none: below the home folder. */
export function defaultFolder(bundle: string): string {
  return `${commonFolder}/${basename(bundle).replace(/\.tar$/, "").replace(/\.cloudlet$/, "") || "bundle"}`;
}

/** Holds the folders of all bundles. */
export const commonFolder = "cloudlet-bundle";
