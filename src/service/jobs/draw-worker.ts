/** A thread that draws bundles: takes documents as texts, gives the tree as plain data, or its issues. */

import { parentPort, workerData } from "node:worker_threads";
import type { Issue, Outcome } from "../../core/issue.ts";
import type { BuilderId } from "../../evidence/provenance.ts";
import type { Tree } from "../../pack/tree.ts";
import { readLock } from "../../spec/read-lock.ts";
import { readRelease } from "../../spec/read-release.ts";
import { lockFor, treeOf } from "../../store/draw.ts";
import { assetsOf, versionOf } from "../../store/package-folder.ts";
import { lastFew, readCloudletSpec } from "./documents.ts";

export interface DrawingWanted {
  readonly spec: string;
  readonly release: string;
  readonly lock: string;
  readonly builder: BuilderId | undefined;
}

export type DrawingMade =
  | { readonly kind: "tree"; /** Without spans: what is sealed needs none. */ readonly tree: Tree }
  | { readonly kind: "issues"; readonly issues: readonly Issue[] }
  | { readonly kind: "defect"; readonly stack: string };

const { packageFolder } = workerData as { readonly packageFolder: string };
const program = { assets: assetsOf(packageFolder), version: versionOf(packageFolder) };
// One release serves many cloudlets, and much is known of it once it was drawn with.
const releases = lastFew((text) => sound(readRelease(text)));
const locks = lastFew((text) => sound(readLock(text)));

parentPort?.on("message", (wanted: DrawingWanted) => {
  parentPort?.postMessage(made(wanted));
});

function made(wanted: DrawingWanted): DrawingMade {
  try {
    const spec = sound(readCloudletSpec(wanted.spec));
    const release = releases(wanted.release);
    const tree = treeOf(program, { spec, release, lock: lockFor(spec, locks(wanted.lock)) }, wanted.builder);
    return tree.ok ? { kind: "tree", tree: plain(tree.value) } : { kind: "issues", issues: tree.issues };
  } catch (error) {
    return { kind: "defect", stack: (error as Error).stack ?? String(error) };
  }
}

function sound<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value;
  throw new Error(`a document was sound when it was kept: ${JSON.stringify(outcome.issues)}`);
}

/** Each body in memory of its own: a view would be sent with all that it is a view of. */
function plain(tree: Tree): Tree {
  const files = tree.files.map(({ path, mode, role, body, source }) => ({ path, mode, role, source, spans: [], body: body.kind === "bytes" ? { kind: body.kind, bytes: new Uint8Array(body.bytes) } : body }));
  return { files, about: tree.about, mtime: tree.mtime };
}
