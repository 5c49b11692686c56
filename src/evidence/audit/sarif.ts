/** Results of an audit as OASIS SARIF 2.1.0, for whatever shows findings beside files. */

import type { Json, JsonObject } from "../../core/json.ts";
import { canonicalJson } from "../../core/json.ts";
import { auditRules } from "./audit.ts";
import type { AuditPlace, AuditResult, RuleSeverity } from "./rule.ts";

/** SARIF 2.1.0 section 3.27.10. */
const levels: Readonly<Record<RuleSeverity, string>> = { high: "error", medium: "warning", low: "note" };

export function auditAsSarif(results: readonly AuditResult[], generator: { readonly name: string; readonly version: string }): string {
  return canonicalJson({
    $schema: "https://json.schemastore.org/sarif-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
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
        results: results.map(resultOf),
      },
    ],
  });
}

/** Sections 3.27.9 and 3.27.10: what is no failure has no level. A waiver is an accepted suppression (3.35). */
function resultOf({ rule, state, message, places, waiver }: AuditResult): JsonObject {
  const index = auditRules.findIndex(({ id }) => id === rule);
  const severity = auditRules[index]?.severity ?? "low";
  const isFailure = state === "unmet" || state === "waived";
  return {
    ruleId: rule,
    ruleIndex: index,
    kind: isFailure ? "fail" : state === "met" ? "pass" : "notApplicable",
    level: isFailure ? levels[severity] : "none",
    message: { text: message },
    ...(places.length === 0 ? {} : { locations: places.map(locationOf) }),
    ...(waiver === undefined ? {} : { suppressions: [{ kind: "external", status: "accepted", justification: waiver.reason, properties: { expires: waiver.expires } }] }),
  };
}

function locationOf({ file, line, origins }: AuditPlace): Json {
  return {
    physicalLocation: { artifactLocation: { uri: file }, ...(line === undefined ? {} : { region: { startLine: line } }) },
    ...(origins === undefined ? {} : { logicalLocations: origins.map((origin) => ({ fullyQualifiedName: origin })) }),
  };
}
