/** The one-time key with which a CRM first meets its controller: Ed25519, as MobiledgeX makes and reads it. */

import { createPrivateKey, createPublicKey } from "node:crypto";
import { pemOf } from "./keys.ts";

export interface AccessKey {
  /** PKCS#8 (RFC 8410): what Go's x509.ParsePKCS8PrivateKey and OpenSSL read. */
  readonly privateKeyPem: string;
  /** PKIX (RFC 8410): what Go's x509.ParsePKIXPublicKey and OpenSSL read. */
  readonly publicKeyPem: string;
}

/** The key pair of a seed: 32 unpredictable bytes. */
export function accessKey(seed: Uint8Array): AccessKey {
  if (seed.byteLength !== 32) throw new Error(`a seed of Ed25519 has 32 bytes, not ${seed.byteLength}`);
  // RFC 8410 section 7: version 0, algorithm 1.3.101.112, the seed as an octet string in an octet string.
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
  const privateKeyPem = pemOf("PRIVATE KEY", der);
  const key = createPrivateKey(privateKeyPem);
  const publicKeyPem = createPublicKey(key).export({ type: "spki", format: "pem" }) as string;
  return { privateKeyPem, publicKeyPem };
}
