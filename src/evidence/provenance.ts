/** evidence/provenance.json: how the bundle came to be, as an in-toto statement with SLSA's provenance. */

import { hexOf } from "../core/digest.ts";
import type { Digest } from "../core/digest.ts";
import type { File } from "../core/file.ts";
import { byCodeUnit, canonicalJson } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { lockPath, releasePath, specPath } from "../pack/layout.ts";
import { bodySha256 } from "../pack/manifest.ts";
import { generator } from "./generator.ts";
import type { Documents } from "./texts.ts";

/** Who ran the program: a person at a command line, or a service, which has its own URI. */
export type BuilderId = string;

export const commandLineBuilder: BuilderId = "urn:cloudlet-bundle:builder:command-line";

export const statementType = "https://in-toto.io/Statement/v1";
export const predicateType = "https://slsa.dev/provenance/v1";
export const buildType = "urn:cloudlet-bundle:build:v1";

/**
 * in-toto Statement v1 with the SLSA provenance v1 predicate. Subjects are all files but this one and the seal's. There is
 * no time of the build in it: the same inputs give the same bytes whenever they are built.
 */
export function provenance(files: readonly File[], documents: Documents, builder: BuilderId): string {
  const { release } = documents.release;
  const digestOf = (path: string): JsonObject => {
    const file = files.find((each) => each.path === path);
    if (file === undefined) throw new Error(`provenance is made after ${path}`);
    return { sha256: bodySha256(file.body) };
  };
  const statement: Json = {
    _type: statementType,
    subject: files.map((file) => ({ name: file.path, digest: { sha256: bodySha256(file.body) } })).sort((a, b) => byCodeUnit(a.name, b.name)),
    predicateType,
    predicate: {
      buildDefinition: {
        buildType,
        externalParameters: {
          spec: { path: specPath, digest: digestOf(specPath) },
          release: { path: releasePath, digest: digestOf(releasePath), name: release.name, sequence: release.sequence },
        },
        internalParameters: { generator: { name: generator.name, version: generator.version } },
        resolvedDependencies: [{ name: "lock", uri: `file:${lockPath}`, digest: digestOf(lockPath) }, ...inputs(documents), ...parts()],
      },
      runDetails: { builder: { id: builder, version: { [generator.name]: generator.version } } },
    },
  };
  return canonicalJson(statement);
}

/** What was fetched, by the digests that the lock found: the VM image, and each container's config and layers. */
function inputs({ release: { release }, lock: { lock } }: Documents): readonly JsonObject[] {
  const { digest, sha512 } = lock.vmImage;
  const sources = new Map(release.containers.map((each) => [each.role, each.source]));
  return [
    { name: "vm-image", ...addressOf(release.vmImage.source), digest: { sha256: hexOf(digest), sha512 } },
    ...lock.containers.flatMap(({ role, config, layers }) => [
      { name: `${role} config`, ...addressOf(sources.get(role) ?? ""), digest: sha256Of(config.digest) },
      ...layers.map((layer, index) => ({ name: `${role} layer ${index}`, digest: sha256Of(layer.digest) })),
    ]),
  ];
}

function sha256Of(digest: Digest): JsonObject {
  return { sha256: hexOf(digest) };
}

/** A ResourceDescriptor's `uri` is absolute; paths of a release are relative to it, and `release.json` holds them. */
function addressOf(source: string): JsonObject {
  return /^(https?|docker):/.test(source) ? { uri: source } : {};
}

function parts(): readonly JsonObject[] {
  return generator.parts.map(({ name, version, sha512 }) => ({
    name: `generator ${name}`,
    uri: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    digest: { sha512 },
  }));
}

/** The builder that such a document names; undefined where it is none of ours. */
export function builderIn(text: string): BuilderId | undefined {
  try {
    const statement = JSON.parse(text) as { readonly predicate?: { readonly runDetails?: { readonly builder?: { readonly id?: unknown } } } };
    const id = statement.predicate?.runDetails?.builder?.id;
    return typeof id === "string" && id !== "" ? id : undefined;
  } catch {
    return undefined;
  }
}
