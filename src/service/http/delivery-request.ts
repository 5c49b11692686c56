/** What a request says of the way to a host: where it is, how it is known, and how one logs in. Every mistake at once; none of them says a secret. */

import type { Issue } from "../../core/issue.ts";
import { readPin } from "../../deliver/host-keys.ts";
import { keyTypeOf, parseKnownHosts } from "../../deliver/known-hosts.ts";
import { knownHostsName, readTarget, showTarget, type Target } from "../../deliver/target.ts";
import type { GivenLogin } from "../delivery/courier-messages.ts";
import { located } from "../located-issues.ts";
import { notValid } from "./document-body.ts";
import { listOf, object, text, type Schema } from "./schemas.ts";

export interface GivenWay {
  readonly host: string;
  readonly jumps?: readonly string[];
  readonly hostKeys: string;
}

/** With jump hosts: a login for each of them, in their order. */
export interface GivenAuth extends GivenLogin {
  readonly jumps?: readonly GivenLogin[];
}

const jumpsMax = 4;
const hostText = (description: string): Schema => text(description, { minLength: 3, maxLength: 400 });

export const waySchemas = {
  host: hostText("user@host[:port]; an IPv6 address with a port stands in brackets."),
  jumps: listOf(hostText("user@host[:port]."), "Hosts on the way, the nearest first.", { maxItems: jumpsMax }),
  hostKeys: text("How the hosts are known, a line each: a line of known_hosts; a fingerprint as ssh-keygen -l shows it, SHA256:…, for a jump host HOST[:PORT]=SHA256:…; or the public key (TYPE BASE64) of the host. Got by another channel than the line.", { minLength: 1, maxLength: 65_536 }),
} as const;

const loginProperties = {
  privateKey: text("OpenSSH, PKCS#8 or PEM.", { minLength: 1, maxLength: 65_536 }), passphrase: text("Of the private key.", { minLength: 1, maxLength: 1_024 }), password: text("Of the user there; also the answer where the host asks for one by itself.", { minLength: 1, maxLength: 1_024 }),
};
/** For one run: in memory alone, and never given back. */
export const authSchema: Schema = object(
  { ...loginProperties, jumps: listOf(object(loginProperties, { optional: Object.keys(loginProperties) }), "Of each jump host. Left out, they are given the private key, and never the password.", { maxItems: jumpsMax }) },
  { optional: [...Object.keys(loginProperties), "jumps"], description: "How one logs in, for one run: a private key, a password, or both. Kept in memory until it has ended, and never given back." },
);

export interface Way {
  readonly target: string;
  readonly jumps: readonly string[];
  readonly knownHosts: string;
  readonly pins: readonly (readonly [string, string])[];
}

/** Throws a Problem with every mistake. */
export function readWay({ host, jumps = [], hostKeys }: GivenWay): Way {
  const issues: Issue[] = [];
  const say = (pointer: string, message: string, hint?: string): void => void issues.push({ code: "service/delivery", severity: "error", pointer, message, ...(hint === undefined ? {} : { hint }) });
  const read = (given: string, pointer: string): Target | undefined => {
    const reading = readTarget(given, "");
    if (reading.ok) return reading.value;
    return void say(pointer, reading.message, "write it as user@host or user@host:port");
  };
  const target = read(host, "/host");
  const hops = jumps.map((each, at) => read(each, `/jumps/${at}`));
  const known: string[] = [];
  const pins: (readonly [string, string])[] = [];
  for (const [at, line] of hostKeys.split(/\r?\n/).entries()) {
    const plain = line.trim();
    if (plain === "" || plain.startsWith("#") || target === undefined) continue;
    const pin = readPin(plain, target);
    const found = pin === undefined ? asKnownHost(plain, target) : undefined;
    if (pin !== undefined) pins.push(pin);
    else if (found !== undefined) known.push(found);
    else say("/hostKeys", `line ${at + 1} is neither a line of known_hosts, nor a fingerprint (SHA256: and 43 characters), nor a public key`, "on the host: ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub; or, in known_hosts of somebody who knows it: ssh-keygen -F HOST");
  }
  if (target !== undefined && known.length + pins.length === 0 && issues.length === 0) say("/hostKeys", "there is no host key: nobody is believed at first sight");
  if (issues.length > 0 || target === undefined) throw notValid(located(issues));
  return { target: showTarget(target), jumps: hops.flatMap((each) => (each === undefined ? [] : [showTarget(each)])), knownHosts: known.join("\n"), pins };
}

/** As a line of known_hosts, which names the host where a public key stands alone; undefined where it is neither. */
function asKnownHost(line: string, target: Target): string | undefined {
  if (parseKnownHosts(line, "").length === 1) return line;
  const [type = "", encoded = ""] = line.split(/[ \t]+/);
  return /^[A-Za-z0-9+/]+={0,2}$/.test(encoded) && keyTypeOf(new Uint8Array(Buffer.from(encoded, "base64"))) === type ? `${knownHostsName(target)} ${type} ${encoded}` : undefined;
}

/** A login for each hop, jump hosts first. Throws a Problem where there is none. */
export function readAuth({ jumps: given, ...own }: GivenAuth, jumps: number): readonly GivenLogin[] {
  const issues: Issue[] = [];
  const check = ({ privateKey, passphrase, password }: GivenLogin, pointer: string): void => {
    const say = (message: string): void => void issues.push({ code: "service/delivery", severity: "error", pointer, message });
    if (privateKey === undefined && password === undefined) say("there is neither a private key nor a password");
    if (privateKey !== undefined && !/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----/.test(privateKey)) say(/^(ssh|ecdsa)-/.test(privateKey.trim()) ? "this is the public key: the private one is wanted, whose first line is -----BEGIN … PRIVATE KEY-----" : "this is no private key: its first line is -----BEGIN … PRIVATE KEY-----");
    if (passphrase !== undefined && privateKey === undefined) say("there is a passphrase, and no private key that it would be of");
  };
  check(own, "/auth");
  if (given !== undefined && given.length !== jumps) issues.push({ code: "service/delivery", severity: "error", pointer: "/auth/jumps", message: `there are ${jumps} jump hosts and ${given.length} logins for them` });
  for (const [at, each] of (given ?? []).entries()) check(each, `/auth/jumps/${at}`);
  const { privateKey, passphrase } = own;
  if (given === undefined && jumps > 0 && privateKey === undefined) issues.push({ code: "service/delivery", severity: "error", pointer: "/auth/jumps", message: "a password is the host's own: no jump host is given it; give each a login" });
  if (issues.length > 0) throw notValid(located(issues));
  const shared = { ...(privateKey === undefined ? {} : { privateKey }), ...(passphrase === undefined ? {} : { passphrase }) };
  return [...Array.from({ length: jumps }, (_, at) => given?.[at] ?? shared), own];
}
