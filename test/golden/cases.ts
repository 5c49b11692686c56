/** The golden cases: documents on disk, and the texts that they become. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";

import type { Assets } from "../../src/core/assets.ts";
import type { File } from "../../src/core/file.ts";
import type { Issue, Outcome } from "../../src/core/issue.ts";
import { sourced } from "../../src/core/origin.ts";
import type { Composition } from "../../src/evidence/texts.ts";
import { composeTexts } from "../../src/evidence/texts.ts";
import { platforms } from "../../src/platforms/registry.ts";
import { payloadEntries } from "../../src/pack/payload.ts";
import { archiveSize } from "../../src/pack/stream.ts";
import { traitsOf } from "../../src/plan/traits.ts";
import type { Lock } from "../../src/spec/lock.ts";
import type { ReleaseDocument } from "../../src/spec/read-release.ts";
import { readRelease } from "../../src/spec/read-release.ts";
import { readSpec } from "../../src/spec/read-spec.ts";

const here = import.meta.dirname;
const templates = join(here, "../../templates");

export const caseNames: readonly string[] = readdirSync(here, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
  .sort();

/** Every text of `templates/`. */
export const assets: Assets = new Map(
  readdirSync(templates, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path.slice(templates.length + 1), readFileSync(path, "utf8")]),
);

export function specText(name: string): string {
  return readFileSync(join(here, name, "spec.yaml"), "utf8");
}

/** The files of a bundle of this spec with the golden release and a lock made up for it; `disks` are those of VMware's platforms. */
export function composeText(text: string, disks = vmdk): Outcome<Composition> {
  const spec = wellRead(readSpec(text, { platforms: platforms.map((platform) => platform.name) }));
  const release = wellRead(readRelease(readFileSync(join(here, "release.yaml"), "utf8")));
  const lock = lockFor(spec.spec.platform.type, release, disks);
  return composeTexts({ spec, release, lock: { lock, sourced: sourced(lock, "lock") } }, assets);
}

export function compose(name: string): Composition {
  return wellRead(composeText(specText(name)));
}

/** The case's files that are rendered: no static script, and no evidence, which other tests hold. */
export function renderedFiles(name: string): readonly { readonly path: string; readonly text: string }[] {
  return compose(name)
    .files.filter((file) => file.role !== "script" && file.role !== "evidence")
    .map((file) => ({ path: file.path, text: textOf(file) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

export function textOf(file: File | undefined): string {
  if (file?.body.kind !== "bytes") throw new Error("no text");
  return new TextDecoder().decode(file.body.bytes);
}

/** A lock made up for the release: digests of nothing, and the payload's true size. */
export function lockOf({ release, digest }: ReleaseDocument): Lock {
  const containers: Lock["containers"] = release.containers.map((container) => ({
    role: container.role,
    image: container.image,
    architecture: "amd64",
    config: { digest: container.digest, size: 1_024 },
    layers: [{ digest: `sha256:${"1a".repeat(32)}`, size: 1_610_612_736 }],
  }));
  return {
    apiVersion: "cloudlet-bundle/v1",
    kind: "Lock",
    release: { name: release.name, digest },
    vmImage: { digest: release.vmImage.digest, sha512: "a5".repeat(64), size: 734_003_200, format: release.vmImage.format, virtualSize: 21_474_836_480 },
    containers,
    payload: { digest: `sha256:${"be".repeat(32)}`, sha512: "b5".repeat(64), size: archiveSize(payloadEntries(release, containers)) },
  };
}

/** The same, with the disks that the platform takes. */
export function lockFor(platform: string, release: ReleaseDocument, disks = vmdk): Lock {
  return traitsOf(platform).disks === "vmdk" ? { ...lockOf(release), vmdk: disks } : lockOf(release);
}

/** Disks made up for it. */
const vmdk: NonNullable<Lock["vmdk"]> = {
  vmImage: { digest: `sha256:${"d1".repeat(32)}`, sha512: "d5".repeat(64), sha1: "d0".repeat(20), size: 702_545_920, capacity: 21_474_836_480, populated: 1_610_612_736 },
  payload: { digest: `sha256:${"e1".repeat(32)}`, sha512: "e5".repeat(64), sha1: "e0".repeat(20), size: 1_611_005_952, capacity: 1_611_661_312, populated: 1_610_678_272 },
};

export function wellRead<T>(outcome: Outcome<T>): T {
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.issues satisfies readonly Issue[], null, 2));
  return outcome.value;
}
