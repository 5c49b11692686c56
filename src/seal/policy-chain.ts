/** The trust policies of a bundle from the first to the one in force: each was let in by the keys of the one before it. */

import { policyPath, policySignaturesPath, trustFolder } from "../pack/layout.ts";
import { policyVersions } from "../pack/limits.ts";
import type { Fingerprint } from "./keys.ts";
import { parsePolicy, policyDigest } from "./policy.ts";
import type { Policy, PolicyKey } from "./policy.ts";
import { judgeSignatures, parseSignatures } from "./signature-lines.ts";
import type { Signatures } from "./signature-lines.ts";
import { refusal } from "./verdict.ts";
import type { VerifyIssue } from "./verdict.ts";

export interface ChainLink {
  readonly policy: Policy;
  readonly digest: Fingerprint;
  readonly bytes: Uint8Array;
  readonly signatures: Signatures;
}

export interface ChainReading {
  /** In order, the first version first; empty where there are issues. */
  readonly chain: readonly ChainLink[];
  readonly issues: readonly VerifyIssue[];
}

/** The chain in these files, by their paths in a bundle; its form only. Issues: `verify/trust-form`, the first that is found. */
export function readChain(files: ReadonlyMap<string, Uint8Array>): ChainReading {
  const wrong = (message: string): ChainReading => ({ chain: [], issues: [refusal("verify/trust-form", message)] });
  const versions = [...files.keys()].filter((path) => path.endsWith(".policy")).length;
  const wanted = Array.from({ length: versions }, (_, index) => [policyPath(index + 1), policySignaturesPath(index + 1)]).flat();
  if (versions === 0 || versions > policyVersions || wanted.length !== files.size || wanted.some((path) => !files.has(path))) {
    return wrong(`${trustFolder} does not hold the policies from the first on, each with its signatures, and nothing else`);
  }
  const chain: ChainLink[] = [];
  for (let version = 1; version <= versions; version += 1) {
    const bytes = files.get(policyPath(version)) ?? new Uint8Array();
    const reading = parsePolicy(bytes);
    if (!reading.ok) return wrong(`${policyPath(version)} ${reading.message}`);
    if (reading.policy.version !== version) return wrong(`${policyPath(version)} is another version`);
    const signatures = parseSignatures(files.get(policySignaturesPath(version)) ?? new Uint8Array());
    if (signatures === undefined) return wrong(`${policySignaturesPath(version)} is not written as it must be`);
    chain.push({ policy: reading.policy, digest: policyDigest(bytes), bytes, signatures });
  }
  return { chain, issues: [] };
}

/** What keeps the chain from holding: `verify/trust-chain`, all of them. */
export function chainIssues(chain: readonly ChainLink[]): readonly VerifyIssue[] {
  return chain.flatMap((link, index) => linkProblems(link, chain[index - 1]).map((message) => refusal("verify/trust-chain", message)));
}

/** A policy is signed by as many keys as it wants itself, and by as many as the policy before it wants. */
export function linkProblems({ policy, bytes, signatures }: ChainLink, before: ChainLink | undefined): readonly string[] {
  const name = `trust policy ${policy.version}`;
  const keys = keysOfBoth(policy, before?.policy);
  const { signers, bad, strangers } = judgeSignatures(bytes, signatures, keys);
  const problems = [
    ...(policy.previous === before?.digest ? [] : [`${name} follows another policy than the one before it`]),
    ...bad.map((key) => `${name} has a signature by ${key.name} that is not good`),
    ...strangers.map((fingerprint) => `${name} has a signature by ${fingerprint}, whose key is not at hand`),
  ];
  if (problems.length > 0) return problems;
  return [policy, ...(before === undefined ? [] : [before.policy])].flatMap((of) => {
    const count = signers.filter((key) => holds(of, key.fingerprint)).length;
    return count >= of.threshold ? [] : [`${name} is signed by ${count} keys of trust policy ${of.version}, which wants ${of.threshold}`];
  });
}

/** Who may sign a policy: its own keys, and those of the one before. */
export function keysOfBoth(policy: Policy, before: Policy | undefined): readonly PolicyKey[] {
  return [...policy.keys, ...(before?.keys ?? []).filter((key) => !holds(policy, key.fingerprint))];
}

/**
 * Whether what the operator trusts leads into a chain that holds: it is one of its policies, or a key that one of them lists and
 * that signed it.
 */
export function isAnchored(chain: readonly ChainLink[], trusted: Fingerprint): boolean {
  return chain.some(({ digest, policy, signatures }) => digest === trusted || (holds(policy, trusted) && signatures.has(trusted)));
}

function holds(policy: Policy, fingerprint: Fingerprint): boolean {
  return policy.keys.some((key) => key.fingerprint === fingerprint);
}
