/** The text of a lock to a `Lock`. */

import type { Digest } from "../core/digest.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import { canonicalJson, type JsonObject } from "../core/json.ts";
import { below } from "../core/pointer.ts";
import type { Sourced } from "../core/origin.ts";
import type { Draft } from "./draft.ts";
import { entries } from "./draft.ts";
import type { Lock, LockedBlob } from "./lock.ts";
import { readDocument } from "./read-document.ts";
import type { DocumentKind } from "./read-document.ts";
import { error } from "./rules/rule.ts";
import { validateLock } from "./validators.ts";

export interface LockDocument {
  readonly lock: Lock;
  readonly sourced: Sourced<Lock>;
  /** Of the canonical JSON of `lock`. */
  readonly digest: Digest;
}

export function readLock(text: string): Outcome<LockDocument> {
  const outcome = readDocument<Lock>(text, LOCK);
  if (!outcome.ok) return outcome;
  const { value, sourced, digest } = outcome.value;
  return { ok: true, value: { lock: value, sourced, digest }, issues: outcome.issues };
}

/** The lock as those see it who take the disks as they are: the same, digest and all, as one that never had others. */
export function withoutVmdk(document: LockDocument): LockDocument {
  if (document.lock.vmdk === undefined) return document;
  const { vmdk: _, ...plain } = document.lock;
  const read = readLock(canonicalJson(plain as unknown as JsonObject));
  if (!read.ok) throw new Error(`a lock without its VMDKs is not valid: ${JSON.stringify(read.issues)}`);
  return read.value;
}

const LOCK: DocumentKind<Lock> = {
  kind: "Lock",
  origin: "lock",
  validate: validateLock,
  parts: () => [],
  rules: (lock) => [...roles(lock), ...pieces(lock)],
  mayBreakLines: () => false,
  defaults: () => [],
  complete: (document) => document,
};

function roles({ containers }: Draft<Lock>): readonly Issue[] {
  const seen = new Set<string>();
  return entries(containers).flatMap(([index, { role }]) => {
    const again = role !== undefined && seen.has(role);
    if (role !== undefined) seen.add(role);
    return again
      ? [
          error(
            "lock/role-twice",
            below("/containers", index, "role"),
            `there is another container ${String(role)}`,
            "make the lock anew: `cloudlet-bundle lock`",
          ),
        ]
      : [];
  });
}

/** There is one digest for each stretch of the size; stretches are whole blocks of a tar. */
function pieces({ vmImage, payload, vmdk }: Draft<Lock>): readonly Issue[] {
  const blobs: readonly (readonly [string, Draft<LockedBlob> | undefined])[] = [
    ["/vmImage", vmImage],
    ["/payload", payload],
    ["/vmdk/vmImage", vmdk?.vmImage],
    ["/vmdk/payload", vmdk?.payload],
  ];
  return blobs.flatMap(([pointer, blob]) => {
    const { size, pieces: of } = blob ?? {};
    const count = of?.sha256?.length;
    if (size === undefined || of?.size === undefined || count === undefined) return [];
    if (of.size % 512 === 0 && count === Math.ceil(size / of.size)) return [];
    const hint = "make the lock anew: `cloudlet-bundle lock`";
    return [error("lock/pieces", below(pointer, "pieces"), `${count} digests of ${of.size} bytes each are not those of a file of ${size}`, hint)];
  });
}
