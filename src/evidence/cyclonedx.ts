/** evidence/sbom.cdx.json: the list of components as CycloneDX 1.6. */

import type { Digest } from "../core/digest.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { byCodeUnit, canonicalDocument } from "../core/json.ts";
import { oncePer } from "../core/once-per.ts";
import type { Component, SoftwareList, Stated } from "./components.ts";
import { readLicence } from "./licences.ts";
import { uuidOf } from "./uuid.ts";

/** The same list always gives the same text: its serial number is made of `contentDigest`, which is of the list; its time is the release's. */
export function cycloneDx(list: SoftwareList, contentDigest: Digest): string {
  const { bundle, components, program, programParts, created, supplier } = list;
  const all = [bundle, ...components, program, ...programParts];
  return canonicalDocument({
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: `urn:uuid:${uuidOf(`CycloneDX ${contentDigest}`)}`,
    version: 1,
    metadata: {
      timestamp: created,
      lifecycles: [{ phase: "build" }],
      component: component(bundle),
      tools: { components: [{ ...component(program), components: programParts.map(component) }] },
      ...(supplier === undefined ? {} : { supplier: { name: supplier.name, ...contactOf(supplier.contact) } }),
    },
    components: components.map(component),
    dependencies: [...all].sort((a, b) => byCodeUnit(a.ref, b.ref)).map(dependency),
    compositions: compositions(all),
  });
}

const types: Readonly<Record<Component["kind"], string>> = {
  bundle: "platform",
  file: "file",
  "vm-image": "operating-system",
  payload: "file",
  container: "container",
  "image-config": "file",
  layer: "file",
  package: "library",
  program: "application",
  "program-part": "library",
};

/** Most components are those of every bundle of the release. */
const component = oncePer(componentOf);
const dependency = oncePer(({ ref, parts }: Component): JsonObject => ({ ref, ...(parts.length === 0 ? {} : { dependsOn: parts }) }));

function componentOf(each: Component): JsonObject {
  const hashes = [
    ["SHA-256", each.digests.sha256],
    ["SHA-512", each.digests.sha512],
  ].flatMap(([alg, content]) => (content === undefined ? [] : [{ alg: alg as string, content }]));
  return {
    "bom-ref": each.ref,
    type: types[each.kind],
    name: each.name,
    version: each.version,
    ...(each.purl === undefined ? {} : { purl: each.purl }),
    ...(each.optional === true ? { scope: "optional" } : {}),
    ...(hashes.length === 0 ? {} : { hashes }),
    ...(each.supplier.kind === "stated" ? { supplier: { name: each.supplier.text } } : {}),
    ...(each.licence.kind === "stated" ? { licenses: licences(each.licence.text) } : {}),
    ...(each.source === undefined ? {} : { externalReferences: [{ type: "distribution", url: each.source }] }),
    properties: properties(each),
  };
}

/** `declared`: as its maker states it; nobody here has looked whether it is so. */
function licences(statement: string): Json {
  const licence = readLicence(statement);
  return licence.kind === "expression"
    ? [{ expression: licence.expression, acknowledgement: "declared" }]
    : [{ license: { name: licence.words, acknowledgement: "declared" } }];
}

function contactOf(contact: string): JsonObject {
  return contact.startsWith("mailto:") ? { contact: [{ email: contact.slice("mailto:".length) }] } : { url: [contact] };
}

/**
 * What CycloneDX has no field for. What nobody knows and what is known not to be there are told apart; the four of BSI
 * TR-03183-2 section 5.2.2 have the names of its taxonomy.
 */
function properties(each: Component): Json {
  const all: (readonly [string, string | undefined])[] = [
    ["cloudlet-bundle:kind", each.kind],
    ["cloudlet-bundle:role", each.role],
    ["cloudlet-bundle:size", each.size === undefined ? undefined : String(each.size)],
    ["cloudlet-bundle:mode", each.mode === undefined ? undefined : `0${each.mode.toString(8)}`],
    ["cloudlet-bundle:supplier", wordOf(each.supplier)],
    ["cloudlet-bundle:licence", wordOf(each.licence)],
    ["cloudlet-bundle:digest", each.kind === "file" && each.digests.sha256 === undefined ? "see SHA256SUMS" : undefined],
    ...fileProperties(each),
  ];
  return all.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }])).sort((a, b) => byCodeUnit(a.name, b.name));
}

function wordOf(stated: Stated): string | undefined {
  return stated.kind === "stated" ? undefined : stated.kind;
}

function fileProperties({ path, mode, kind }: Component): readonly (readonly [string, string])[] {
  if (path === undefined) return [];
  return [
    ["bsi:component:filename", path],
    ["bsi:component:executable", mode === 0o755 ? "executable" : "non-executable"],
    ["bsi:component:archive", kind === "payload" ? "archive" : "no archive"],
    // The parts of a payload and of a VM image's file system lie in it as they are.
    ["bsi:component:structured", kind === "payload" || kind === "vm-image" ? "structured" : "unstructured"],
  ];
}

/** For each degree of completeness, the components whose `dependsOn` is that complete. */
function compositions(all: readonly Component[]): Json {
  return (["complete", "incomplete", "unknown"] as const).flatMap((aggregate) => {
    const refs = all.filter((each) => each.completeness === aggregate).map((each) => each.ref).sort(byCodeUnit);
    return refs.length === 0 ? [] : [{ aggregate, dependencies: refs }];
  });
}
