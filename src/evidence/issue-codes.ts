/** Every code of an issue with the evidence in a bundle: what it means and what to do. */

import type { IssueCodeEntry } from "../spec/issue-codes.ts";

/** Codes are never renamed. */
export const EVIDENCE_ISSUE_CODES: Readonly<Record<string, IssueCodeEntry>> = {
  "audit/secret": {
    meaning: "A text of the bundle looks like a secret: a private key, a token, a password that is given a value (rule SECRET-01).",
    remedy: "Declare a slot under `secrets` and put the value into the secrets file. Where it is no secret, waive SECRET-01 at that place with the reason.",
  },
  "audit/unclassified-host": {
    meaning: "A text of the bundle refers to a host, address, image or repository that neither the spec nor the release names and that is not in the bundle (rule AIRGAP-01).",
    remedy: "Take it out of the template. What is the site's belongs into the spec; a word that is no host's name goes into `src/evidence/audit/reference-classes.ts`, with the reason.",
  },
  "audit/waiver-expired": { meaning: "A waiver was over before the release was made.", remedy: "Mend what the rule asks for, or decide anew until when it may be so." },
  "audit/waiver-unused": { meaning: "A waiver covers nothing that its rule finds.", remedy: "Delete it, or correct its place." },
  "evidence/form": { meaning: "A file of the bundle's evidence is not written as this program writes it.", remedy: "See whether the bundle is what its signer made: `cloudlet-bundle verify`." },
  "evidence/other-spec": { meaning: "The spec file is not the one that the bundle was made of.", remedy: "Give the file as it was when the bundle was made, or leave it out: the bundle holds the spec as well." },
  "evidence/report-differs": {
    meaning: "The report in the bundle is not the one that its files make with this version of the program.",
    remedy: "See whether the bundle is what its signer made: `cloudlet-bundle verify`. `cloudlet-bundle audit` shows what is found in it now.",
  },
};
