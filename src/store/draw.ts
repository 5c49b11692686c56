/** What documents make, with the templates that lie beside this program: the tree of a bundle, without the seal. */

import type { Assets } from "../core/assets.ts";
import type { File } from "../core/file.ts";
import type { Outcome } from "../core/issue.ts";
import { compose } from "../evidence/compose.ts";
import type { BuilderId } from "../evidence/provenance.ts";
import { pack, type Tree } from "../pack/tree.ts";
import { traitsOf } from "../plan/traits.ts";
import { withoutVmdk, type LockDocument } from "../spec/read-lock.ts";
import type { ReleaseDocument } from "../spec/read-release.ts";
import type { SpecDocument } from "../spec/read-spec.ts";

export interface ReadDocuments {
  readonly spec: SpecDocument;
  readonly release: ReleaseDocument;
  readonly lock: LockDocument;
}

/** This program, as far as a bundle shows it. */
export interface Program {
  readonly assets: Assets;
  readonly version: string;
}

/** The tree; `builder` is who is said to have made it, `trust` the trust policies that it carries. Issues: those of `compose`. */
export function treeOf({ assets, version }: Program, documents: ReadDocuments, builder?: BuilderId, trust: readonly File[] = []): Outcome<Tree> {
  const composed = compose(documents, assets, builder, trust);
  if (!composed.ok) return composed;
  const { spec, release, lock } = documents;
  const { name, sequence, created } = release.release;
  const tree = pack(composed.value.files, {
    cloudlet: { name: spec.spec.name, organization: spec.spec.organization, region: spec.spec.region },
    platform: spec.spec.platform.type,
    release: { name, sequence, created },
    spec: { digest: spec.digest },
    lock: { digest: lock.digest },
    generator: { name: "cloudlet-bundle", version },
  });
  return { ...composed, value: tree };
}

/** Whether the lock must hold the disks as VMDK. */
export function takesVmdk({ spec }: SpecDocument): boolean {
  return traitsOf(spec.platform.type).disks === "vmdk";
}

/** The lock as this spec's bundle has it: whether somebody else needed VMDKs must not show in it. */
export function lockFor<L extends LockDocument>(spec: SpecDocument, lock: L): LockDocument {
  return takesVmdk(spec) ? lock : withoutVmdk(lock);
}

/** A text of the tree. */
export function bytesOf(tree: Tree, path: string): Uint8Array {
  const body = tree.files.find((file) => file.path === path)?.body;
  if (body?.kind !== "bytes") throw new Error(`the bundle has no ${path}`);
  return body.bytes;
}
