/** SSH signatures: ssh-keygen itself finds them good, for the right key, name space and bytes alone. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { generateKey, publicHalf } from "../../../src/seal/keys.ts";
import { pemSigner } from "../../../src/seal/sign.ts";
import { sshSignature } from "../../../src/seal/ssh-signature.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-ssh-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const put = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

const message = Buffer.from(`${"0".repeat(64)}  manifest.json\n`);

/** The line that an operator makes of the key file that was given to them. */
function allowed(publicKeyPem: string): string {
  const key = execFileSync("ssh-keygen", ["-i", "-m", "PKCS8", "-f", put("key.pub.pem", publicKeyPem)], { encoding: "utf8" });
  return put("allowed_signers", `release namespaces="cloudlet-bundle" ${key}`);
}

function isGood(signers: string, signature: string, { input = message, namespace = "cloudlet-bundle" } = {}): boolean {
  return spawnSync("ssh-keygen", ["-Y", "verify", "-f", signers, "-I", "release", "-n", namespace, "-s", signature], { input }).status === 0;
}

t.test("ssh-keygen finds it good, and nothing else", async (t) => {
  // Of forty keys, some give numbers with a leading zero and some without: an mpint has it where its first bit is set.
  for (let seed = 1; seed <= 40; seed += 1) {
    const pem = generateKey((bytes) => new Uint8Array(bytes).fill(seed));
    const signer = pemSigner(pem);
    if (!signer.ok) throw new Error("no key");
    const text = await sshSignature(message, signer.value);
    const signature = put("sums.sshsig", text);
    const signers = allowed(publicHalf(pem).publicKeyPem);
    t.ok(isGood(signers, signature), `key ${seed}`);
    if (seed > 1) continue;
    t.equal(await sshSignature(message, signer.value), text, "the same each time");
    t.notOk(isGood(signers, signature, { input: Buffer.from("other") }), "not for other bytes");
    t.notOk(isGood(signers, signature, { namespace: "file" }), "not in another name space");
    const other = generateKey((bytes) => new Uint8Array(bytes).fill(77));
    t.notOk(isGood(allowed(publicHalf(other).publicKeyPem), signature), "not by another key");
  }
});

t.test("a signer that signs something else is caught", async (t) => {
  const signer = pemSigner(generateKey((bytes) => new Uint8Array(bytes).fill(9)));
  if (!signer.ok) throw new Error("no key");
  const sign = (): Promise<Uint8Array> => signer.value.sign(message);
  await t.rejects(sshSignature(message, { ...signer.value, sign }), { name: "EnvironmentError", message: /for ssh-signature is no signature/ });
});
