/** `sign`: adds signatures to a bundle that is there; only the files of its seal become other ones. */

import type { Command } from "commander";
import { readFile, stat } from "node:fs/promises";
import { EnvironmentError } from "../core/environment-error.ts";
import type { Issue, Outcome } from "../core/issue.ts";
import { publicKeyPath, signaturePath, signaturesPath, sumsPath } from "../pack/layout.ts";
import type { BundleSource, Place } from "../seal/bundle-source.ts";
import { formOf, type Form } from "../seal/form.ts";
import { chainIssues, type ChainLink } from "../seal/policy-chain.ts";
import { policyDigest } from "../seal/policy.ts";
import { resealed } from "../seal/resealed.ts";
import { judgeSignatures, parseSignatures, signaturesText, type Signatures } from "../seal/signature-lines.ts";
import { signChecked, type Signer } from "../seal/sign.ts";
import { chainIn, isPoliced } from "../seal/signed-policy.ts";
import { signersIn } from "../seal/signers-in.ts";
import { verdictText, type Verdict } from "../seal/verdict.ts";
import { verifyBundle } from "../seal/verify.ts";
import { openBundle } from "../store/bundle-file.ts";
import { absolute } from "./documents.ts";
import type { ExitStatus, Io } from "./io.ts";
import { signerIssues } from "./policy-folder.ts";
import { progressOn } from "./progress.ts";
import { hasErrors, showAside } from "./show-report.ts";
import { another, signerOptions, signersOf, signerUsage, writeSshSignatures, type SignerOptions } from "./signer.ts";
import { writeAside, writeTextAside } from "./write-aside.ts";
import { writePieces } from "./write-bundle.ts";

interface Options extends SignerOptions {
  readonly add?: readonly string[];
  readonly out?: string;
  readonly detached?: string;
  readonly sshSignature?: true;
  readonly json?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  signerOptions(command.argument("<bundle>", "the tar; with --detached also the folder it was unpacked into"))
    .description(
      "Sign a bundle that is there, after looking that it is whole. Under a trust policy, several people do so one after the other, or each alone with --detached, and the signatures are put together with --add; the same ones make the same bundle in any order. Without a policy there is room for one signature.",
    )
    .option("--add <file>", "add the signatures of this file, which somebody made with --detached; the option may be given again", another)
    .option("--out <file>", "write the bundle with all signatures here; it may be the bundle itself")
    .option("--detached <file>", "write only the signatures that this command makes, a line each: a small file, to be carried")
    .option("--ssh-signature", "write each signature that this command makes for ssh-keygen, too, beside")
    .option("--json", "print the result as JSON")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle sign berlin-1.cloudlet.tar --key bob.pem --out berlin-1.cloudlet.tar
  cloudlet-bundle sign berlin-1.cloudlet.tar --sign-command 'hsm-sign' --public-key carol.pub.pem --detached carol.signature
  cloudlet-bundle sign berlin-1.cloudlet.tar --add carol.signature --out berlin-1.cloudlet.tar

Exit status: 0 signed, 1 the bundle is not whole or a signature does not belong to it, 2 usage, 3 it can't be read or written.`,
    )
    .action(async (bundle: string, options: Options) => done(await sign(bundle, options, io)));
}

async function sign(bundle: string, options: Options, io: Io): Promise<ExitStatus> {
  const wrong = usageOf(options);
  if (wrong !== undefined) {
    io.err(`cloudlet-bundle sign: ${wrong}\n`);
    return 2;
  }
  const { signers, reports } = await signersOf(io, options);
  if (hasErrors(reports)) return refuse(io, reports);
  const path = absolute(io, bundle);
  const { source, form, verdict } = await look(io, path, options.quiet === true);
  if (!verdict.good) {
    io.out(verdictText(verdict));
    return 1;
  }
  if (options.out !== undefined && source.kind !== "archive") {
    throw new EnvironmentError(`${bundle} is a folder; what is signed into is a tar`, { hint: "sign it with --detached, and add that to the tar" });
  }
  const sums = await source.read(placeOf(form, sumsPath));
  const { chain, issues } = isPoliced(form) ? await chainIn(source, form) : { chain: [], issues: [] };
  const problems = [...issues, ...chainIssues(chain), ...signerIssues(chain, signers)];
  if (problems.length > 0) return refuse(io, [{ name: bundle, issues: problems }]);
  const last = chain.at(-1);
  const added = await Promise.all((options.add ?? []).map(async (name) => parseSignatures(new Uint8Array(await readFile(absolute(io, name))))));
  const made = new Map(await inTurn(signers, async (signer) => [signer.fingerprint, await signChecked(signer, sums, "SHA256SUMS")] as const));
  const sealed = last === undefined ? await oneKey(source, form, signers, made) : await underPolicy(source, form, sums, last, [...added, made]);
  if (!sealed.ok) return refuse(io, [{ name: bundle, issues: sealed.issues }]);
  if (options.detached !== undefined) await writeTextAside(absolute(io, options.detached), signaturesText(made));
  if (options.out !== undefined && source.kind === "archive") {
    const { size, pieces } = resealed(source, form, sealed.value.files);
    await writeAside(absolute(io, options.out), (file) => writePieces(file, pieces, size, () => io.signal.throwIfAborted()));
  }
  const beside = absolute(io, options.out ?? options.detached ?? bundle).replace(/(\.cloudlet)?\.tar$/, "");
  const sshSignatures = options.sshSignature ? await writeSshSignatures(sums, signers, beside) : [];
  tell(io, options, { sums: policyDigest(sums), verdict, ...sealed.value, last, made, sshSignatures });
  return 0;
}

function usageOf(options: Options): string | undefined {
  const wrong = signerUsage(options);
  if (wrong !== undefined) return wrong;
  if ((options.out === undefined) === (options.detached === undefined)) return "give --out FILE for the whole bundle, or --detached FILE for the signature alone";
  const signs = (options.key?.length ?? 0) + (options.signCommand?.length ?? 0);
  if (options.detached !== undefined && (options.add !== undefined || signs === 0)) return "--detached holds what is signed now: --key or --sign-command, and no --add";
  return signs === 0 && options.add === undefined ? "nobody signs: --key, --sign-command or --add" : undefined;
}

function refuse(io: Io, reports: Parameters<typeof showAside>[1]): ExitStatus {
  showAside(io, reports);
  return 1;
}

/** Whoever signs vouches for every file: they are all looked at first. */
async function look(io: Io, path: string, isQuiet: boolean): Promise<{ readonly source: BundleSource; readonly form: Form; readonly verdict: Verdict }> {
  const { size } = await stat(path);
  const progress = progressOn(io, isQuiet);
  let done = 0;
  const source = await openBundle(path, { hashed: (bytes) => progress.report("looking", (done += bytes), Math.max(size, done)), signal: io.signal });
  const verdict = await verifyBundle(source, "none").finally(progress.finish);
  return { source, form: await formOf(source), verdict };
}

function placeOf(form: Form, path: string): Place {
  const found = form.files.get(path);
  if (found === undefined) throw new Error(`a whole bundle has ${path}`);
  return found.place;
}

/** One after the other: an HSM has one door. */
async function inTurn<A, B>(all: readonly A[], of: (each: A) => Promise<B>): Promise<readonly B[]> {
  const results: B[] = [];
  for (const each of all) results.push(await of(each));
  return results;
}

interface Sealed {
  /** The files of the seal that become other ones. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** All who have signed. */
  readonly signers: readonly string[];
}

function no(code: Issue["code"], message: string, hint?: string): Outcome<Sealed> {
  const issue: Issue = { code, severity: "error", pointer: "", message, ...(hint === undefined ? {} : { hint }) };
  return { ok: false, issues: [issue] };
}

async function oneKey(source: BundleSource, form: Form, signers: readonly Signer[], made: Signatures): Promise<Outcome<Sealed>> {
  const [signer] = signers;
  if (signer === undefined) return no("seal/no-policy", "signatures are added to a bundle that has a trust policy; this one has none");
  const [before] = await signersIn({ source, files: [...form.files.values()] });
  if (before !== undefined && before !== signer.fingerprint) return no("seal/no-policy", `the bundle is signed by ${before} already, and without a trust policy there is room for one`);
  const files = new Map<string, Uint8Array>([[publicKeyPath, Buffer.from(signer.publicKeyPem)], [signaturePath, made.get(signer.fingerprint) ?? new Uint8Array()]]);
  return { ok: true, value: { files, signers: [signer.fingerprint] }, issues: [] };
}

/** Those that are there, and those that come: each must be over these sums, by a key of the policy in force. */
async function underPolicy(source: BundleSource, form: Form, sums: Uint8Array, { policy }: ChainLink, more: readonly (Signatures | undefined)[]): Promise<Outcome<Sealed>> {
  const place = form.files.get(signaturesPath)?.place;
  const all = [...(place === undefined ? [] : [parseSignatures(await source.read(place))]), ...more];
  const signatures: Signatures = new Map(all.flatMap((each) => [...(each ?? [])]));
  if (all.includes(undefined)) return no("seal/signature", "there is a file of signatures that is not written as it must be");
  const { signers, bad, strangers } = judgeSignatures(sums, signatures, policy.keys);
  if (bad.length + strangers.length > 0) {
    return no("seal/signature", `not over this bundle's ${sumsPath}, or by none of the keys of trust policy ${policy.version}: ${[...bad.map((key) => key.name), ...strangers].join(", ")}`);
  }
  return { ok: true, value: { files: new Map<string, Uint8Array>([[signaturesPath, Buffer.from(signaturesText(signatures))]]), signers: signers.map((key) => key.name) }, issues: [] };
}

interface Made extends Sealed {
  readonly sums: string;
  readonly verdict: Verdict;
  /** The policy in force; undefined without. */
  readonly last: ChainLink | undefined;
  readonly made: Signatures;
  readonly sshSignatures: readonly string[];
}

/** What the signer should read, and say to the others: which bundle this was. */
function tell(io: Io, options: Options, { sums, verdict, signers, last, made, sshSignatures }: Made): void {
  const { cloudlet, release } = verdict.manifest ?? {};
  const policy = last === undefined ? null : { version: last.policy.version, digest: last.digest, threshold: last.policy.threshold };
  if (options.json) {
    io.out(`${JSON.stringify({ cloudlet, release, sums, fingerprints: [...made.keys()], signers, policy, sshSignatures }, null, 2)}\n`);
    return;
  }
  io.out(`cloudlet     ${cloudlet?.name} of ${cloudlet?.organization}\nrelease      ${release?.name}, sequence ${release?.sequence}\nSHA256SUMS   ${sums}\n`);
  for (const fingerprint of made.keys()) io.out(`signed with  ${fingerprint}\n`);
  for (const path of sshSignatures) io.out(`for ssh      ${path}\n`);
  if (policy === null) return;
  io.out(`policy       ${policy.version}, ${policy.digest}: ${signers.length} of the ${policy.threshold} signatures that it wants (${signers.join(", ")})\n`);
}
