/** A DSSE envelope: a statement and a signature over it, as cosign, slsa-verifier and in-toto's tools read them. */

import { canonicalJson } from "../core/json.ts";
import { signChecked } from "./sign.ts";
import type { Signer } from "./sign.ts";

export const inTotoType = "application/vnd.in-toto+json";

/**
 * The envelope's text (DSSE v1, secure-systems-lab/dsse), with a signature by each signer. The same statement and keys always
 * give the same text, where the signers are deterministic. Throws an EnvironmentError where what one gives is no signature.
 */
export async function envelope(statement: Uint8Array, signers: readonly Signer[]): Promise<string> {
  const signed = preAuthenticationEncoding(inTotoType, statement);
  const signatures: { readonly keyid: string; readonly sig: string }[] = [];
  for (const signer of signers) {
    signatures.push({ keyid: signer.fingerprint, sig: Buffer.from(await signChecked(signer, signed, "provenance")).toString("base64") });
  }
  return canonicalJson({ payload: Buffer.from(statement).toString("base64"), payloadType: inTotoType, signatures });
}

/** DSSE v1 "PAE": `DSSEv1`, and type and body, each after its length in bytes, separated by spaces. */
export function preAuthenticationEncoding(type: string, body: Uint8Array): Uint8Array {
  const typeBytes = Buffer.byteLength(type);
  return Buffer.concat([Buffer.from(`DSSEv1 ${typeBytes} ${type} ${body.byteLength} `), body]);
}
