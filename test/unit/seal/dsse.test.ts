/** The DSSE envelope: its encoding is the published one, its signature good, and a signer that signs something else is caught. */

import { verify } from "node:crypto";
import t from "tap";
import { envelope, preAuthenticationEncoding } from "../../../src/seal/dsse.ts";
import { generateKey } from "../../../src/seal/keys.ts";
import { pemSigner } from "../../../src/seal/sign.ts";

const signer = pemSigner(generateKey((bytes) => new Uint8Array(bytes).fill(9)));
if (!signer.ok) throw new Error("the key is good");

t.test("the encoding is that of the protocol's own example", (t) => {
  const bytes = preAuthenticationEncoding("http://example.com/HelloWorld", Buffer.from("hello world"));
  t.equal(Buffer.from(bytes).toString(), "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
  t.equal(Buffer.from(preAuthenticationEncoding("ü", Buffer.from("ü"))).toString(), "DSSEv1 2 ü 2 ü", "lengths are in bytes");
  t.end();
});

t.test("an envelope holds the statement and a good signature, the same each time", async (t) => {
  const statement = Buffer.from('{"_type": "x"}\n');
  const text = await envelope(statement, [signer.value]);
  t.equal(await envelope(statement, [signer.value]), text);
  const read = JSON.parse(text) as { readonly payload: string; readonly payloadType: string; readonly signatures: readonly { readonly keyid: string; readonly sig: string }[] };
  t.equal(Buffer.from(read.payload, "base64").toString(), statement.toString());
  t.equal(read.payloadType, "application/vnd.in-toto+json");
  t.equal(read.signatures[0]?.keyid, signer.value.fingerprint);
  const encoded = preAuthenticationEncoding(read.payloadType, statement);
  t.ok(verify("sha256", encoded, signer.value.publicKeyPem, Buffer.from(read.signatures[0]?.sig ?? "", "base64")));
  t.notOk(verify("sha256", statement, signer.value.publicKeyPem, Buffer.from(read.signatures[0]?.sig ?? "", "base64")), "not over the statement alone");
});

t.test("a signer that signs something else is caught", async (t) => {
  await t.rejects(envelope(Buffer.from("x"), [{ ...signer.value, sign: () => signer.value.sign(Buffer.from("y")) }]), { name: "EnvironmentError", message: /no signature by SHA256:/ });
});
