/** `trust`: the policies that say whose signatures a bundle needs. They are small files, passed from one signer to the next. */

import type { Command } from "commander";
import { mkdir, readFile, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { EnvironmentError } from "../core/environment-error.ts";
import type { Issue } from "../core/issue.ts";
import { policyPath, policySignaturesPath, trustFolder } from "../pack/layout.ts";
import { epochOf } from "../pack/tree.ts";
import { formOf } from "../seal/form.ts";
import { readPublicKey, type PublicKey } from "../seal/keys.ts";
import { keysOfBoth, linkProblems, type ChainLink } from "../seal/policy-chain.ts";
import { parsePolicy, policyText, type PolicyEnd, type PolicyKey } from "../seal/policy.ts";
import { judgeSignatures, parseSignatures, signaturesText, type Signatures } from "../seal/signature-lines.ts";
import { signChecked, type Signer } from "../seal/sign.ts";
import { chainIn } from "../seal/signed-policy.ts";
import { openBundle } from "../store/bundle-file.ts";
import { absolute } from "./documents.ts";
import type { ExitStatus, Io } from "./io.ts";
import { loadDraft, loadPolicies } from "./policy-folder.ts";
import { hasErrors, showAside } from "./show-report.ts";
import { another, signerOptions, signersOf, signerUsage, type SignerOptions } from "./signer.ts";
import { writeTextAside } from "./write-aside.ts";

interface Options extends SignerOptions {
  readonly signer?: readonly string[];
  readonly threshold?: string;
  readonly until?: string;
  readonly afterwards?: string;
  readonly add?: readonly string[];
  readonly json?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  signerOptions(
    command
      .argument("<action>", "init (the first policy), rotate (the next one), sign (the last one) or show")
      .argument("<folder>", "where the policies lie; show also takes a bundle")
      .option("--signer <file>", "init, rotate: the public key (PEM) of one who may sign, NAME.pub.pem; again for each. rotate keeps those of before when left out", another)
      .option("--threshold <number>", "init, rotate: how many of them must sign a bundle, and the next policy. rotate keeps the number when left out")
      .option("--until <time>", "init, rotate: when the policy ends (2028-01-01T00:00:00Z), or never; must be said")
      .option("--afterwards <what>", "init, rotate: warn of a bundle after the end, or refuse it"),
  )
    .description(
      "Make a trust policy: whose keys count, how many of them must sign, until when. Its fingerprint is what an operator is given, by another channel than the bundle. A rotation is signed by the keys before and by the keys after, so an operator who trusts the policy before follows without being asked.",
    )
    .option("--add <file>", "sign: add the signatures of this file, from somebody else's copy of the folder; the option may be given again", another)
    .option("--json", "print the result as JSON")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle trust init trust --signer alice.pub.pem --signer bob.pub.pem --signer carol.pub.pem --threshold 2 --until 2028-01-01T00:00:00Z --afterwards warn
  cloudlet-bundle trust sign trust --key alice.pem
  cloudlet-bundle trust rotate trust --signer alice.pub.pem --signer bob.pub.pem --signer dora.pub.pem --until never
  cloudlet-bundle trust show trust

Exit status: 0 done, 1 the policies are not what they must be, 2 usage, 3 they can't be read or written.`,
    )
    .action(async (action: string, folder: string, options: Options) => done(await act(action, folder, options, io)));
}

async function act(action: string, folder: string, options: Options, io: Io): Promise<ExitStatus> {
  const wrong = signerUsage(options);
  if (wrong !== undefined) return usage(io, wrong);
  switch (action) {
    case "init":
      return init(folder, options, io);
    case "rotate":
      return rotate(folder, options, io);
    case "sign":
      return sign(folder, options, io);
    case "show":
      return show(folder, options, io);
    default:
      return usage(io, `there is init, rotate, sign and show, not ${action}`);
  }
}

function usage(io: Io, message: string): ExitStatus {
  io.err(`cloudlet-bundle trust: ${message}\n`);
  return 2;
}

async function init(folder: string, options: Options, io: Io): Promise<ExitStatus> {
  const path = absolute(io, folder);
  await mkdir(path, { recursive: true });
  if ((await readdir(path)).some((name) => name.endsWith(".policy"))) {
    throw new EnvironmentError(`${folder} holds a trust policy already`, { hint: "the next one is made with: cloudlet-bundle trust rotate" });
  }
  return makeNext(folder, [], options, io);
}

async function rotate(folder: string, options: Options, io: Io): Promise<ExitStatus> {
  const { chain, reports } = await loadPolicies(io, folder);
  showAside(io, reports);
  return chain.length === 0 ? 1 : makeNext(folder, chain, options, io);
}

/** Writes the policy that follows the chain, and signs it with the keys that are given. */
async function makeNext(folder: string, chain: readonly ChainLink[], options: Options, io: Io): Promise<ExitStatus> {
  const before = chain.at(-1);
  const end = endOf(options);
  if (end === "wrong") return usage(io, "say when the policy ends: --until 2028-01-01T00:00:00Z --afterwards warn (or refuse), or --until never");
  const keys: PolicyKey[] = options.signer === undefined ? [...(before?.policy.keys ?? [])] : [];
  for (const file of options.signer ?? []) {
    const key = readPublicKey(await readFile(absolute(io, file), "utf8"));
    if (key.ok) keys.push(named(key.value, file));
    else return refuse(io, file, key.issues);
  }
  const threshold = options.threshold === undefined ? (before?.policy.threshold ?? 0) : Number(options.threshold);
  const text = policyText({ version: (before?.policy.version ?? 0) + 1, previous: before?.digest, threshold, end, keys });
  const reading = parsePolicy(Buffer.from(text));
  if (!reading.ok) {
    const hint = "give --signer once for each, in files whose names are letters and digits, and a --threshold that they can reach";
    return refuse(io, folder, [{ code: "seal/policy", severity: "error", pointer: "", message: `the policy ${reading.message}`, hint }]);
  }
  const path = join(absolute(io, folder), basename(policyPath(reading.policy.version)));
  await writeTextAside(path, text, { exclusive: true, mode: 0o644 });
  return sign(folder, options, io);
}

/** A key is called as its file is. */
function named(key: PublicKey, file: string): PolicyKey {
  return { ...key, name: basename(file).replace(/(\.pub)?\.pem$/, "") };
}

function endOf({ until, afterwards }: Options): PolicyEnd | undefined | "wrong" {
  if (until === "never") return afterwards === undefined ? undefined : "wrong";
  if (until === undefined || epochOf(until) === undefined || (afterwards !== "warn" && afterwards !== "refuse")) return "wrong";
  return { time: until, afterwards };
}

function refuse(io: Io, name: string, issues: readonly Issue[]): ExitStatus {
  showAside(io, [{ name, issues }]);
  return 1;
}

/** Adds signatures to the last policy: those of the keys that are given, and those that others made. */
async function sign(folder: string, options: Options, io: Io): Promise<ExitStatus> {
  const { signers, reports } = await signersOf(io, options);
  const draft = await loadDraft(io, folder);
  showAside(io, [...reports, ...draft.reports]);
  const last = draft.chain.at(-1);
  if (last === undefined || hasErrors([...reports, ...draft.reports])) return 1;
  const before = draft.chain.at(-2);
  const keys = keysOfBoth(last.policy, before?.policy);
  const stranger = signers.find(({ fingerprint }) => !keys.some((key) => key.fingerprint === fingerprint));
  const no = (code: Issue["code"], message: string): ExitStatus => refuse(io, folder, [{ code, severity: "error", pointer: "", message }]);
  if (stranger !== undefined) return no("seal/not-in-policy", `${stranger.fingerprint} is a key neither of trust policy ${last.policy.version} nor of the one before`);
  const added = await Promise.all((options.add ?? []).map(async (file) => parseSignatures(new Uint8Array(await readFile(absolute(io, file))))));
  if (added.includes(undefined)) return no("seal/signature", "a file of --add holds no signatures, or they are not written as they must be");
  const signatures: Signatures = new Map([...last.signatures, ...added.flatMap((each) => [...(each ?? [])]), ...(await madeBy(signers, last.bytes))]);
  const { bad, strangers } = judgeSignatures(last.bytes, signatures, keys);
  if (bad.length + strangers.length > 0) return no("seal/signature", `no good signature over trust policy ${last.policy.version}: ${[...bad.map((key) => key.name), ...strangers].join(", ")}`);
  if (signatures.size > 0) await writeTextAside(join(absolute(io, folder), basename(policySignaturesPath(last.policy.version))), signaturesText(signatures));
  // More signatures may be to come: that is no failure of this command.
  tell(io, options, [...draft.chain.slice(0, -1), { ...last, signatures }]);
  return 0;
}

async function madeBy(signers: readonly Signer[], bytes: Uint8Array): Promise<Signatures> {
  const made = new Map<Signer["fingerprint"], Uint8Array>();
  for (const signer of signers) made.set(signer.fingerprint, await signChecked(signer, bytes, "trust-policy"));
  return made;
}

/** Of a folder of policies, or of a bundle. */
async function show(name: string, options: Options, io: Io): Promise<ExitStatus> {
  const path = absolute(io, name);
  const isFolderOfPolicies = (await stat(path)).isDirectory() && (await readdir(path)).some((each) => each.endsWith(".policy"));
  if (isFolderOfPolicies) {
    const { chain, reports } = await loadDraft(io, name);
    showAside(io, reports);
    return chain.length > 0 && tell(io, options, chain) ? 0 : 1;
  }
  const source = await openBundle(path, { signal: io.signal });
  const form = await formOf(source);
  if (form.issues.length > 0) return refuse(io, name, form.issues);
  const { chain, issues } = await chainIn(source, form);
  if (issues.length > 0) return refuse(io, name, issues);
  return tell(io, options, chain) ? 0 : 1;
}

/** Gives whether the policies hold. */
function tell(io: Io, options: Options, chain: readonly ChainLink[]): boolean {
  const policies = chain.map((link, index) => {
    const { policy, digest, signatures } = link;
    const { version, threshold, end, keys } = policy;
    const all = keysOfBoth(policy, chain[index - 1]?.policy);
    const signedBy = all.filter((key) => signatures.has(key.fingerprint)).map((key) => key.name);
    return { version, digest, threshold, end: end ?? null, keys: keys.map(({ name, fingerprint }) => ({ name, fingerprint })), signedBy, problems: linkProblems(link, chain[index - 1]) };
  });
  const holds = policies.every((each) => each.problems.length === 0);
  if (options.json) {
    io.out(`${JSON.stringify({ holds, policies }, null, 2)}\n`);
  } else {
    for (const each of policies) {
      io.out(`policy       ${each.version} (${basename(trustFolder)}/${basename(policyPath(each.version))})\nfingerprint  ${each.digest}\n`);
      io.out(`threshold    ${each.threshold} of ${each.keys.length} keys\nuntil        ${each.end === null ? "never" : `${each.end.time}, then ${each.end.afterwards}`}\n`);
      for (const key of each.keys) io.out(`key          ${key.fingerprint} ${key.name}\n`);
      io.out(`signed by    ${each.signedBy.join(", ") || "nobody"}\n`);
      for (const problem of each.problems) io.out(`missing      ${problem}\n`);
      io.out("\n");
    }
    io.out(holds ? "The policies hold.\n" : "They do not hold yet: cloudlet-bundle trust sign FOLDER --key FILE\n");
  }
  return holds;
}
