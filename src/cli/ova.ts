/** `ova`: writes the OVF package of a cloudlet for vSphere or vCloud Director as one archive. */

import type { Command } from "commander";
import { open, stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Digest } from "../core/digest.ts";
import type { File } from "../core/file.ts";
import { ovfPath } from "../pack/layout.ts";
import { ovaEntries, ovaPaths } from "../pack/ovf-package.ts";
import { layArchive, produce, type BlobReader } from "../pack/stream.ts";
import { mtimeOf, plainName } from "../pack/tree.ts";
import { formOf } from "../seal/form.ts";
import { verdictText } from "../seal/verdict.ts";
import { verifyBundle } from "../seal/verify.ts";
import { openBundle, placeReader } from "../store/bundle-file.ts";
import { absolute } from "./documents.ts";
import { drawBundle, loadSpec, needsVmdk } from "./draw.ts";
import { releaseOptions, resolveInputs, type ReleaseOptions } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import { certificateOptions, withCertificate, type CertificateOptions } from "./ovf-certificate.ts";
import { progressOn } from "./progress.ts";
import { refuseFullDisk } from "./refuse-full-disk.ts";
import type { ReportedDocument } from "./report-issues.ts";
import { hasErrors, showAside } from "./show-report.ts";
import { clockOf, trustOf } from "./verify.ts";
import { writeAside } from "./write-aside.ts";
import { writePieces } from "./write-bundle.ts";

interface Options extends ReleaseOptions, CertificateOptions {
  readonly trust?: string;
  readonly locked?: true;
  readonly out?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  certificateOptions(releaseOptions(command.argument("<source>", "a spec for vSphere or vCloud Director, or a bundle made of one: its tar, or the folder it was unpacked into")))
    .description(
      "Write the OVF package as one OVA: descriptor, manifest, both disks. From a spec, or from a bundle, whose install.sh --ova gives the same bytes.",
    )
    .option("--trust <key>", "of a bundle: the signer's public key (PEM file), its fingerprint (SHA256:…), or none")
    .option("--locked", "of a spec: ask nobody; the lock and the blobs must be there")
    .option("--out <file>", "the OVA; <cloudlet>-<organization>-<release>.ova when left out")
    .option("--json", "print the result as JSON")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      `
Examples:
  cloudlet-bundle ova porto-1.yaml --release release.yaml --locked
  cloudlet-bundle ova porto-1-ExampleTel-2026.11.cloudlet.tar --trust release-2026.pub.pem --out porto-1.ova

Of a bundle every digest is checked before anything is written. Exit status: 0 done, 1 findings, 2 usage, 3 environment.`,
    )
    .action(async (source: string, options: Options) => done(await ova(source, options, io)));
}

async function ova(sourcePath: string, options: Options, io: Io): Promise<ExitStatus> {
  const source = await (await isBundle(io, sourcePath) ? fromBundle : fromSpec)(sourcePath, options, io);
  if (typeof source === "number") return source;
  const entries = ovaEntries(source.files);
  showAside(io, [{ name: sourcePath, issues: entries.issues }]);
  if (!entries.ok) return 1;
  const layout = layArchive(entries.value, source.mtime);
  const out = absolute(io, options.out ?? source.fileName);
  await refuseFullDisk(out, layout.size, "the OVA");
  const progress = progressOn(io, options.quiet === true);
  await writeAside(out, (file) => writePieces(file, produce(layout, source.blobs, 0, layout.size, io.signal), layout.size, (done) => progress.report(basename(out), done, layout.size))).finally(progress.finish);
  const members = entries.value.map(({ path }) => path);
  io.out(options.json ? `${JSON.stringify({ ova: out, size: layout.size, members }, null, 2)}\n` : `ova      ${out}\nsize     ${layout.size} bytes\nmembers  ${members.join(", ")}\n`);
  return 0;
}

/** What an OVA is made of, whichever form it came in. */
interface Source {
  readonly files: readonly Pick<File, "path" | "body">[];
  /** Seconds since the Epoch. */
  readonly mtime: number;
  readonly blobs: BlobReader;
  readonly fileName: string;
}

/** A folder, or a tar: ustar's magic stands at byte 257 (POSIX.1-2017 pax). */
async function isBundle(io: Io, given: string): Promise<boolean> {
  if (given === "-") return false;
  const path = absolute(io, given);
  if ((await stat(path)).isDirectory()) return true;
  const file = await open(path, "r");
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(5), 0, 5, 257);
    return bytesRead === 5 && buffer.toString("latin1") === "ustar";
  } finally {
    await file.close();
  }
}

async function fromSpec(specPath: string, options: Options, io: Io): Promise<Source | ExitStatus> {
  if (options.trust !== undefined) return wrong(io, "--trust is for bundles; a spec is your own");
  const spec = await loadSpec(io, specPath);
  const inputs = await resolveInputs(io, { ...options, vmdk: needsVmdk(spec) });
  const drawn = inputs.resolved === undefined ? undefined : drawBundle(io, spec, inputs.resolved);
  showAside(io, [...inputs.reports, ...(drawn?.reports ?? [])]);
  if (inputs.resolved === undefined || drawn?.drawn === undefined) return 1;
  const { tree, fileName } = drawn.drawn;
  const certified = await withCertificate(io, tree, options, undefined);
  const reports: readonly ReportedDocument[] = [...certified.reports, ...packageReports(specPath, tree.files, tree.about.platform)];
  showAside(io, reports);
  if (certified.tree === undefined || hasErrors(reports)) return 1;
  return { files: certified.tree.files, mtime: tree.mtime, blobs: inputs.resolved.store.reusing(), fileName: fileName.replace(/\.cloudlet\.tar$/, ".ova") };
}

/** Verified whole, then read in place. */
async function fromBundle(bundlePath: string, options: Options, io: Io): Promise<Source | ExitStatus> {
  if (options.ovfCertificate !== undefined) return wrong(io, "--ovf-certificate is for specs; a bundle has its certificate from its build");
  const trust = await trustOf(io, options.trust, "ova");
  if (trust === "wrong") return 2;
  const path = absolute(io, bundlePath);
  const { size } = await stat(path);
  const progress = progressOn(io, options.quiet === true);
  let done = 0;
  const source = await openBundle(path, { hashed: (bytes) => progress.report("verifying", (done += bytes), Math.max(size, done)), signal: io.signal });
  const verdict = await verifyBundle(source, trust, { now: clockOf(io) }).finally(progress.finish);
  const { manifest } = verdict;
  if (!verdict.good || manifest === undefined) {
    io.err(verdictText(verdict));
    return 1;
  }
  const reports = packageReports(bundlePath, manifest.files, manifest.platform);
  showAside(io, reports);
  if (hasErrors(reports)) return 1;
  const { files } = await formOf(source);
  const wanted = manifest.files.filter((file) => ovaPaths.includes(file.path));
  const places = new Map(wanted.map((file) => [`sha256:${file.sha256}` as Digest, files.get(file.path)?.place] as const));
  const { cloudlet, release } = manifest;
  return {
    files: wanted.map((file) => ({ path: file.path, body: { kind: "blob", digest: `sha256:${file.sha256}`, size: file.size } })),
    mtime: mtimeOf(release.created),
    blobs: placeReader(source, places),
    fileName: `${plainName(cloudlet.name, cloudlet.organization, release.name)}.ova`,
  };
}

function packageReports(name: string, files: readonly { readonly path: string }[], platform: string): readonly ReportedDocument[] {
  if (files.some((file) => file.path === ovfPath)) return [];
  const message = `a bundle for ${platform} holds no OVF package`;
  return [{ name, issues: [{ code: "ovf/no-package", severity: "error", pointer: "", message, hint: "An OVA is made of cloudlets for vSphere and vCloud Director." }] }];
}

function wrong(io: Io, what: string): 2 {
  io.err(`cloudlet-bundle ova: ${what}\n`);
  return 2;
}
