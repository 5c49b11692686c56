/** The reference bundle with small pieces, so that it can be split into many parts, and what the command line says of it. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { main } from "../../../src/cli/main.ts";
import { processIo, type Io } from "../../../src/cli/io.ts";
import { canonicalJson } from "../../../src/core/json.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { openStore } from "../../../src/store/blob-store.ts";
import { resolve } from "../../../src/store/resolve.ts";
import { generateKey, publicHalf } from "../../../src/seal/keys.ts";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";

const root = join(import.meta.dirname, "../../..");
export interface Said {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Made {
  /** A bundle, signed. */
  readonly bundle: string;
  /** Another release of it. */
  readonly other: string;
  readonly fingerprint: string;
  /** Runs the command line in the folder. */
  readonly run: (...words: readonly string[]) => Promise<Said>;
  /** What `split --spec` needs to make parts of `bundle`. */
  readonly sources: readonly string[];
}

/** Builds in `folder`, which is there; the bundles have pieces of `pieceBytes`. */
export async function madeBundles(folder: string, pieceBytes = 4_096): Promise<Made> {
  await makeReferenceInputs(join(root, "out/inputs"));
  const key = generateKey((bytes) => new Uint8Array(bytes).fill(9));
  writeFileSync(join(folder, "key.pem"), key, { mode: 0o600 });
  const text = readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8").replaceAll("../../out/inputs", join(root, "out/inputs"));
  await release(folder, "one", text, pieceBytes);
  await release(folder, "two", text.replace(/^name: .*$/m, 'name: "2026.12"').replace(/^sequence: .*$/m, "sequence: 2"), pieceBytes);
  mkdirSync(join(folder, "out"), { recursive: true });
  const run = (...words: readonly string[]): Promise<Said> => runIn(folder, words);
  const spec = join(root, "bundles/openstack-single/cloudlet.yaml");
  for (const name of ["one", "two"]) {
    const said = await run("build", spec, "--release", `${name}.yaml`, "--store", "store", "--locked", "--key", "key.pem", "--out", `${name}.tar`);
    if (said.status !== 0) throw new Error(said.stderr);
  }
  const sources = ["--spec", spec, "--release", "one.yaml", "--store", "store"];
  return { bundle: join(folder, "one.tar"), other: join(folder, "two.tar"), fingerprint: publicHalf(key).fingerprint, run, sources };
}

async function release(folder: string, name: string, text: string, pieceBytes: number): Promise<void> {
  const read = readRelease(text);
  if (!read.ok) throw new Error(JSON.stringify(read.issues));
  const lock = await resolve({
    release: read.value,
    releaseFolder: folder,
    store: await openStore(join(folder, "store")),
    architecture: "amd64",
    environment: {},
    vmdk: false,
    progress: () => undefined,
    signal: new AbortController().signal,
    pieceBytes,
  });
  if (!lock.ok) throw new Error(JSON.stringify(lock.issues));
  writeFileSync(join(folder, `${name}.yaml`), text);
  writeFileSync(join(folder, `${name}.lock.json`), canonicalJson(lock.value as unknown as Parameters<typeof canonicalJson>[0]));
}

/** Once: each one listens to the process's signals. */
const usual = processIo();

async function runIn(folder: string, words: readonly string[]): Promise<Said> {
  let [stdout, stderr] = ["", ""];
  const io: Io = { ...usual, workingFolder: folder, signal: new AbortController().signal, out: (text) => void (stdout += text), outBytes: async (bytes) => void (stdout += Buffer.from(bytes).toString()), err: (text) => void (stderr += text), packageFolder: root };
  return { status: await main(words, io), stdout, stderr };
}
