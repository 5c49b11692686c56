/** Results of an audit as OASIS SARIF 2.1.0, for whatever shows findings beside files. */

import { createHash } from "node:crypto";
import type { Json, JsonObject } from "../../core/json.ts";
import { canonicalJson } from "../../core/json.ts";
import { auditRules } from "./audit.ts";
import type { AuditFile, AuditInput } from "./input.ts";
import type { AuditPlace, AuditResult, RuleSeverity } from "./rule.ts";

/** SARIF 2.1.0 section 3.27.10. */
const levels: Readonly<Record<RuleSeverity, string>> = { high: "error", medium: "warning", low: "note" };

/** Paths are relative to the bundle's folder, wherever that lies (section 3.4.4). */
const base = "BUNDLE";

export function auditAsSarif(input: AuditInput, results: readonly AuditResult[], generator: { readonly name: string; readonly version: string }): string {
  const { spec, release } = input;
  const indexes = new Map(input.files.map((file, index) => [file.path, index]));
  return canonicalJson({
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        // Section 3.17.2: what comes before the last slash is alike for the audits of one cloudlet, the rest is this one's.
        automationDetails: { id: `${generator.name}/audit/${encodeURIComponent(spec.organization)}/${encodeURIComponent(spec.name)}/${encodeURIComponent(release.name)}` },
        columnKind: "utf16CodeUnits",
        tool: {
          driver: {
            name: generator.name,
            version: generator.version,
            rules: auditRules.map(({ id, title, severity, sources, why, remedy }): JsonObject => ({
              id,
              shortDescription: { text: title },
              fullDescription: { text: why },
              help: { text: remedy },
              defaultConfiguration: { level: levels[severity] },
              properties: { sources, severity },
            })),
          },
        },
        originalUriBaseIds: { [base]: { description: { text: "The folder of the unpacked bundle." } } },
        artifacts: input.files.map(artifactOf),
        results: results.map((result) => resultOf(input, result, indexes)),
      },
    ],
  });
}

/** Section 3.24.11: a digest tells whether the file beside the finding is still the one that was looked at. */
function artifactOf({ path, sha256 }: AuditFile): JsonObject {
  return { location: { uri: path, uriBaseId: base }, roles: ["analysisTarget"], ...(sha256 === undefined ? {} : { hashes: { "sha-256": sha256 } }) };
}

/** Sections 3.27.9 and 3.27.10: what is no failure has no level. A waiver is an accepted suppression (3.35). */
function resultOf(input: AuditInput, result: AuditResult, indexes: ReadonlyMap<string, number>): JsonObject {
  const { rule, state, message, places, waiver } = result;
  const index = auditRules.findIndex(({ id }) => id === rule);
  const severity = auditRules[index]?.severity ?? "low";
  const isFailure = state === "unmet" || state === "waived";
  return {
    ruleId: rule,
    ruleIndex: index,
    kind: isFailure ? "fail" : state === "met" ? "pass" : "notApplicable",
    level: isFailure ? levels[severity] : "none",
    message: { text: message },
    partialFingerprints: { "ruleAndCauses/v1": fingerprint(input, result) },
    ...(places.length === 0 ? {} : { locations: places.map((place) => locationOf(place, indexes)) }),
    ...(waiver === undefined ? {} : { suppressions: [{ kind: "external", status: "accepted", justification: waiver.reason, properties: { expires: waiver.expires } }] }),
  };
}

/**
 * The same for a finding whose lines have only moved (section 3.27.17): of each place it takes the file and what caused the
 * line, or, where nothing is known to, the line's text. Where waivers divide a rule's places, each part has its own.
 */
function fingerprint({ files }: AuditInput, { rule, places }: AuditResult): string {
  const causes = places.map(({ file, line, origins }): Json => [file, origins ?? (line === undefined ? "" : (files.find(({ path }) => path === file)?.lines[line - 1] ?? ""))]);
  return createHash("sha256").update(canonicalJson([rule, causes])).digest("hex");
}

function locationOf({ file, line, origins }: AuditPlace, indexes: ReadonlyMap<string, number>): Json {
  const index = indexes.get(file);
  return {
    physicalLocation: {
      artifactLocation: { uri: file, uriBaseId: base, ...(index === undefined ? {} : { index }) },
      ...(line === undefined ? {} : { region: { startLine: line } }),
    },
    ...(origins === undefined ? {} : { logicalLocations: origins.map((origin) => ({ fullyQualifiedName: origin })) }),
  };
}
