/**
 * Both SBOMs and the provenance: everything in a bundle is named, all that the fields need is there, what is not known is
 * told apart from what is not there, and the same inputs give the same text.
 */

import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import t from "tap";
import type { File } from "../../../src/core/file.ts";
import { sourced } from "../../../src/core/origin.ts";
import { compose } from "../../../src/evidence/compose.ts";
import { generator } from "../../../src/evidence/generator.ts";
import { readLicence } from "../../../src/evidence/licences.ts";
import { builderIn } from "../../../src/evidence/provenance.ts";
import { uuidOf } from "../../../src/evidence/uuid.ts";
import { neededEvidence, sealPaths } from "../../../src/pack/layout.ts";
import type { Lock, LockedSoftware } from "../../../src/spec/lock.ts";
import { readRelease } from "../../../src/spec/read-release.ts";
import { readSpec } from "../../../src/spec/read-spec.ts";
import { generatorText } from "../../../scripts/generate-generator.ts";
import { assets, caseNames, lockOf, specText, textOf, wellRead } from "../../golden/cases.ts";
import { bundleOf } from "./audit/bundle.ts";
import { cycloneDxProblems, spdxProblems } from "./sbom-form.ts";

const releaseText = readFileSync(join(import.meta.dirname, "../../golden/release.yaml"), "utf8");
const suppliedText = releaseText.replace(/^vmImage:/m, 'supplier: {name: Example Releases, contact: "mailto:release@example.org"}\nvmImage:');
const software: LockedSoftware = {
  system: { id: "debian", version: "12" },
  databases: [{ kind: "dpkg", state: "read" }],
  packages: [
    { purl: "pkg:deb/debian/dash@0.5.12-2?arch=amd64&distro=debian-12", layer: 0, licence: "BSD-3-clause AND GPL-2+", supplier: "Andrej <a@example.org>" },
    { purl: "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc", layer: 0 },
    { purl: "pkg:deb/debian/odd@1:2~3?arch=all", layer: 0, licence: "do as you like, \"really\"" },
  ],
};

function files(how: { readonly release?: string; readonly software?: LockedSoftware; readonly builder?: string; readonly spec?: string } = {}): readonly File[] {
  const spec = wellRead(readSpec(specText(how.spec ?? "everything"), { platforms: ["openstack"] }));
  const release = wellRead(readRelease(how.release ?? suppliedText));
  const plain = lockOf(release);
  const lock: Lock = how.software === undefined ? plain : { ...plain, containers: plain.containers.map((each, index) => (index === 0 ? { ...each, software: how.software as LockedSoftware } : each)) };
  return wellRead(compose({ spec, release, lock: { lock, sourced: sourced(lock, "lock") } }, assets, how.builder)).files;
}

const textAt = (all: readonly File[], path: string): string => textOf(all.find((file) => file.path === path));

interface Bom {
  readonly serialNumber: string;
  readonly metadata: { readonly timestamp: string; readonly supplier?: unknown; readonly component: BomComponent; readonly tools: { readonly components: readonly (BomComponent & { readonly components: readonly BomComponent[] })[] } };
  readonly components: readonly BomComponent[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
  readonly compositions: readonly { readonly aggregate: string; readonly dependencies: readonly string[] }[];
}

interface BomComponent {
  readonly "bom-ref": string;
  readonly type: string;
  readonly name: string;
  readonly version: string;
  readonly purl?: string;
  readonly scope?: string;
  readonly hashes?: readonly { readonly alg: string; readonly content: string }[];
  readonly supplier?: { readonly name: string };
  readonly licenses?: readonly { readonly expression?: string; readonly license?: { readonly name: string } }[];
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}

const all = files({ software });
const bom = JSON.parse(textAt(all, "evidence/sbom.cdx.json")) as Bom;
const property = (component: BomComponent | undefined, name: string): string | undefined => component?.properties.find((each) => each.name === name)?.value;
const fileNamed = (path: string): BomComponent | undefined => bom.components.find((each) => property(each, "bsi:component:filename") === path);

t.test("SB-6: nothing is in the tar without a component, and what has a digest has the right ones", (t) => {
  const paths = bom.components.map((each) => property(each, "bsi:component:filename")).filter((path) => path !== undefined);
  t.strictSame([...paths].sort(), [...all.map((file) => file.path), ...sealPaths].sort());
  const unhashed = new Set(["evidence/sbom.cdx.json", "evidence/sbom.spdx.json", "evidence/audit.json", "evidence/report.json", "evidence/report.html", "evidence/provenance.json", ...sealPaths]);
  for (const file of all) {
    const hashes = Object.fromEntries((fileNamed(file.path)?.hashes ?? []).map(({ alg, content }) => [alg, content]));
    if (unhashed.has(file.path)) t.strictSame([hashes, property(fileNamed(file.path), "cloudlet-bundle:digest")], [{}, "see SHA256SUMS"], file.path);
    else if (file.body.kind !== "bytes") t.match([hashes["SHA-256"], hashes["SHA-512"]], [file.body.digest.slice(7), /^[0-9a-f]{128}$/], file.path);
    else t.strictSame(hashes, { "SHA-256": hash("sha256", file.body.bytes), "SHA-512": hash("sha512", file.body.bytes) }, file.path);
  }
  t.strictSame(["SHA256SUMS.sig", "SHA256SUMS.pub"].map((path) => fileNamed(path)?.scope), ["optional", "optional"]);
  t.equal(property(fileNamed("install.sh"), "bsi:component:executable"), "executable");
  t.equal(property(fileNamed("blobs/payload.tar"), "bsi:component:archive"), "archive");
  t.end();
});

function hash(name: string, bytes: Uint8Array): string {
  return createHash(name).update(bytes).digest("hex");
}

t.test("SB-1, SB-2, SB-8: name, version, identifier, supplier, licence, dependencies; author and time of the whole", (t) => {
  for (const each of [bom.metadata.component, ...bom.components]) {
    t.ok(each.name !== "" && each.version !== "" && each["bom-ref"] !== "", each["bom-ref"]);
    t.ok((each.supplier === undefined) !== (property(each, "cloudlet-bundle:supplier") === undefined), "a supplier, or that there is none known");
    t.ok((each.licenses === undefined) !== (property(each, "cloudlet-bundle:licence") === undefined), "a licence, or which kind of none");
  }
  t.equal(bom.metadata.timestamp, "2026-11-24T00:00:00Z");
  t.strictSame(bom.metadata.supplier, { name: "Example Releases", contact: [{ email: "release@example.org" }] });
  t.match(bom.metadata.tools.components[0], { name: "cloudlet-bundle", version: generator.version });
  t.equal(bom.metadata.tools.components[0]?.components.length, generator.parts.length);
  const refs = [bom.metadata.component, ...bom.components, ...bom.metadata.tools.components, ...bom.metadata.tools.components.flatMap((each) => each.components)].map((each) => each["bom-ref"]);
  t.equal(new Set(refs).size, refs.length, "no reference twice");
  t.strictSame(bom.dependencies.map((each) => each.ref).sort(), [...refs].sort(), "the dependencies of each are told");
  t.strictSame(bom.dependencies.flatMap((each) => each.dependsOn ?? []).filter((ref) => !refs.includes(ref)), []);
  t.end();
});

t.test("SB-6: the certificate of an OVF package, which is made after the list", (t) => {
  for (const name of ["vsphere", "vcd"]) {
    const made = JSON.parse(textAt(bundleOf(name).files, "evidence/sbom.cdx.json")) as Bom;
    const certificate = made.components.find((each) => property(each, "bsi:component:filename") === "ovf/platformvm.cert");
    t.match(certificate, { scope: "optional", hashes: undefined }, name);
    t.equal(property(certificate, "cloudlet-bundle:digest"), "see SHA256SUMS", name);
  }
  t.equal(fileNamed("ovf/platformvm.cert"), undefined, "of no other bundle");
  t.end();
});

t.test("SB-3: how complete it is; unknown is kept apart from absent", (t) => {
  const aggregate = (ref: string): readonly string[] => bom.compositions.filter((each) => each.dependencies.includes(ref)).map((each) => each.aggregate);
  t.strictSame(["bundle", "container:crmserver", "program", "file:install.sh"].map(aggregate), [["complete"], ["complete"], ["complete"], ["complete"]]);
  const layer = bom.components.find((each) => each["bom-ref"].startsWith("layer:"));
  t.strictSame(aggregate(layer?.["bom-ref"] ?? ""), ["incomplete"], "package managers don't know every file");
  t.strictSame(bom.components.filter((each) => each["bom-ref"].startsWith("vm-image:")).flatMap((each) => aggregate(each["bom-ref"])), ["unknown"]);
  for (const databases of [[], [{ kind: "rpm", state: "unreadable" }], [{ kind: "dpkg", state: "too-long" }]] as const) {
    const other = JSON.parse(textAt(files({ software: { databases, packages: [] } }), "evidence/sbom.cdx.json")) as Bom;
    const unknown = other.compositions.find((each) => each.aggregate === "unknown");
    t.ok(unknown?.dependencies.some((ref) => ref.startsWith("layer:")), JSON.stringify(databases));
    t.notOk(other.compositions.some((each) => each.aggregate === "incomplete"));
  }
  t.equal(property(fileNamed("evidence/spec.json"), "cloudlet-bundle:licence"), "none");
  t.equal(property(bom.metadata.component, "cloudlet-bundle:licence"), "unknown");
  const old = JSON.parse(textAt(files({ release: releaseText }), "evidence/sbom.cdx.json")) as Bom;
  t.equal(property(old.metadata.component, "cloudlet-bundle:supplier"), "unknown");
  t.equal(old.components.filter((each) => each.type === "library").length, 0);
  t.end();
});

t.test("the packages of the VM image, where its list is known and the image is in the bundle", (t) => {
  const release = wellRead(readRelease(suppliedText));
  const plain = lockOf(release);
  const shared = "pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc";
  const lock: Lock = {
    ...plain,
    vmImage: { ...plain.vmImage, software: { system: { id: "debian", version: "12" }, packages: [{ purl: "pkg:deb/debian/cloud-init@22.4?distro=debian-12" }, { purl: shared }] } },
    containers: plain.containers.map((each) => ({ ...each, software: { ...software, packages: [{ purl: shared, layer: 0, licence: "GPL-2+" }] } })),
  };
  const bomOf = (name: string): Bom => {
    const spec = wellRead(readSpec(specText(name), { platforms: ["openstack", "vmpool"] }));
    return JSON.parse(textAt(wellRead(compose({ spec, release, lock: { lock, sourced: sourced(lock, "lock") } }, assets)).files, "evidence/sbom.cdx.json")) as Bom;
  };
  const withImage = bomOf("minimal");
  const image = withImage.components.find((each) => each["bom-ref"].startsWith("vm-image:"))?.["bom-ref"] ?? "";
  t.strictSame(withImage.dependencies.find((each) => each.ref === image)?.dependsOn, ["package:pkg:deb/debian/cloud-init@22.4?distro=debian-12", `package:${shared}`]);
  t.ok(withImage.compositions.find((each) => each.aggregate === "incomplete")?.dependencies.includes(image));
  t.match(withImage.components.find((each) => each.purl === shared)?.licenses, [{ expression: "GPL-2.0-or-later" }], "what a container's files say of it stays");
  const pool = caseNames.find((name) => specText(name).includes("type: vmpool"));
  t.ok(pool, "there is a case of machines that are there already");
  t.strictSame(bomOf(pool ?? "").components.filter((each) => each.type === "library").map((each) => each.name), ["libc6"]);
  t.end();
});

t.test("SB-5: a purl and the licence of every package, as an expression where it is one", (t) => {
  const libraries = bom.components.filter((each) => each.type === "library");
  t.strictSame(libraries.map((each) => [each.purl, each.name, each.version]), [
    ["pkg:deb/debian/dash@0.5.12-2?arch=amd64&distro=debian-12", "dash", "0.5.12-2"],
    ["pkg:deb/debian/libc6@2.36-9%2Bdeb12u4?arch=amd64&distro=debian-12&upstream=glibc", "libc6", "2.36-9+deb12u4"],
    ["pkg:deb/debian/odd@1:2~3?arch=all", "odd", "1:2~3"],
  ]);
  t.match(libraries[0]?.licenses, [{ expression: "BSD-3-Clause AND GPL-2.0-or-later", acknowledgement: "declared" }]);
  t.match(libraries[2]?.licenses, [{ license: { name: 'do as you like, "really"' } }]);
  t.equal(property(libraries[1], "cloudlet-bundle:licence"), "unknown");
  for (const [said, expression] of [
    ["MIT", "MIT"], ["Expat", "MIT"], ["(GPL-2+ or Artistic-1.0) and BSD-3-clause", "(GPL-2.0-or-later OR Artistic-1.0) AND BSD-3-Clause"],
    ["GPL-2.0-only WITH Linux-syscall-note", "GPL-2.0-only WITH Linux-syscall-note"],
  ] as const) t.strictSame(readLicence(said), { kind: "expression", expression }, said);
  for (const words of ["", "MIT MIT", "MIT AND", "(MIT", "MIT)", "public-domain", "GPL-2 with secret-exception", "AND MIT", "()", "WITH"]) t.strictSame(readLicence(words), { kind: "words", words }, words);
  t.end();
});

t.test("SB-7: serial number and namespace are made of the content, and it is written the same each time", (t) => {
  const again = files({ software });
  for (const path of ["evidence/sbom.cdx.json", "evidence/sbom.spdx.json", "evidence/provenance.json"]) t.equal(textAt(again, path), textAt(all, path), path);
  const other = JSON.parse(textAt(files({ software, spec: "minimal" }), "evidence/sbom.cdx.json")) as Bom;
  t.not(other.serialNumber, bom.serialNumber);
  t.match(bom.serialNumber, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.equal(uuidOf("a"), uuidOf("a"));
  t.notOk(/vulnerabilit/i.test(textAt(all, "evidence/sbom.cdx.json")), "SB-4: no vulnerability data inside");
  t.end();
});

t.test("the form of both documents, field by field", (t) => {
  for (const each of [all, files({ release: releaseText }), files({ spec: "minimal" }), files({ spec: "hostile-names", software })]) {
    t.strictSame(cycloneDxProblems(JSON.parse(textAt(each, "evidence/sbom.cdx.json"))), []);
    t.strictSame(spdxProblems(JSON.parse(textAt(each, "evidence/sbom.spdx.json"))), []);
  }
  const broken = { ...(JSON.parse(textAt(all, "evidence/sbom.cdx.json")) as object), serialNumber: "1", components: [{ type: "thing", name: "" }] };
  t.ok(cycloneDxProblems(broken).length >= 3, "and the check can fail");
  t.ok(spdxProblems({ ...(JSON.parse(textAt(all, "evidence/sbom.spdx.json")) as object), dataLicense: "MIT", files: [{ SPDXID: "x" }] }).length >= 3);
  t.end();
});

t.test("CycloneDX: valid by the published schema of 1.6, strictly, as its own project's library asks it", async (t) => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  for (const name of caseNames) t.equal(await validator.validate(textAt(bundleOf(name).files, "evidence/sbom.cdx.json")), null, name);
  t.equal(await validator.validate(textAt(all, "evidence/sbom.cdx.json")), null, "with packages");
  t.not(await validator.validate(textAt(all, "evidence/sbom.cdx.json").replace('"aggregate": "complete"', '"aggregate": "whole"')), null, "and it can fail");
});

t.test("both SBOMs tell of the same things", (t) => {
  const spdx = JSON.parse(textAt(all, "evidence/sbom.spdx.json")) as { readonly files: readonly { readonly fileName: string }[]; readonly packages: readonly { readonly packageFileName?: string; readonly externalRefs?: readonly { readonly referenceLocator: string }[]; readonly licenseDeclared: string }[]; readonly hasExtractedLicensingInfos: readonly { readonly extractedText: string }[] };
  const inSpdx = [...spdx.files.map((each) => each.fileName), ...spdx.packages.flatMap((each) => each.packageFileName ?? [])].map((path) => path.slice(2));
  t.strictSame(inSpdx.sort(), bom.components.map((each) => property(each, "bsi:component:filename")).filter((path) => path !== undefined).sort());
  const purls = [bom.metadata.component, ...bom.components, ...bom.metadata.tools.components, ...bom.metadata.tools.components.flatMap((each) => each.components)].flatMap((each) => each.purl ?? []);
  t.strictSame(spdx.packages.flatMap((each) => each.externalRefs?.map((one) => one.referenceLocator) ?? []).sort(), purls.sort());
  t.strictSame(spdx.hasExtractedLicensingInfos.map((each) => each.extractedText), ['do as you like, "really"']);
  t.end();
});

t.test("the provenance: subjects are all files, dependencies the inputs, and the builder is who is said", (t) => {
  const statement = JSON.parse(textAt(all, "evidence/provenance.json")) as {
    readonly _type: string;
    readonly predicateType: string;
    readonly subject: readonly { readonly name: string; readonly digest: { readonly sha256: string } }[];
    readonly predicate: { readonly buildDefinition: { readonly externalParameters: unknown; readonly resolvedDependencies: readonly { readonly name: string; readonly digest: Readonly<Record<string, string>> }[] } };
  };
  t.equal(statement._type, "https://in-toto.io/Statement/v1");
  t.equal(statement.predicateType, "https://slsa.dev/provenance/v1");
  t.strictSame(statement.subject.map((each) => each.name), all.map((file) => file.path).filter((path) => path !== "evidence/provenance.json").sort());
  for (const { name, digest } of statement.subject) {
    const body = all.find((file) => file.path === name)?.body;
    t.equal(digest.sha256, body?.kind === "bytes" ? hash("sha256", body.bytes) : body?.digest.slice(7), name);
  }
  const { externalParameters, resolvedDependencies } = statement.predicate.buildDefinition;
  t.match(externalParameters, { spec: { path: "evidence/spec.json", digest: { sha256: /^[0-9a-f]{64}$/ } }, release: { path: "evidence/release.json", sequence: 7 } });
  t.ok(["lock", "vm-image", "crmserver config", "crmserver layer 0"].every((name) => resolvedDependencies.some((each) => each.name === name)));
  t.ok(resolvedDependencies.every((each) => Object.values(each.digest).every((digest) => /^[0-9a-f]{64}([0-9a-f]{64})?$/.test(digest))));
  t.equal(builderIn(textAt(all, "evidence/provenance.json")), "urn:cloudlet-bundle:builder:command-line");
  t.equal(builderIn(textAt(files({ builder: "https://service.example/builder" }), "evidence/provenance.json")), "https://service.example/builder");
  for (const text of ["", "{}", '{"predicate":{"runDetails":{"builder":{"id":7}}}}']) t.equal(builderIn(text), undefined);
  t.strictSame(all.filter((file) => file.role === "evidence").map((file) => file.path).sort(), neededEvidence, "every bundle has the evidence that the format asks for");
  t.end();
});

t.test("the generator's parts are those of package-lock.json (node scripts/generate-generator.ts)", (t) => {
  t.equal(readFileSync(join(import.meta.dirname, "../../../src/evidence/generator.ts"), "utf8"), generatorText());
  t.end();
});
