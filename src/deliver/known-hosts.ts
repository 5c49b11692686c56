/** known_hosts as OpenSSH writes and reads it: sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT". What a host's key is judged by. */

import { createHmac, timingSafeEqual } from "node:crypto";
import { knownHostsName, type Target } from "./target.ts";

export interface KnownHost {
  /** `FILE:LINE`, for messages. */
  readonly where: string;
  readonly marker: "none" | "revoked" | "cert-authority";
  /** Patterns separated by commas, or one hashed name. */
  readonly names: string;
  readonly type: string;
  readonly key: Uint8Array;
}

export type HostKeyVerdict =
  | { readonly kind: "known"; readonly where: string }
  | { readonly kind: "unknown" }
  /** Keys of other types are known. */
  | { readonly kind: "other-type"; readonly where: string; readonly types: readonly string[] }
  | { readonly kind: "changed"; readonly where: string }
  | { readonly kind: "revoked"; readonly where: string }
  /** Only a certificate authority is known, and the key is no certificate. */
  | { readonly kind: "cert-authority"; readonly where: string };

type Place = Pick<Target, "host" | "port">;

/** Reads one file. A line that is not whole, or of a kind that nobody writes any more, is no line: OpenSSH passes over it too. */
export function parseKnownHosts(text: string, file: string): readonly KnownHost[] {
  return text.split("\n").flatMap((line, index) => {
    const host = parseLine(line.replace(/\r$/, ""), `${file}:${index + 1}`);
    return host === undefined ? [] : [host];
  });
}

function parseLine(line: string, where: string): KnownHost | undefined {
  const words = line.trim().split(/[ \t]+/);
  if (words[0] === "" || words[0]?.startsWith("#")) return undefined;
  const marker = words[0]?.startsWith("@") ? words.shift()?.slice(1) : "none";
  if (marker !== "none" && marker !== "revoked" && marker !== "cert-authority") return undefined;
  const [names = "", type = "", encoded = ""] = words;
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded)) return undefined;
  const key = new Uint8Array(Buffer.from(encoded, "base64"));
  return keyTypeOf(key) === type ? { where, marker, names, type, key } : undefined;
}

/** RFC 4253 section 6.6: a key begins with the name of its type, as a string. "" where it does not. */
export function keyTypeOf(key: Uint8Array): string {
  if (key.length < 4) return "";
  const length = new DataView(key.buffer, key.byteOffset).getUint32(0);
  if (length > 64 || key.length < 4 + length) return "";
  return Buffer.from(key.subarray(4, 4 + length)).toString("latin1");
}

/** What the lines say of the key that a host has shown. */
export function judgeHostKey(hosts: readonly KnownHost[], place: Place, key: Uint8Array): HostKeyVerdict {
  const lines = hosts.filter((each) => matches(each.names, knownHostsName(place)));
  const own = judgeBy(lines, key);
  if (own.kind !== "unknown" || place.port === 22) return own;
  // As OpenSSH does: a key that is known by the name alone is good on another port too, and nothing else follows from there.
  const bare = judgeBy(hosts.filter((each) => matches(each.names, knownHostsName({ host: place.host, port: 22 }))), key);
  return bare.kind === "known" || bare.kind === "revoked" ? bare : own;
}

function judgeBy(lines: readonly KnownHost[], key: Uint8Array): HostKeyVerdict {
  const revoked = lines.find((each) => each.marker === "revoked" && isSame(each.key, key));
  if (revoked !== undefined) return { kind: "revoked", where: revoked.where };
  const plain = lines.filter((each) => each.marker === "none");
  const same = plain.find((each) => isSame(each.key, key));
  if (same !== undefined) return { kind: "known", where: same.where };
  const [ofType] = plain.filter((each) => each.type === keyTypeOf(key));
  if (ofType !== undefined) return { kind: "changed", where: ofType.where };
  const [other] = plain;
  if (other !== undefined) return { kind: "other-type", where: other.where, types: [...new Set(plain.map((each) => each.type))].sort() };
  const authority = lines.find((each) => each.marker === "cert-authority");
  return authority === undefined ? { kind: "unknown" } : { kind: "cert-authority", where: authority.where };
}

/** Types of the keys that are known of a host, in the order of the lines: what the host should be asked for. */
export function knownTypes(hosts: readonly KnownHost[], place: Place): readonly string[] {
  const plain = hosts.filter((each) => each.marker === "none");
  const own = plain.filter((each) => matches(each.names, knownHostsName(place)));
  const found = own.length > 0 ? own : plain.filter((each) => matches(each.names, knownHostsName({ host: place.host, port: 22 })));
  return [...new Set(found.map((each) => each.type))];
}

function matches(names: string, name: string): boolean {
  if (names.startsWith("|")) return matchesHash(names, name);
  let isMatched = false;
  for (const pattern of names.split(",")) {
    const negated = pattern.startsWith("!");
    if (pattern === "" || !patternOf(negated ? pattern.slice(1) : pattern).test(name)) continue;
    // A name that is taken out by one pattern is brought back by none.
    if (negated) return false;
    isMatched = true;
  }
  return isMatched;
}

/** `*` and `?` are the only characters that mean something; the letters' case means nothing. */
function patternOf(pattern: string): RegExp {
  const source = pattern.toLowerCase().replace(/[.+^${}()|[\]\\]/g, "\\$&").replace(/\*+/g, ".*").replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s");
}

/** `|1|SALT|HASH`: HMAC-SHA1 of the name, with the salt as key. */
function matchesHash(hashed: string, name: string): boolean {
  const [, salt = "", hash = ""] = /^\|1\|([^|]+)\|([^|]+)$/.exec(hashed) ?? [];
  const wanted = Buffer.from(hash, "base64");
  const made = createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest();
  return wanted.length === made.length && timingSafeEqual(wanted, made);
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
