/** Every code of an issue with a part or a delta: what it means and what to do. */

import type { Issue } from "../core/issue.ts";
import type { IssueCodeEntry } from "../spec/issue-codes.ts";

/** Codes are never renamed. */
export const PART_ISSUE_CODES = {
  "part/form": { meaning: "A file is no part of a bundle, or its description is not written as it must be.", remedy: "Give the files that `cloudlet-bundle split` wrote, or what they were copied to." },
  "part/size": { meaning: "A part ends too early, or goes on after its end.", remedy: "Copy it again from its medium, or have it made again: `cloudlet-bundle split --only`." },
  "part/small-files": { meaning: "The small files that each part begins with are not those that were signed.", remedy: "Copy the part again, or have it made again. Where it happens with every part, they are not from the signer you trust." },
  "part/description": { meaning: "A part says of itself what the signed files do not bear out: its number, its range, its bundle.", remedy: "Somebody changed it. Have it made again: `cloudlet-bundle split --only`." },
  "part/bytes": { meaning: "A stretch of a part is not what was signed.", remedy: "Copy the part again, or have it made again; with a parity part, `cloudlet-bundle join` recovers it." },
  "part/missing": { meaning: "Parts are missing.", remedy: "Find them, or have them made again: `cloudlet-bundle split --only`." },
  "part/twice": { meaning: "Two files are the same part.", remedy: "Leave one of them away." },
  "part/other-bundle": { meaning: "The parts belong to different bundles.", remedy: "Give the parts of one bundle alone." },
  "part/other-split": { meaning: "The parts belong to one bundle that was split in different ways.", remedy: "Give the parts of one size alone; a part is made again with the size of the others." },
  "part/too-small": { meaning: "A part can't be so small.", remedy: "Give a larger size; the least is in the message." },
  "part/no-pieces": { meaning: "The bundle has no evidence/pieces.txt, by which a part is proven, or it does not fit the files.", remedy: "Make the lock anew (`cloudlet-bundle lock`) and build again: an older version left it out." },
  "part/other-seal": { meaning: "The signature of the part that was given as a model is none over what the documents make.", remedy: "Give the spec, release and lock of that bundle, and the version of the program that made it." },
  "part/parity": { meaning: "The parity part is not the XOR of the others, or more is lost than it can bring back.", remedy: "Have the parts made again: `cloudlet-bundle split --only`." },
  "delta/form": { meaning: "A file is no delta, or it ends too early.", remedy: "Give the file that `cloudlet-bundle delta` wrote; copy it again." },
  "delta/other-base": { meaning: "A delta was made for another base.", remedy: "Give the bundle that the message names." },
  "delta/base": { meaning: "The base is not proven complete.", remedy: "Get the base again, or the whole new bundle instead of the delta." },
  "delta/target": { meaning: "What base and delta make is not what the signer made.", remedy: "The delta was changed or damaged: get it again." },
} as const satisfies Readonly<Record<string, IssueCodeEntry>>;

export type PartCode = keyof typeof PART_ISSUE_CODES;

export function partIssue(code: PartCode, message: string, hint?: string): Issue {
  return { code, severity: "error", pointer: "", message, hint: hint ?? PART_ISSUE_CODES[code].remedy };
}
