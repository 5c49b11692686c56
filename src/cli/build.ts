/** `build`: makes the bundle. */

import type { Command } from "commander";
import { basename } from "node:path";
import { provenancePath } from "../pack/layout.ts";
import { layBundle } from "../pack/stream.ts";
import { envelope } from "../seal/dsse.ts";
import { seal } from "../seal/seal.ts";
import type { Signer } from "../seal/sign.ts";
import { absolute } from "./documents.ts";
import { bytesOf, drawBundle, loadSpec, needsVmdk } from "./draw.ts";
import { releaseOptions, resolveInputs, type ReleaseOptions } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import { certificateOptions, withCertificate, type CertificateOptions } from "./ovf-certificate.ts";
import { progressOn } from "./progress.ts";
import { refuseFullDisk } from "./refuse-full-disk.ts";
import { hasErrors, showAside } from "./show-report.ts";
import { signerOptions, signerOf, type SignerOptions } from "./signer.ts";
import { writeAside, writeTextAside } from "./write-aside.ts";
import { writeBundle } from "./write-bundle.ts";

interface Options extends ReleaseOptions, SignerOptions, CertificateOptions {
  readonly locked?: true;
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  certificateOptions(signerOptions(releaseOptions(command.argument("<spec>", "the cloudlet spec; - is standard input"))))
    .description(
      "Make the bundle: one tar that holds all an operator needs, the same bytes from the same spec, release and lock every time. Beside it goes a template for the secrets file and, where it is signed, its provenance in a signed envelope (DSSE).",
    )
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

A build that was stopped leaves nothing under the final name; run it again.`,
    )
    .action(async (spec: string, options: Options) => done(await build(spec, options, io)));
}

async function build(specPath: string, options: Options, io: Io): Promise<ExitStatus> {
  if (options.signCommand !== undefined && options.publicKey === undefined) {
    io.err("cloudlet-bundle build: --sign-command needs --public-key, so that what it gives can be checked\n");
    return 2;
  }
  const { signer, report } = await signerOf(io, options);
  const keyReports = report === undefined ? [] : [report];
  const spec = await loadSpec(io, specPath);
  const inputs = hasErrors(keyReports) ? undefined : await resolveInputs(io, { ...options, vmdk: needsVmdk(spec) });
  const drawn = inputs?.resolved === undefined ? undefined : drawBundle(io, spec, inputs.resolved);
  showAside(io, [...keyReports, ...(inputs?.reports ?? []), ...(drawn?.reports ?? [])]);
  if (inputs?.resolved === undefined || drawn?.drawn === undefined) return 1;
  const { store } = inputs.resolved;
  const { fileName, secretsTemplate } = drawn.drawn;
  const certified = await withCertificate(io, drawn.drawn.tree, options, signer);
  showAside(io, certified.reports);
  if (certified.tree === undefined) return 1;
  const layout = layBundle(await seal(certified.tree, signer));
  const attestation = signer === undefined ? undefined : await envelope(bytesOf(certified.tree, provenancePath), signer);
  const out = absolute(io, options.out ?? fileName);
  await refuseFullDisk(out, layout.size, "the bundle");
  const progress = progressOn(io, options.quiet === true);
  await writeAside(out, (file) => writeBundle(file, layout, store.reusing(), io.signal, (done) => progress.report(basename(out), done, layout.size))).finally(progress.finish);
  const beside = out.replace(/(\.cloudlet)?\.tar$/, "");
  const secrets = `${beside}.secrets.template`;
  await writeTextAside(secrets, secretsTemplate, { mode: 0o600 });
  const provenance = attestation === undefined ? undefined : `${beside}.provenance.dsse.json`;
  if (provenance !== undefined) await writeTextAside(provenance, attestation ?? "");
  tell(io, options, { bundle: out, size: layout.size, secrets, provenance, signer });
  return 0;
}

interface Made {
  readonly bundle: string;
  readonly size: number;
  readonly secrets: string;
  /** The provenance in a signed envelope, where there is a signer. */
  readonly provenance: string | undefined;
  readonly signer: Signer | undefined;
}

function tell(io: Io, options: Options, made: Made): void {
  const { bundle, size, secrets, provenance, signer } = made;
  if (options.json) {
    io.out(`${JSON.stringify({ bundle, size, secretsTemplate: secrets, provenance: provenance ?? null, signed: signer !== undefined, fingerprint: signer?.fingerprint ?? null }, null, 2)}\n`);
  } else {
    io.out(`bundle       ${bundle}\nsize         ${size} bytes\nsecrets      ${secrets}\n`);
    if (provenance !== undefined) io.out(`provenance   ${provenance}\n`);
    io.out(signer === undefined ? "signature    none\n" : `signed with  ${signer.fingerprint}\n`);
  }
  if (signer === undefined && options.unsigned !== true) {
    io.err("The bundle is not signed: an operator can't tell who made it. Sign it: --key FILE (cloudlet-bundle keygen makes one).\n");
  }
}
