/** evidence/sbom.spdx.json: the list of components as SPDX 2.3. */

import { createHash } from "node:crypto";
import type { Digest } from "../core/digest.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { byCodeUnit, canonicalJson } from "../core/json.ts";
import type { Component, SoftwareList, Stated } from "./components.ts";
import { readLicence } from "./licences.ts";
import { uuidOf } from "./uuid.ts";

/** The same list always gives the same text: its namespace is made of `contentDigest`, which is of the list; its time is the release's. */
export function spdx(list: SoftwareList, contentDigest: Digest): string {
  const { bundle, components, program, programParts, created, supplier } = list;
  const words = new Map<string, string>();
  const files = components.filter(isFile);
  const packages = [bundle, ...components.filter((each) => !isFile(each)), program, ...programParts];
  const name = `${bundle.name}-${bundle.version}`;
  const document = {
    spdxVersion: "SPDX-2.3",
    dataLicense: "CC0-1.0",
    SPDXID: "SPDXRef-DOCUMENT",
    name,
    documentNamespace: `https://spdx.org/spdxdocs/${name.replace(/[^0-9A-Za-z.-]+/g, "-")}-${uuidOf(`SPDX ${contentDigest}`)}`,
    creationInfo: {
      created,
      creators: [`Tool: ${program.name}-${program.version}`, ...(supplier === undefined ? [] : [`Organization: ${organization(supplier)}`])],
    },
    documentDescribes: [idOf(bundle)],
    files: files.map((each) => fileEntry(each, words)),
    packages: packages.map((each) => packageEntry(each, files, words)),
    relationships: relationships(list),
  };
  const extracted = [...words].map(([licenseId, extractedText]) => ({ licenseId, extractedText, name: extractedText }));
  return canonicalJson({
    ...document,
    ...(extracted.length === 0 ? {} : { hasExtractedLicensingInfos: extracted.sort((a, b) => byCodeUnit(a.licenseId, b.licenseId)) }),
  });
}

/** SPDX wants a SHA-1 of each file, so what is only known by its place is told as a package. */
function isFile(each: Component): boolean {
  return each.digests.sha1 !== undefined;
}

/** Letters, digits, `.` and `-` (SPDX 2.3 section 7.2); the end keeps apart what is alike without the rest. */
function idOf({ ref, kind }: Component): string {
  if (kind === "bundle") return "SPDXRef-bundle";
  const short = createHash("sha256").update(ref).digest("hex").slice(0, 12);
  return `SPDXRef-${ref.replace(/[^0-9A-Za-z.]+/g, "-").slice(0, 80)}-${short}`;
}

/** SPDX 2.3 section 6.8: a name, and a mail address in brackets. */
function organization({ name, contact }: { readonly name: string; readonly contact: string }): string {
  return contact.startsWith("mailto:") ? `${name} (${contact.slice("mailto:".length)})` : name;
}

function fileEntry(each: Component, words: Map<string, string>): JsonObject {
  const licence = licenceOf(each.licence, words);
  return {
    SPDXID: idOf(each),
    fileName: `./${each.path ?? each.name}`,
    fileTypes: [each.mode === 0o755 || each.role === "script" ? "SOURCE" : "TEXT"],
    checksums: checksums(each),
    licenseConcluded: "NOASSERTION",
    licenseInfoInFiles: [licence],
    copyrightText: "NOASSERTION",
  };
}

/** As JSON has them: where the text of SPDX 2.3 section 7.24 has a hyphen, its JSON Schema has an underscore. */
const purposes: Readonly<Record<Component["kind"], string>> = {
  bundle: "INSTALL",
  file: "FILE",
  "vm-image": "OPERATING_SYSTEM",
  payload: "ARCHIVE",
  container: "CONTAINER",
  "image-config": "FILE",
  layer: "ARCHIVE",
  package: "LIBRARY",
  program: "APPLICATION",
  "program-part": "LIBRARY",
};

function packageEntry(each: Component, files: readonly Component[], words: Map<string, string>): JsonObject {
  const sums = checksums(each);
  const comment = [
    each.kind === "file" ? "Its digest is in SHA256SUMS." : undefined,
    each.completeness === "complete" || each.kind === "package" ? undefined : completeness[each.completeness],
  ].filter((text) => text !== undefined);
  return {
    SPDXID: idOf(each),
    name: each.name,
    ...(each.version === "" ? {} : { versionInfo: each.version }),
    primaryPackagePurpose: purposes[each.kind],
    ...(each.path === undefined ? {} : { packageFileName: `./${each.path}` }),
    downloadLocation: each.source ?? "NOASSERTION",
    filesAnalyzed: each.kind === "bundle",
    ...(each.kind === "bundle" ? { packageVerificationCode: { packageVerificationCodeValue: verificationCode(files) } } : {}),
    ...(sums.length === 0 ? {} : { checksums: sums }),
    supplier: each.supplier.kind === "stated" ? `Organization: ${each.supplier.text}` : "NOASSERTION",
    licenseConcluded: "NOASSERTION",
    licenseDeclared: licenceOf(each.licence, words),
    copyrightText: "NOASSERTION",
    ...(each.purl === undefined ? {} : { externalRefs: [{ referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: each.purl }] }),
    ...(comment.length === 0 ? {} : { comment: comment.join(" ") }),
  };
}

const completeness = {
  incomplete: "What its package managers installed is told; files that no package manager knows are not.",
  unknown: "What it is made of is not known.",
};

function checksums({ digests }: Component): readonly JsonObject[] {
  const all: readonly (readonly [string, string | undefined])[] = [["SHA1", digests.sha1], ["SHA256", digests.sha256], ["SHA512", digests.sha512]];
  return all.flatMap(([algorithm, checksumValue]) => (checksumValue === undefined ? [] : [{ algorithm, checksumValue }]));
}

/** SPDX 2.3 section 7.9: SHA-1 of the files' SHA-1 sums, sorted and joined. */
function verificationCode(files: readonly Component[]): string {
  return createHash("sha1").update(files.map((each) => each.digests.sha1 ?? "").sort().join("")).digest("hex");
}

/** Words that are no expression become a licence of this document's own. `NONE` is known not to be, `NOASSERTION` is not known. */
function licenceOf(stated: Stated, words: Map<string, string>): string {
  if (stated.kind !== "stated") return stated.kind === "none" ? "NONE" : "NOASSERTION";
  const licence = readLicence(stated.text);
  if (licence.kind === "expression") return licence.expression;
  const id = `LicenseRef-${createHash("sha256").update(licence.words).digest("hex").slice(0, 16)}`;
  words.set(id, licence.words);
  return id;
}

/** CONTAINS for what lies in another thing, DEPENDS_ON among programs; where more may be, NOASSERTION says so (section 11). */
function relationships({ bundle, components, program, programParts }: SoftwareList): Json {
  const all = [bundle, ...components, program, ...programParts];
  const ids = new Map(all.map((each) => [each.ref, idOf(each)]));
  const id = (ref: string): string => ids.get(ref) ?? "NOASSERTION";
  const between = all.flatMap((each) => {
    const relationshipType = each.kind.startsWith("program") ? "DEPENDS_ON" : "CONTAINS";
    const known = each.parts.map((part) => ({ spdxElementId: id(each.ref), relationshipType, relatedSpdxElement: id(part) }));
    const more = each.completeness === "complete" ? [] : [{ spdxElementId: id(each.ref), relationshipType: each.kind === "package" ? "DEPENDS_ON" : relationshipType, relatedSpdxElement: "NOASSERTION" }];
    return [...known, ...more];
  });
  return [
    { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: id(bundle.ref) },
    { spdxElementId: id(program.ref), relationshipType: "BUILD_TOOL_OF", relatedSpdxElement: id(bundle.ref) },
    ...between,
  ];
}
