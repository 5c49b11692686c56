/** Makes a bundle of the documents that its row names: drawn, sealed, and its small files stored. Nothing of it shows before the end. */

import { hexOf, sha256 } from "../../core/digest.ts";
import { provenancePath, sumsPath } from "../../pack/layout.ts";
import { envelope } from "../../seal/dsse.ts";
import { seal } from "../../seal/seal.ts";
import { bytesOf, lockFor } from "../../store/draw.ts";
import { missingBlobs } from "../../store/resolve.ts";
import type { Context } from "../context.ts";
import { located, type LocatedIssue } from "../located-issues.ts";
import { documentText } from "../state/documents.ts";
import type { BundleRow } from "../state/tables.ts";
import { keptLock, keptSpec } from "./documents.ts";
import { storedLayout, type StoredLayout } from "./stored-layout.ts";

export type Built =
  | { readonly ok: true; readonly layout: StoredLayout; /** 64 hexadecimal digits. */ readonly sums: string }
  | { readonly ok: false; readonly title: string; /** Of the spec. */ readonly issues: readonly LocatedIssue[] };

/** `step` is told what comes next. Throws an EnvironmentError where the disk or the signer fails. */
export async function buildBundle(context: Context, row: BundleRow, step: (message: string) => Promise<void>): Promise<Built> {
  const { db, signer, stopping } = context;
  const spec = await keptSpec(db, row.spec_document);
  const lock = lockFor(spec, await keptLock(db, row.lock_document));
  await step("drawing");
  const missing = await missingBlobs(lock.lock, context.blobs);
  if (missing.length > 0) {
    return { ok: false, title: `the blob store lacks what the lock names: ${missing.join(", ")}; fetch it: cloudlet-bundle lock --store FOLDER`, issues: [] };
  }
  const [specText, releaseText, lockText] = await Promise.all([row.spec_document, row.release_document, row.lock_document].map((digest) => documentText(db, digest)));
  const made = await context.drawing.draw({ spec: specText ?? "", release: releaseText ?? "", lock: lockText ?? "", builder: context.builder }, stopping);
  if (made.kind === "defect") throw new Error(made.stack);
  if (made.kind === "issues") return { ok: false, title: "the bundle can't be made of this spec and release", issues: located(made.issues, specText) };
  stopping.throwIfAborted();
  await step("sealing");
  const sealed = await seal(made.tree, [signer]);
  const attestation = await envelope(bytesOf(sealed, provenancePath), [signer]);
  stopping.throwIfAborted();
  await step("storing");
  const { layout, drawn } = storedLayout(sealed, attestation);
  await context.drawn.put(once(drawn), { digest: layout.drawn, size: drawn.byteLength });
  return { ok: true, layout, sums: hexOf(sha256(bytesOf(sealed, sumsPath))) };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
