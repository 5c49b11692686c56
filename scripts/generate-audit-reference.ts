/** Writes docs/reference/audit-rules.md from the rules themselves. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { auditRules } from "../src/evidence/audit/audit.ts";
import type { AuditRule } from "../src/evidence/audit/rule.ts";

const root = join(import.meta.dirname, "..");

const MADE = "<!-- Made by scripts/generate-audit-reference.ts; not for editing. -->\n";

export function auditReference(): string {
  return [
    `# Audit rules\n\n${MADE}`,
    "Each is asked of every bundle while it is made; `evidence/audit.json` has the answers, and `cloudlet-bundle audit` finds them anew from the files. *met*, *unmet* and *waived* are decided from the files alone; what only the site, the cloud or the VM image can answer is *not-applicable* and says what must be true there. How waivers work: [auditor's guide](../auditor.md).\n",
    `| rule | severity | |\n|---|---|---|\n${auditRules.map(({ id, severity, title }) => `| [${id}](#${id.toLowerCase()}) | ${severity} | ${title} |\n`).join("")}`,
    ...auditRules.map(section),
  ].join("\n");
}

function section({ id, title, severity, sources, why, remedy }: AuditRule): string {
  return `## ${id}\n\n${title}.\n\n- Severity: ${severity}\n- Source: ${sources.join("; ")}\n- Why: ${why}\n- Remedy: ${remedy}\n`;
}

if (import.meta.main) writeFileSync(join(root, "docs/reference/audit-rules.md"), auditReference());
