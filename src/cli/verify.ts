/** `verify`: checks a bundle's form, signature, digests and manifest; the same ladder as verify.sh in the bundle. */

import type { Command } from "commander";
import { readFile, stat } from "node:fs/promises";
import { epochOf } from "../pack/tree.ts";
import type { Fingerprint } from "../seal/keys.ts";
import { readFingerprint, readPublicKey } from "../seal/keys.ts";
import { looksLikePolicy, parsePolicy, policyDigest } from "../seal/policy.ts";
import { verdictText } from "../seal/verdict.ts";
import { verifyBundle, type Trust } from "../seal/verify.ts";
import { openBundle } from "../store/bundle-file.ts";
import { absolute } from "./documents.ts";
import type { ExitStatus, Io } from "./io.ts";
import { progressOn } from "./progress.ts";
import { tellExpiredWaivers } from "./waivers.ts";
import { showAside } from "./show-report.ts";
import { verifyParts } from "./verify-parts.ts";

interface Options {
  readonly trust?: string;
  readonly time?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      "Check a bundle, as a tar or unpacked: its form, its signature, every digest, that nothing else is in it. Refuses unless you say whose signature you trust; a key that came with the bundle proves nothing.",
    )
    .argument("<bundle>", "the tar, the folder it was unpacked into, one part, or a folder with all parts")
    .option("--trust <key>", "the signer's public key (PEM file), a trust policy (file), the fingerprint of either (SHA256:…), or none to leave the signature unchecked")
    .option("--time <time>", "judge whether a trust policy has ended by this time (2026-11-24T00:00:00Z) instead of the clock")
    .option("--json", "print the verdict as JSON")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      "\nExamples:\n  cloudlet-bundle verify bundle.tar --trust release-2026.pub.pem\n  cloudlet-bundle verify bundle/ --trust SHA256:d8bc…\n\nExit status: 0 good, 1 refused, 2 usage, 3 it can't be read.",
    )
    .action(async (bundle: string, options: Options) => done(await verify(bundle, options, io)));
}

async function verify(bundle: string, options: Options, io: Io): Promise<ExitStatus> {
  const trust = await trustOf(io, options.trust, "verify");
  if (trust === "wrong") return 2;
  const now = options.time ?? clockOf(io);
  if (options.time !== undefined && epochOf(options.time) === undefined) {
    io.err("cloudlet-bundle verify: --time is like 2026-11-24T00:00:00Z\n");
    return 2;
  }
  const path = absolute(io, bundle);
  const ofParts = await verifyParts(path, { trust, now }, options, io);
  if (ofParts !== undefined) return ofParts;
  const { size } = await stat(path);
  const progress = progressOn(io, options.quiet === true);
  let done = 0;
  const hashed = (bytes: number): void => progress.report("verifying", (done += bytes), Math.max(size, done));
  const source = await openBundle(path, { hashed, signal: io.signal });
  const verdict = await verifyBundle(source, trust, { now }).finally(progress.finish);
  io.out(options.json ? `${JSON.stringify({ bundle: path, ...verdict }, null, 2)}\n` : verdictText(verdict));
  if (verdict.good) await tellExpiredWaivers(io, source);
  return verdict.good ? 0 : 1;
}

/** What the clock says: RFC 3339, UTC, whole seconds. */
export function clockOf(io: Io): string {
  return `${new Date(io.now()).toISOString().slice(0, -5)}Z`;
}

/** A fingerprint, or the key or policy of a file; "wrong" where it is neither, which has been said in the name of `verb`. */
export async function trustOf(io: Io, given: string | undefined, verb: string): Promise<Trust | "wrong"> {
  if (given === undefined || given === "none") return given;
  if (given === "") {
    io.err(`cloudlet-bundle ${verb}: --trust needs a word that is not empty\n`);
    return "wrong";
  }
  const fingerprint: Fingerprint | undefined = readFingerprint(given);
  if (fingerprint !== undefined) return fingerprint;
  if (/^SHA256:/i.test(given)) {
    io.err(`cloudlet-bundle ${verb}: a fingerprint is SHA256: and 64 hexadecimal digits\n`);
    return "wrong";
  }
  const bytes = new Uint8Array(await readFile(absolute(io, given)));
  const text = new TextDecoder("latin1").decode(bytes);
  if (looksLikePolicy(text)) {
    const reading = parsePolicy(bytes);
    if (reading.ok) return policyDigest(bytes);
    io.err(`cloudlet-bundle ${verb}: ${given} ${reading.message}\n`);
    return "wrong";
  }
  const key = readPublicKey(text);
  if (key.ok) return key.value.fingerprint;
  showAside(io, [{ name: given, issues: key.issues }]);
  return "wrong";
}
