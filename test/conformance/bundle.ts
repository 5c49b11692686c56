/** Real bundles for the tests against real engines: built, signed and unpacked by the command itself. */

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeReferenceInputs } from "../../scripts/make-reference-inputs.ts";

const root = join(import.meta.dirname, "../..");
const work = join(root, "out/conformance/bundles");
const cli = join(root, "bin/cloudlet-bundle.js");

export interface BuiltBundle {
  readonly tar: string;
  /** Where it is unpacked, as an operator does it. */
  readonly folder: string;
  /** PEM of the key that it is signed with. */
  readonly publicKey: string;
  readonly fingerprint: string;
  /** Filled, mode 0600. */
  readonly secrets: string;
}

/**
 * Builds the bundle of a spec and unpacks it to `out/conformance/bundles/<name>/bundle`. `release` edits the reference
 * release's text. `secrets` are the lines of the secrets file besides the access key's.
 */
export async function buildBundle(
  name: string,
  spec: string,
  more: { readonly release?: (text: string) => string; readonly secrets?: readonly string[] } = {},
): Promise<BuiltBundle> {
  const folder = join(work, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, "bundle"), { recursive: true });
  const key = await keyAndInputs();
  const specPath = join(folder, "cloudlet.yaml");
  const releasePath = join(folder, "release.yaml");
  const tar = join(folder, "bundle.cloudlet.tar");
  const secrets = join(folder, "secrets");
  writeFileSync(specPath, spec);
  const release = readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8").replaceAll("../../out/inputs/", `${join(root, "out/inputs")}/`);
  writeFileSync(releasePath, more.release === undefined ? release : more.release(release));
  run("build", specPath, "--release", releasePath, "--store", join(work, "store"), "--key", key, "--out", tar, "--quiet");
  execFileSync("tar", ["-xf", tar, "-C", join(folder, "bundle")]);
  const two = /highAvailability: true/.test(spec) ? ["--secondary"] : [];
  run("access-key", ...two, "--out", join(folder, "accesskey.pem"), "--secrets", secrets);
  writeFileSync(secrets, `${readFileSync(secrets, "utf8")}${(more.secrets ?? []).map((line) => `${line}\n`).join("")}`, { mode: 0o600 });
  const publicKey = key.replace(/\.pem$/, ".pub.pem");
  const fingerprint = readFileSync(join(work, "fingerprint"), "utf8").trim();
  return { tar, folder: join(folder, "bundle"), publicKey, fingerprint, secrets };
}

async function keyAndInputs(): Promise<string> {
  mkdirSync(work, { recursive: true });
  await makeReferenceInputs(join(root, "out/inputs"));
  const key = join(work, "signing-key.pem");
  if (existsSync(key)) return key;
  const made = JSON.parse(run("keygen", "--out", key, "--json")) as { fingerprint: string };
  writeFileSync(join(work, "fingerprint"), `${made.fingerprint}\n`);
  return key;
}

function run(...words: readonly string[]): string {
  return execFileSync(process.execPath, [cli, ...words], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
}
