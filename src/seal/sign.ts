/** Who signs: something that holds a P-256 key and signs bytes. */

import { verify } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { EnvironmentError } from "../core/environment-error.ts";
import type { Outcome } from "../core/issue.ts";
import type { Fingerprint } from "./keys.ts";
import { readPrivateKey } from "./keys.ts";

/** What is signed. No two of them can be the same bytes, for each begins in its own way: a signature serves for one alone. */
export type SignedThing = "SHA256SUMS" | "provenance" | "trust-policy" | "ssh-signature" | "ovf-manifest";

export interface Signer {
  readonly publicKeyPem: string;
  readonly fingerprint: Fingerprint;
  /** ECDSA with SHA-256 over the bytes, in DER. What they are is told to the signer's owner. */
  sign(bytes: Uint8Array, thing?: SignedThing): Promise<Uint8Array>;
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

/** A signature that has been looked at. Throws an EnvironmentError where the signer gives something else. */
export async function signChecked(signer: Signer, bytes: Uint8Array, thing: SignedThing): Promise<Uint8Array> {
  const signature = await signer.sign(bytes, thing);
  if (isSignature(bytes, signer.publicKeyPem, signature)) return signature;
  throw new EnvironmentError(`what the signer gave for ${thing} is no signature by ${signer.fingerprint}`, {
    hint: "it must be ECDSA P-256 with SHA-256 over exactly the bytes given each time, in DER, by the private half of the public key given",
  });
}

/** Whether OpenSSL, which the operator has too, finds the signature good. */
export function isSignature(bytes: Uint8Array, publicKeyPem: string, signature: Uint8Array): boolean {
  try {
    return verify("sha256", bytes, { key: publicKeyPem, dsaEncoding: "der" }, signature);
  } catch {
    return false;
  }
}
