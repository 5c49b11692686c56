/** The bundle that a spec, a release, a lock and the store make, as one tar of which any part can be written; it is never there as a whole. */

import { sizeOf } from "../core/file.ts";
import { isBlobPath, ovfCertificatePath, publicKeyPath, signaturePath, sumsPath } from "../pack/layout.ts";
import { layBundle } from "../pack/stream.ts";
import { shapeOf } from "../pack/parts.ts";
import type { Tree } from "../pack/tree.ts";
import { certified } from "../seal/ovf-certificate.ts";
import { readPublicKey } from "../seal/keys.ts";
import { seal } from "../seal/seal.ts";
import { isSignature, type Signer } from "../seal/sign.ts";
import { formOf } from "../seal/form.ts";
import { smallFilesOf } from "../seal/part-form.ts";
import { partIssue } from "../seal/part-issue-codes.ts";
import type { PartFile } from "../seal/part-set.ts";
import { viewOfLayout } from "../store/tar-view.ts";
import { refuse } from "./bundle-argument.ts";
import { bytesOf, drawBundle, loadSpec, needsVmdk } from "./draw.ts";
import { resolveInputs, type ReleaseOptions } from "./inputs.ts";
import type { Io } from "./io.ts";
import { hasErrors, showAside } from "./show-report.ts";
import { signerOf } from "./signer.ts";
import type { Splittable } from "./split.ts";

interface How extends ReleaseOptions {
  readonly spec: string;
  readonly like: PartFile | undefined;
  readonly key?: string;
  readonly quiet?: true;
}

/** Undefined where an issue stands in the way, which has been said. Nobody outside is asked: lock and blobs must be there. */
export async function bundleOfSources(io: Io, how: How): Promise<Splittable | undefined> {
  const { signer: own, report } = await signerOf(io, how.key === undefined ? {} : { key: how.key });
  const keyReports = report === undefined ? [] : [report];
  const spec = await loadSpec(io, how.spec);
  const inputs = hasErrors(keyReports) ? undefined : await resolveInputs(io, { ...how, locked: true, vmdk: needsVmdk(spec) });
  const drawn = inputs?.resolved === undefined ? undefined : drawBundle(io, spec, inputs.resolved);
  showAside(io, [...keyReports, ...(inputs?.reports ?? []), ...(drawn?.reports ?? [])]);
  if (inputs?.resolved === undefined || drawn?.drawn === undefined) return undefined;
  const model = how.like === undefined ? undefined : await smallFileIn(how.like);
  const certificate = await model?.(ovfCertificatePath);
  const tree = certificate === undefined ? drawn.drawn.tree : certified(drawn.drawn.tree, new TextDecoder("latin1").decode(certificate));
  const signer = own ?? (model === undefined ? undefined : await signerLike(model, tree));
  if (signer === "other") {
    refuse(io, how.spec, [partIssue("part/other-seal", "these documents do not make the bundle that the part of --like is of")]);
    return undefined;
  }
  const sealed = await seal(tree, signer);
  const layout = layBundle(sealed);
  const small = sealed.files.filter((file) => !isBlobPath(file.path)).map(({ path, mode, body }) => ({ path, mode, size: sizeOf(body) }));
  return { view: viewOfLayout(layout, inputs.resolved.store), head: shapeOf(small, sealed.mtime).head };
}

type SmallFile = (path: string) => Promise<Uint8Array | undefined>;

async function smallFileIn({ source, form }: PartFile): Promise<SmallFile> {
  const small = smallFilesOf(await source.read({ file: "", start: 0, end: form.head }));
  const { files } = await formOf(small);
  return async (path) => {
    const place = files.get(path)?.place;
    return place === undefined ? undefined : small.read(place);
  };
}

/** Whoever signed the other part, for the one text that he signed; undefined where it is not signed, "other" where it is over another text. */
async function signerLike(model: SmallFile, tree: Tree): Promise<Signer | undefined | "other"> {
  const [signature, key] = [await model(signaturePath), await model(publicKeyPath)];
  if (signature === undefined || key === undefined) return undefined;
  const read = readPublicKey(new TextDecoder("latin1").decode(key));
  const sums = bytesOf(await seal(tree, undefined), sumsPath);
  if (!read.ok || !isSignature(sums, read.value.publicKeyPem, signature)) return "other";
  return { publicKeyPem: read.value.publicKeyPem, fingerprint: read.value.fingerprint, sign: async () => signature };
}
