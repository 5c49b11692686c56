/** A strict check of what our two SBOMs use of CycloneDX 1.6 and SPDX 2.3, written from the specifications: exact keys, forms, references. */

type Value = unknown;
type Check = (value: Value, at: string) => readonly string[];

const fail = (at: string, why: string): readonly string[] => [`${at}: ${why}`];
const text = (form: RegExp = /^[^]+$/): Check => (value, at) => (typeof value === "string" && form.test(value) ? [] : fail(at, `not ${form}: ${JSON.stringify(value)?.slice(0, 80)}`));
const is = (wanted: Value): Check => (value, at) => (value === wanted ? [] : fail(at, `not ${String(wanted)}`));
const list = (check: Check, least = 0): Check => (value, at) =>
  !Array.isArray(value) || value.length < least ? fail(at, "no list") : value.flatMap((each, index) => check(each, `${at}/${index}`));

/** Exactly these keys; those that end in `?` may be missing. */
function object(shape: Readonly<Record<string, Check>>): Check {
  const checks = new Map(Object.entries(shape).map(([key, check]) => [key.replace(/\?$/, ""), { check, optional: key.endsWith("?") }]));
  return (value, at) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(at, "no object");
    const own = value as Readonly<Record<string, Value>>;
    return [
      ...Object.keys(own).filter((key) => !checks.has(key)).map((key) => `${at}: no such key: ${key}`),
      ...[...checks].flatMap(([key, { check, optional }]) => (key in own ? check(own[key], `${at}/${key}`) : optional ? [] : fail(at, `no ${key}`))),
    ];
  };
}

const either = (...checks: readonly Check[]): Check => (value, at) => (checks.some((check) => check(value, at).length === 0) ? [] : fail(at, "none of its forms"));
const time = text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const purl = text(/^pkg:(apk|deb|docker|generic|npm|rpm)\/[^\s@?#]+(@[^\s@?#]+)?(\?([a-z_]+=[^\s&#]+&?)+)?$/);
const expression = text(/^[A-Za-z0-9.() -]+$/);

/** CycloneDX 1.6, bom-1.6.schema.json: the parts in use. */
export function cycloneDxProblems(document: Value): readonly string[] {
  const component: Readonly<Record<string, Check>> = {
    "bom-ref": text(),
    type: text(/^(application|container|platform|operating-system|file|library)$/),
    name: text(),
    version: text(),
    "purl?": purl,
    "scope?": is("optional"),
    "hashes?": list(either(object({ alg: is("SHA-256"), content: text(/^[0-9a-f]{64}$/) }), object({ alg: is("SHA-512"), content: text(/^[0-9a-f]{128}$/) })), 1),
    "supplier?": object({ name: text() }),
    "licenses?": list(either(object({ expression, acknowledgement: is("declared") }), object({ license: object({ name: text(), acknowledgement: is("declared") }) })), 1),
    "externalReferences?": list(object({ type: is("distribution"), url: text(/^https?:/) })),
    properties: list(object({ name: text(/^(cloudlet-bundle|bsi):/), value: text() }), 1),
  };
  return object({
    $schema: is("http://cyclonedx.org/schema/bom-1.6.schema.json"),
    bomFormat: is("CycloneDX"),
    specVersion: is("1.6"),
    serialNumber: text(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
    version: is(1),
    metadata: object({
      timestamp: time,
      lifecycles: list(object({ phase: is("build") }), 1),
      component: object(component),
      tools: object({ components: list(object({ ...component, components: list(object(component)) }), 1) }),
      "supplier?": object({ name: text(), "url?": list(text(/^https?:/), 1), "contact?": list(object({ email: text(/@/) }), 1) }),
    }),
    components: list(object(component), 1),
    dependencies: list(object({ ref: text(), "dependsOn?": list(text(), 1) }), 1),
    compositions: list(object({ aggregate: text(/^(complete|incomplete|unknown)$/), dependencies: list(text(), 1) }), 1),
  })(document, "");
}

const id = text(/^SPDXRef-[A-Za-z0-9.-]+$/);

/** SPDX 2.3, spdx-schema.json and the clauses that a schema can't say: the parts in use. */
export function spdxProblems(document: Value): readonly string[] {
  const licence = text(/^(NONE|NOASSERTION|[A-Za-z0-9.() -]+)$/);
  const checksums = list(either(object({ algorithm: is("SHA1"), checksumValue: text(/^[0-9a-f]{40}$/) }), object({ algorithm: is("SHA256"), checksumValue: text(/^[0-9a-f]{64}$/) }), object({ algorithm: is("SHA512"), checksumValue: text(/^[0-9a-f]{128}$/) })), 1);
  const form = object({
    spdxVersion: is("SPDX-2.3"),
    dataLicense: is("CC0-1.0"),
    SPDXID: is("SPDXRef-DOCUMENT"),
    name: text(),
    documentNamespace: text(/^https:\/\/spdx\.org\/spdxdocs\/[A-Za-z0-9.-]+$/),
    creationInfo: object({ created: time, creators: list(text(/^(Tool|Organization): ./), 1) }),
    documentDescribes: list(id, 1),
    files: list(object({
      SPDXID: id, fileName: text(/^\.\/[A-Za-z0-9._/-]+$/), fileTypes: list(text(/^(SOURCE|TEXT)$/), 1), checksums,
      licenseConcluded: licence, licenseInfoInFiles: list(licence, 1), copyrightText: text(),
    }), 1),
    packages: list(object({
      SPDXID: id, name: text(), "versionInfo?": text(), primaryPackagePurpose: text(/^(APPLICATION|LIBRARY|CONTAINER|OPERATING_SYSTEM|ARCHIVE|FILE|INSTALL)$/), "packageFileName?": text(/^\.\//),
      downloadLocation: text(/^(NOASSERTION|https?:.*)$/), filesAnalyzed: (value, at) => (typeof value === "boolean" ? [] : fail(at, "no boolean")),
      "packageVerificationCode?": object({ packageVerificationCodeValue: text(/^[0-9a-f]{40}$/) }), "checksums?": checksums,
      supplier: text(/^(NOASSERTION|Organization: .+)$/), licenseConcluded: licence, licenseDeclared: licence, copyrightText: text(), "comment?": text(),
      "externalRefs?": list(object({ referenceCategory: is("PACKAGE-MANAGER"), referenceType: is("purl"), referenceLocator: purl }), 1),
    }), 1),
    relationships: list(object({ spdxElementId: id, relationshipType: text(/^(DESCRIBES|CONTAINS|DEPENDS_ON|BUILD_TOOL_OF)$/), relatedSpdxElement: either(id, is("NOASSERTION")) }), 1),
    "hasExtractedLicensingInfos?": list(object({ licenseId: text(/^LicenseRef-[A-Za-z0-9.-]+$/), extractedText: text(), name: text() }), 1),
  })(document, "");
  return form.length > 0 ? form : spdxReferences(document as Parameters<typeof spdxReferences>[0]);
}

interface SpdxElement {
  readonly SPDXID: string;
  readonly filesAnalyzed?: boolean;
  readonly packageVerificationCode?: unknown;
}

/** Section 7.8, 7.9 and 11: each identifier once, each reference leads somewhere, files only below a package that says it looked. */
function spdxReferences(document: { readonly files: readonly SpdxElement[]; readonly packages: readonly SpdxElement[]; readonly relationships: readonly { readonly spdxElementId: string; readonly relationshipType: string; readonly relatedSpdxElement: string }[] }): readonly string[] {
  const ids = [...document.files, ...document.packages].map((each) => each.SPDXID);
  const known = new Set([...ids, "SPDXRef-DOCUMENT", "NOASSERTION"]);
  const files = new Set(document.files.map((each) => each.SPDXID));
  const analyzed = new Set(document.packages.filter((each) => each.filesAnalyzed === true && each.packageVerificationCode !== undefined).map((each) => each.SPDXID));
  return [
    ...(new Set(ids).size === ids.length ? [] : ["an identifier twice"]),
    ...document.relationships.flatMap((each) => [each.spdxElementId, each.relatedSpdxElement].filter((one) => !known.has(one)).map((one) => `no such element: ${one}`)),
    ...document.relationships.filter((each) => each.relationshipType === "CONTAINS" && files.has(each.relatedSpdxElement) && !analyzed.has(each.spdxElementId)).map((each) => `files below ${each.spdxElementId}`),
  ];
}
