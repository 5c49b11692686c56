/** Keys and signatures: deterministic by RFC 6979, and good by OpenSSL's own judgement. */

import { execFileSync, spawnSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { accessKey } from "../../../src/seal/access-key.ts";
import { generateKey, publicHalf, readFingerprint, readPrivateKey, readPublicKey } from "../../../src/seal/keys.ts";
import { isSignature, pemSigner } from "../../../src/seal/sign.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-keys-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const put = (name: string, bytes: string | Uint8Array): string => {
  writeFileSync(join(folder, name), bytes);
  return join(folder, name);
};
const openssl = (...words: readonly string[]): string => execFileSync("openssl", words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const bytes = new TextEncoder().encode("sample");

/** RFC 6979 A.2.5: the key and two of its signatures with SHA-256. */
const rfcKey = "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721";
const rfcPublic = "0460FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB67903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299";
const rfcR = "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716";

function rfcPem(): string {
  // SEC 1 C.4 in the wrapping of PKCS#8: version, algorithm, key and its public half.
  const der = Buffer.from(`308187020100301306072A8648CE3D020106082A8648CE3D030107046D306B0201010420${rfcKey}A144034200${rfcPublic}`, "hex");
  return `-----BEGIN PRIVATE KEY-----\n${der.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END PRIVATE KEY-----\n`;
}

t.test("the test vector of RFC 6979", async (t) => {
  const signer = pemSigner(rfcPem());
  if (!signer.ok) throw new Error(JSON.stringify(signer.issues));
  const signature = Buffer.from(await signer.value.sign(bytes)).toString("hex").toUpperCase();
  t.match(signature, new RegExp(rfcR), "r is the one of the RFC; of s and its negative one is fixed");
});

t.test("a signature is the same each time, and OpenSSL finds it good", async (t) => {
  const pem = generateKey((count) => new Uint8Array(count).map((_, index) => index + 3));
  const signer = pemSigner(pem);
  if (!signer.ok) throw new Error(JSON.stringify(signer.issues));
  const [one, two] = [await signer.value.sign(bytes), await signer.value.sign(bytes)];
  t.strictSame(one, two);
  t.ok(isSignature(bytes, signer.value.publicKeyPem, one));
  t.notOk(isSignature(new TextEncoder().encode("Sample"), signer.value.publicKeyPem, one));
  const words = ["dgst", "-sha256", "-verify", put("pub.pem", signer.value.publicKeyPem), "-signature", put("sig", one), put("data", bytes)];
  t.match(openssl(...words), /Verified OK/);
  put("data", "Sample");
  t.not(spawnSync("openssl", words).status, 0);
});

t.test("fingerprints are those of openssl and sha256sum", (t) => {
  const { publicKeyPem, fingerprint } = publicHalf(rfcPem());
  const path = put("rfc.pub.pem", publicKeyPem);
  const hex = execFileSync("sh", ["-c", `openssl pkey -pubin -in '${path}' -outform DER | sha256sum`], { encoding: "utf8" }).slice(0, 64);
  t.equal(fingerprint, `SHA256:${hex}`);
  t.equal(openssl("pkey", "-pubin", "-in", path), publicKeyPem, "the PEM is in openssl's form");
  t.equal(readFingerprint(fingerprint), fingerprint);
  for (const wrong of ["SHA256:12", "sha1:00", hex, ""]) t.equal(readFingerprint(wrong), undefined);
  t.end();
});

t.test("keys of openssl's making are read, and others refused by name", (t) => {
  const made = openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout");
  t.ok(readPrivateKey(made).ok, "SEC 1");
  t.ok(readPrivateKey(execFileSync("openssl", ["pkcs8", "-topk8", "-nocrypt"], { input: made, encoding: "utf8" })).ok, "PKCS#8");
  for (const [what, pem] of [
    ["another curve", openssl("ecparam", "-name", "secp384r1", "-genkey", "-noout")],
    ["Ed25519", openssl("genpkey", "-algorithm", "ed25519")],
    ["a public key", publicHalf(rfcPem()).publicKeyPem],
    ["nothing", ""],
    ["noise", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"],
  ] as const) {
    const read = readPrivateKey(pem);
    t.notOk(read.ok, what);
    t.notMatch(JSON.stringify(read.issues), /AAAA|MHcC/, `${what}: the key is not repeated`);
  }
  t.notOk(readPublicKey(rfcPem()).ok, "a private key where a public one is wanted");
  t.end();
});

t.test("an access key is what Go's x509 reads: PKCS#8 and PKIX of Ed25519", (t) => {
  const seed = new Uint8Array(32).map((_, index) => index);
  const { privateKeyPem, publicKeyPem } = accessKey(seed);
  t.strictSame(accessKey(seed), { privateKeyPem, publicKeyPem });
  t.match(openssl("pkey", "-in", put("access.pem", privateKeyPem), "-noout", "-text"), /ED25519 Private-Key/i);
  t.equal(openssl("pkey", "-in", join(folder, "access.pem"), "-pubout"), publicKeyPem);
  t.equal(createPublicKey(publicKeyPem).asymmetricKeyType, "ed25519");
  t.ok(Buffer.byteLength(privateKeyPem) <= 512, "it fits the slot");
  t.end();
});
