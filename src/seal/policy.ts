/**
 * A trust policy: whose signatures a bundle needs, and until when. Lines, so that a shell can read it as strictly as this
 * file does; docs/bundle-format.md section 8 is its definition.
 */

import { hexOf, sha256 } from "../core/digest.ts";
import { byCodeUnit } from "../core/json.ts";
import { policyKeys, policyVersions } from "../pack/limits.ts";
import { epochOf } from "../pack/tree.ts";
import type { Fingerprint, PublicKey } from "./keys.ts";
import { pemOf, readPublicKey } from "./keys.ts";

export interface Policy {
  /** From 1; each rotation adds one. */
  readonly version: number;
  /** `policyDigest` of the policy before; undefined for the first. */
  readonly previous: Fingerprint | undefined;
  /** How many different keys have to sign. */
  readonly threshold: number;
  /** Undefined: it has no end. */
  readonly end: PolicyEnd | undefined;
  /** By fingerprint. */
  readonly keys: readonly PolicyKey[];
}

export interface PolicyEnd {
  /** RFC 3339, UTC, whole seconds; from this second on, the policy no longer holds. */
  readonly time: string;
  readonly afterwards: "warn" | "refuse";
}

export interface PolicyKey extends PublicKey {
  /** What people call it; unlike all others of the policy. */
  readonly name: string;
}

export type PolicyReading = { readonly ok: true; readonly policy: Policy } | { readonly ok: false; readonly message: string };

const firstLine = "cloudlet-bundle trust policy v1";

/** What an operator may be given as an anchor; it has the form of a key's fingerprint, and no key can have the same. */
export function policyDigest(bytes: Uint8Array): Fingerprint {
  return `SHA256:${hexOf(sha256(bytes))}`;
}

/** Whether a file wants to be a policy, so that a key can be told from one. */
export function looksLikePolicy(text: string): boolean {
  return text.startsWith(`${firstLine}\n`);
}

/** The one text of a policy. Keys are sorted here. */
export function policyText({ version, previous, threshold, end, keys }: Policy): string {
  const sorted = [...keys].sort((a, b) => byCodeUnit(a.fingerprint, b.fingerprint));
  return [
    firstLine,
    `version ${version}`,
    `previous ${previous ?? "none"}`,
    `threshold ${threshold}`,
    `until ${end === undefined ? "never" : `${end.time} ${end.afterwards}`}`,
    ...sorted.map(({ fingerprint, publicKeyPem, name }) => `key ${fingerprint} ${publicKeyPem.replace(/-----[^-]+-----|\n/g, "")} ${name}`),
    "",
  ].join("\n");
}

/** A name of a key: what a file may be called anywhere, so that it needs no quoting. */
function isKeyName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/.test(name);
}

/** Reads a policy as strictly as it is written: exactly one text is one policy. */
export function parsePolicy(bytes: Uint8Array): PolicyReading {
  const wrong = (message: string): PolicyReading => ({ ok: false, message });
  const text = new TextDecoder("latin1").decode(bytes);
  const head = /^cloudlet-bundle trust policy v1\nversion ([1-9]\d{0,3})\nprevious (none|SHA256:[0-9a-f]{64})\nthreshold ([1-9]\d?)\nuntil (?:never|(\S{20}) (warn|refuse))\n/.exec(text);
  if (head === null) return wrong("is no trust policy of version v1");
  const [start = "", version, previous, threshold, time, afterwards] = head;
  const lines = text.slice(start.length).split("\n");
  if (lines.pop() !== "") return wrong("does not end with a line's end");
  const keys: PolicyKey[] = [];
  for (const line of lines) {
    const key = keyOfLine(line);
    if (key === undefined) return wrong(`has a line that is no key: ${keys.length + 1} of them`);
    if (keys.some((other) => other.name === key.name || other.fingerprint >= key.fingerprint)) return wrong("has keys out of order, or one or a name twice");
    keys.push(key);
  }
  if (keys.length > policyKeys) return wrong(`has more than ${policyKeys} keys`);
  if (Number(version) > policyVersions) return wrong(`has a version above ${policyVersions}`);
  if ((version === "1") !== (previous === "none")) return wrong("must name the policy before it, unless it is the first");
  if (Number(threshold) > keys.length) return wrong("wants more signatures than it has keys");
  if (time !== undefined && epochOf(time) === undefined) return wrong("ends at no time");
  return {
    ok: true,
    policy: {
      version: Number(version),
      previous: previous === "none" ? undefined : (previous as Fingerprint),
      threshold: Number(threshold),
      end: time === undefined ? undefined : { time, afterwards: afterwards as PolicyEnd["afterwards"] },
      keys,
    },
  };
}

/** The fingerprint is there for people; it must be the one of the key. */
function keyOfLine(line: string): PolicyKey | undefined {
  const [, fingerprint, base64 = "", name = ""] = /^key (SHA256:[0-9a-f]{64}) ([A-Za-z0-9+/=]{124}) (\S+)$/.exec(line) ?? [];
  const der = Buffer.from(base64, "base64");
  const key = readPublicKey(pemOf("PUBLIC KEY", der));
  // Written again, because base64 has several texts for the same bytes.
  if (!key.ok || key.value.fingerprint !== fingerprint || der.toString("base64") !== base64 || !isKeyName(name)) return undefined;
  return { ...key.value, name };
}
