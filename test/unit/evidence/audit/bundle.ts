/** The golden cases as whole bundles, and the same with one file edited: what the tests of the audit look at. */

import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { Assets } from "../../../../src/core/assets.ts";
import type { File } from "../../../../src/core/file.ts";
import type { Outcome } from "../../../../src/core/issue.ts";
import { sourced } from "../../../../src/core/origin.ts";
import { audit } from "../../../../src/evidence/audit/audit.ts";
import type { AuditInput } from "../../../../src/evidence/audit/input.ts";
import { inputOfBundle, inputOfFiles } from "../../../../src/evidence/audit/input.ts";
import type { AuditResult } from "../../../../src/evidence/audit/rule.ts";
import { compose } from "../../../../src/evidence/compose.ts";
import type { OriginsDocument } from "../../../../src/evidence/origins.ts";
import type { Composition } from "../../../../src/evidence/texts.ts";
import { isBlobPath } from "../../../../src/pack/layout.ts";
import { platforms } from "../../../../src/platforms/registry.ts";
import type { Lock, LockedSoftware } from "../../../../src/spec/lock.ts";
import { readRelease } from "../../../../src/spec/read-release.ts";
import { readSpec } from "../../../../src/spec/read-spec.ts";
import { assets, lockFor, specText, textOf, wellRead } from "../../../golden/cases.ts";

export const releaseText = readFileSync(join(import.meta.dirname, "../../../golden/release.yaml"), "utf8");

export interface Bundle {
  readonly files: readonly File[];
  readonly documents: Pick<AuditInput, "spec" | "release" | "lock">;
}

interface How {
  readonly spec?: (text: string) => string;
  readonly release?: (text: string) => string;
  readonly assets?: Assets;
  /** What is in the first container. */
  readonly software?: LockedSoftware;
}

export function composed(name: string, how: How = {}): Outcome<Composition & Bundle> {
  const spec = wellRead(readSpec(how.spec?.(specText(name)) ?? specText(name), { platforms: platforms.map((platform) => platform.name) }));
  const release = wellRead(readRelease(how.release?.(releaseText) ?? releaseText));
  const lock = withSoftware(lockFor(spec.spec.platform.type, release), how.software);
  const outcome = compose({ spec, release, lock: { lock, sourced: sourced(lock, "lock") } }, how.assets ?? assets);
  return outcome.ok ? { ...outcome, value: { ...outcome.value, documents: { spec: spec.spec, release: release.release, lock } } } : outcome;
}

function withSoftware(lock: Lock, software: LockedSoftware | undefined): Lock {
  return software === undefined ? lock : { ...lock, containers: lock.containers.map((each, index) => (index === 0 ? { ...each, software } : each)) };
}

export function bundleOf(name: string, how: How = {}): Bundle {
  return wellRead(composed(name, how));
}

/** The bundle with another text at `path`; `find` has to stand there once at least. */
export function edited({ files, documents }: Bundle, path: string, find: string | RegExp, replace: string): Bundle {
  const before = textOf(files.find((file) => file.path === path));
  const after = before.replace(find, replace);
  if (after === before) throw new Error(`${String(find)} does not stand in ${path}`);
  return { documents, files: files.map((file) => (file.path === path ? { ...file, body: { kind: "bytes", bytes: new TextEncoder().encode(after) } } : file)) };
}

/** The bundle as somebody reads it: texts, the map of origins, and nothing else. */
export function asRead({ files, documents }: Bundle): AuditInput {
  const origins = JSON.parse(textOf(files.find(({ path }) => path === "evidence/origins.json"))) as OriginsDocument;
  const made = inputOfFiles(files, documents);
  return inputOfBundle(made.files.map(({ path, mode, role, source, sha256, size, text }) => ({ path, mode, role, source, sha256, size, text: isBlobPath(path) ? undefined : text })), origins, documents);
}

export function resultsOf({ files, documents }: Bundle): readonly AuditResult[] {
  return audit(inputOfFiles(files, documents));
}

/** The results of one rule. */
export function resultsFor(rule: string, bundle: Bundle): readonly AuditResult[] {
  return resultsOf(bundle).filter((result) => result.rule === rule);
}
