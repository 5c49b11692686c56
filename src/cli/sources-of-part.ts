/** The bundle that a spec, a release, a lock and the store make, as one tar of which any part can be written; it is never there as a whole. */

import type { File } from "../core/file.ts";
import { sizeOf } from "../core/file.ts";
import { isBlobPath, ovfCertificatePath, publicKeyPath, signaturePath, signaturesPath, sumsPath } from "../pack/layout.ts";
import { layBundle } from "../pack/stream.ts";
import { shapeOf } from "../pack/parts.ts";
import { pack } from "../pack/tree.ts";
import type { BundleSource } from "../seal/bundle-source.ts";
import { certified } from "../seal/ovf-certificate.ts";
import { seal } from "../seal/seal.ts";
import type { Form } from "../seal/form.ts";
import { formOf } from "../seal/form.ts";
import { smallFilesOf } from "../seal/part-form.ts";
import { partIssue } from "../seal/part-issue-codes.ts";
import type { PartFile } from "../seal/part-set.ts";
import { chainIn, isPoliced } from "../seal/signed-policy.ts";
import { viewOfLayout } from "../store/tar-view.ts";
import { refuse } from "./bundle-argument.ts";
import { bytesOf } from "../store/draw.ts";
import { drawBundle, loadSpec, needsVmdk } from "./draw.ts";
import { resolveInputs, type ReleaseOptions } from "./inputs.ts";
import type { Io } from "./io.ts";
import { policyFiles } from "./policy-folder.ts";
import { hasErrors, showAside } from "./show-report.ts";
import { signersOf } from "./signer.ts";
import type { Splittable } from "./split.ts";

interface How extends ReleaseOptions {
  readonly spec: string;
  readonly like: PartFile | undefined;
  readonly key?: string;
  readonly quiet?: true;
}

/** Undefined where an issue stands in the way, which has been said. Nobody outside is asked: lock and blobs must be there. */
export async function bundleOfSources(io: Io, how: How): Promise<Splittable | undefined> {
  const { signers, reports: keyReports } = await signersOf(io, how.key === undefined ? {} : { key: [how.key] });
  const model = how.like === undefined ? undefined : await modelIn(how.like);
  const spec = await loadSpec(io, how.spec);
  const inputs = hasErrors(keyReports) ? undefined : await resolveInputs(io, { ...how, locked: true, vmdk: needsVmdk(spec) });
  const drawn = inputs?.resolved === undefined ? undefined : drawBundle(io, spec, inputs.resolved, model?.trust);
  showAside(io, [...keyReports, ...(inputs?.reports ?? []), ...(drawn?.reports ?? [])]);
  if (inputs?.resolved === undefined || drawn?.drawn === undefined) return undefined;
  const { tree } = drawn.drawn;
  const unsigned = model?.certificate === undefined ? tree : certified(tree, new TextDecoder("latin1").decode(model.certificate));
  const made = await seal(unsigned, signers);
  // Whoever signed the other part signed these sums, so its signatures are this one's, too.
  if (model !== undefined && Buffer.compare(model.sums, bytesOf(made, sumsPath)) !== 0) {
    refuse(io, how.spec, [partIssue("part/other-seal", "these documents do not make the bundle that the part of --like is of")]);
    return undefined;
  }
  const sealed = model === undefined ? made : pack([...made.files.filter(({ path }) => !signedPaths.includes(path)), ...model.signed], made.about);
  const layout = layBundle(sealed);
  const small = sealed.files.filter((file) => !isBlobPath(file.path)).map(({ path, mode, body }) => ({ path, mode, size: sizeOf(body) }));
  return { view: viewOfLayout(layout, inputs.resolved.store), head: shapeOf(small, sealed.mtime).head };
}

const signedPaths: readonly string[] = [signaturePath, publicKeyPath, signaturesPath];

/** What the documents of a bundle don't say, and another part of it does. */
interface Model {
  /** The files of its trust policies. */
  readonly trust: readonly File[];
  readonly certificate: Uint8Array | undefined;
  readonly sums: Uint8Array;
  /** The files that hold its signatures. */
  readonly signed: readonly File[];
}

async function modelIn({ source, form }: PartFile): Promise<Model> {
  const small = smallFilesOf(await source.read({ file: "", start: 0, end: form.head }));
  const smallForm = await formOf(small);
  const signed = await Promise.all(signedPaths.map(async (path) => fileOf(path, await bytesIn(small, smallForm, path))));
  return {
    trust: isPoliced(smallForm) ? policyFiles((await chainIn(small, smallForm)).chain) : [],
    certificate: await bytesIn(small, smallForm, ovfCertificatePath),
    sums: (await bytesIn(small, smallForm, sumsPath)) ?? new Uint8Array(),
    signed: signed.flatMap((file) => file ?? []),
  };
}

async function bytesIn(source: BundleSource, { files }: Form, path: string): Promise<Uint8Array | undefined> {
  const place = files.get(path)?.place;
  return place === undefined ? undefined : source.read(place);
}

function fileOf(path: string, bytes: Uint8Array | undefined): File | undefined {
  return bytes === undefined ? undefined : { path, mode: 0o644, role: "data", source: "seal", body: { kind: "bytes", bytes }, spans: [] };
}
