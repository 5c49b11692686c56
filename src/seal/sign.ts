/** Who signs: something that holds a P-256 key and signs bytes. */

import { verify } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import type { Outcome } from "../core/issue.ts";
import type { Fingerprint } from "./keys.ts";
import { readPrivateKey } from "./keys.ts";

export interface Signer {
  readonly publicKeyPem: string;
  readonly fingerprint: Fingerprint;
  /** ECDSA with SHA-256 over the bytes, in DER. */
  sign(bytes: Uint8Array): Promise<Uint8Array>;
}

/** Signs with a PEM key, the same bytes always with the same signature: the nonce is that of RFC 6979. */
export function pemSigner(pem: string): Outcome<Signer> {
  const key = readPrivateKey(pem);
  if (!key.ok) return key;
  const { publicKeyPem, fingerprint, scalar } = key.value;
  // lowS: of the two signatures with this nonce the one with the smaller s; RFC 6979 leaves it open, so it is written out.
  const sign = async (bytes: Uint8Array): Promise<Uint8Array> =>
    p256.sign(bytes, scalar, { prehash: true, lowS: true, extraEntropy: false, format: "der" });
  return { ok: true, value: { publicKeyPem, fingerprint, sign }, issues: [] };
}

/** Whether OpenSSL, which the operator has too, finds the signature good. */
export function isSignature(bytes: Uint8Array, publicKeyPem: string, signature: Uint8Array): boolean {
  try {
    return verify("sha256", bytes, { key: publicKeyPem, dsaEncoding: "der" }, signature);
  } catch {
    return false;
  }
}
