/** The commands of docs/reference/evidence.md, "With standard tools alone", and signed bundles to run them on. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";

const root = join(import.meta.dirname, "../../..");

export interface Signed {
  /** Where the bundle is unpacked. */
  readonly folder: string;
  /** Path of what lies beside it, up to `.provenance.dsse.json`. */
  readonly name: string;
  /** PEM file of a signer's public key. */
  readonly key: string;
}

/** What the commands below each heading are. */
export function commandsOf(heading: string): string {
  const section = readFileSync(join(root, "docs/reference/evidence.md"), "utf8").split("\n## ").find((text) => text.startsWith("With standard tools alone"));
  const part = section?.split("\n### ").find((text) => text.startsWith(`${heading}\n`));
  const commands = [...(part ?? "").matchAll(/^```sh\n([^]*?)^```$/gm)].map((match) => match[1] ?? "").join("");
  if (commands === "") throw new Error(`docs/reference/evidence.md has no commands below "${heading}"`);
  return commands;
}

/** True where every command succeeds; in an empty folder, with `path` alone to find programs. */
export function succeeds(commands: string, { folder, name, key }: Signed, path = process.env["PATH"]): boolean {
  const work = mkdtempSync(join(tmpdir(), "cloudlet-by-hand-"));
  const run = spawnSync("bash", ["-euo", "pipefail", "-c", commands], { cwd: work, env: { PATH: path, HOME: work, FOLDER: folder, NAME: name, KEY: key }, encoding: "utf8" });
  rmSync(work, { recursive: true });
  return run.status === 0;
}

/** One bit of one byte, in the middle of the file where `at` does not say which, is turned while `during` runs. */
export function flipped<T>(path: string, during: () => T, at = statSync(path).size >> 1): T {
  const before = readFileSync(path);
  const after = Buffer.from(before);
  after.writeUInt8(after.readUInt8(at) ^ 1, at);
  writeFileSync(path, after);
  try {
    return during();
  } finally {
    writeFileSync(path, before);
  }
}

/** Bundles by one key and under a trust policy of two, and one with an OVF package that has a certificate. */
export async function signedBundles(work: string): Promise<Readonly<Record<"one" | "policy" | "ovf", Signed>>> {
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  await makeReferenceInputs(join(root, "out/inputs"));
  const release = readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8").replaceAll("../../out/inputs/", `${join(root, "out/inputs")}/`);
  writeFileSync(join(work, "release.yaml"), release);
  for (const name of ["alice", "bob"]) cli(work, "keygen", "--out", `${name}.pem`);
  execFileSync("openssl", ["req", "-x509", "-key", "alice.pem", "-subj", "/CN=Edge", "-days", "36500", "-out", "alice.crt"], { cwd: work });
  cli(work, "trust", "init", "trust", "--signer", "alice.pub.pem", "--signer", "bob.pub.pem", "--threshold", "2", "--until", "never", "--key", "alice.pem", "--key", "bob.pem");
  return {
    one: built(work, "one", "openstack-single", "--key", "alice.pem", "--ssh-signature"),
    policy: built(work, "policy", "openstack-single", "--policy", "trust", "--key", "alice.pem", "--key", "bob.pem"),
    ovf: built(work, "ovf", "vsphere-single", "--key", "alice.pem", "--ovf-certificate", "alice.crt"),
  };
}

function built(work: string, name: string, cloudlet: string, ...words: readonly string[]): Signed {
  cli(work, "build", join(root, "bundles", cloudlet, "cloudlet.yaml"), "--release", "release.yaml", "--store", "store", "--out", `${name}.tar`, "--quiet", ...words);
  const folder = join(work, name);
  mkdirSync(folder);
  execFileSync("tar", ["-xf", join(work, `${name}.tar`), "-C", folder]);
  return { folder, name: folder, key: join(work, "alice.pub.pem") };
}

function cli(work: string, ...words: readonly string[]): void {
  execFileSync(process.execPath, [join(root, "bin/cloudlet-bundle.js"), ...words], { cwd: work, stdio: ["ignore", "ignore", "inherit"] });
}
