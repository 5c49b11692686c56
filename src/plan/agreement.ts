/** Whether spec, release and lock belong together. */

import { sha256 } from "../core/digest.ts";
import type { Issue } from "../core/issue.ts";
import type { Json, Scalar } from "../core/json.ts";
import { canonicalJson } from "../core/json.ts";
import type { Origin, Sourced, Val } from "../core/origin.ts";
import type { Lock } from "../spec/lock.ts";
import type { Release } from "../spec/release.ts";
import type { Spec } from "../spec/spec.ts";

/** Text that stands in user-data for what only the site knows; no value may hold its beginning. */
export const placeholderMark = "@@CLOUDLET-";

/** What doesn't fit, all of it. Issues about release and lock point at the whole spec, which chose neither. */
export function disagreements(spec: Sourced<Spec>, release: Sourced<Release>, lock: Sourced<Lock>): readonly Issue[] {
  return [...versionIssues(spec, release), ...lockIssues(release, lock), ...reservedText(spec), ...reservedText(release)];
}

function versionIssues(spec: Sourced<Spec>, release: Sourced<Release>): readonly Issue[] {
  const issues: Issue[] = [];
  const { container, vmImage } = spec.versions;
  const offered = { container: release.controller.containerVersion.value, vmImage: release.vmImage.version.value };
  if (container !== undefined && container.value !== offered.container) {
    issues.push({
      code: "plan/container-version",
      severity: "error",
      pointer: "/versions/container",
      message: `the cloudlet wants container version ${container.value}, release ${release.name.value} has ${offered.container}`,
      hint: "Build with a release of that version, or leave the version out to take the release's.",
    });
  }
  if (vmImage !== undefined && vmImage.value !== offered.vmImage) {
    issues.push({
      code: "plan/vm-image-version",
      severity: "error",
      pointer: "/versions/vmImage",
      message: `the cloudlet wants VM image version ${vmImage.value}, release ${release.name.value} has ${offered.vmImage}`,
      hint: "Build with a release of that version, or leave the version out to take the release's.",
    });
  }
  return issues;
}

function lockIssues(release: Sourced<Release>, lock: Sourced<Lock>): readonly Issue[] {
  const differences: string[] = [];
  const compare = (what: string, inLock: Scalar, inRelease: Scalar): void => {
    if (inLock !== inRelease) differences.push(`${what}: lock ${inLock}, release ${inRelease}`);
  };
  compare("release name", lock.release.name.value, release.name.value);
  compare("VM image digest", lock.vmImage.digest.value, release.vmImage.digest.value);
  compare("VM image format", lock.vmImage.format.value, release.vmImage.format.value);
  const containers = (of: readonly { role: Val<string>; image: Val<string> }[], digest: (index: number) => string): string =>
    of.map((each, index) => `${each.role.value} ${each.image.value} ${digest(index)}`).join(", ");
  compare(
    "containers",
    containers(lock.containers, (index) => lock.containers[index]?.config.digest.value ?? ""),
    containers(release.containers, (index) => release.containers[index]?.digest.value ?? ""),
  );
  // The named differences say more; the digest finds the rest.
  if (differences.length === 0) compare("release digest", lock.release.digest.value, sha256(canonicalJson(plain(release))));
  if (lock.vmImage.size.value > release.vmImage.sizeLimit.value) {
    differences.push(`VM image: ${lock.vmImage.size.value} bytes, the release allows ${release.vmImage.sizeLimit.value}`);
  }
  return differences.map((difference) => ({
    code: "plan/lock-differs",
    severity: "error",
    pointer: "",
    message: `the lock does not answer this release: ${difference}`,
    hint: "Make the lock again with `cloudlet-bundle lock`.",
  }));
}

/** A document without its origins. */
function plain(value: unknown): Json {
  if (Array.isArray(value)) return value.map(plain);
  const object = value as Readonly<Record<string, unknown>>;
  if (isVal(object)) return object.value;
  return Object.fromEntries(
    Object.entries(object)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => [key, plain(each)]),
  );
}

function reservedText(document: unknown): readonly Issue[] {
  const issues: Issue[] = [];
  for (const { value, origins } of leaves(document)) {
    if (typeof value !== "string") continue;
    if (value.includes(placeholderMark)) {
      issues.push({
        code: "plan/reserved-text",
        severity: "error",
        pointer: specPointer(origins),
        message: `${placeholderMark} stands for values that only the site knows, so no text may hold it`,
      });
    }
  }
  return issues;
}

function* leaves(value: unknown): Generator<Val> {
  if (typeof value !== "object" || value === null) return;
  if (isVal(value)) yield value;
  else for (const each of Object.values(value)) yield* leaves(each);
}

function isVal(value: object): value is Val {
  return "origins" in value && "value" in value && Array.isArray(value.origins) && typeof value.origins[0] === "string";
}

function specPointer(origins: readonly Origin[]): string {
  const origin = origins.find((each) => each.startsWith("spec:"));
  return origin === undefined ? "" : origin.slice("spec:".length);
}
