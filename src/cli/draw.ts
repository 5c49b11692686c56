/** Spec and resolved release to the tree of a bundle. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { Assets } from "../core/assets.ts";
import type { File } from "../core/file.ts";
import type { Outcome } from "../core/issue.ts";
import { compose } from "../evidence/compose.ts";
import type { BuilderId } from "../evidence/provenance.ts";
import { secretsTemplatePath } from "../pack/layout.ts";
import { bundleFileName, pack, type Tree } from "../pack/tree.ts";
import { traitsOf } from "../plan/traits.ts";
import { platforms } from "../platforms/registry.ts";
import { withoutVmdk, type LockDocument } from "../spec/read-lock.ts";
import type { ReleaseDocument } from "../spec/read-release.ts";
import { readSpec, type SpecDocument } from "../spec/read-spec.ts";
import { load, type Loaded } from "./documents.ts";
import type { Resolved } from "./inputs.ts";
import type { Io } from "./io.ts";
import { version } from "./version.ts";
import type { ReportedDocument } from "./report-issues.ts";

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
  return spec.value !== undefined && traitsOf(spec.value.spec.platform.type).disks === "vmdk";
}

/** Draws the bundle of a spec, with these trust policies; `drawn` is undefined where an issue stands in the way. */
export function drawBundle(io: Io, spec: Loaded<SpecDocument>, resolved: Resolved, trust: readonly File[] = []): { readonly drawn: Drawn | undefined; readonly reports: readonly ReportedDocument[] } {
  if (spec.value === undefined) return { drawn: undefined, reports: [spec.report] };
  // Whether somebody else needed VMDKs must not show in this bundle.
  const lock = needsVmdk(spec) ? resolved : withoutVmdk(resolved);
  const documents: ReadDocuments = { spec: spec.value, release: resolved.release, lock };
  const tree = drawDocuments(io, documents, undefined, trust);
  const report = { ...spec.report, issues: [...spec.report.issues, ...tree.issues] };
  if (!tree.ok) return { drawn: undefined, reports: [report] };
  return {
    drawn: { documents, tree: tree.value, fileName: bundleFileName(tree.value.about), secretsTemplate: bytesOf(tree.value, secretsTemplatePath) },
    reports: [report],
  };
}

export interface ReadDocuments {
  readonly spec: SpecDocument;
  readonly release: ReleaseDocument;
  readonly lock: LockDocument;
}

/**
 * The tree that three documents make, without the seal; `builder` is who is said to have made it, `trust` the trust policies that
 * it carries. Issues: those of `compose`.
 */
export function drawDocuments(io: Io, documents: ReadDocuments, builder?: BuilderId, trust: readonly File[] = []): Outcome<Tree> {
  const composed = compose(documents, assetsOf(io.packageFolder), builder, trust);
  if (!composed.ok) return composed;
  const { spec, release, lock } = documents;
  const { name, sequence, created } = release.release;
  const tree = pack(composed.value.files, {
    cloudlet: { name: spec.spec.name, organization: spec.spec.organization, region: spec.spec.region },
    platform: spec.spec.platform.type,
    release: { name, sequence, created },
    spec: { digest: spec.digest },
    lock: { digest: lock.digest },
    generator: { name: "cloudlet-bundle", version: version(io) },
  });
  return { ...composed, value: tree };
}

/** Every text of `templates/`, by its path below it. */
export function assetsOf(packageFolder: string): Assets {
  const folder = join(packageFolder, "templates");
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length + 1), readFileSync(path, "utf8")];
    }),
  );
}

/** A text of the tree. */
export function bytesOf(tree: Tree, path: string): Uint8Array {
  const body = tree.files.find((file) => file.path === path)?.body;
  if (body?.kind !== "bytes") throw new Error(`the bundle has no ${path}`);
  return body.bytes;
}
