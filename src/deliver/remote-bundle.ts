/** The bundle on the host once its tar is there: unpacked, and verified there by its own verify.sh before anything of it is used. */

import type { LastingLine } from "./lasting-line.ts";
import { EnvironmentError } from "../core/environment-error.ts";
import { plainText } from "./plain-text.ts";
import { failureOf, runVerb, runVerbWell, type RemoteFolder } from "./remote-shell.ts";

export interface RemoteVerdict {
  readonly isGood: boolean;
  /** What verify.sh has said. */
  readonly text: string;
}

/** Unpacks the tar aside and verifies it; keeps it if it is good. The tar is then removed. */
export async function unpackAndVerify(lasting: LastingLine, remote: RemoteFolder, of: { readonly id: string; readonly digest: string; readonly trust: string }): Promise<RemoteVerdict> {
  return lasting.use(async (line, fruitful) => {
    // The answer to "keep" may have been lost with the line: then the tar is gone already.
    const unpacked = await runVerb(line, remote, "unpack", [of.id]);
    if (unpacked.status === 7) return verdictOf(await runVerb(line, remote, "verify", [of.id, "bundle", of.trust]), remote);
    if (unpacked.status !== 0) throw failureOf(unpacked, remote);
    const verdict = verdictOf(await runVerb(line, remote, "verify", [of.id, "bundle.new", of.trust]), remote);
    if (verdict.isGood) await runVerbWell(line, remote, "keep", [of.digest]);
    fruitful();
    return verdict;
  });
}

/** Verifies what was unpacked by a push before. */
export async function verifyThere(lasting: LastingLine, remote: RemoteFolder, of: { readonly id: string; readonly trust: string }): Promise<RemoteVerdict> {
  return lasting.use(async (line) => verdictOf(await runVerb(line, remote, "verify", [of.id, "bundle", of.trust]), remote));
}

function verdictOf(end: { readonly status: number | undefined; readonly stdout: string; readonly stderr: string }, remote: RemoteFolder): RemoteVerdict {
  const text = plainText(end.stdout);
  if (end.status === 0 || end.status === 1) return { isGood: end.status === 0, text };
  if (end.status === 7 || end.status === 8 || end.status === 9 || end.status === undefined) throw failureOf(end, remote);
  throw new EnvironmentError(`the bundle can't be verified on the host: ${text.trim() || end.stderr}`, { hint: "see what is missing there; nothing of the bundle was run" });
}
