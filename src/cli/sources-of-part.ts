/** The bundle that a spec, a release, a lock and the store make, as one tar of which any part can be written; it is never there as a whole. */

import { partIssue } from "../seal/part-issue-codes.ts";
import type { PartFile } from "../seal/part-set.ts";
import { bytesOf, drawBundle } from "./draw.ts";
import { isBlobPath, publicKeyPath, signaturePath, sumsPath } from "../pack/layout.ts";
import { layBundle } from "../pack/stream.ts";
import { shapeOf } from "../pack/parts.ts";
import type { Tree } from "../pack/tree.ts";
import { sizeOf } from "../core/file.ts";
import { readPublicKey } from "../seal/keys.ts";
import { seal } from "../seal/seal.ts";
import { isSignature, type Signer } from "../seal/sign.ts";
import { formOf } from "../seal/form.ts";
import { smallFilesOf } from "../seal/part-form.ts";
import { viewOfLayout } from "../store/tar-view.ts";
import { refuse } from "./bundle-argument.ts";
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
  const inputs = hasErrors(keyReports) ? undefined : await resolveInputs(io, { ...how, locked: true });
  const drawn = inputs?.resolved === undefined ? undefined : await drawBundle(io, how.spec, inputs.resolved);
  showAside(io, [...keyReports, ...(inputs?.reports ?? []), ...(drawn?.reports ?? [])]);
  if (inputs?.resolved === undefined || drawn?.drawn === undefined) return undefined;
  const { tree } = drawn.drawn;
  const signer = own ?? (how.like === undefined ? undefined : await signerLike(how.like, tree));
  if (signer === "other") {
    refuse(io, how.spec, [partIssue("part/other-seal", "these documents do not make the bundle that the part of --like is of")]);
    return undefined;
  }
  const sealed = await seal(tree, signer);
  const layout = layBundle(sealed);
  const small = sealed.files.filter((file) => !isBlobPath(file.path)).map(({ path, mode, body }) => ({ path, mode, size: sizeOf(body) }));
  return { view: viewOfLayout(layout, inputs.resolved.store), head: shapeOf(small, sealed.mtime).head };
}

/** Whoever signed the other part, for the one text that he signed; undefined where it is not signed, "other" where it is over another text. */
async function signerLike({ source, form }: PartFile, tree: Tree): Promise<Signer | undefined | "other"> {
  const small = smallFilesOf(await source.read({ file: "", start: 0, end: form.head }));
  const { files } = await formOf(small);
  const [signature, key] = await Promise.all([signaturePath, publicKeyPath].map(async (path) => {
    const place = files.get(path)?.place;
    return place === undefined ? undefined : small.read(place);
  }));
  if (signature === undefined || key === undefined) return undefined;
  const read = readPublicKey(new TextDecoder("latin1").decode(key));
  const sums = bytesOf(await seal(tree, undefined), sumsPath);
  if (!read.ok || !isSignature(sums, read.value.publicKeyPem, signature)) return "other";
  return { publicKeyPem: read.value.publicKeyPem, fingerprint: read.value.fingerprint, sign: async () => signature };
}
