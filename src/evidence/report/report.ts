/** The report of a bundle as data: what it is, what the audit found, what it exposes, runs and trusts, and every file with its origins. */

import { sha256 } from "../../core/digest.ts";
import type { Json } from "../../core/json.ts";
import { byCodeUnit } from "../../core/json.ts";
import type { Origin } from "../../core/origin.ts";
import {
  auditPath, cycloneDxPath, lockPath, manifestPath, ovfCertificatePath, ovfPath, provenancePath, publicKeyPath, releasePath,
  reportHtmlPath, reportJsonPath, signaturePath, signaturesPath, spdxPath, specPath, sumsPath,
} from "../../pack/layout.ts";
import { defaultNamed } from "../../spec/default-reasons.ts";
import type { Lock } from "../../spec/lock.ts";
import type { Resources } from "../../spec/spec.ts";
import { auditRules } from "../audit/audit.ts";
import { referencesOf } from "../audit/closure-rules.ts";
import type { AuditFile, AuditInput } from "../audit/input.ts";
import { fileAt } from "../audit/input.ts";
import type { ClassifiedReference } from "../audit/reference-classes.ts";
import type { AuditResult, AuditRule, RuleSeverity } from "../audit/rule.ts";
import { constantNamed } from "../constants.ts";
import { generator } from "../generator.ts";
import { partsOf, valueAt, type DocumentName } from "../record.ts";
import type { Cause, Run } from "./causes.ts";
import { causesOf } from "./causes.ts";
import type { Exposure } from "./exposure.ts";
import { exposureOf } from "./exposure.ts";
import type { ReportKeys } from "./keys.ts";
import { keysOf } from "./keys.ts";

export interface Report {
  readonly about: ReportAbout;
  readonly verdict: Verdict;
  readonly exposure: Exposure;
  readonly resources: ReportResources;
  readonly software: ReportSoftware;
  readonly keys: ReportKeys;
  /** How to prove that the bundle is what its signer made: a page inside it can't. */
  readonly signature: readonly { readonly proves: string; readonly command: string }[];
  /** Values that travel apart from the bundle. */
  readonly secrets: readonly { readonly name: string; readonly description: string; readonly required: boolean; readonly target: string }[];
  /** By rule; of one rule first what no waiver covers. */
  readonly results: readonly ReportResult[];
  readonly references: readonly ClassifiedReference[];
  /** By path. */
  readonly files: readonly ReportFile[];
  /** Files that are made after this report, where they are made, and can't be told of in it. */
  readonly later: readonly string[];
  /** Sorted. */
  readonly origins: readonly ReportOrigin[];
  readonly causes: readonly Cause[];
}

export interface ReportAbout {
  readonly cloudlet: { readonly name: string; readonly organization: string; readonly region: string };
  readonly platform: string;
  readonly access: "restricted" | "direct";
  readonly release: { readonly name: string; readonly sequence: number; readonly created: string };
  readonly generator: { readonly name: string; readonly version: string };
  /** Of the three documents as they lie in the bundle: `sha256:` and 64 hexadecimal digits. */
  readonly digests: Readonly<Record<DocumentName, string>>;
}

export interface Verdict {
  readonly rules: {
    readonly all: number;
    readonly met: number;
    readonly waived: number;
    readonly notApplicable: number;
    readonly unmet: Readonly<Record<RuleSeverity, number>>;
  };
  /** Of the two scans for secrets, the air-gap closure and the scorecard of the SBOM, by rule. */
  readonly secretScan: readonly Score[];
  readonly airGap: readonly Score[];
  readonly scorecard: readonly Score[];
}

export interface Score extends Pick<AuditRule, "id" | "title"> {
  readonly state: AuditResult["state"];
  readonly message: string;
}

export interface ReportResult extends AuditResult, Pick<AuditRule, "title" | "severity" | "sources" | "remedy"> {}

export interface ReportResources {
  readonly flavor?: string;
  readonly machines: number;
  /** Of each PlatformVM, and of all that runs beside them. */
  readonly platformVm: Resources;
  readonly tenant: Resources;
  readonly dynamicIps: number;
  readonly quotas: readonly { readonly name: string; readonly value: number; readonly alertThreshold?: number }[];
}

export interface ReportSoftware {
  readonly vmImage: ReportImage;
  readonly containers: readonly ReportContainer[];
  readonly payload: { readonly digest: string; readonly size: number };
  readonly generator: { readonly name: string; readonly version: string; readonly parts: readonly { readonly name: string; readonly version: string; readonly licence: string }[] };
  readonly sboms: readonly string[];
}

export interface ReportImage {
  readonly name: string;
  readonly version: string;
  readonly format: string;
  readonly digest: string;
  /** Bytes of the file; what the guest sees. */
  readonly size: number;
  readonly virtualSize: number;
  /** Null where the release names no list. */
  readonly packages: number | null;
}

export interface ReportContainer {
  readonly role: string;
  readonly image: string;
  /** Of its config: the image ID. */
  readonly digest: string;
  readonly layers: number;
  /** Bytes of the layers, unpacked. */
  readonly size: number;
  /** Null where nobody looked. */
  readonly packages: number | null;
}

export interface ReportFile extends Pick<AuditFile, "path" | "mode" | "role" | "source" | "size"> {
  /** 64 hexadecimal digits; null where nothing lists the file. */
  readonly sha256: string | null;
  /** Undefined of a blob, of evidence that this report is another form of, and of what is too long. */
  readonly text: string | undefined;
  readonly runs: readonly Run[];
}

export interface ReportOrigin {
  readonly origin: Origin;
  /** What the document has there. */
  readonly value?: Json;
  /** Why a default or a constant is there. */
  readonly reason?: string;
}

/** Longer texts are not shown: nobody reads them on a page, and they lie beside it. Bytes. */
const shownBytes = 262_144;

export function reportOf(input: AuditInput, results: readonly AuditResult[]): Report {
  const { spec, release, lock } = input;
  const shown = input.files.filter(isShown);
  const { causes, runs } = causesOf(shown);
  const texts = new Set(shown);
  const told = results.map(withRule);
  return {
    about: aboutOf(input),
    verdict: verdictOf(told),
    exposure: exposureOf(input),
    resources: {
      ...(spec.compute.flavor === undefined ? {} : { flavor: spec.compute.flavor }),
      machines: spec.crm.highAvailability ? 2 : 1,
      platformVm: spec.compute.platformVm,
      tenant: spec.compute.tenant,
      dynamicIps: spec.dynamicIps,
      quotas: spec.policies.quotas,
    },
    software: softwareOf(release, lock),
    keys: keysOf(input),
    signature: signatureOf(input),
    secrets: spec.secrets.map(({ name, description, required, target }) => ({ name, description, required, target: target.kind === "file" ? target.path : `variable ${target.name}` })),
    results: told,
    references: referencesOf(input),
    files: input.files.map((file) => fileOf(file, texts.has(file), runs.get(file.path) ?? [])),
    later: laterThan(input),
    origins: originsOf(causes, input),
    causes,
  };
}

function aboutOf(input: AuditInput): ReportAbout {
  const { name, organization, region, platform, access } = input.spec;
  const { name: release, sequence, created } = input.release;
  const digestOf = (path: string): string => {
    const file = fileAt(input, path);
    return file?.sha256 === undefined ? sha256(file?.text ?? "") : `sha256:${file.sha256}`;
  };
  return {
    cloudlet: { name, organization, region },
    platform: platform.type,
    access,
    release: { name: release, sequence, created },
    generator: { name: generator.name, version: generator.version },
    digests: { spec: digestOf(specPath), release: digestOf(releasePath), lock: digestOf(lockPath) },
  };
}

function withRule(result: AuditResult): ReportResult {
  const { title, severity, sources, remedy } = rules.get(result.rule) as AuditRule;
  return { ...result, title, severity, sources, remedy };
}

const rules: ReadonlyMap<string, AuditRule> = new Map(auditRules.map((rule) => [rule.id, rule]));

/** A rule counts once, by the gravest that is found of it. */
function verdictOf(results: readonly ReportResult[]): Verdict {
  const byRule = [...Map.groupBy(results, ({ rule }) => rule).values()].map((own): ReportResult => own.find(({ state }) => state === "unmet") ?? (own[0] as ReportResult));
  const count = (state: AuditResult["state"], severity?: RuleSeverity): number => byRule.filter((each) => each.state === state && (severity === undefined || each.severity === severity)).length;
  const scores = (pattern: RegExp): readonly Score[] => byRule.filter(({ rule }) => pattern.test(rule)).map(({ rule: id, title, state, message }) => ({ id, title, state, message }));
  return {
    rules: {
      all: byRule.length,
      met: count("met"),
      waived: count("waived"),
      notApplicable: count("not-applicable"),
      unmet: { high: count("unmet", "high"), medium: count("unmet", "medium"), low: count("unmet", "low") },
    },
    secretScan: scores(/^SECRET-/),
    airGap: scores(/^AIRGAP-/),
    scorecard: scores(/^SB-/),
  };
}

function softwareOf(release: AuditInput["release"], lock: Lock): ReportSoftware {
  const { name, version } = release.vmImage;
  const { format, digest, size, virtualSize, software } = lock.vmImage;
  return {
    vmImage: { name, version, format, digest, size, virtualSize, packages: software?.packages.length ?? null },
    containers: lock.containers.map(({ role, image, config, layers, software: found }) => ({
      role,
      image,
      digest: config.digest,
      layers: layers.length,
      size: layers.reduce((sum, layer) => sum + layer.size, 0),
      packages: found?.packages.length ?? null,
    })),
    payload: { digest: lock.payload.digest, size: lock.payload.size },
    generator: { name: generator.name, version: generator.version, parts: generator.parts.map((part) => ({ name: part.name, version: part.version, licence: part.licence })) },
    sboms: [cycloneDxPath, spdxPath],
  };
}

/** docs/auditor.md, section 1; under a policy nobody checks so many signatures by hand. */
function signatureOf(input: AuditInput): Report["signature"] {
  const sums = { proves: "every file is the one that was signed", command: "sha256sum -c --quiet SHA256SUMS" };
  if (isUnderPolicy(input)) {
    return [
      { proves: "the trust policies begin with the one whose fingerprint you were told by another channel", command: "sha256sum trust/*.policy" },
      { proves: "as many of its keys as it wants have signed; take verify.sh from a bundle that you trust already", command: "sh verify.sh --bundle . --trust SHA256:…" },
      sums,
    ];
  }
  return [
    { proves: "the key is the one whose fingerprint you were told by another channel", command: "openssl pkey -pubin -in SHA256SUMS.pub -outform DER | sha256sum" },
    { proves: "that key has signed the list of all files", command: "openssl dgst -sha256 -verify SHA256SUMS.pub -signature SHA256SUMS.sig SHA256SUMS" },
    sums,
  ];
}

/** Signatures and the certificate of an OVF package only where somebody signs. */
function laterThan(input: AuditInput): readonly string[] {
  const certificate = fileAt(input, ovfPath) === undefined ? [] : [ovfCertificatePath];
  return [auditPath, reportJsonPath, reportHtmlPath, provenancePath, ...certificate, manifestPath, sumsPath, ...(isUnderPolicy(input) ? [signaturesPath] : [signaturePath, publicKeyPath])];
}

function isUnderPolicy({ files }: AuditInput): boolean {
  return files.some(({ path }) => path.startsWith("trust/"));
}

function isShown({ path, role, size, text }: AuditFile): boolean {
  return size <= shownBytes && text !== "" && (role !== "evidence" || [specPath, releasePath, lockPath].includes(path));
}

function fileOf(file: AuditFile, isText: boolean, runs: readonly Run[]): ReportFile {
  const { path, mode, role, source, size, sha256: digest } = file;
  return { path, mode, role, source, size, sha256: digest ?? null, text: isText ? file.text : undefined, runs };
}

function originsOf(causes: readonly Cause[], input: AuditInput): readonly ReportOrigin[] {
  const documents = new Map<DocumentName, Json>();
  const documentOf = (name: DocumentName, path: string): Json => {
    const known = documents.get(name) ?? (JSON.parse(fileAt(input, path)?.text ?? "null") as Json);
    documents.set(name, known);
    return known;
  };
  const paths: Readonly<Record<DocumentName, string>> = { spec: specPath, release: releasePath, lock: lockPath };
  const all = new Set(causes.flatMap(({ shows, because }) => [...shows, ...because]));
  return [...all].sort(byCodeUnit).map((origin): ReportOrigin => {
    const { kind, name } = partsOf(origin);
    if (kind === "default" || kind === "constant") {
      const reason = kind === "default" ? defaultNamed(name)?.reason : constantNamed(name);
      return { origin, ...(reason === undefined ? {} : { reason }) };
    }
    const value = valueAt(documentOf(kind, paths[kind]), name);
    return { origin, ...(value === undefined ? {} : { value }) };
  });
}
