/** What verifying a bundle came to: one rung after the other, each with what it proved. */

import type { Issue } from "../core/issue.ts";
import type { Manifest } from "../pack/manifest.ts";
import type { Fingerprint } from "./keys.ts";

/** In the order in which they are climbed. docs/bundle-format.md says what each one asks. */
export const rungNames = ["form", "signature", "sums", "no-extra", "manifest"] as const;
/** `validity` comes last, and only where a trust policy says whose signatures are wanted. */
export type RungName = (typeof rungNames)[number] | "validity";

export interface Rung {
  readonly name: RungName;
  /**
   * `unchecked`: left out because the user said so. `unreached`: it needs an earlier one that was refused. `warned`: it is no
   * longer so, and the trust policy wants that told, not refused.
   */
  readonly status: "proven" | "refused" | "unchecked" | "unreached" | "warned";
  /** What was proved, or why not. */
  readonly says: string;
  /** Where it was refused: all that is wrong. */
  readonly issues: readonly VerifyIssue[];
}

export interface Verdict {
  /** No rung was refused. */
  readonly good: boolean;
  /** The key, or with a policy the key or policy that is trusted; undefined unless the signature was proven. */
  readonly signedBy: Fingerprint | undefined;
  /** The trust policy in force, and who of its keys signed; undefined without one, and unless the signature was proven. */
  readonly policy: SignedPolicy | undefined;
  readonly rungs: readonly Rung[];
  /** Undefined unless its rung was proven. */
  readonly manifest: Manifest | undefined;
}

export interface SignedPolicy {
  readonly version: number;
  readonly digest: Fingerprint;
  readonly threshold: number;
  readonly keys: number;
  readonly signers: readonly { readonly name: string; readonly fingerprint: Fingerprint }[];
}

export interface VerifyIssue extends Issue {
  readonly code: VerifyCode;
}

/** Every code with its meaning; verify.sh tells the same ones, and docs/bundle-format.md lists them. */
export const verifyCodes = {
  "verify/archive-size": "The archive ends too early, or goes on after its end.",
  "verify/archive-type": "An entry of the archive is a link, a folder, a device or an extension, not a regular file.",
  "verify/archive-header": "A header is not the one that its entry must have.",
  "verify/archive-order": "An entry stands out of its place in the archive, or twice.",
  "verify/archive-padding": "The bytes between two entries are not zeros.",
  "verify/path": "A name is not one that a bundle may hold: absolute, with `..`, hidden, too long, or with other characters.",
  "verify/not-a-file": "Something in the folder is neither a regular file nor a folder: a link, a pipe, a device.",
  "verify/too-many": "There are more files than a bundle may hold.",
  "verify/too-big": "A file of the seal, or of the evidence, is larger than it can be.",
  "verify/no-trust": "Nobody said whose signature is to be trusted.",
  "verify/unsigned": "The bundle is not signed.",
  "verify/other-key": "The bundle's key is not the one that is trusted, or its trust policies do not come from there, or a signature is by a key that its policy does not list.",
  "verify/signature": "A signature over SHA256SUMS is not good.",
  "verify/trust-form": "The trust policies, or the signatures, are not written as they must be.",
  "verify/trust-chain": "A trust policy is not signed as it and the one before it want.",
  "verify/threshold": "Fewer keys have signed than the trust policy wants.",
  "verify/expired": "The trust policy has ended, and wants bundles refused from then on.",
  "verify/clock": "The clock is wrong, so nobody can tell whether the trust policy has ended.",
  "verify/sums-form": "SHA256SUMS is not written as it must be.",
  "verify/missing-file": "A file that must be there is not.",
  "verify/digest": "A file is not the one that SHA256SUMS lists.",
  "verify/extra-file": "A file or folder is there that SHA256SUMS does not list.",
  "verify/manifest-form": "manifest.json is not written as it must be.",
  "verify/manifest-disagrees": "manifest.json lists other files, sizes or digests than SHA256SUMS.",
  "verify/mode": "A file's mode is not the one that manifest.json gives.",
  "verify/time": "An entry's time is not the release's.",
} as const;

export type VerifyCode = keyof typeof verifyCodes;

export function refusal(code: VerifyCode, message: string, hint?: string): VerifyIssue {
  return { code, severity: "error", pointer: "", message, ...(hint === undefined ? {} : { hint }) };
}

/** The verdict in lines; verify.sh writes the same three columns. */
export function verdictText({ good, signedBy, policy, rungs }: Verdict): string {
  const lines = rungs.flatMap(({ name, status, says, issues }) =>
    issues.length === 0
      ? [row(name, status, says)]
      : issues.map((issue) => row(name, status, `${issue.code}: ${issue.message}`)),
  );
  const end = !good
    ? "REFUSED: do not use this bundle"
    : signedBy === undefined
      ? "WHOLE, but nobody knows who made it: the signature was not checked"
      : `GOOD: everything in it was signed by ${policy === undefined ? signedBy : signersText(policy, signedBy)}`;
  return [...lines, end, ""].join("\n");
}

/** Who signed under which policy, and what that is trusted for. */
export function signersText({ version, threshold, keys, signers }: SignedPolicy, trusted: Fingerprint): string {
  return `${signers.map(({ name }) => name).join(", ")} (${signers.length} of ${keys} keys, ${threshold} wanted) under trust policy ${version}, trusted through ${trusted}`;
}

function row(name: string, status: string, says: string): string {
  return `${name.padEnd(9)}  ${status.padEnd(9)}  ${says}`;
}
