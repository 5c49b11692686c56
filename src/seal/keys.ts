/** Signing keys: ECDSA on P-256, in PEM. docs/decisions/2026-11-24-p256.md says why this curve. */

import { createPrivateKey, createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { hexOf, sha256 } from "../core/digest.ts";
import type { Issue, Outcome } from "../core/issue.ts";

/** `SHA256:` and the lower-case hexadecimal SHA-256 of the DER SubjectPublicKeyInfo. */
export type Fingerprint = `SHA256:${string}`;

export interface PublicKey {
  /** The one text that OpenSSL writes for it: 178 characters. */
  readonly publicKeyPem: string;
  readonly fingerprint: Fingerprint;
}

export interface PrivateKey extends PublicKey {
  /** The secret scalar: 32 bytes, the most significant first. */
  readonly scalar: Uint8Array;
}

/** A new key, PKCS#8 PEM. `random` gives as many unpredictable bytes as it is asked for. */
export function generateKey(random: (bytes: number) => Uint8Array): string {
  let scalar = random(32);
  // FIPS 186-5 A.2.2: draw again unless 0 < scalar < n, which fails once in 2^32.
  while (!p256.utils.isValidSecretKey(scalar)) scalar = random(32);
  const pem = privateKeyPem(scalar);
  const read = createPrivateKey(pem).export({ type: "pkcs8", format: "pem" });
  if (read !== pem) throw new Error("OpenSSL reads another key than was made");
  return pem;
}

/** What the operator may know of a private key. Throws where `readPrivateKey` finds an issue. */
export function publicHalf(privatePem: string): PublicKey {
  const key = readPrivateKey(privatePem);
  if (!key.ok) throw new Error(key.issues[0]?.message);
  return { publicKeyPem: key.value.publicKeyPem, fingerprint: key.value.fingerprint };
}

/** Reads a private key, PKCS#8 or SEC 1 (`BEGIN EC PRIVATE KEY`), PEM, not encrypted. */
export function readPrivateKey(pem: string): Outcome<PrivateKey> {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem)) {
    return refused("the signing key is encrypted", "decrypt it into a file of mode 0600: openssl pkey -in KEY -out PLAIN; or sign with a command");
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    const isPublic = pem.includes("BEGIN PUBLIC KEY");
    return refused(isPublic ? "this is a public key; signing needs the private one" : "this is no private key in PEM", makeOne);
  }
  const scalar = key.asymmetricKeyType === "ec" ? Buffer.from(key.export({ format: "jwk" }).d ?? "", "base64url") : Buffer.alloc(0);
  const publicKey = publicKeyOf(createPublicKey(key));
  if (publicKey === undefined || scalar.length !== 32) return refused("the signing key is not ECDSA on the curve P-256", makeOne);
  return { ok: true, value: { ...publicKey, scalar }, issues: [] };
}

/**
 * Reads the public key that a text begins with (`BEGIN PUBLIC KEY`). One in the midst of something else, such as the bundle
 * itself, is none: nobody meant it.
 */
export function readPublicKey(text: string): Outcome<PublicKey> {
  const pem = text.match(/^-----BEGIN PUBLIC KEY-----[A-Za-z0-9+/=\s]*-----END PUBLIC KEY-----/)?.[0];
  if (pem === undefined) return refused("this is no public key in PEM", "a public key file begins with -----BEGIN PUBLIC KEY-----");
  try {
    const key = publicKeyOf(createPublicKey(pem));
    if (key !== undefined) return { ok: true, value: key, issues: [] };
    return refused("the public key is not on the curve P-256, or not in its plain form", "bundles are signed with ECDSA P-256");
  } catch {
    return refused("the public key can't be read", "get the file again");
  }
}

/** Reads `SHA256:` and 64 hexadecimal digits; undefined where the text is something else. */
export function readFingerprint(text: string): Fingerprint | undefined {
  return /^SHA256:[0-9A-F]{64}$/i.test(text) ? `SHA256:${text.slice("SHA256:".length).toLowerCase()}` : undefined;
}

const makeOne = "make one: cloudlet-bundle keygen";

function refused(message: string, hint: string): { readonly ok: false; readonly issues: readonly Issue[] } {
  return { ok: false, issues: [{ code: "seal/key", severity: "error", pointer: "", message, hint }] };
}

/** RFC 5480: SubjectPublicKeyInfo of an uncompressed point on the named curve P-256, up to the point's coordinates. */
const publicPrefix = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d03010703420004", "hex");

function publicKeyOf(key: KeyObject): PublicKey | undefined {
  const der = key.export({ type: "spki", format: "der" });
  if (der.length !== publicPrefix.length + 64 || !der.subarray(0, publicPrefix.length).equals(publicPrefix)) return undefined;
  return { publicKeyPem: pemOf("PUBLIC KEY", der), fingerprint: `SHA256:${hexOf(sha256(der))}` };
}

/** RFC 5958 and RFC 5915: version, algorithm, and the private key with its public half, as OpenSSL writes them. */
function privateKeyPem(scalar: Uint8Array): string {
  const before = Buffer.from("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420", "hex");
  const between = Buffer.from("a144034200", "hex");
  return pemOf("PRIVATE KEY", Buffer.concat([before, scalar, between, p256.getPublicKey(scalar, false)]));
}

/** RFC 7468: base64 in lines of 64 characters. */
export function pemOf(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
