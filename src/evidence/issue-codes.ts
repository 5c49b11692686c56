/** Every code of an issue with the evidence in a bundle: what it means and what to do. */

import type { IssueCodeEntry } from "../spec/issue-codes.ts";

/** Codes are never renamed. */
export const EVIDENCE_ISSUE_CODES: Readonly<Record<string, IssueCodeEntry>> = {
  "evidence/form": { meaning: "A file of the bundle's evidence is not written as this program writes it.", remedy: "See whether the bundle is what its signer made: `cloudlet-bundle verify`." },
  "evidence/other-spec": { meaning: "The spec file is not the one that the bundle was made of.", remedy: "Give the file as it was when the bundle was made, or leave it out: the bundle holds the spec as well." },
};
