/**
 * Sums and provenance are good by cosign, by the commands of docs/reference/evidence.md as they stand there, in a network
 * namespace that has no network; and not good once a byte is another. Runs with --full only, for cosign has to be built.
 */

import { mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import t from "tap";
import { commandsOf, flipped, signedBundles, succeeds, type Signed } from "./by-hand.ts";

t.setTimeout(300_000);
const lab = process.env["LAB_DIR"] ?? "/var/tmp/lab-evidence";
const work = join(import.meta.dirname, "../../../out/conformance/evidence/cosign");
const { one, policy } = await signedBundles(work);
const programs = join(work, "bin");
mkdirSync(programs);
const cosign = readdirSync(lab).find((name) => name.startsWith("cosign-"));
if (cosign === undefined) throw new Error("setup has built no cosign");
symlinkSync(join(lab, cosign), join(programs, "cosign"));

/** Without a network, and by our cosign. */
function isGood(commands: string, bundle: Signed): boolean {
  return succeeds(`exec unshare --net bash -euc ${quoted(commands)}`, bundle, `${programs}:${process.env["PATH"]}`);
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

const lines = commandsOf("The sums and the provenance, with cosign").replaceAll("\\\n", "").trimEnd().split("\n");

t.test("the sums and the provenance", (t) => {
  const [sums = "", provenance = "", ...more] = lines;
  t.strictSame(more, []);
  t.ok(isGood(sums, one), "sums");
  t.ok(isGood(provenance, one), "provenance");
  const beside = (name: string): string => join(dirname(one.name), name);
  for (const path of [join(one.folder, "SHA256SUMS"), join(one.folder, "SHA256SUMS.sig"), one.key]) t.notOk(flipped(path, () => isGood(sums, one)), `another byte in ${basename(path)}`);
  for (const path of [join(one.folder, "install.sh"), beside("one.provenance.dsse.json"), one.key]) t.notOk(flipped(path, () => isGood(provenance, one)), `another byte in ${basename(path)}`);
  t.end();
});

t.test("a signer of a trust policy, by the line as it stands in SHA256SUMS.signatures", (t) => {
  const commands = [
    'mark=SHA256:$(openssl pkey -pubin -in "$KEY" -outform DER | sha256sum | cut -c 1-64)',
    'sed -n "s/^$mark //p" "$FOLDER/SHA256SUMS.signatures" >sums.sig',
    'cosign verify-blob --key "$KEY" --insecure-ignore-tlog --signature sums.sig "$FOLDER/SHA256SUMS"',
  ].join("\n");
  const bob = join(dirname(policy.key), "bob.pub.pem");
  t.ok(isGood(commands, policy));
  t.ok(isGood(commands, { ...policy, key: bob }));
  t.notOk(flipped(join(policy.folder, "SHA256SUMS"), () => isGood(commands, policy)));
  t.end();
});
