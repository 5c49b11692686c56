/**
 * The audit as OSCAL 1.1.3 assessment results: what was asked (activities), what was seen (observations), what that says of
 * which control (findings), and what is left open or has been let pass (risks). docs/reference/evidence.md tells it in words.
 */

import { createHash } from "node:crypto";
import type { Json, JsonObject } from "../core/json.ts";
import { byCodeUnit, canonicalJson } from "../core/json.ts";
import { auditRules, ruleNamed } from "./audit/audit.ts";
import type { AuditFile, AuditInput } from "./audit/input.ts";
import { fileAt } from "./audit/input.ts";
import type { AuditPlace, AuditResult, AuditRule } from "./audit/rule.ts";
import { uuidOf } from "./uuid.ts";

/**
 * Of the names of our own properties and facets. RFC 6761 section 6.4: nothing ever answers there, so it is a name alone; a
 * URN would be one too, but compliance-trestle 3.10 takes no URI without `//`.
 */
const namespace = "https://cloudlet-bundle.invalid/oscal/v1";

interface Scene {
  readonly input: AuditInput;
  readonly generator: { readonly name: string; readonly version: string };
  /** Stands for the files that were looked at: what is said of others has other UUIDs. */
  readonly scope: string;
  /** RFC 3339: the release's time, the only one there is. */
  readonly time: string;
  /** Who found it; of each observation and risk. */
  readonly origin: JsonObject;
}

/** The same files and results always give the same text. */
export function auditAsOscal(input: AuditInput, results: readonly AuditResult[], generator: Scene["generator"]): string {
  const scene = sceneOf(input, generator);
  const document = {
    metadata: metadata(scene),
    "import-ap": { href: `#${planUuid(scene)}`, remarks: "There is no assessment plan: a program asked its fixed rules, which are the activities below." },
    "local-definitions": { activities: auditRules.map(activity) },
    results: [resultOf(scene, results)],
    "back-matter": { resources: [planResource(scene), ...evidenceFiles(scene, results).map(fileResource)] },
  };
  const uuid = uuidOf(`OSCAL assessment-results ${digestOf(canonicalJson(document))}`);
  return canonicalJson({ "assessment-results": { uuid, ...document } });
}

function sceneOf(input: AuditInput, generator: Scene["generator"]): Scene {
  const scope = digestOf(input.files.map(({ path, sha256 }) => `${sha256 ?? "unlisted"}  ${path}\n`).join(""));
  const origin = { actors: [{ type: "tool", "actor-uuid": toolUuid(generator) }] };
  return { input, generator, scope, time: input.release.created, origin };
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Parties: who runs the cloudlet, and who answers for the release where it says so. */
function metadata({ input: { spec, release }, time }: Scene): JsonObject {
  const uuid = (name: string): string => uuidOf(`OSCAL party ${name}`);
  const party = (name: string, contact?: string): JsonObject => ({
    uuid: uuid(name),
    type: "organization",
    name: oneLine(name),
    ...(contact === undefined ? {} : contact.startsWith("mailto:") ? { "email-addresses": [contact.slice("mailto:".length)] } : { links: [{ href: contact, rel: "homepage" }] }),
  });
  const { supplier } = release;
  const owner = supplier?.name === spec.organization ? [] : [party(spec.organization)];
  return {
    title: `Audit of the bundle ${asMarkup(spec.name)} of release ${asMarkup(release.name)}`,
    "last-modified": time,
    version: oneLine(release.name),
    "oscal-version": "1.1.3",
    roles: [{ id: "prepared-for", title: "Runs the cloudlet" }, ...(supplier === undefined ? [] : [{ id: "contact", title: "Answers for the release" }])],
    parties: [...owner, ...(supplier === undefined ? [] : [party(supplier.name, supplier.contact)])],
    "responsible-parties": [
      { "role-id": "prepared-for", "party-uuids": [uuid(spec.organization)] },
      ...(supplier === undefined ? [] : [{ "role-id": "contact", "party-uuids": [uuid(supplier.name)] }]),
    ],
  };
}

/** A rule, as a plan would have it. */
function activity(rule: AuditRule): JsonObject {
  const { id, title, severity, sources, why, remedy } = rule;
  return {
    uuid: uuidOf(`OSCAL activity ${id}`),
    title: `${id}: ${title}`,
    description: why,
    props: [{ name: "method", value: "EXAMINE" }, own("rule", id), own("severity", severity), ...sources.map((source) => own("source", source))],
    ...(controlsOf(rule).length === 0 ? {} : { "related-controls": { "control-selections": [selection(controlsOf(rule))] } }),
    remarks: remedy,
  };
}

/** What all rules look into: controls of SP 800-53, and the rules themselves, as objectives, where they cite none. */
function reviewedControls(): JsonObject {
  const controls = [...new Set(auditRules.flatMap(controlsOf))].sort(byCodeUnit);
  const objectives = auditRules.filter((rule) => controlsOf(rule).length === 0).map(({ id }) => ({ "objective-id": id }));
  return {
    "control-selections": [selection(controls)],
    "control-objective-selections": [{ description: "Rules with a source other than NIST SP 800-53, by their ids.", "include-objectives": objectives }],
  };
}

function selection(controls: readonly string[]): JsonObject {
  return { description: "Of NIST SP 800-53 revision 5.", "include-controls": controls.map((id) => ({ "control-id": id })) };
}

/** By the ids of NIST's catalogue in OSCAL: AC-6(2) is `ac-6.2`. Throws on a source of SP 800-53 that names something else. */
export function controlsOf({ id, sources }: Pick<AuditRule, "id" | "sources">): readonly string[] {
  const cited = sources.filter((source) => source.startsWith(nist)).flatMap((source) => source.slice(nist.length).split(", "));
  return cited.map((control) => {
    const [, family, number, enhancement] = /^([A-Z]{2})-(\d+)(?:\((\d+)\))?$/.exec(control) ?? [];
    if (family === undefined) throw new Error(`${id} cites no control of SP 800-53: ${control}`);
    return `${family.toLowerCase()}-${number}${enhancement === undefined ? "" : `.${enhancement}`}`;
  });
}

const nist = "NIST SP 800-53 r5 ";

function resultOf(scene: Scene, results: readonly AuditResult[]): JsonObject {
  const { input, scope, time, generator } = scene;
  const risks = results.filter(isOpen).map((result) => risk(scene, result));
  return {
    uuid: uuidOf(`OSCAL result ${scope}`),
    title: `Audit by ${generator.name} ${generator.version}`,
    description: "What the files of the bundle answer. The times are the release's: the same files give the same document on every day.",
    start: time,
    end: time,
    "local-definitions": { components: [bundleComponent(scene)], "assessment-assets": assets(generator) },
    "reviewed-controls": reviewedControls(),
    observations: results.map((result) => observation(scene, result)),
    ...(risks.length === 0 ? {} : { risks }),
    findings: targetsOf(results).map((target) => finding(scene, target)),
    remarks: `${input.files.length} files were looked at. A rule that no file can answer is not-applicable, and says in its observation what must be true elsewhere.`,
  };
}

function isOpen({ state }: AuditResult): boolean {
  return state === "unmet" || state === "waived";
}

function bundleComponent({ input: { spec, release }, scope }: Scene): JsonObject {
  const title = `${asMarkup(spec.name)} of ${asMarkup(spec.organization)}, release ${asMarkup(release.name)}`;
  return { uuid: uuidOf(`OSCAL bundle ${scope}`), type: "software", title, description: "The bundle that was looked at.", status: { state: "other", remarks: "Files alone; what was installed of them is not known here." } };
}

function toolUuid({ name, version }: Scene["generator"]): string {
  return uuidOf(`OSCAL tool ${name} ${version}`);
}

function assets(generator: Scene["generator"]): JsonObject {
  const { name, version } = generator;
  const uuid = toolUuid(generator);
  return {
    components: [{ uuid, type: "software", title: name, description: "Reads the files of a bundle, and asks its rules of them.", props: [{ name: "version", value: version }], status: { state: "operational" } }],
    "assessment-platforms": [{ uuid: uuidOf(`OSCAL platform ${name} ${version}`), title: `${name} ${version}`, "uses-components": [{ "component-uuid": uuid }] }],
  };
}

/** One for each result; a rule has several where waivers cover only some of its places. */
function observation(scene: Scene, result: AuditResult): JsonObject {
  const { rule, state, message, places } = result;
  const { title, severity } = ruleNamed(rule);
  const evidence = places.map((place) => evidenceAt(scene, place));
  return {
    uuid: observationUuid(scene, result),
    title: `${rule}: ${title}`,
    description: asMarkup(message),
    props: [own("rule", rule), own("state", state), own("severity", severity)],
    methods: ["EXAMINE"],
    types: [isOpen(result) ? "finding" : "control-objective"],
    origins: [scene.origin],
    subjects: [{ "subject-uuid": uuidOf(`OSCAL bundle ${scene.scope}`), type: "component" }],
    ...(evidence.length === 0 ? {} : { "relevant-evidence": evidence }),
    collected: scene.time,
  };
}

/** A line of a file of the bundle, and what caused it. */
function evidenceAt(scene: Scene, { file, line, origins = [] }: AuditPlace): JsonObject {
  const found = fileAt(scene.input, file);
  return {
    ...(found === undefined ? {} : { href: `#${fileUuid(found)}` }),
    description: line === undefined ? asMarkup(file) : `${asMarkup(file)}, line ${line}`,
    props: [own("file", file), ...(line === undefined ? [] : [own("line", String(line))]), ...origins.map((origin) => own("origin", origin))],
  };
}

/** What is not met: open, or, where a waiver of the spec covers it, an approved deviation until the waiver's last day. */
function risk(scene: Scene, result: AuditResult): JsonObject {
  const { rule, message, waiver } = result;
  const { title, severity, why, remedy } = ruleNamed(rule);
  const about = resultKey(scene, result);
  const entry = (reason: string): JsonObject => ({
    uuid: uuidOf(`OSCAL risk-log ${about}`),
    title: "Waived in the spec",
    description: asMarkup(reason),
    start: scene.time,
    "status-change": "deviation-approved",
  });
  return {
    uuid: riskUuid(scene, result),
    title: `${rule}: not met: ${title}`,
    description: asMarkup(message),
    statement: why,
    props: [own("rule", rule), own("severity", severity), ...(waiver === undefined ? [] : [own("waiver-expires", waiver.expires)])],
    status: waiver === undefined ? "open" : "deviation-approved",
    origins: [scene.origin],
    characterizations: [{ origin: scene.origin, facets: [{ name: "severity", system: namespace, value: severity }] }],
    // The last moment of a day that counts whole, in UTC.
    ...(waiver === undefined ? {} : { deadline: `${waiver.expires}T23:59:59Z`, "risk-log": { entries: [entry(waiver.reason)] } }),
    remediations: [{ uuid: uuidOf(`OSCAL remedy ${about}`), lifecycle: "recommendation", title: "What mends it", description: remedy }],
    "related-observations": [{ "observation-uuid": observationUuid(scene, result) }],
  };
}

/** A control, or a rule that cites none, with the results that say something of it. */
interface Target {
  readonly type: "statement-id" | "objective-id";
  readonly id: string;
  readonly name: string;
  readonly results: readonly AuditResult[];
}

/** Those of which the files say something. */
function targetsOf(results: readonly AuditResult[]): readonly Target[] {
  const decided = Map.groupBy(results.filter(({ state }) => state !== "not-applicable"), ({ rule }) => rule);
  const byTarget = new Map<string, Target>();
  for (const [id, own] of decided) {
    const controls = controlsOf(ruleNamed(id));
    // The statement of a control in NIST's catalogue has the control's id with _smt.
    const targets = controls.length === 0 ? [{ type: "objective-id" as const, id, name: id }] : controls.map((control) => ({ type: "statement-id" as const, id: `${control}_smt`, name: control }));
    for (const target of targets) byTarget.set(target.id, { ...target, results: [...(byTarget.get(target.id)?.results ?? []), ...own] });
  }
  return [...byTarget.values()].sort((a, b) => byCodeUnit(a.name, b.name));
}

/** A waiver lets a risk pass; it does not make the control satisfied. */
function finding(scene: Scene, { type, id, name, results }: Target): JsonObject {
  const open = results.filter(isOpen);
  const rules = [...new Set(results.map(({ rule }) => rule))].join(", ");
  return {
    uuid: uuidOf(`OSCAL finding ${scene.scope} ${id} ${results.map((result) => resultKey(scene, result)).join(" ")}`),
    title: `${name}: ${open.length === 0 ? "satisfied" : "not satisfied"}`,
    description: `As far as the files of the bundle answer it, by ${rules}.`,
    origins: [scene.origin],
    target: {
      type,
      "target-id": id,
      status: open.length === 0 ? { state: "satisfied", reason: "pass" } : { state: "not-satisfied", reason: "fail", ...(open.every(({ state }) => state === "waived") ? { remarks: "All that is not met is waived." } : {}) },
    },
    "related-observations": results.map((result) => ({ "observation-uuid": observationUuid(scene, result) })),
    ...(open.length === 0 ? {} : { "related-risks": open.map((result) => ({ "risk-uuid": riskUuid(scene, result) })) }),
  };
}

function resultKey({ scope }: Scene, result: AuditResult): string {
  return `${scope} ${digestOf(canonicalJson(result as unknown as Json))}`;
}

function observationUuid(scene: Scene, result: AuditResult): string {
  return uuidOf(`OSCAL observation ${resultKey(scene, result)}`);
}

function riskUuid(scene: Scene, result: AuditResult): string {
  return uuidOf(`OSCAL risk ${resultKey(scene, result)}`);
}

function planUuid({ generator: { name, version } }: Scene): string {
  return uuidOf(`OSCAL plan ${name} ${version}`);
}

/** What stands in the place of a plan: the reference of the rules, which comes with the program. */
function planResource(scene: Scene): JsonObject {
  const { name, version } = scene.generator;
  return {
    uuid: planUuid(scene),
    title: `The audit rules of ${name} ${version}`,
    description: "Each rule with its severity, source, reason and remedy.",
    rlinks: [{ href: "docs/reference/audit-rules.md", "media-type": "text/markdown" }],
  };
}

/** Each file that a result names and that is there, once, by path. */
function evidenceFiles({ input }: Scene, results: readonly AuditResult[]): readonly AuditFile[] {
  const named = new Set(results.flatMap(({ places }) => places.map(({ file }) => file)));
  return input.files.filter(({ path }) => named.has(path));
}

function fileUuid({ path, sha256 }: AuditFile): string {
  return uuidOf(`OSCAL file ${path} ${sha256 ?? "unlisted"}`);
}

function fileResource(file: AuditFile): JsonObject {
  return {
    uuid: fileUuid(file),
    title: asMarkup(file.path),
    rlinks: [{ href: file.path, ...(file.sha256 === undefined ? {} : { hashes: [{ algorithm: "SHA-256", value: file.sha256 }] }) }],
  };
}

function own(name: string, value: string): JsonObject {
  return { name, ns: namespace, value: oneLine(value) };
}

/** OSCAL's string: one line, and no blank at its ends. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/** Text of others inside OSCAL's Markdown: CommonMark 0.31 section 2.4, a backslash takes a character its meaning. */
function asMarkup(text: string): string {
  return oneLine(text).replace(/[\\`*_[\]<>&~^{}$#|!]/g, "\\$&");
}
