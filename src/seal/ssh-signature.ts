/** A signature as `ssh-keygen -Y verify` reads it: OpenSSH's PROTOCOL.sshsig, with the same P-256 key as every other one. */

import { createPublicKey } from "node:crypto";
import { hexOf, sha256 } from "../core/digest.ts";
import { signChecked } from "./sign.ts";
import type { Signer } from "./sign.ts";

/** What `-n` and the `namespaces` of an allowed_signers file must say: a signature for something else is none for a bundle. */
export const sshNamespace = "cloudlet-bundle";

const magic = Buffer.from("SSHSIG");
/** RFC 5656 section 3.1. */
const algorithm = "ecdsa-sha2-nistp256";
const curve = "nistp256";
const hash = "sha256";

/** The armoured signature over `message`, the same each time where the signer is deterministic. */
export async function sshSignature(message: Uint8Array, signer: Signer): Promise<string> {
  const about = [field(sshNamespace), field(""), field(hash)];
  const der = await signChecked(signer, Buffer.concat([magic, ...about, field(Buffer.from(hexOf(sha256(message)), "hex"))]), "ssh-signature");
  const blob = Buffer.concat([magic, Buffer.from([0, 0, 0, 1]), field(sshKey(signer.publicKeyPem)), ...about, field(Buffer.concat([field(algorithm), field(numbersOf(der))]))]);
  // OpenSSH breaks its lines after 70 characters; a reader takes any length.
  const lines = blob.toString("base64").match(/.{1,70}/g) ?? [];
  return ["-----BEGIN SSH SIGNATURE-----", ...lines, "-----END SSH SIGNATURE-----", ""].join("\n");
}

/** RFC 4251 section 5: a string is its length in four bytes, and its bytes. */
function field(bytes: Uint8Array | string): Buffer {
  const content = typeof bytes === "string" ? Buffer.from(bytes) : bytes;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.byteLength);
  return Buffer.concat([length, content]);
}

/** RFC 5656 section 3.1: algorithm, curve and the point, which ends the key's DER. */
function sshKey(publicKeyPem: string): Buffer {
  const der = createPublicKey(publicKeyPem).export({ type: "spki", format: "der" });
  return Buffer.concat([field(algorithm), field(curve), field(der.subarray(-65))]);
}

/** RFC 5656 section 3.1.2: r and s as mpint, whose bytes are those of DER's INTEGER; a signature of P-256 has short lengths only. */
function numbersOf(der: Uint8Array): Buffer {
  const r = der.subarray(4, 4 + (der[3] ?? 0));
  const s = der.subarray(4 + r.byteLength + 2);
  return Buffer.concat([field(r), field(s)]);
}
