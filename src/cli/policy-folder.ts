/** A folder of trust policies as people pass it around: `0001.policy`, its signatures beside it, and so on to the last. */

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EnvironmentError } from "../core/environment-error.ts";
import { textFile, type File } from "../core/file.ts";
import type { Issue } from "../core/issue.ts";
import { policyPath, policySignaturesPath, trustFolder } from "../pack/layout.ts";
import { chainIssues, readChain, type ChainLink } from "../seal/policy-chain.ts";
import { parsePolicy, policyDigest } from "../seal/policy.ts";
import { signaturesText } from "../seal/signature-lines.ts";
import type { Signer } from "../seal/sign.ts";
import { absolute } from "./documents.ts";
import type { Io } from "./io.ts";
import type { ReportedDocument } from "./report-issues.ts";

export interface LoadedPolicies {
  /** First to last; empty where a report has an error. */
  readonly chain: readonly ChainLink[];
  readonly reports: readonly ReportedDocument[];
}

/** The policies of a folder, which must hold: each signed as it has to be. */
export async function loadPolicies(io: Io, folder: string): Promise<LoadedPolicies> {
  const draft = await loadDraft(io, folder);
  const issues = chainIssues(draft.chain);
  return issues.length === 0 ? draft : { chain: [], reports: [{ name: folder, issues }] };
}

/** The same, in their form alone: of the last one, signatures may be missing, or the file of them. Other files are left alone. */
export async function loadDraft(io: Io, folder: string): Promise<LoadedPolicies> {
  const path = absolute(io, folder);
  const names = (await readdir(path)).filter((name) => /^\d{4}\.(policy|signatures)$/.test(name));
  const files = new Map<string, Uint8Array>(await Promise.all(names.map(async (name) => [`${trustFolder}${name}`, new Uint8Array(await readFile(join(path, name)))] as const)));
  const last = names.filter((name) => name.endsWith(".policy")).length;
  if (last === 0) throw new EnvironmentError(`${folder} holds no trust policy`, { hint: "make the first one: cloudlet-bundle trust init" });
  const draft = files.get(policyPath(last));
  if (draft === undefined || files.has(policySignaturesPath(last))) return asLoaded(folder, readChain(files));
  files.delete(policyPath(last));
  const before = last === 1 ? { chain: [], issues: [] } : readChain(files);
  const reading = parsePolicy(draft);
  if (before.issues.length > 0) return asLoaded(folder, before);
  if (!reading.ok || reading.policy.version !== last) {
    const message = `${policyPath(last)} ${reading.ok ? "is another version" : reading.message}`;
    return asLoaded(folder, { chain: [], issues: [{ code: "verify/trust-form", severity: "error", pointer: "", message }] });
  }
  return asLoaded(folder, { chain: [...before.chain, { policy: reading.policy, digest: policyDigest(draft), bytes: draft, signatures: new Map() }], issues: [] });
}

function asLoaded(name: string, { chain, issues }: { readonly chain: readonly ChainLink[]; readonly issues: readonly Issue[] }): LoadedPolicies {
  return { chain, reports: issues.length === 0 ? [] : [{ name, issues }] };
}

/** The files of a bundle that carries them. */
export function policyFiles(chain: readonly ChainLink[]): readonly File[] {
  const made = { role: "data", source: "trust policy" } as const;
  return chain.flatMap(({ policy, bytes, signatures }) => [
    { ...made, path: policyPath(policy.version), mode: 0o644, body: { kind: "bytes", bytes }, spans: [] } satisfies File,
    textFile(policySignaturesPath(policy.version), signaturesText(signatures), made),
  ]);
}

/** Who may not sign a bundle under the policy in force; without one, nobody but a single signer. */
export function signerIssues(chain: readonly ChainLink[], signers: readonly Signer[]): readonly Issue[] {
  const issue = (code: Issue["code"], message: string, hint: string): Issue => ({ code, severity: "error", pointer: "", message, hint });
  const policy = chain.at(-1)?.policy;
  if (policy === undefined) {
    return signers.length > 1 ? [issue("seal/no-policy", "without a trust policy, a bundle has one signature", "make one: cloudlet-bundle trust init; then give it with --policy")] : [];
  }
  return signers
    .filter(({ fingerprint }) => !policy.keys.some((key) => key.fingerprint === fingerprint))
    .map(({ fingerprint }) => issue("seal/not-in-policy", `${fingerprint} is not a key of trust policy ${policy.version}`, "cloudlet-bundle trust show lists its keys"));
}
