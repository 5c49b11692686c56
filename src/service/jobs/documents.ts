/** Documents out of the database, read: the last few are kept, as one release serves many cloudlets. */

import { sha256 } from "../../core/digest.ts";
import type { Outcome } from "../../core/issue.ts";
import { platforms } from "../../platforms/registry.ts";
import { readLock, type LockDocument } from "../../spec/read-lock.ts";
import { readRelease, type ReleaseDocument } from "../../spec/read-release.ts";
import { readSpec, type SpecDocument } from "../../spec/read-spec.ts";
import type { Database } from "../state/database.ts";
import { documentText } from "../state/documents.ts";

export function readCloudletSpec(text: string): Outcome<SpecDocument> {
  return readSpec(text, { platforms: platforms.map((platform) => platform.name) });
}

/** A document that was sound when it was kept. Throws where this version of the program finds an error in it. */
export async function keptSpec(db: Database, digest: string): Promise<SpecDocument> {
  return sound(digest, readCloudletSpec(await documentText(db, digest)));
}

const releases = lastFew((text) => readRelease(text));
const locks = lastFew((text) => readLock(text));

export async function keptRelease(db: Database, digest: string): Promise<ReleaseDocument> {
  return sound(digest, releases(await documentText(db, digest)));
}

export async function keptLock(db: Database, digest: string): Promise<LockDocument> {
  return sound(digest, locks(await documentText(db, digest)));
}

/** A lock may have a megabyte; so many are little, and more than are in use at a time. */
const documentsKept = 8;

/** What `read` makes of a text, kept for the last few texts. */
export function lastFew<T>(read: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const digest = sha256(text);
    const found = known.get(digest);
    if (found !== undefined) return found;
    const value = read(text);
    const [oldest] = known.keys();
    if (known.size >= documentsKept && oldest !== undefined) known.delete(oldest);
    known.set(digest, value);
    return value;
  };
}

function sound<T>(digest: string, outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new Error(`the document ${digest} was sound when it was kept: ${JSON.stringify(outcome.issues)}`);
}
