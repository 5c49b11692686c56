/** The scorecard of the SBOM: what NTIA, CISA, BSI and SCVS ask of one, decided from evidence/sbom.cdx.json. */

import type { Json, JsonObject } from "../../core/json.ts";
import { oncePer } from "../../core/once-per.ts";
import { cycloneDxPath, ovfCertificatePath, provenancePath, sealPaths, spdxPath } from "../../pack/layout.ts";
import { traitsOf } from "../../plan/traits.ts";
import { listOf, objectOf } from "./guest-view.ts";
import type { AuditFile, AuditInput } from "./input.ts";
import { fileAt } from "./input.ts";
import type { Check, Finding } from "./rule.ts";
import { counted, met, unmet } from "./rule.ts";

/** The questions of each rule. They are asked together, see `answersOf`. */
const allQuestions: ((bom: Bom, input: AuditInput) => Questions)[] = [];

export const sbomChecks: readonly Check[] = [
  {
    rule: {
      id: "SB-1",
      title: "Every component has the seven fields: supplier, name, version, identifier, relations; and the SBOM its author and time",
      severity: "medium",
      sources: ["NTIA, The Minimum Elements For a Software Bill of Materials (2021)"],
      why: "A component that can't be named can't be looked up.",
      remedy: "Give the release a `supplier`.",
    },
    check: asked((bom) => [
      [bom.components.every((each) => text(each["name"]) && text(each["version"]) && text(each["bom-ref"])), "a component without name, version or identifier"],
      [bom.components.every((each) => each["supplier"] !== undefined || bom.property(each, "cloudlet-bundle:supplier") !== undefined), "a component that says nothing of its supplier"],
      [[...bom.refs].every((ref) => bom.related.has(ref)), "a component whose relations are not told"],
      [text(bom.metadata["timestamp"]), "no time"],
      [bom.metadata["supplier"] !== undefined, "no author: the release names no supplier"],
    ]),
  },
  {
    rule: {
      id: "SB-2",
      title: "Every component says its licence and copyright, or that they are not known",
      severity: "low",
      sources: ["Framing Software Component Transparency, 3rd edition (2024)"],
      why: "Whoever passes software on has to know on which terms.",
      remedy: "Build the bundle anew.",
    },
    check: asked((bom) => [
      [bom.components.every((each) => each["licenses"] !== undefined || bom.property(each, "cloudlet-bundle:licence") !== undefined), "a component that says nothing of its licence"],
      // SPDX 2.3 clause 7.17: NOASSERTION says that nobody has looked.
      [bom.everyCopyright, "a component of evidence/sbom.spdx.json that says nothing of its copyright"],
    ]),
  },
  {
    rule: {
      id: "SB-3",
      title: "Digests, the tool, the context in which it was made, how complete it is; unknown kept apart from absent",
      severity: "medium",
      sources: ["CISA, Minimum Elements for a Software Bill of Materials, draft of August 2025"],
      why: "What is not in the list is either not there or not known, and that is not the same.",
      remedy: "Build the bundle anew.",
    },
    check: asked((bom) => [
      [bom.components.filter((each) => hashed.has(bom.property(each, "cloudlet-bundle:kind") ?? "")).every((each) => bom.isLater(each) || listOf(each["hashes"]).length > 0), "a part without a digest"],
      [listOf(objectOf(bom.metadata["tools"])["components"]).every((each) => text(objectOf(each)["name"]) && text(objectOf(each)["version"])) && listOf(objectOf(bom.metadata["tools"])["components"]).length > 0, "no tool"],
      [listOf(bom.metadata["lifecycles"]).length > 0, "no context"],
      [[...bom.refs].every((ref) => bom.completeness.has(ref)), "a component whose completeness is not told"],
      [bom.components.every((each) => [undefined, "none", "unknown"].includes(bom.property(each, "cloudlet-bundle:licence"))), "unknown is not kept apart from absent"],
    ]),
  },
  {
    rule: {
      id: "SB-4",
      title: "What the BSI asks: form, creator, time in UTC, file name, SHA-512, the three flags; and no vulnerabilities inside",
      severity: "medium",
      sources: ["BSI TR-03183-2 2.1.0 (2025-08-20) sections 4, 5.2.1, 5.2.2"],
      why: "It is what the Cyber Resilience Act will be read by.",
      remedy: "Give the release a `supplier` with a mail address or a URL.",
    },
    check: asked((bom) => [
      [bom.document["bomFormat"] === "CycloneDX" && Number(bom.document["specVersion"]) >= 1.6, "a form before CycloneDX 1.6"],
      [text(objectOf(listOf(objectOf(bom.metadata["supplier"])["contact"])[0])["email"]) || listOf(objectOf(bom.metadata["supplier"])["url"]).length > 0, "no mail address or URL of the creator"],
      [/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(String(bom.metadata["timestamp"])), "a time that is not UTC"],
      [bom.files.every((each) => flags.every((flag) => text(bom.property(each, `bsi:component:${flag}`) ?? ""))), "a file without one of the flags executable, archive, structured"],
      [bom.files.every((each) => bom.isLater(each) || listOf(each["hashes"]).some((hash) => objectOf(hash)["alg"] === "SHA-512")), "a file without a SHA-512"],
      [bom.document["vulnerabilities"] === undefined, "vulnerabilities inside"],
    ]),
  },
  {
    rule: {
      id: "SB-5",
      title: "A purl for every package, licences as SPDX expressions, a serial of its own, and a signature over it",
      severity: "medium",
      sources: ["OWASP SCVS 2.1 to 2.18"],
      why: "Tools find a package by its purl and a licence by its expression.",
      remedy: "Build the bundle anew.",
    },
    check: asked((bom, input) => [
      [bom.components.filter((each) => bom.property(each, "cloudlet-bundle:kind") === "package").every((each) => /^pkg:/.test(String(each["purl"]))), "a package without a purl"],
      [bom.components.every((each) => listOf(each["licenses"]).every((licence) => text(objectOf(licence)["expression"]) || text(objectOf(objectOf(licence)["license"])["name"]))), "a licence that is neither an expression nor named"],
      [/^urn:uuid:[0-9a-f-]{36}$/.test(String(bom.document["serialNumber"])), "no serial"],
      [fileAt(input, cycloneDxPath)?.sha256 !== undefined, "the SBOM is in no list that is signed"],
    ]),
  },
  {
    rule: {
      id: "SB-6",
      title: "Nothing is in the bundle without a component",
      severity: "high",
      sources: ["OWASP SCVS 1.1, 1.7, 2.9, 3.18"],
      why: "What no SBOM names, nobody looks after.",
      remedy: "Build the bundle anew.",
    },
    check: asked((bom, input) => {
      const named = new Set(bom.files.map((each) => bom.property(each, "bsi:component:filename")));
      const missing = input.files.filter(({ path }) => !named.has(path)).map(({ path }) => path);
      return [
        [missing.length === 0, `no component for ${missing.slice(0, 5).join(", ")}`],
        [[provenancePath, ...sealPaths].every((path) => named.has(path)), "no component for the seal and the provenance"],
        [traitsOf(input.spec.platform.type).disks !== "vmdk" || named.has(ovfCertificatePath), "no component for the OVF package's certificate"],
        [input.lock.containers.every(({ role }) => bom.refs.has(`container:${role}`)), "no component for a container"],
      ];
    }),
  },
  {
    rule: {
      id: "SB-7",
      title: "The SBOM is itself reproducible: serial from the content, time from the release",
      severity: "low",
      sources: ["RFC 9562 section 5.5", "reproducible-builds.org, SOURCE_DATE_EPOCH"],
      why: "Else no two builds are the same, and a rebuild proves nothing.",
      remedy: "Build the bundle anew.",
    },
    check: asked((bom, { release }) => [
      [/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(String(bom.document["serialNumber"])), "a serial that is not made of the content (UUID version 5)"],
      [bom.metadata["timestamp"] === release.created, "a time other than the release's"],
    ]),
  },
  {
    rule: {
      id: "SB-8",
      title: "At least the top-level dependencies are told, for machines",
      severity: "medium",
      sources: ["EU Cyber Resilience Act (2024/2847), Annex I part II (1)"],
      why: "It is a duty from 2027-12-11.",
      remedy: "Build the bundle anew.",
    },
    check: asked((bom) => [
      [listOf(objectOf(bom.document["dependencies"] === undefined ? null : bom.dependencies.get("bundle"))["dependsOn"]).length > 0, "no dependencies of the bundle"],
      [[...bom.dependencies.values()].every((each) => listOf(objectOf(each)["dependsOn"]).every((ref) => bom.refs.has(String(ref)))), "a dependency on what is not listed"],
    ]),
  },
];

/** Kinds of components that are bytes of the bundle. */
const hashed: ReadonlySet<string> = new Set(["file", "vm-image", "payload", "image-config", "layer"]);
const flags = ["executable", "archive", "structured"] as const;

interface Bom {
  readonly document: JsonObject;
  readonly metadata: JsonObject;
  readonly components: readonly JsonObject[];
  /** Components that are files of the bundle. */
  readonly files: readonly JsonObject[];
  readonly refs: ReadonlySet<string>;
  readonly related: ReadonlySet<string>;
  readonly completeness: ReadonlySet<string>;
  readonly dependencies: ReadonlyMap<string, Json>;
  readonly property: (component: JsonObject, name: string) => string | undefined;
  /** Made after the SBOM, so that it can't hold the digest: `SHA256SUMS` has it. */
  readonly isLater: (component: JsonObject) => boolean;
  /** Of evidence/sbom.spdx.json, which tells of the same: each has a copyright. */
  readonly everyCopyright: boolean;
}

/** What is asked and how the answer is told where it is no. */
type Questions = readonly (readonly [boolean, string])[];

function asked(questions: (bom: Bom, input: AuditInput) => Questions): (input: AuditInput) => Finding {
  const at = allQuestions.push(questions) - 1;
  return (input) => answersOf(input)[at] as Finding;
}

/** Of one reading of the SBOM, which nobody keeps: of a bundle of 5,000 files it is some 50 MB of objects. */
const answersOf = oncePer((input: AuditInput): readonly Finding[] => {
  const file = fileAt(input, cycloneDxPath);
  const bom = file === undefined ? undefined : bomOf(file, everyCopyright(fileAt(input, spdxPath)));
  return allQuestions.map((questions) => {
    if (bom === undefined) return unmet("there is no SBOM that can be read", [{ file: cycloneDxPath }]);
    const wrong = questions(bom, input).flatMap(([isSo, otherwise]) => (isSo ? [] : [otherwise]));
    return wrong.length > 0 ? unmet(wrong.join("; "), [{ file: cycloneDxPath }]) : met(`so it is of ${counted(bom.components.length, "component")}`);
  });
});

function bomOf(file: AuditFile, isEveryCopyright: boolean): Bom | undefined {
  const document = parsedObject(file.text);
  if (document === undefined) return undefined;
  const metadata = objectOf(document["metadata"]);
  const components = listOf(document["components"]).map(objectOf);
  const property = (component: JsonObject, name: string): string | undefined => {
    const value = objectOf(listOf(component["properties"]).findLast((one) => objectOf(one)["name"] === name) ?? null)["value"];
    return typeof value === "string" ? value : undefined;
  };
  const tools = listOf(objectOf(metadata["tools"])["components"]).map(objectOf);
  const all = [objectOf(metadata["component"]), ...components, ...tools, ...tools.flatMap((each) => listOf(each["components"]).map(objectOf))];
  const dependencies = new Map(listOf(document["dependencies"]).map((each) => [String(objectOf(each)["ref"]), each] as const));
  return {
    document,
    metadata,
    components,
    files: components.filter((each) => property(each, "bsi:component:filename") !== undefined),
    refs: new Set(all.map((each) => String(each["bom-ref"]))),
    related: new Set(dependencies.keys()),
    completeness: new Set(listOf(document["compositions"]).flatMap((each) => listOf(objectOf(each)["dependencies"]).map(String))),
    dependencies,
    property,
    isLater: (component) => property(component, "cloudlet-bundle:digest") === "see SHA256SUMS",
    everyCopyright: isEveryCopyright,
  };
}

function text(value: Json | undefined): boolean {
  return typeof value === "string" && value !== "";
}

function parsedObject(json: string): JsonObject | undefined {
  try {
    return objectOf(JSON.parse(json) as Json);
  } catch {
    return undefined;
  }
}

function everyCopyright(file: AuditFile | undefined): boolean {
  const document = file === undefined ? undefined : parsedObject(file.text);
  const described = [...listOf(document?.["packages"]), ...listOf(document?.["files"])];
  return described.length > 0 && described.every((each) => text(objectOf(each)["copyrightText"]));
}
