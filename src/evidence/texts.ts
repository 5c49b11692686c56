/** Spec, release and lock to every text of a bundle: the pure stages up to rendering, and what tells of them. */

import type { Assets } from "../core/assets.ts";
import type { File } from "../core/file.ts";
import { textFile } from "../core/file.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { canonicalJson } from "../core/json.ts";
import { oncePer } from "../core/once-per.ts";
import type { Sourced, Val } from "../core/origin.ts";
import { guests } from "../guest/guest.ts";
import { lockPath, originsPath, ovfPath, releasePath, specPath } from "../pack/layout.ts";
import type { ManifestDigest } from "../pack/ovf-package.ts";
import { ovfManifest } from "../pack/ovf-package.ts";
import type { Plan } from "../plan/plan.ts";
import { plan } from "../plan/plan.ts";
import { commonDrafts } from "../platforms/common-files.ts";
import { platformNamed } from "../platforms/registry.ts";
import { render } from "../render/render.ts";
import type { Lock } from "../spec/lock.ts";
import type { Release } from "../spec/release.ts";
import type { Spec } from "../spec/spec.ts";
import { filledIn } from "./filled-in.ts";
import { originsFile } from "./origins.ts";

export interface Composition {
  /** In no particular order. */
  readonly files: readonly File[];
  readonly plan: Plan;
}

/** The three documents as they were read: each with its origins, and plain. */
export interface Documents {
  readonly spec: { readonly spec: Spec; readonly sourced: Sourced<Spec>; readonly written: JsonObject };
  readonly release: { readonly release: Release; readonly sourced: Sourced<Release>; readonly written: JsonObject };
  readonly lock: { readonly lock: Lock; readonly sourced: Sourced<Lock> };
}

/** Issues: `plan/…`, `guest/…` and `platform/…`, each stage's all at once; a plan with an error is not drawn. */
export function composeTexts({ spec, release, lock }: Documents, assets: Assets): Outcome<Composition> {
  const planned = plan(spec.sourced, release.sourced, lock.sourced);
  if (!planned.ok) return planned;
  const platform = platformNamed(spec.spec.platform.type);
  const made = guests(planned.value, assets, platform.userDataBytes);
  const issues: readonly Issue[] = [...planned.issues, ...platform.check(planned.value), ...made.issues];
  if (!made.ok || issues.some((issue) => issue.severity === "error")) return { ok: false, issues };
  const drafts = [
    ...commonDrafts(platform, planned.value, assets),
    ...platform.draft(planned.value, made.value, assets),
  ];
  const rendered = render(drafts, assets);
  const files = [
    ...rendered,
    ...ovfFiles(planned.value, rendered),
    evidence(specPath, spec.written),
    releaseFile(release.written),
    lockFile(lock.lock),
  ];
  const defaults = { spec: filledIn(spec.sourced, "spec"), release: ofRelease(release.sourced) };
  return { ok: true, value: { files: [...files, originsFile(originsPath, files, defaults)], plan: planned.value }, issues };
}

/** What an OVF package has beside the descriptor, whose bytes are known only now. */
function ovfFiles({ disks, spec }: Plan, rendered: readonly File[]): readonly File[] {
  const descriptor = rendered.find((file) => file.path === ovfPath);
  if (disks === undefined || descriptor === undefined) return [];
  const algorithm = spec.platform.parameters["manifestDigest"] as Val<ManifestDigest>;
  return [ovfManifest(descriptor, algorithm, [disks.vmImage, disks.payload])];
}

/**
 * A document as it was written, without its defaults: read again, it gives the same bundle, for what a default filled in is
 * a default's again, and every pointer of an origin points into it.
 */
function evidence(path: string, document: object): File {
  return textFile(path, canonicalJson(document as Json), { role: "evidence", source: path });
}

const ofRelease = oncePer((release: Sourced<Release>) => filledIn(release, "release"));

/** The same file in every bundle of a release: what is known of its bytes is known of them all. */
const releaseFile = oncePer((written: JsonObject) => evidence(releasePath, written));
const lockFile = oncePer((lock: Lock) => evidence(lockPath, lock));
