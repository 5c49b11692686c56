/** Every code of an issue with a key: what it means and what to do. Those of verifying are in verdict.ts. */

import type { IssueCodeEntry } from "../spec/issue-codes.ts";

/** Codes are never renamed. */
export const SEAL_ISSUE_CODES: Readonly<Record<string, IssueCodeEntry>> = {
  "seal/key": { meaning: "A key is not an ECDSA P-256 key in PEM, or not the half that is wanted.", remedy: "Make one with `cloudlet-bundle keygen`, or give the right file: the private half signs, the public half is trusted." },
  "seal/not-in-policy": { meaning: "A key is not one that the trust policy lists.", remedy: "Sign with one that it lists (`cloudlet-bundle trust show`), or let the key in with a new policy: `cloudlet-bundle trust rotate`." },
  "seal/no-policy": { meaning: "A bundle without a trust policy has room for one signature.", remedy: "Build it with a trust policy: `cloudlet-bundle trust init`, then `cloudlet-bundle build --policy`." },
  "seal/signature": { meaning: "A signature that lies there, or is to be added, is not one over these bytes by a key of the trust policy.", remedy: "Have it made again, for this very bundle or policy." },
  "seal/policy": { meaning: "A trust policy can't be as it is asked for.", remedy: "Give each signer's public key once, under a name of its own, a threshold that so many keys can reach, and an end that is a time or `never`." },
};
