/** Spec and resolved release to the tree of a bundle. */

import type { File } from "../core/file.ts";
import type { Outcome } from "../core/issue.ts";
import type { BuilderId } from "../evidence/provenance.ts";
import { secretsTemplatePath } from "../pack/layout.ts";
import { bundleFileName, type Tree } from "../pack/tree.ts";
import { platforms } from "../platforms/registry.ts";
import { readSpec, type SpecDocument } from "../spec/read-spec.ts";
import { bytesOf, lockFor, takesVmdk, treeOf, type ReadDocuments } from "../store/draw.ts";
import { assetsOf } from "../store/package-folder.ts";
import { load, type Loaded } from "./documents.ts";
import type { Resolved } from "./inputs.ts";
import type { Io } from "./io.ts";
import type { ReportedDocument } from "./report-issues.ts";
import { version } from "./version.ts";

export interface Drawn {
  /** What it was drawn of. */
  readonly documents: ReadDocuments;
  /** Everything but what the seal adds. */
  readonly tree: Tree;
  /** `<cloudlet>-<organization>-<release>.cloudlet.tar` */
  readonly fileName: string;
  /** The lines of a secrets file, to be filled in. */
  readonly secretsTemplate: Uint8Array;
}

/** Reads the spec, once: it may come from a pipe. */
export function loadSpec(io: Io, path: string): Promise<Loaded<SpecDocument>> {
  return load(io, path, (text) => readSpec(text, { platforms: platforms.map((platform) => platform.name) }));
}

/** Whether the lock must hold the disks as VMDK. A spec that can't be read needs nothing. */
export function needsVmdk(spec: Loaded<SpecDocument>): boolean {
  return spec.value !== undefined && takesVmdk(spec.value);
}

/** Draws the bundle of a spec, with these trust policies; `drawn` is undefined where an issue stands in the way. */
export function drawBundle(io: Io, spec: Loaded<SpecDocument>, resolved: Resolved, trust: readonly File[] = []): { readonly drawn: Drawn | undefined; readonly reports: readonly ReportedDocument[] } {
  if (spec.value === undefined) return { drawn: undefined, reports: [spec.report] };
  const documents: ReadDocuments = { spec: spec.value, release: resolved.release, lock: lockFor(spec.value, resolved) };
  const tree = drawDocuments(io, documents, undefined, trust);
  const report = { ...spec.report, issues: [...spec.report.issues, ...tree.issues] };
  if (!tree.ok) return { drawn: undefined, reports: [report] };
  return {
    drawn: { documents, tree: tree.value, fileName: bundleFileName(tree.value.about), secretsTemplate: bytesOf(tree.value, secretsTemplatePath) },
    reports: [report],
  };
}

/**
 * The tree that three documents make, without the seal; `builder` is who is said to have made it, `trust` the trust policies that
 * it carries. Issues: those of `compose`.
 */
export function drawDocuments(io: Io, documents: ReadDocuments, builder?: BuilderId, trust: readonly File[] = []): Outcome<Tree> {
  return treeOf({ assets: assetsOf(io.packageFolder), version: version(io) }, documents, builder, trust);
}
