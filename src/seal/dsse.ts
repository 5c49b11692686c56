/** A DSSE envelope: a statement and a signature over it, as cosign, slsa-verifier and in-toto's tools read them. */

import { canonicalJson } from "../core/json.ts";
import { EnvironmentError } from "../core/environment-error.ts";
import { isSignature } from "./sign.ts";
import type { Signer } from "./sign.ts";

export const inTotoType = "application/vnd.in-toto+json";

/**
 * The envelope's text (DSSE v1, secure-systems-lab/dsse). The same statement and key always give the same text, where the
 * signer is deterministic. Throws an EnvironmentError where what the signer gives is no signature.
 */
export async function envelope(statement: Uint8Array, signer: Signer): Promise<string> {
  const signed = preAuthenticationEncoding(inTotoType, statement);
  const signature = await signer.sign(signed);
  if (!isSignature(signed, signer.publicKeyPem, signature)) {
    throw new EnvironmentError(`what the signer gave for the provenance is no signature by ${signer.fingerprint}`, {
      hint: "it is asked twice, for SHA256SUMS and for the provenance, and must sign exactly the bytes given each time",
    });
  }
  return canonicalJson({
    payload: Buffer.from(statement).toString("base64"),
    payloadType: inTotoType,
    signatures: [{ keyid: signer.fingerprint, sig: Buffer.from(signature).toString("base64") }],
  });
}

/** DSSE v1 "PAE": `DSSEv1`, and type and body, each after its length in bytes, separated by spaces. */
export function preAuthenticationEncoding(type: string, body: Uint8Array): Uint8Array {
  const typeBytes = Buffer.byteLength(type);
  return Buffer.concat([Buffer.from(`DSSEv1 ${typeBytes} ${type} ${body.byteLength} `), body]);
}
