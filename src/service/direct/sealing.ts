/** Secrets that have to be kept, sealed: AES-256-GCM (NIST SP 800-38D) under a key from outside the database. */

import { createCipheriv, createDecipheriv } from "node:crypto";
import { hexOf, sha256 } from "../../core/digest.ts";

export interface Sealed {
  /** Base64 of nonce, tag and ciphertext. */
  readonly box: string;
  /** Which key opens it. */
  readonly keyId: string;
}

export interface Sealing {
  /** What is sealed now is sealed with this one. */
  readonly keyId: string;
  /** `about` says what it is and whose: in another place it can't be opened. */
  readonly seal: (text: string, about: readonly string[]) => Sealed;
  /** Undefined where its key is not at hand, or it is not as it was sealed. */
  readonly open: (sealed: Sealed, about: readonly string[]) => string | undefined;
}

export const sealingKeyBytes = 32;
/** What GCM is made for; random ones are good for 2^32 messages of one key (SP 800-38D section 8.3). */
const nonceBytes = 12;
const tagBytes = 16;

/** The first key seals, all of them open. */
export function sealingWith(keys: readonly Uint8Array[], random: (bytes: number) => Uint8Array): Sealing {
  const [first] = keys;
  if (first === undefined) throw new Error("there is no key to seal with");
  const byId = new Map(keys.map((key) => [idOf(key), key]));
  const keyId = idOf(first);
  return {
    keyId,
    seal: (text, about) => {
      const nonce = random(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", first, nonce, { authTagLength: tagBytes });
      cipher.setAAD(bytesOf(about));
      const hidden = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
      return { box: Buffer.concat([nonce, cipher.getAuthTag(), hidden]).toString("base64"), keyId };
    },
    open: (sealed, about) => {
      const key = byId.get(sealed.keyId);
      const box = Buffer.from(sealed.box, "base64");
      if (key === undefined || box.byteLength < nonceBytes + tagBytes) return undefined;
      try {
        const decipher = createDecipheriv("aes-256-gcm", key, box.subarray(0, nonceBytes), { authTagLength: tagBytes });
        decipher.setAAD(bytesOf(about));
        decipher.setAuthTag(box.subarray(nonceBytes, nonceBytes + tagBytes));
        return Buffer.concat([decipher.update(box.subarray(nonceBytes + tagBytes)), decipher.final()]).toString("utf8");
      } catch {
        return undefined;
      }
    },
  };
}

/** Tells keys apart, and nothing about them. */
function idOf(key: Uint8Array): string {
  return hexOf(sha256(Buffer.concat([Buffer.from("cloudlet-bundle credentials key\n"), key]))).slice(0, 16);
}

function bytesOf(about: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(about));
}
