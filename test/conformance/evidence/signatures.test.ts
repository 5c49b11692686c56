/**
 * Every signature we make is good by openssl or ssh-keygen alone, by the commands of docs/reference/evidence.md as they stand
 * there; and by the same commands none is, once a byte of what is signed, of the signature or of the key is another.
 */

import { readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import t from "tap";
import { commandsOf, flipped, signedBundles, succeeds, type Signed } from "./by-hand.ts";

t.setTimeout(300_000);
const { one, policy, ovf } = await signedBundles(join(import.meta.dirname, "../../../out/conformance/evidence/signatures"));
const sshSignature = readdirSync(dirname(one.name)).find((file) => file.endsWith(".sshsig"));

/** Heading of the commands, the bundle, and the files of which none may be another: of `FOLDER`, and of those beside it. */
const cases: readonly (readonly [heading: string, bundle: Signed, within: readonly string[], beside: readonly string[]])[] = [
  ["The sums, with openssl", one, ["SHA256SUMS", "SHA256SUMS.sig", "install.sh", "blobs/payload.tar", "evidence/audit.json"], [basename(one.key)]],
  ["The sums, with ssh-keygen", one, ["SHA256SUMS"], [sshSignature ?? "", basename(one.key)]],
  ["The provenance, with openssl", one, ["evidence/provenance.json"], ["one.provenance.dsse.json", basename(one.key)]],
  ["A trust policy and the sums under it, with openssl", policy, ["SHA256SUMS", "trust/0001.policy"], [basename(policy.key)]],
  ["The certificate of an OVF package, with openssl", ovf, ["ovf/platformvm.mf"], []],
];

for (const [heading, bundle, within, beside] of cases) {
  t.test(heading, (t) => {
    const commands = commandsOf(heading);
    t.ok(succeeds(commands, bundle), "good");
    for (const path of [...within.map((each) => join(bundle.folder, each)), ...beside.map((each) => join(dirname(bundle.name), each))]) {
      t.notOk(flipped(path, () => succeeds(commands, bundle)), `another byte in ${basename(path)}`);
    }
    t.ok(succeeds(commands, bundle), "and good again");
    t.end();
  });
}

t.test("the signature in an OVF package's certificate is its first line", (t) => {
  const commands = commandsOf("The certificate of an OVF package, with openssl");
  t.notOk(flipped(join(ovf.folder, "ovf/platformvm.cert"), () => succeeds(commands, ovf), "SHA256(platformvm.mf)= 30".length + 40));
  t.end();
});

t.test("each signer of a policy, and nobody else", (t) => {
  const commands = commandsOf("A trust policy and the sums under it, with openssl");
  t.ok(succeeds(commands, { ...policy, key: policy.key.replace("alice", "bob") }));
  t.notOk(succeeds(commandsOf("The sums, with openssl"), { ...one, key: one.key.replace("alice", "bob") }), "bob has not signed that one");
  t.notOk(succeeds(commandsOf("The sums, with ssh-keygen"), { ...one, key: one.key.replace("alice", "bob") }));
  t.end();
});
