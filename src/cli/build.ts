/** `build`: makes the bundle. */

import type { Command } from "commander";
import { basename } from "node:path";
import { provenancePath, sumsPath } from "../pack/layout.ts";
import { layBundle } from "../pack/stream.ts";
import { envelope } from "../seal/dsse.ts";
import { seal } from "../seal/seal.ts";
import type { ChainLink } from "../seal/policy-chain.ts";
import type { Signer } from "../seal/sign.ts";
import { absolute } from "./documents.ts";
import { bytesOf } from "../store/draw.ts";
import { drawBundle, loadSpec, needsVmdk } from "./draw.ts";
import { releaseOptions, resolveInputs, type ReleaseOptions } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import { certificateOptions, withCertificate, type CertificateOptions } from "./ovf-certificate.ts";
import { loadPolicies, policyFiles, signerIssues } from "./policy-folder.ts";
import { progressOn } from "./progress.ts";
import { refuseFullDisk } from "./refuse-full-disk.ts";
import { hasErrors, showAside } from "./show-report.ts";
import { signerOptions, signersOf, signerUsage, writeSshSignatures, type SignerOptions } from "./signer.ts";
import { writeAside, writeTextAside } from "./write-aside.ts";
import { writeBundle } from "./write-bundle.ts";

interface Options extends ReleaseOptions, SignerOptions, CertificateOptions {
  readonly locked?: true;
  readonly policy?: string;
  readonly sshSignature?: true;
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  certificateOptions(signerOptions(releaseOptions(command.argument("<spec>", "the cloudlet spec; - is standard input"))))
    .description(
      "Make the bundle: one tar that holds all an operator needs, the same bytes from the same spec, release and lock every time. Beside it goes a template for the secrets file and, where it is signed, its provenance in a signed envelope (DSSE).",
    )
    .option("--unsigned", "do not sign, and do not warn")
    .option("--policy <folder>", "the trust policies (cloudlet-bundle trust) that the bundle carries and is signed under; others may add their signatures later (cloudlet-bundle sign)")
    .option("--ssh-signature", "write each signature for ssh-keygen, too, beside the bundle")
    .option("--locked", "ask nobody: the lock and the blobs must be there")
    .option("--out <file>", "the bundle; <cloudlet>-<organization>-<release>.cloudlet.tar when left out")
    .option("--json", "print the result as JSON")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle build berlin-1.yaml --release release.yaml --key release-2026.pem
  cloudlet-bundle build berlin-1.yaml --release release.yaml --locked --sign-command 'hsm-sign --slot 3' --public-key hsm.pub.pem
  cloudlet-bundle build berlin-1.yaml --release release.yaml --policy trust --key alice.pem

A build that was stopped leaves nothing under the final name; run it again.`,
    )
    .action(async (spec: string, options: Options) => done(await build(spec, options, io)));
}

async function build(specPath: string, options: Options, io: Io): Promise<ExitStatus> {
  const wrong = signerUsage(options);
  if (wrong !== undefined) {
    io.err(`cloudlet-bundle build: ${wrong}\n`);
    return 2;
  }
  const { signers, reports } = await signersOf(io, options);
  const policies = options.policy === undefined ? { chain: [], reports: [] } : await loadPolicies(io, options.policy);
  const keyReports = [...reports, ...policies.reports, { name: options.policy ?? "the keys", issues: hasErrors(policies.reports) ? [] : signerIssues(policies.chain, signers) }];
  const spec = await loadSpec(io, specPath);
  const inputs = hasErrors(keyReports) ? undefined : await resolveInputs(io, { ...options, vmdk: needsVmdk(spec) });
  const drawn = inputs?.resolved === undefined ? undefined : drawBundle(io, spec, inputs.resolved, policyFiles(policies.chain));
  showAside(io, [...keyReports, ...(inputs?.reports ?? []), ...(drawn?.reports ?? [])]);
  if (inputs?.resolved === undefined || drawn?.drawn === undefined) return 1;
  const { store } = inputs.resolved;
  const { fileName, secretsTemplate } = drawn.drawn;
  // Of several, nobody said whose the certificate is.
  const certified = await withCertificate(io, drawn.drawn.tree, options, signers.length === 1 ? signers[0] : undefined);
  showAside(io, certified.reports);
  if (certified.tree === undefined) return 1;
  const sealed = await seal(certified.tree, signers);
  const layout = layBundle(sealed);
  const attestation = signers.length === 0 ? undefined : await envelope(bytesOf(certified.tree, provenancePath), signers);
  const out = absolute(io, options.out ?? fileName);
  await refuseFullDisk(out, layout.size, "the bundle");
  const progress = progressOn(io, options.quiet === true);
  let done = 0;
  const hashed = (bytes: number): void => progress.report(basename(out), (done += bytes), layout.size);
  await writeAside(out, (file) => writeBundle(file, layout, store, { hashed, signal: io.signal })).finally(progress.finish);
  const beside = out.replace(/(\.cloudlet)?\.tar$/, "");
  const secrets = `${beside}.secrets.template`;
  await writeTextAside(secrets, secretsTemplate, { mode: 0o600 });
  const provenance = attestation === undefined ? undefined : `${beside}.provenance.dsse.json`;
  if (provenance !== undefined) await writeTextAside(provenance, attestation ?? "");
  const sshSignatures = options.sshSignature ? await writeSshSignatures(bytesOf(sealed, sumsPath), signers, beside) : [];
  tell(io, options, { bundle: out, size: layout.size, secrets, provenance, signers, sshSignatures, policy: policies.chain.at(-1) });
  return 0;
}

interface Made {
  readonly bundle: string;
  readonly size: number;
  readonly secrets: string;
  /** The provenance in a signed envelope, where there is a signer. */
  readonly provenance: string | undefined;
  readonly signers: readonly Signer[];
  readonly sshSignatures: readonly string[];
  /** In force; undefined without. */
  readonly policy: ChainLink | undefined;
}

function tell(io: Io, options: Options, made: Made): void {
  const { bundle, size, secrets, provenance, signers, sshSignatures } = made;
  const policy = made.policy === undefined ? null : { version: made.policy.policy.version, digest: made.policy.digest, threshold: made.policy.policy.threshold };
  if (options.json) {
    const fingerprints = signers.map((signer) => signer.fingerprint);
    const signed = { signed: signers.length > 0, fingerprint: fingerprints[0] ?? null, fingerprints, policy, sshSignatures };
    io.out(`${JSON.stringify({ bundle, size, secretsTemplate: secrets, provenance: provenance ?? null, ...signed }, null, 2)}\n`);
  } else {
    io.out(`bundle       ${bundle}\nsize         ${size} bytes\nsecrets      ${secrets}\n`);
    if (provenance !== undefined) io.out(`provenance   ${provenance}\n`);
    for (const path of sshSignatures) io.out(`for ssh      ${path}\n`);
    for (const { fingerprint } of signers) io.out(`signed with  ${fingerprint}\n`);
    if (policy !== null) io.out(`policy       ${policy.version}, ${policy.digest}: ${signers.length} of the ${policy.threshold} signatures that it wants\n`);
    else if (signers.length === 0) io.out("signature    none\n");
  }
  if (options.unsigned === true) return;
  if (signers.length === 0 && policy === null) {
    io.err("The bundle is not signed: an operator can't tell who made it. Sign it: --key FILE (cloudlet-bundle keygen makes one).\n");
  } else if (policy !== null && signers.length < policy.threshold) {
    io.err(`The bundle needs ${policy.threshold - signers.length} more: cloudlet-bundle sign ${basename(bundle)} --key FILE --out FILE\n`);
  }
}
