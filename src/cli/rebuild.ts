/** `rebuild`: makes a bundle again from its own spec, release and lock, and says whether it is the same. */

import type { Command } from "commander";
import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { Issue } from "../core/issue.ts";
import { builderIn } from "../evidence/provenance.ts";
import { lockPath, ovfCertificatePath, ovfManifestPath, provenancePath, releasePath, signaturePath, signaturesPath, specPath, trustFolder } from "../pack/layout.ts";
import { baseName } from "../pack/ovf-package.ts";
import type { Tree } from "../pack/tree.ts";
import { platforms } from "../platforms/registry.ts";
import type { BundleSource } from "../seal/bundle-source.ts";
import { formOf, type Form } from "../seal/form.ts";
import { certificateProblem, certified } from "../seal/ovf-certificate.ts";
import { differences, type Blobs, type Difference } from "../seal/rebuilt.ts";
import { chainIn } from "../seal/signed-policy.ts";
import { signersIn } from "../seal/signers-in.ts";
import { seal } from "../seal/seal.ts";
import { DOCUMENT_MAX_BYTES } from "../spec/decode-text.ts";
import { readLock } from "../spec/read-lock.ts";
import { readRelease } from "../spec/read-release.ts";
import { readSpec } from "../spec/read-spec.ts";
import { openStore } from "../store/blob-store.ts";
import { openBundle } from "../store/bundle-file.ts";
import type { ReadDocuments } from "../store/draw.ts";
import { absolute } from "./documents.ts";
import { drawDocuments } from "./draw.ts";
import { storeFolder } from "./inputs.ts";
import type { ExitStatus, Io } from "./io.ts";
import { policyFiles, signerIssues } from "./policy-folder.ts";
import { progressOn } from "./progress.ts";
import type { ReportedDocument } from "./report-issues.ts";
import { hasErrors, showAside } from "./show-report.ts";
import { another, signersOf } from "./signer.ts";
import { version } from "./version.ts";

interface Options {
  readonly store?: string;
  readonly key?: readonly string[];
  readonly json?: true;
  readonly quiet?: true;
}

export function define(command: Command, io: Io, done: (status: ExitStatus) => void): void {
  command
    .description(
      "Make a bundle again from the spec, release and lock that it carries, and compare every file, mode and byte. It is asked whether the bundle is what its inputs make, not who made it: that is what verify is for.",
    )
    .argument("<bundle>", "the tar, or the folder it was unpacked into")
    .option("--store <folder>", "a blob store; needed only to name the differing byte of a blob. ~/.cache/cloudlet-bundle or $CLOUDLET_BUNDLE_STORE when left out")
    .option("--key <file>", "make the signature again, too, with this key; with a trust policy the option may be given again", another)
    .option("--json", "print the result as JSON")
    .option("--quiet", "no progress")
    .addHelpText(
      "after",
      "\nExamples:\n  cloudlet-bundle rebuild bundle.tar\n  cloudlet-bundle rebuild bundle/ --key release-2026.pem --json\n\nExit status: 0 the same, 1 different, 2 usage, 3 it can't be read.",
    )
    .action(async (bundle: string, options: Options) => done(await rebuild(bundle, options, io)));
}

async function rebuild(bundle: string, options: Options, io: Io): Promise<ExitStatus> {
  const { signers, reports } = await signersOf(io, options);
  if (hasErrors(reports)) return refuse(io, reports);
  const path = absolute(io, bundle);
  const { size } = await stat(path);
  const progress = progressOn(io, options.quiet === true);
  let done = 0;
  const hashed = (bytes: number): void => progress.report("comparing", (done += bytes), Math.max(size, done));
  const source = await openBundle(path, { hashed, signal: io.signal });
  const form = await formOf(source);
  if (form.issues.length > 0) return refuse(io, [{ name: bundle, issues: form.issues }]);
  const read = await documentsOf(bundle, source, form);
  if (read.documents === undefined) return refuse(io, read.reports);
  const isPoliced = [...form.files.keys()].some((each) => each.startsWith(trustFolder));
  const { chain, issues } = isPoliced ? await chainIn(source, form) : { chain: [], issues: [] };
  const problems = [...issues, ...signerIssues(chain, signers)];
  if (problems.length > 0) return refuse(io, [{ name: bundle, issues: problems }]);
  const tree = drawDocuments(io, read.documents, read.builder, policyFiles(chain));
  if (!tree.ok) return refuse(io, [{ name: specPath, issues: tree.issues }]);
  const wanted = await seal(await withItsCertificate(tree.value, source, form), signers);
  const found = await differences(source, form, wanted, await blobsOf(io, options.store)).finally(progress.finish);
  const fingerprints = await signersIn({ source, files: [...form.files.values()] });
  tell(io, options, {
    bundle: path,
    same: found.length === 0,
    files: wanted.files.length,
    builder: read.builder ?? null,
    generator: { bundle: read.generator ?? null, here: version(io) },
    signature: { state: ![signaturePath, signaturesPath].some((each) => form.files.has(each)) ? "none" : signers.length > 0 ? "made-again" : "not-made-again", fingerprint: fingerprints[0] ?? null, fingerprints },
    differences: found,
  });
  return found.length === 0 ? 0 : 1;
}

function refuse(io: Io, reports: readonly ReportedDocument[]): ExitStatus {
  showAside(io, reports);
  return 1;
}

interface FoundDocuments {
  /** Undefined where one of them can't be read as what it is. */
  readonly documents: ReadDocuments | undefined;
  readonly builder: string | undefined;
  /** The version that the bundle's provenance names. */
  readonly generator: string | undefined;
  readonly reports: readonly ReportedDocument[];
}

/** Nothing else of the bundle takes part: its map of origins is made again, as all the rest. */
async function documentsOf(bundle: string, source: BundleSource, form: Form): Promise<FoundDocuments> {
  const text = async (path: string): Promise<string> => {
    const place = form.files.get(path)?.place;
    return place === undefined || place.end - place.start > 16 * DOCUMENT_MAX_BYTES ? "" : new TextDecoder().decode(await source.read(place));
  };
  const missing = [specPath, releasePath, lockPath].filter((path) => !form.files.has(path));
  if (missing.length > 0) {
    const issues = missing.map((path): Issue => ({ code: "verify/missing-file", severity: "error", pointer: "", message: `${path} is missing` }));
    return { documents: undefined, builder: undefined, generator: undefined, reports: [{ name: bundle, issues }] };
  }
  const spec = readSpec(await text(specPath), { platforms: platforms.map((platform) => platform.name) });
  const release = readRelease(await text(releasePath));
  const lock = readLock(await text(lockPath));
  const provenance = await text(provenancePath);
  const reports = [
    { name: specPath, issues: spec.issues },
    { name: releasePath, issues: release.issues },
    { name: lockPath, issues: lock.issues },
  ];
  const more = { builder: builderIn(provenance), generator: /"cloudlet-bundle": "([^"\n]+)"/.exec(provenance)?.[1], reports };
  if (!spec.ok || !release.ok || !lock.ok) return { documents: undefined, ...more };
  return { documents: { spec: spec.value, release: release.value, lock: lock.value }, ...more };
}

/**
 * An OVF package's certificate is a signature, and its key is not here: where it is good over the manifest that was made
 * again, it is taken over as it is.
 */
async function withItsCertificate(tree: Tree, source: BundleSource, form: Form): Promise<Tree> {
  const found = form.files.get(ovfCertificatePath);
  const manifest = tree.files.find((file) => file.path === ovfManifestPath)?.body;
  if (found === undefined || found.size > DOCUMENT_MAX_BYTES || manifest?.kind !== "bytes") return tree;
  const text = new TextDecoder("latin1").decode(await source.read(found.place));
  return certificateProblem(text, baseName(ovfManifestPath), manifest.bytes) === undefined ? certified(tree, text) : tree;
}

/** A store that is not there holds nothing; it is not made. */
async function blobsOf(io: Io, given: string | undefined): Promise<Blobs> {
  const folder = storeFolder(io, given);
  if (!existsSync(folder)) return { has: async () => false, read: () => { throw new Error("there is no store"); } };
  const store = await openStore(folder);
  return { has: async (digest) => (await store.stat(digest)) !== undefined, read: store.read };
}

interface Made {
  readonly bundle: string;
  readonly same: boolean;
  readonly files: number;
  readonly builder: string | null;
  readonly generator: { readonly bundle: string | null; readonly here: string };
  readonly signature: { readonly state: "none" | "made-again" | "not-made-again"; readonly fingerprint: string | null; readonly fingerprints: readonly string[] };
  readonly differences: readonly Difference[];
}

function tell(io: Io, options: Options, made: Made): void {
  if (options.json) return io.out(`${JSON.stringify(made, null, 2)}\n`);
  const { same, files, generator, signature } = made;
  const row = (name: string, says: string): void => io.out(`${name.padEnd(11)}  ${says}\n`);
  row("made again", `${files} files from ${specPath}, ${releasePath} and ${lockPath}`);
  row("generator", generator.bundle === generator.here ? `cloudlet-bundle ${generator.here}` : `cloudlet-bundle ${generator.here}; the bundle was made by ${generator.bundle ?? "an unknown version"}`);
  row("signature", signatureWords(signature));
  for (const each of made.differences) row("different", `${each.path}: ${differenceWords(each)}`);
  io.out(same ? "SAME: this bundle is what its own spec, release and lock make\n" : "DIFFERENT: this bundle is not what its own spec, release and lock make\n");
}

function signatureWords({ state, fingerprints }: Made["signature"]): string {
  if (state === "none") return "none";
  const by = fingerprints.join(", ") || "a key that can't be read";
  return state === "made-again" ? `made again with the key given; the bundle's is by ${by}` : `by ${by}, as the bundle says; not made again (--key), and whose it is was not asked`;
}

function differenceWords({ kind, offset = 0, exact, found, wanted }: Difference): string {
  switch (kind) {
    case "missing":
      return "is missing";
    case "extra":
      return "does not belong to it";
    case "mode":
      return "has another mode";
    case "time":
      return "has another time than the release";
    case "signature":
      return "is no signature over SHA256SUMS by the key beside it";
    case "content":
      if (exact !== true) return `differs somewhere from byte ${offset} on; the blob is not at hand to say where (--store)`;
      return `differs first at byte ${offset}: ${byteWords(found)} instead of ${byteWords(wanted)}`;
  }
}

function byteWords(byte: number | undefined): string {
  return byte === undefined ? "the end" : `0x${byte.toString(16).padStart(2, "0")}`;
}
