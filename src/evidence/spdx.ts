/** evidence/sbom.spdx.json: the list of components as SPDX 2.3. */

import { createHash } from "node:crypto";
import type { Digest } from "../core/digest.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { byCodeUnit, canonicalDocument } from "../core/json.ts";
import { oncePer } from "../core/once-per.ts";
import type { Component, SoftwareList } from "./components.ts";
import { readLicence } from "./licences.ts";
import { uuidOf } from "./uuid.ts";

/** The same list always gives the same text: its namespace is made of `contentDigest`, which is of the list; its time is the release's. */
export function spdx(list: SoftwareList, contentDigest: Digest): string {
  const { bundle, components, program, programParts, created, supplier } = list;
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
    files: files.map(fileEntry),
    packages: packages.map((each) => (each.kind === "bundle" ? bundleEntry(each, files) : packageEntry(each))),
    relationships: relationships(list),
  };
  const licences = [...files, ...packages].map(licenceOf);
  const words = new Map(licences.flatMap(({ id, words }) => (words === undefined ? [] : [[id, words] as const])));
  const extracted = [...words].map(([licenseId, extractedText]) => ({ licenseId, extractedText, name: extractedText }));
  return canonicalDocument({
    ...document,
    ...(extracted.length === 0 ? {} : { hasExtractedLicensingInfos: extracted.sort((a, b) => byCodeUnit(a.licenseId, b.licenseId)) }),
  });
}

/** SPDX wants a SHA-1 of each file, so what is only known by its place is told as a package. */
function isFile(each: Component): boolean {
  return each.digests.sha1 !== undefined;
}

/** Letters, digits, `.` and `-` (SPDX 2.3 section 7.2); the end keeps apart what is alike without the rest. */
function idOfRef(ref: string): string {
  if (ref === "bundle") return "SPDXRef-bundle";
  const short = createHash("sha256").update(ref).digest("hex").slice(0, 12);
  return `SPDXRef-${ref.replace(/[^0-9A-Za-z.]+/g, "-").slice(0, 80)}-${short}`;
}

const idOf = oncePer(({ ref }: Component) => idOfRef(ref));

/** SPDX 2.3 section 6.8: a name, and a mail address in brackets. */
function organization({ name, contact }: { readonly name: string; readonly contact: string }): string {
  return contact.startsWith("mailto:") ? `${name} (${contact.slice("mailto:".length)})` : name;
}

/** Most files, packages and relations are those of every bundle of the release. */
const fileEntry = oncePer(
  (each: Component): JsonObject => ({
    SPDXID: idOf(each),
    fileName: `./${each.path ?? each.name}`,
    fileTypes: [each.mode === 0o755 || each.role === "script" ? "SOURCE" : "TEXT"],
    checksums: checksums(each),
    licenseConcluded: "NOASSERTION",
    licenseInfoInFiles: [licenceOf(each).id],
    copyrightText: "NOASSERTION",
  }),
);

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

function bundleEntry(each: Component, files: readonly Component[]): JsonObject {
  return { ...packageOf(each), filesAnalyzed: true, packageVerificationCode: { packageVerificationCodeValue: verificationCode(files) } };
}

const packageEntry = oncePer(packageOf);

function packageOf(each: Component): JsonObject {
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
    filesAnalyzed: false,
    ...(sums.length === 0 ? {} : { checksums: sums }),
    supplier: each.supplier.kind === "stated" ? `Organization: ${each.supplier.text}` : "NOASSERTION",
    licenseConcluded: "NOASSERTION",
    licenseDeclared: licenceOf(each).id,
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
const licenceOf = oncePer(({ licence: stated }: Component): { readonly id: string; readonly words?: string } => {
  if (stated.kind !== "stated") return { id: stated.kind === "none" ? "NONE" : "NOASSERTION" };
  const licence = readLicence(stated.text);
  if (licence.kind === "expression") return { id: licence.expression };
  return { id: `LicenseRef-${createHash("sha256").update(licence.words).digest("hex").slice(0, 16)}`, words: licence.words };
});

/** CONTAINS for what lies in another thing, DEPENDS_ON among programs; where more may be, NOASSERTION says so (section 11). */
function relationships({ bundle, components, program, programParts }: SoftwareList): Json {
  return [
    { spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: idOf(bundle) },
    { spdxElementId: idOf(program), relationshipType: "BUILD_TOOL_OF", relatedSpdxElement: idOf(bundle) },
    ...[bundle, ...components, program, ...programParts].flatMap(relationsOf),
  ];
}

/** What a component is made of is in every list that it is in. */
const relationsOf = oncePer((each: Component): readonly JsonObject[] => {
  const relationshipType = each.kind.startsWith("program") ? "DEPENDS_ON" : "CONTAINS";
  const known = each.parts.map((part) => ({ spdxElementId: idOf(each), relationshipType, relatedSpdxElement: idOfRef(part) }));
  const more = each.completeness === "complete" ? [] : [{ spdxElementId: idOf(each), relationshipType: each.kind === "package" ? "DEPENDS_ON" : relationshipType, relatedSpdxElement: "NOASSERTION" }];
  return [...known, ...more];
});
