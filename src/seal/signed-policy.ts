/** The signatures of a bundle with a trust policy: does it come from what is trusted, and have enough of its keys signed? */

import { publicKeyPath, signaturePath, signaturesPath, sumsPath, trustFolder } from "../pack/layout.ts";
import type { BundleSource } from "./bundle-source.ts";
import type { Form } from "./form.ts";
import type { Fingerprint } from "./keys.ts";
import { chainIssues, isAnchored, readChain } from "./policy-chain.ts";
import type { ChainReading } from "./policy-chain.ts";
import type { Policy } from "./policy.ts";
import { judgeSignatures, parseSignatures } from "./signature-lines.ts";
import { refusal } from "./verdict.ts";
import type { SignedPolicy, VerifyIssue } from "./verdict.ts";

export interface PolicyJudgement {
  readonly issues: readonly VerifyIssue[];
  /** Both undefined where there are issues. */
  readonly policy: Policy | undefined;
  readonly signed: SignedPolicy | undefined;
}

export function isPoliced({ files }: Form): boolean {
  return files.has(signaturesPath) || [...files.keys()].some((path) => path.startsWith(trustFolder));
}

/** The policies that lie in the bundle. */
export async function chainIn(source: BundleSource, { files }: Form): Promise<ChainReading> {
  const there = [...files.values()].filter(({ path }) => path.startsWith(trustFolder));
  return readChain(new Map(await Promise.all(there.map(async ({ path, place }) => [path, await source.read(place)] as const))));
}

/** SHA256SUMS must be there. Each question is asked only where the ones before it found nothing. */
export async function judgePolicy(source: BundleSource, form: Form, trusted: Fingerprint): Promise<PolicyJudgement> {
  const no = (...issues: readonly VerifyIssue[]): PolicyJudgement => ({ issues, policy: undefined, signed: undefined });
  const [sums, signatures] = [form.files.get(sumsPath), form.files.get(signaturesPath)];
  if (form.files.has(signaturePath) || form.files.has(publicKeyPath)) return no(refusal("verify/trust-form", "there is a signature by one key beside a trust policy"));
  const { chain, issues } = await chainIn(source, form);
  const wrong = issues.length > 0 ? issues : chainIssues(chain);
  const last = chain.at(-1);
  if (wrong.length > 0 || last === undefined) return no(...wrong);
  if (!isAnchored(chain, trusted)) return no(refusal("verify/other-key", `the bundle's trust policies do not come from ${trusted}; the last one is ${last.digest}`));
  if (signatures === undefined || sums === undefined) return no(refusal("verify/unsigned", "the bundle is not signed"));
  const lines = parseSignatures(await source.read(signatures.place));
  if (lines === undefined) return no(refusal("verify/trust-form", `${signaturesPath} is not written as it must be`));
  const { policy, digest } = last;
  const { signers, bad, strangers } = judgeSignatures(await source.read(sums.place), lines, policy.keys);
  if (bad.length + strangers.length > 0) {
    return no(
      ...bad.map((key) => refusal("verify/signature", `the signature by ${key.name} over ${sumsPath} is not good`)),
      ...strangers.map((fingerprint) => refusal("verify/other-key", `there is a signature by ${fingerprint}, which trust policy ${policy.version} does not list`)),
    );
  }
  if (signers.length < policy.threshold) {
    return no(refusal("verify/threshold", `${signers.length} of the keys of trust policy ${policy.version} have signed, ${policy.threshold} are wanted`));
  }
  const signed = {
    version: policy.version,
    digest,
    threshold: policy.threshold,
    keys: policy.keys.length,
    signers: signers.map(({ name, fingerprint }) => ({ name, fingerprint })),
  };
  return { issues: [], policy, signed };
}
