/** Whether a host is the one that it should be: by known_hosts, or by a fingerprint that the user has given. Never by trust at first sight. */

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { EnvironmentError } from "../core/environment-error.ts";
import { judgeHostKey, keyTypeOf, knownTypes, parseKnownHosts, type KnownHost } from "./known-hosts.ts";
import { Refused } from "./refused.ts";
import { hostAndPort, knownHostsName, type Target } from "./target.ts";

export interface HostKeys {
  /** What the host is asked for, in order; each list is tried for itself until one brings the key that is wanted. */
  readonly algorithms: (target: Target) => readonly (readonly string[])[];
  /** Undefined where the key is the host's; else why it is refused, and what to do. */
  readonly refuse: (target: Target, key: Uint8Array) => EnvironmentError | undefined;
}

/** Of a key as `ssh-keygen -l` shows it: base64 of the SHA-256, without padding. */
export function keyFingerprint(key: Uint8Array): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

/** The key that a fingerprint pins, by the name of its host as in known_hosts. */
export type Pins = ReadonlyMap<string, string>;

const fingerprintForm = /^SHA256:[A-Za-z0-9+/]{43}$/;

/** Reads `[HOST[:PORT]=]SHA256:…`; without a host it is the target's. Undefined where it is none. */
export function readPin(text: string, target: Target): readonly [string, string] | undefined {
  const [, name, fingerprint = ""] = /^(?:(.+)=)?(SHA256:[^=]+)=?$/.exec(text) ?? [];
  if (!fingerprintForm.test(fingerprint)) return undefined;
  if (name === undefined) return [knownHostsName(target), fingerprint];
  const [, host = "", port = "22"] = /^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(name) ?? [];
  return host === "" ? undefined : [knownHostsName({ host, port: Number(port) }), fingerprint];
}

/** `file`: the only one that counts. Else the user's and the system's, where they are. */
export async function readKnownHosts(file: string | undefined, home: string | undefined): Promise<readonly KnownHost[]> {
  if (file !== undefined) return parseKnownHosts(await readFile(file, "utf8"), file);
  const own = home === undefined ? [] : [join(home, ".ssh/known_hosts"), join(home, ".ssh/known_hosts2")];
  const files = [...own, "/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"];
  const texts = await Promise.all(files.map((each) => readFile(each, "utf8").catch(orNothing)));
  return texts.flatMap((text, index) => parseKnownHosts(text, files[index] as string));
}

function orNothing(error: NodeJS.ErrnoException): string {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return "";
  throw error;
}

export function hostKeys(hosts: readonly KnownHost[], pins: Pins): HostKeys {
  return {
    algorithms(target) {
      // A fingerprint does not tell the type of its key, and a host shows one key at a time.
      if (pins.has(knownHostsName(target))) return groups;
      const known = knownTypes(hosts, target).flatMap((type) => algorithmsOf[type] ?? []);
      return [[...new Set([...known, ...groups.flat()])]];
    },
    refuse(target, key) {
      const pin = pins.get(knownHostsName(target));
      // A key that somebody has taken back is not brought back by a fingerprint.
      if (pin === undefined || judgeHostKey(hosts, target, key).kind === "revoked") return refusalBy(hosts, target, key);
      return pin === keyFingerprint(key) ? undefined : otherThanPinned(target, key, pin);
    },
  };
}

/** RFC 8332: an RSA key signs with SHA-2; with SHA-1 it is not asked. */
const algorithmsOf: Readonly<Record<string, readonly string[]>> = {
  "ssh-ed25519": ["ssh-ed25519"],
  "ecdsa-sha2-nistp256": ["ecdsa-sha2-nistp256"],
  "ecdsa-sha2-nistp384": ["ecdsa-sha2-nistp384"],
  "ecdsa-sha2-nistp521": ["ecdsa-sha2-nistp521"],
  "ssh-rsa": ["rsa-sha2-512", "rsa-sha2-256"],
};
const groups: readonly (readonly string[])[] = Object.values(algorithmsOf);

function refusalBy(hosts: readonly KnownHost[], target: Target, key: Uint8Array): EnvironmentError | undefined {
  const name = hostAndPort(target);
  const shown = `${keyTypeOf(key)} ${keyFingerprint(key)}`;
  const verdict = judgeHostKey(hosts, target, key);
  const ask = `compare ${keyFingerprint(key)} with what the host's administrator tells you by another channel (there: ssh-keygen -lf /etc/ssh/ssh_host_…_key.pub)`;
  switch (verdict.kind) {
    case "known":
      return undefined;
    case "unknown":
      return refused(`the host key of ${name} is not known (${shown})`, `${ask}; if it is the same, give --host-key ${keyFingerprint(key)}, or add this line to known_hosts: ${lineOf(target, key)}`);
    case "other-type":
      return refused(
        `${name} shows a host key of another type (${shown}) than the one that is known (${verdict.types.join(", ")}, ${verdict.where})`,
        `${ask}; if it is the same, give --host-key ${keyFingerprint(key)}, or add this line to known_hosts: ${lineOf(target, key)}`,
      );
    case "changed":
      return refused(
        `THE HOST KEY OF ${name} HAS CHANGED: it shows ${shown}, and ${verdict.where} has another. Somebody may be between here and there, or the host was set up anew`,
        `nothing was sent. Ask its administrator; if the host has a new key, remove the old one (ssh-keygen -R '${knownHostsName(target)}'), and ${ask}`,
      );
    case "revoked":
      return refused(`the host key of ${name} is revoked (${shown}, ${verdict.where})`, "nothing was sent. Ask the host's administrator for its new key");
    case "cert-authority":
      return refused(
        `of ${name} only a certificate authority is known (${verdict.where}), and host certificates are not read`,
        `use --transport openssh, which reads them; or ${ask}, and give --host-key ${keyFingerprint(key)}`,
      );
  }
}

function otherThanPinned(target: Target, key: Uint8Array, pin: string): EnvironmentError {
  return refused(
    `${hostAndPort(target)} has no host key with the fingerprint ${pin} (it shows ${keyTypeOf(key)} ${keyFingerprint(key)})`,
    "nothing was sent. Ask the host's administrator for the fingerprint, by another channel",
  );
}

function lineOf(target: Target, key: Uint8Array): string {
  return `${knownHostsName(target)} ${keyTypeOf(key)} ${Buffer.from(key).toString("base64")}`;
}

function refused(message: string, hint: string): EnvironmentError {
  return new Refused("host-key", message, { hint });
}
