/** The issue codes of every stage, for the reference and for SARIF. A stage adds its table here. */

import { EVIDENCE_ISSUE_CODES } from "../evidence/issue-codes.ts";
import { OVF_ISSUE_CODES } from "../ovf/issue-codes.ts";
import { PLAN_ISSUE_CODES } from "../platforms/issue-codes.ts";
import { PART_ISSUE_CODES } from "../seal/part-issue-codes.ts";
import { SEAL_ISSUE_CODES } from "../seal/issue-codes.ts";
import { SERVICE_ISSUE_CODES } from "../service/issue-codes.ts";
import { ISSUE_CODES } from "../spec/issue-codes.ts";
import type { IssueCodeEntry } from "../spec/issue-codes.ts";
import { RESOLVE_ISSUE_CODES } from "../store/issue-codes.ts";

export const ALL_ISSUE_CODES: Readonly<Record<string, IssueCodeEntry>> = {
  ...ISSUE_CODES,
  ...RESOLVE_ISSUE_CODES,
  ...PLAN_ISSUE_CODES,
  ...SEAL_ISSUE_CODES,
  ...PART_ISSUE_CODES,
  ...EVIDENCE_ISSUE_CODES,
  ...OVF_ISSUE_CODES,
  ...SERVICE_ISSUE_CODES,
};
