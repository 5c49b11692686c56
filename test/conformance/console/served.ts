/** A real `serve` process with an empty state folder, and the files that its users have on their machines. */

import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { makeReferenceInputs } from "../../../scripts/make-reference-inputs.ts";

const root = join(import.meta.dirname, "../../..");
const program = join(root, "bin/cloudlet-bundle.js");

export interface Served {
  readonly url: string;
  readonly invitation: string;
  readonly fingerprint: string;
  readonly work: string;
  readonly files: { readonly release: string; readonly lock: string; readonly spec: string };
  readonly log: () => string;
  readonly stop: () => Promise<void>;
}

export async function serve(t: Test): Promise<Served> {
  const work = mkdtempSync(join(tmpdir(), "cloudlet-console-"));
  const state = join(work, "state");
  mkdirSync(state, { mode: 0o700 });
  await makeReferenceInputs(join(root, "out/inputs"));
  const files = { release: join(work, "release.yaml"), lock: join(work, "release.lock.json"), spec: join(work, "cloudlet.yaml") };
  writeFileSync(files.release, readFileSync(join(root, "bundles/openstack-single/release.yaml"), "utf8").replaceAll("../../out/inputs", join(root, "out/inputs")));
  writeFileSync(files.spec, readFileSync(join(root, "bundles/openstack-single/cloudlet.yaml")));
  const child = spawn(process.execPath, [program, "serve", "--state", state, "--listen", "127.0.0.1:0", "--drain", "1"], { stdio: ["ignore", "pipe", "pipe"] });
  // A run that is broken off leaves nothing running.
  process.once("exit", () => child.kill("SIGKILL"));
  let said = "";
  let log = "";
  child.stdout.on("data", (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  let isDone = false;
  const stop = async (): Promise<void> => {
    if (!isDone) await ended(child);
    isDone = true;
  };
  t.teardown(async () => {
    await stop();
    rmSync(work, { recursive: true, force: true });
  });
  for (let tries = 0; !/cbi_\S+\n\n$/.test(said); tries += 1) {
    if (tries > 400 || child.exitCode !== null) throw new Error(`the service does not start: ${said}${log}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  execFileSync(process.execPath, [program, "lock", "--release", files.release, "--store", join(state, "blobs"), "--quiet"], { stdio: ["ignore", "ignore", "inherit"] });
  const word = (pattern: RegExp): string => pattern.exec(said)?.[1] ?? "";
  return { url: word(/listening +(http:\/\/\S+)\/v1/), invitation: word(/(cbi_\S+)/), fingerprint: word(/fingerprint +(\S+)/), work, files, log: () => log, stop };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}
