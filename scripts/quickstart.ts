/** README's first command, after installing and building: makes a bundle of a reference cloudlet, verifies it, says what to do next. */

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join, relative } from "node:path";
import { makeReferenceInputs } from "./make-reference-inputs.ts";

const root = join(import.meta.dirname, "..");
const out = join(root, "out/quickstart");
const bundle = join(out, "quickstart.cloudlet.tar");
const key = join(out, "signing-key.pem");
const publicKey = join(out, "signing-key.pub.pem");
const cloudlet = join(root, "bundles/openstack-single/cloudlet.yaml");
const release = join(root, "bundles/openstack-single/release.yaml");

mkdirSync(out, { recursive: true });
say("making the reference inputs: a bootable disk image and three container images");
await makeReferenceInputs(join(root, "out/inputs"));
if (!existsSync(key)) run("keygen", "--out", key);
run("check", cloudlet);
run("build", cloudlet, "--release", release, "--store", join(out, "store"), "--key", key, "--out", bundle);
run("verify", bundle, "--trust", publicKey);

const shown = (path: string): string => relative(process.cwd(), path) || ".";
process.stdout.write(`
The bundle is ${shown(bundle)}
The key's public half is ${shown(publicKey)}; give the operator its fingerprint by another channel.

What next:
  look inside          tar -tvf ${shown(bundle)}
  read its report      npm run --silent cli -- report ${shown(bundle)} --out report.html
  start your own       npm run cli -- init --platform openstack cloudlet.yaml
  as the operator      mkdir bundle && tar -xf ${shown(bundle)} -C bundle
                       bundle/verify.sh --trust ${shown(publicKey)}
                       bundle/install.sh --check --trust ${shown(publicKey)} --secrets SECRETS
  read on              README.md, docs/platforms/openstack.md
`);

function run(...words: readonly string[]): void {
  say(`cloudlet-bundle ${words.map((word) => (word.startsWith("/") ? relative(root, word) : word)).join(" ")}`);
  const child = spawnSync(process.execPath, [join(root, "bin/cloudlet-bundle.js"), ...words], { stdio: "inherit" });
  if (child.status !== 0) process.exit(child.status ?? 3);
}

function say(text: string): void {
  process.stdout.write(`\n> ${text}\n`);
}
