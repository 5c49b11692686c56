/** UUIDs made of what they name, so that the same content always has the same one. */

import { createHash } from "node:crypto";

/** Of this program's documents; a UUID like any other, chosen once. */
const namespace = "6f4c7d0e-5a0b-4c3e-9a55-1f1c64d9a7b2";

/** RFC 9562 section 5.5, version 5: SHA-1 of namespace and name. */
export function uuidOf(name: string): string {
  const hash = createHash("sha1").update(Buffer.from(namespace.replaceAll("-", ""), "hex")).update(name).digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  const hex = hash.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-");
}
