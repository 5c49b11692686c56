/** External signers: openssl as one, told what it signs; and those that give nonsense, nothing, too much, or never end. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import t from "tap";
import { generateKey, publicHalf } from "../../../src/seal/keys.ts";
import { isSignature, signChecked, type Signer } from "../../../src/seal/sign.ts";
import { commandSigner } from "../../../src/store/command-signer.ts";

const folder = mkdtempSync(join(tmpdir(), "cloudlet-command-"));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const key = join(folder, "key.pem");
writeFileSync(key, generateKey((bytes) => new Uint8Array(bytes).fill(31)));
const { publicKeyPem, fingerprint } = publicHalf(readFileSync(key, "utf8"));
const bytes = Buffer.from(`${"0".repeat(64)}  manifest.json\n`);

function signerOf(command: string, signal = new AbortController().signal): Signer {
  const made = commandSigner({ command, publicKeyPem, environment: { ...process.env, KEY: key }, signal });
  if (!made.ok) throw new Error(JSON.stringify(made.issues));
  return made.value;
}

t.test("openssl, told by the environment which key and what for", async (t) => {
  const signer = signerOf(`printf '%s' "$CLOUDLET_BUNDLE_SIGNS" >${folder}/what; openssl dgst -sha256 -sign "$KEY"`);
  t.equal(signer.fingerprint, fingerprint);
  const signature = await signer.sign(bytes, "SHA256SUMS");
  t.ok(isSignature(bytes, publicKeyPem, signature));
  t.equal(readFileSync(join(folder, "what"), "utf8"), "SHA256SUMS");
  await signer.sign(bytes, "trust-policy");
  t.equal(readFileSync(join(folder, "what"), "utf8"), "trust-policy");
});

t.test("openssl by its other name for it, as tools for PKCS#11 and clouds are called: over the digest", async (t) => {
  const signer = signerOf(`openssl dgst -sha256 -binary >${folder}/digest && openssl pkeyutl -sign -inkey "$KEY" -in ${folder}/digest -pkeyopt digest:sha256`);
  t.ok(isSignature(bytes, publicKeyPem, await signer.sign(bytes, "SHA256SUMS")));
});

t.test("what gives no signature is an error of the environment, with what it did", async (t) => {
  const rejects = (command: string, message: RegExp): Promise<unknown> => t.rejects(signChecked(signerOf(command), bytes, "SHA256SUMS"), { name: "EnvironmentError", message }, command);
  await rejects("exit 7", /ended with status 7/);
  await rejects("kill -9 $$", /was ended by SIGKILL/);
  await rejects("true", /is no signature by SHA256:/);
  await rejects("printf nonsense", /is no signature by SHA256:/);
  await rejects("head -c 73 /dev/zero", /gave more than 72 bytes/);
  await rejects("yes", /gave more than 72 bytes/);
  await rejects("cat /dev/zero | cat; sleep 600", /gave more than 72 bytes/);
  await rejects("/nowhere/hsm-sign", /ended with status 127/);
  await rejects('openssl dgst -sha512 -sign "$KEY"', /is no signature by SHA256:/);
  execFileSync("openssl", ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", join(folder, "other.pem")]);
  await rejects(`openssl dgst -sha256 -sign ${folder}/other.pem`, /is no signature by SHA256:/);
});

t.test("one that waits, for a PIN that nobody enters, ends when the user stops it", async (t) => {
  const stop = new AbortController();
  const waiting = signerOf("exec sleep 600", stop.signal).sign(bytes, "SHA256SUMS");
  setTimeout(() => stop.abort(), 100);
  await t.rejects(waiting, { name: "EnvironmentError" });
});

t.test("nobody waits for what the command's shell has started", (t) => {
  const program = `
    import { commandSigner } from ${JSON.stringify(new URL("../../../src/store/command-signer.ts", import.meta.url).href)};
    const stop = new AbortController();
    const made = commandSigner({ command: process.argv[1], publicKeyPem: ${JSON.stringify(publicKeyPem)}, environment: process.env, signal: stop.signal });
    setTimeout(() => stop.abort(), 200);
    await made.value.sign(new Uint8Array(9)).catch((error) => console.log(error.message));`;
  for (const command of ["sleep 30; true", "sleep 30 & exit 0", "sleep 30 | sleep 30"]) {
    const child = spawnSync(process.execPath, ["--input-type=module", "--eval", program, command], { encoding: "utf8", timeout: 20_000, stdio: ["ignore", "pipe", "ignore"] });
    t.strictSame([child.signal, child.stdout], [null, "the signing command was stopped\n"], command);
  }
  t.end();
});

t.test("a public key that is none is an issue", (t) => {
  t.match(commandSigner({ command: "true", publicKeyPem: "none", environment: {}, signal: new AbortController().signal }), { ok: false, issues: [{ code: "seal/key" }] });
  t.end();
});
