/** Every code of an issue with a key: what it means and what to do. Those of verifying are in verdict.ts. */

import type { IssueCodeEntry } from "../spec/issue-codes.ts";

/** Codes are never renamed. */
export const SEAL_ISSUE_CODES: Readonly<Record<string, IssueCodeEntry>> = {
  "seal/key": { meaning: "A key is not an ECDSA P-256 key in PEM, or not the half that is wanted.", remedy: "Make one with `cloudlet-bundle keygen`, or give the right file: the private half signs, the public half is trusted." },
};
