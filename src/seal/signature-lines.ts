/** Signatures of several people over the same bytes, as lines: who, and the signature. Files that travel, and are joined. */

import { byCodeUnit } from "../core/json.ts";
import { policyKeys, signatureBytes } from "../pack/limits.ts";
import type { Fingerprint, PublicKey } from "./keys.ts";
import { isSignature } from "./sign.ts";

/** By fingerprint; a key signs once. */
export type Signatures = ReadonlyMap<Fingerprint, Uint8Array>;

/** A rotation is signed by the keys before and the keys after. */
const most = 2 * policyKeys;

/** One text for the same signatures, in whatever order they came. */
export function signaturesText(signatures: Signatures): string {
  return [...signatures]
    .sort(([a], [b]) => byCodeUnit(a, b))
    .map(([fingerprint, signature]) => `${fingerprint} ${Buffer.from(signature).toString("base64")}\n`)
    .join("");
}

/** Undefined where the text is not written as it must be: lines sorted by fingerprint, none twice, DER in base64. */
export function parseSignatures(bytes: Uint8Array): Signatures | undefined {
  const lines = new TextDecoder("latin1").decode(bytes).split("\n");
  if (lines.pop() !== "" || lines.length === 0 || lines.length > most) return undefined;
  const signatures = new Map<Fingerprint, Uint8Array>();
  let before = "";
  for (const line of lines) {
    const [, fingerprint = "", base64 = ""] = /^(SHA256:[0-9a-f]{64}) ([A-Za-z0-9+/=]+)$/.exec(line) ?? [];
    const signature = Buffer.from(base64, "base64");
    if (byCodeUnit(before, fingerprint) >= 0 || signature.toString("base64") !== base64 || signature.byteLength > signatureBytes) return undefined;
    signatures.set(fingerprint as Fingerprint, signature);
    before = fingerprint;
  }
  return signatures;
}

export interface Judged<Key> {
  /** Those of `keys` that signed. */
  readonly signers: readonly Key[];
  /** Whose signatures are not good. */
  readonly bad: readonly Key[];
  /** Who is none of `keys`: nothing can be said of these signatures. */
  readonly strangers: readonly Fingerprint[];
}

/** Every line is looked at: one that proves nothing has no business there. */
export function judgeSignatures<Key extends PublicKey>(signed: Uint8Array, signatures: Signatures, keys: readonly Key[]): Judged<Key> {
  const there = keys.filter((key) => signatures.has(key.fingerprint));
  const isGood = (key: Key): boolean => isSignature(signed, key.publicKeyPem, signatures.get(key.fingerprint) ?? new Uint8Array());
  return {
    signers: there.filter(isGood),
    bad: there.filter((key) => !isGood(key)),
    strangers: [...signatures.keys()].filter((fingerprint) => !keys.some((key) => key.fingerprint === fingerprint)),
  };
}
