/** Secrets that are shown once and kept as a hash: session tokens, API tokens, invitations, download tickets. */

import { sha256 } from "../../core/digest.ts";

export type SecretKind = "session" | "token" | "invitation" | "ticket";

/** So that whoever finds one, a secret scanner above all, knows what it is. */
const prefixes: Readonly<Record<SecretKind, string>> = { session: "cbs_", token: "cbt_", invitation: "cbi_", ticket: "cbd_" };

/** 256 bits: nobody guesses it, and its plain hash tells nothing of it. */
export function newSecret(kind: SecretKind, random: (bytes: number) => Uint8Array): string {
  return `${prefixes[kind]}${Buffer.from(random(32)).toString("base64url")}`;
}

export function hashOfSecret(secret: string): string {
  return sha256(secret);
}

/** Whether a text has the form of a credential at all, so that none other is looked up. */
export function isCredential(text: string): boolean {
  return /^cb[st]_[A-Za-z0-9_-]{43}$/.test(text);
}
