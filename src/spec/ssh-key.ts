/** Public keys in OpenSSH's one-line form. */

import { Buffer } from "node:buffer";

/** What is wrong with the key, in words; undefined when nothing is. RFC 4253 section 6.6 and sshd(8), AUTHORIZED_KEYS. */
export function sshKeyFault(line: string): string | undefined {
  const [type = "", data = ""] = line.trim().split(/ +/);
  if (type === "ssh-dss") return "is a DSA key, which OpenSSH no longer accepts";
  if (!TYPES.has(type)) {
    return /^[a-z0-9-]+(=|,|$)/.test(type) && line.includes("ssh-")
      ? "begins with options; only the key itself is taken"
      : "does not begin with a type of SSH key";
  }
  const bytes = Buffer.from(data, "base64");
  if (data === "" || bytes.toString("base64").replace(/=+$/, "") !== data.replace(/=+$/, "")) {
    return "is not whole: its second word is not base64";
  }
  const fields = fieldsOf(bytes);
  if (fields === undefined) return "is not whole: it is cut off";
  if (fields[0]?.toString("latin1") !== type) return `says ${type} but holds a key of another type`;
  if (type === "ssh-rsa" && rsaBits(fields) < RSA_MIN_BITS) {
    return `is an RSA key of ${rsaBits(fields)} bits; at least ${RSA_MIN_BITS} are needed`;
  }
  return fields.length < 2 ? "is not whole: it holds no key" : undefined;
}

/** NIST SP 800-131A: shorter RSA keys are not allowed since 2014. */
const RSA_MIN_BITS = 2048;

const TYPES: ReadonlySet<string> = new Set([
  "ssh-ed25519",
  "ssh-rsa",
  "ecdsa-sha2-nistp256",
  "ecdsa-sha2-nistp384",
  "ecdsa-sha2-nistp521",
  "sk-ssh-ed25519@openssh.com",
  "sk-ecdsa-sha2-nistp256@openssh.com",
]);

/** The strings of the key blob, RFC 4251 section 5: a length of four bytes before each. */
function fieldsOf(bytes: Buffer): readonly Buffer[] | undefined {
  const fields: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 4 > bytes.length) return undefined;
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) return undefined;
    fields.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

function rsaBits(fields: readonly Buffer[]): number {
  const hex = fields[2]?.toString("hex").replace(/^(00)+/, "") ?? "";
  return hex === "" ? 0 : hex.length * 4 - Math.clz32(Number.parseInt(hex.slice(0, 2), 16)) + 24;
}
